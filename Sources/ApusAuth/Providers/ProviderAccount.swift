import ApusJSON

/// What a provider says of somebody: who it is there, and which address is theirs.
struct ProviderAccount: Sendable, Equatable {
    let provider: String
    /// What the provider calls its user; never changes, never given to another.
    let subject: String
    /// As ``EmailAddress`` writes it; nil when there is none that can be one.
    let email: String?
    /// Whether the provider says that the address was proven to be theirs.
    let isEmailVerified: Bool
    /// What is kept in `auth.identities.identity_data`.
    let data: JSONObject

    init(
        provider: String, issuer: String, subject: String, email: String?, isEmailVerified: Bool,
        profile: JSONObject
    ) {
        self.provider = provider
        self.subject = subject
        self.email = email.flatMap { EmailAddress.read($0) }
        self.isEmailVerified = isEmailVerified && self.email != nil
        var data: JSONObject = [
            "iss": .string(issuer), "sub": .string(subject), "provider_id": .string(subject),
        ]
        if let email = self.email { data["email"] = .string(email) }
        data["email_verified"] = .bool(self.isEmailVerified)
        data["phone_verified"] = false
        for member in profile.members where data[member.name] == nil { data[member.name] = member.value }
        self.data = data
    }

    private init(stored: JSONObject, provider: String, subject: String) {
        self.provider = provider
        self.subject = subject
        email = stored["email"]?.text
        isEmailVerified = stored["email_verified"] == .bool(true)
        data = stored
    }

    /// The claims of an id_token, and of the provider's user info where it was asked.
    init(_ claims: JSONObject, of provider: Provider) {
        var profile = JSONObject()
        for name in [
            "name", "given_name", "family_name", "nickname", "preferred_username", "picture", "locale",
        ] {
            if let text = claims[name]?.text, text.utf8.count <= 2_048 { profile[name] = .string(text) }
        }
        if let name = profile["name"] { profile["full_name"] = name }
        if let picture = profile["picture"] { profile["avatar_url"] = picture }
        if let domain = claims["hd"]?.text { profile["custom_claims"] = ["hd": .string(domain)] }
        self.init(
            provider: provider.name, issuer: claims["iss"]?.text ?? provider.issuer,
            subject: claims["sub"]?.text ?? "", email: claims["email"]?.text,
            isEmailVerified: Self.isVerified(claims, provider), profile: profile)
    }

    /// Microsoft puts addresses into `email` that an administrator of any tenant wrote there; only `xms_edov` says that
    /// the domain's owner was asked.
    private static func isVerified(_ claims: JSONObject, _ provider: Provider) -> Bool {
        let name = provider.kind == .microsoft ? "xms_edov" : "email_verified"
        // Apple and some others write it as text.
        switch claims[name] {
        case .bool(let flag): return flag
        case .string(let text): return text == "true" || provider.kind == .microsoft && text == "1"
        case .number(let text): return provider.kind == .microsoft && text == "1"
        default: return false
        }
    }

    /// The same with a name, where the provider said none.
    func named(_ name: String) -> ProviderAccount {
        guard data["full_name"] == nil else { return self }
        var data = data
        data["name"] = .string(name)
        data["full_name"] = .string(name)
        return ProviderAccount(stored: data, provider: provider, subject: subject)
    }

    // MARK: - On its way

    /// For an account that waits to be linked.
    var stored: JSONObject {
        ["provider": .string(provider), "subject": .string(subject), "data": .object(data)]
    }

    init?(stored: JSONObject) {
        guard let provider = stored["provider"]?.text, let subject = stored["subject"]?.text,
            let data = stored["data"]?.object
        else { return nil }
        self.init(stored: data, provider: provider, subject: subject)
    }
}
