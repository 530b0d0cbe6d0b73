import ApusDataAPI
import ApusREST
import Synchronization

/// Keeps documents about the API, which are large and change seldom.
///
/// A document depends on the catalog and on what its reader may use; both are in the key. So it is shared by all
/// roles that may use the same, and a privilege that is granted or taken away is seen at once.
final class DocumentCache: Sendable {
    struct Key: Hashable {
        var format: ReadRequest.Document.Format
        var schema: String
        /// nil: everything is shown.
        var visible: VisibleNames?
    }

    private struct State {
        var catalogVersion: UInt64 = 0
        var documents: [Key: [UInt8]] = [:]
    }

    private let state = Mutex(State())

    /// Few roles see different parts; a bound, because a document of many tables is megabytes.
    private static let limit = 16

    /// The document, made if it is not at hand.
    func document(_ key: Key, catalogVersion: UInt64, make: () -> [UInt8]) -> [UInt8] {
        let known = state.withLock { state in
            state.catalogVersion == catalogVersion ? state.documents[key] : nil
        }
        if let known { return known }
        let made = make()
        state.withLock { state in
            guard catalogVersion >= state.catalogVersion else { return }
            if catalogVersion > state.catalogVersion || state.documents.count >= Self.limit {
                state.documents = [:]
                state.catalogVersion = catalogVersion
            }
            state.documents[key] = made
        }
        return made
    }
}
