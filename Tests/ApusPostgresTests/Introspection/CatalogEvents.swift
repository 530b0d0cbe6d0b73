import ApusCatalog

@testable import ApusPostgres

/// The events of a store, waited for one kind at a time.
struct CatalogEvents {
    private struct Ended: Error {}

    private var iterator: AsyncStream<CatalogStore.Event>.Iterator

    init(_ events: AsyncStream<CatalogStore.Event>) { iterator = events.makeAsyncIterator() }

    /// Waits until a catalog of this kind has been read, and says how many were read for it.
    @discardableResult
    mutating func load(where isWanted: (Catalog) -> Bool) async throws -> Int {
        var count = 0
        while let event = await iterator.next() {
            guard case .loaded(let catalog, _, _) = event else { continue }
            count += 1
            if isWanted(catalog) { return count }
        }
        throw Ended()
    }

    mutating func failure() async throws -> PostgresFault {
        while let event = await iterator.next() {
            if case .failed(let fault) = event { return fault }
        }
        throw Ended()
    }

    mutating func configurationRequest() async throws {
        while let event = await iterator.next() {
            if case .configurationRequested = event { return }
        }
        throw Ended()
    }

    /// Waits until the store hears `NOTIFY`: calls until it answers.
    mutating func hearing(
        on database: Database, call: String = "notify pgrst, 'reload config'"
    ) async throws {
        let caller = Task {
            while !Task.isCancelled {
                try await database.script(call)
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        try await configurationRequest()
        caller.cancel()
        _ = await caller.result
    }
}
