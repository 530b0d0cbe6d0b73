package import ApusJSON
import Crypto

/// Which passwords may be set.
package struct PasswordPolicy: Sendable {
    /// `auth-password-min-length`: characters.
    package var minimum = 8
    /// `auth-password-max-length`: bytes. Longer ones are refused and never cut.
    package var maximum = 72
    /// `auth-password-required-characters`: sets of characters of each of which one must be in it.
    package var required: [Set<Character>] = []
    /// `auth-password-leaked-check`
    package var refusesLeaked = true
    /// Known leaks beyond the built-in ones.
    package var leaked: LeakedPasswords?

    /// The site's names: the host of its URL, and each part of that.
    private var siteNames: [String] = []

    package init() {}

    /// - Parameter siteURL: a password must not simply be called like this site.
    package mutating func refuseNames(of siteURL: String) {
        guard let start = siteURL.firstRange(of: "://")?.upperBound else { return }
        let host = siteURL[start...].prefix { !"/:?#".contains($0) }
        siteNames = [String(host)] + host.split(separator: ".").map { String($0) }
    }

    /// Refuses a password that is too weak.
    ///
    /// - Parameter context: what it must not simply be: the address, the site.
    /// - Throws: `validation_failed` for one that is too long, `weak_password` with reasons.
    package func check(_ password: String, context: [String] = []) throws(AuthFault) {
        guard password.utf8.count <= maximum else {
            throw .invalid("Password cannot be longer than \(maximum) characters")
        }
        guard !password.utf8.contains(0) else { throw .invalid("Password must not contain NUL") }
        let reasons = weaknesses(password, context: context)
        guard reasons.isEmpty else {
            throw AuthFault(
                422, "weak_password", Self.message(reasons, minimum),
                more: ["weak_password": ["reasons": .strings(reasons)]])
        }
    }

    /// `weak_password` of a session whose password would no longer be taken; nil for one that would.
    package func warning(_ password: String) -> JSONValue? {
        let reasons = weaknesses(password, context: [])
        guard !reasons.isEmpty else { return nil }
        return ["reasons": .strings(reasons), "message": .string(Self.message(reasons, minimum))]
    }

    // MARK: - Non public

    private func weaknesses(_ password: String, context: [String]) -> [String] {
        var reasons: [String] = []
        if password.count < minimum { reasons.append("length") }
        if required.contains(where: { set in !password.contains { set.contains($0) } }) {
            reasons.append("characters")
        }
        if refusesLeaked, isCommon(password, context) { reasons.append("pwned") }
        return reasons
    }

    private func isCommon(_ password: String, _ context: [String]) -> Bool {
        let lower = password.lowercased()
        return CommonPasswords.contains(lower)
            || (context + siteNames).contains { $0.count >= 4 && lower == $0.lowercased() }
            || leaked?.contains(password) == true
    }

    private static func message(_ reasons: [String], _ minimum: Int) -> String {
        reasons.map { reason in
            switch reason {
            case "length": "Password should be at least \(minimum) characters."
            case "characters": "Password should contain at least one character of each kind that is required."
            default: "Password is known to be weak and easy to guess, please choose a different one."
            }
        }.joined(separator: " ")
    }
}
