/// Finds the users in what `firebase auth:export` wrote (`{"users":[…]}`), or in an array of them, piece by piece:
/// of a file of any size it holds one user at a time.
///
/// It only finds where users begin and end; ``JSONReader`` judges each.
package struct FirebaseExportScanner: Sendable {
    package enum Malformed: Error, Sendable, Equatable {
        /// The file has no list of users; its offset in bytes.
        case noUsers(at: Int)
        /// Something stands where a user should.
        case unexpected(at: Int)
        /// A user of more than ``userLimit`` bytes.
        case userTooLarge(at: Int)
        /// The file ends within the list: it was cut off.
        case cutOff(at: Int)
    }

    /// A user as it stands in the file.
    package struct Found: Sendable, Equatable {
        package let bytes: [UInt8]
        /// Where it begins, and where what follows it begins, in bytes from the start of the file.
        package let range: Range<Int>
    }

    /// The largest user, bytes. Firebase allows 1,000 bytes of claims and a dozen providers.
    package static let userLimit = 1 << 20

    private enum Place { case beforeList, inList, afterList }

    private var place: Place
    /// Bytes seen.
    package private(set) var offset: Int
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Outside of the list: the string that was read last, and whether a colon followed it.
    private var name: [UInt8] = []
    private var isListNext = false
    private var user: [UInt8] = []
    private var userStart = 0

    /// From the beginning of a file.
    package init() {
        place = .beforeList
        offset = 0
    }

    /// From within the list: where ``Found/range`` of an earlier scan ended.
    package init(resumingAt offset: Int) {
        place = .inList
        self.offset = offset
    }

    /// Whether the list's end was seen.
    package var isComplete: Bool { place == .afterList }

    /// Reads the next piece of the file, and hands over the users that end in it.
    package mutating func scan(
        _ bytes: some Sequence<UInt8>, onUser: (Found) throws -> Void
    ) throws {
        for byte in bytes {
            switch place {
            case .beforeList: try scanBeforeList(byte)
            case .inList: if let found = try scanInList(byte) { try onUser(found) }
            case .afterList: break
            }
            offset += 1
        }
    }

    /// Says that the file has ended.
    package func finish() throws(Malformed) {
        switch place {
        case .beforeList: throw .noUsers(at: offset)
        case .inList: throw .cutOff(at: offset)
        case .afterList: break
        }
    }

    // MARK: - Non public

    private mutating func scanBeforeList(_ byte: UInt8) throws(Malformed) {
        if isInString {
            if scanString(byte), name.count < 16 { name.append(byte) }
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            name = []
        case UInt8(ascii: ":"): isListNext = depth == 1 && name == Array("users".utf8)
        case UInt8(ascii: "["):
            if depth == 0 || isListNext { return place = .inList }
            depth += 1
        case UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            if depth <= 0 { throw .noUsers(at: offset) }
        case 0x20, 0x09, 0x0A, 0x0D: break
        default:
            // A byte order mark may precede everything.
            if depth == 0, !(offset < 3 && [0xEF, 0xBB, 0xBF].contains(byte)) { throw .noUsers(at: offset) }
            isListNext = false
        }
    }

    private mutating func scanInList(_ byte: UInt8) throws(Malformed) -> Found? {
        if user.isEmpty {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","): return nil
            case UInt8(ascii: "]"):
                place = .afterList
                return nil
            case UInt8(ascii: "{"):
                userStart = offset
                depth = 0
            default: throw .unexpected(at: offset)
            }
        }
        user.append(byte)
        guard user.count <= Self.userLimit else { throw .userTooLarge(at: userStart) }
        if isInString {
            _ = scanString(byte)
            return nil
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        guard depth == 0 else { return nil }
        defer { user.removeAll(keepingCapacity: true) }
        return Found(bytes: user, range: userStart..<offset + 1)
    }

    /// Whether the byte belongs to the string.
    private mutating func scanString(_ byte: UInt8) -> Bool {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            return false
        }
        return true
    }
}
