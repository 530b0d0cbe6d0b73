package import ApusJSON
import Crypto

/// A user as `firebase auth:export` and `accounts:batchGet` write one.
package struct FirebaseUser: Sendable {
    package enum Unusable: Error, Sendable, Equatable {
        case notJSON
        /// Without a `localId`, or with one that Firebase cannot have given.
        case noID
    }

    /// A link to an account elsewhere.
    package struct Link: Sendable {
        /// Firebase's name: `google.com`, `oidc.mine`.
        package let provider: String
        /// The account's id there.
        package let subject: String
        package let email: String?
        package let name: String?
        package let photo: String?
    }

    /// Firebase's uid.
    package let id: String
    package let email: String?
    package let isEmailVerified: Bool
    package let passwordHash: [UInt8]?
    package let salt: [UInt8]?
    package let name: String?
    package let photo: String?
    package let phone: String?
    package let isDisabled: Bool
    /// Custom claims.
    package let claims: JSONObject
    /// Whether there were claims that are no JSON object.
    package let hasUnreadableClaims: Bool
    /// Milliseconds since 1970.
    package let createdAt: Int64?
    package let lastSignedInAt: Int64?
    package let links: [Link]
    /// `mfaInfo`, which only `accounts:batchGet` tells: Firebase gives away no seeds.
    package let hasSecondFactor: Bool

    package init(_ bytes: [UInt8]) throws(Unusable) {
        guard let json = try? JSONReader.read(bytes).object else { throw .notJSON }
        // PostgreSQL's text holds no NUL; nothing of Firebase's does either.
        func text(_ object: JSONObject, _ name: String) -> String? {
            object[name]?.text.flatMap { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
        }
        guard let id = text(json, "localId"), id.utf8.count <= 128 else { throw .noID }
        self.id = id
        email = text(json, "email")
        isEmailVerified = json["emailVerified"] == .bool(true)
        passwordHash = text(json, "passwordHash").flatMap { Base64Text.decode($0) }.flatMap {
            $0.isEmpty ? nil : $0
        }
        salt = text(json, "salt").flatMap { Base64Text.decode($0) }
        name = text(json, "displayName")
        photo = text(json, "photoUrl")
        phone = text(json, "phoneNumber")
        isDisabled = json["disabled"] == .bool(true)
        let claims = text(json, "customAttributes")
        let read = claims.flatMap { try? JSONReader.read(Array($0.utf8)).object }
        self.claims = read ?? [:]
        hasUnreadableClaims = claims != nil && read == nil
        createdAt = Self.milliseconds(json["createdAt"])
        lastSignedInAt = Self.milliseconds(json["lastSignedInAt"] ?? json["lastLoginAt"])
        links = (json["providerUserInfo"]?.array ?? []).compactMap { item in
            guard let link = item.object, let provider = text(link, "providerId"),
                let subject = text(link, "rawId") ?? text(link, "federatedId")
            else { return nil }
            return Link(
                provider: provider, subject: subject, email: text(link, "email"),
                name: text(link, "displayName"),
                photo: text(link, "photoUrl"))
        }
        hasSecondFactor = !(json["mfaInfo"]?.array ?? []).isEmpty
    }

    /// The user's id here: UUID version 5 (RFC 9562 §5.5) of the user's URL at Firebase, so that it can be computed
    /// anywhere and importing twice finds the same user.
    package func userID(project: String) -> String { Self.userID(project: project, uid: id) }

    /// The id here of a Firebase uid.
    package static func userID(project: String, uid: String) -> String {
        // The namespace of URLs, 6ba7b811-9dad-11d1-80b4-00c04fd430c8.
        let namespace: [UInt8] = [
            0x6B, 0xA7, 0xB8, 0x11, 0x9D, 0xAD, 0x11, 0xD1, 0x80, 0xB4, 0x00, 0xC0, 0x4F, 0xD4, 0x30, 0xC8,
        ]
        let name = "https://securetoken.google.com/\(project)/\(uid)"
        var bytes = Array(Insecure.SHA1.hash(data: namespace + Array(name.utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        return UUIDText.write(bytes)
    }

    /// Firebase writes 64-bit numbers as texts.
    private static func milliseconds(_ value: JSONValue?) -> Int64? {
        switch value {
        case .string(let text), .number(let text):
            // Up to the year 9999.
            Int64(text).flatMap { (0...253_402_300_799_000).contains($0) ? $0 : nil }
        default: nil
        }
    }
}
