import ApusJSON

/// A Firebase user as rows of `auth.users` and `auth.identities`, and what was lost on the way.
struct FirebaseImportRow: Sendable {
    /// How users are mapped.
    struct Rules: Sendable {
        var project: String
        var parameters: FirebaseScrypt.Parameters
        var keyID: String
        /// Whether addresses that Firebase never verified count as confirmed.
        var confirmsAll: Bool
    }

    let id: String
    let uid: String
    /// For `jsonb_to_recordset`.
    let user: JSONObject
    let identities: [JSONObject]
    let notes: [FirebaseImportReport.Note]
    /// Counted when the user is imported.
    let facts: [FirebaseImportReport.Count]

    /// Firebase's names of providers, and GoTrue's.
    private static let providers = [
        "google.com": "google", "facebook.com": "facebook", "twitter.com": "twitter", "github.com": "github",
        "apple.com": "apple", "microsoft.com": "azure", "linkedin.com": "linkedin_oidc",
    ]
    /// Names in `app_metadata` that claims may not take.
    private static let reserved: Set<String> = ["provider", "providers", "firebase_uid"]

    init(_ source: FirebaseUser, _ rules: Rules) {
        let id = source.userID(project: rules.project)
        let uid = source.id
        self.id = id
        self.uid = uid
        var notes: [FirebaseImportReport.Note] = []
        var facts: [FirebaseImportReport.Count] = []
        func note(_ about: FirebaseImportReport.Count, _ detail: String = "") {
            notes.append(.init(uid: uid, about: about, detail: detail))
        }
        let email = source.email.flatMap { EmailAddress.read($0) }
        let phone = source.phone.flatMap { AuthService.factorPhone($0) }
        let isConfirmed = source.isEmailVerified || rules.confirmsAll
        var identities: [JSONObject] = []
        var providers: [String] = []
        func identity(_ provider: String, _ subject: String, _ data: JSONObject) {
            identities.append([
                "user_id": .string(id), "provider": .string(provider), "subject": .string(subject),
                "data": .object(data),
            ])
            if provider != "firebase", !providers.contains(provider) { providers.append(provider) }
        }

        let password = Self.password(source, rules)
        if source.passwordHash != nil, password == nil { note(.lostPassword) }
        if password != nil { facts.append(.withPassword) }
        if let email, password != nil || source.links.isEmpty {
            identity(
                "email", id,
                [
                    "sub": .string(id), "email": .string(email), "email_verified": .bool(isConfirmed),
                    "phone_verified": false,
                ])
        }
        if let phone {
            identity("phone", id, ["sub": .string(id), "phone": .string(phone), "phone_verified": true])
        }
        for link in source.links where link.provider != "password" && link.provider != "phone" {
            if let provider = Self.provider(link.provider) {
                identity(provider, link.subject, Self.data(link))
                facts.append(.links)
            } else {
                note(.lostLink, link.provider)
            }
        }
        identity("firebase", uid, ["sub": .string(uid), "project": .string(rules.project)])

        let isAnonymous = source.email == nil && source.phone == nil && source.links.isEmpty
        if isAnonymous { facts.append(.anonymous) }
        if source.isDisabled { facts.append(.disabled) }
        if source.hasSecondFactor { note(.lostSecondFactor) }
        if source.hasUnreadableClaims { note(.lostClaims) }
        if email != nil, password != nil, !isConfirmed { facts.append(.withoutConfirmation) }
        if !isAnonymous, password == nil, phone == nil, providers.allSatisfy({ $0 == "email" }) {
            note(.lostSignIn)
        }
        user = [
            "id": .string(id), "email": email.map { .string($0) } ?? .null,
            "password": password.map { .string($0) } ?? .null,
            "email_confirmed": .bool(email != nil && isConfirmed),
            "phone": phone.map { .string($0) } ?? .null,
            "app": .object(Self.appMetadata(source, providers)), "data": .object(Self.userMetadata(source)),
            "created": Self.seconds(source.createdAt), "last": Self.seconds(source.lastSignedInAt),
            "banned": .bool(source.isDisabled), "anonymous": .bool(isAnonymous),
        ]
        self.identities = identities
        self.notes = notes
        self.facts = facts
    }

    // MARK: - Parts

    private static func password(_ source: FirebaseUser, _ rules: Rules) -> String? {
        guard let hash = source.passwordHash, hash.count == rules.parameters.signerKey.count else {
            return nil
        }
        return FirebaseScrypt(parameters: rules.parameters, salt: source.salt ?? [], hash: hash).text(
            keyID: rules.keyID)
    }

    private static func provider(_ name: String) -> String? {
        if let known = providers[name] { return known }
        return name.hasPrefix("oidc.") ? "custom:" + name.dropFirst(5) : nil
    }

    private static func data(_ link: FirebaseUser.Link) -> JSONObject {
        var data: JSONObject = ["sub": .string(link.subject), "provider_id": .string(link.subject)]
        if let email = link.email.flatMap({ EmailAddress.read($0) }) { data["email"] = .string(email) }
        if let name = link.name {
            data["name"] = .string(name)
            data["full_name"] = .string(name)
        }
        if let photo = link.photo {
            data["avatar_url"] = .string(photo)
            data["picture"] = .string(photo)
        }
        return data
    }

    private static func appMetadata(_ source: FirebaseUser, _ providers: [String]) -> JSONObject {
        var metadata = JSONObject()
        if let first = providers.first { metadata["provider"] = .string(first) }
        metadata["providers"] = .strings(providers)
        metadata["firebase_uid"] = .string(source.id)
        for claim in source.claims.members where !reserved.contains(claim.name) {
            metadata[claim.name] = claim.value
        }
        return metadata
    }

    private static func userMetadata(_ source: FirebaseUser) -> JSONObject {
        var metadata = JSONObject()
        if let name = source.name {
            metadata["name"] = .string(name)
            metadata["full_name"] = .string(name)
        }
        if let photo = source.photo {
            metadata["avatar_url"] = .string(photo)
            metadata["picture"] = .string(photo)
        }
        return metadata
    }

    private static func seconds(_ milliseconds: Int64?) -> JSONValue {
        guard let milliseconds else { return .null }
        let rest = String(milliseconds % 1000)
        return .number("\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest)
    }
}
