package import ApusJSON

/// What an import did, in numbers that add up over runs that were interrupted.
package struct FirebaseImportReport: Sendable, Equatable {
    /// What is counted.
    package enum Count: String, Sendable, CaseIterable {
        case read, imported
        case present, conflicting, unreadable
        case withPassword = "with_password"
        case withoutConfirmation = "without_confirmation"
        case disabled, anonymous, links
        case linkTaken = "link_taken"
        case lostLink = "lost_link"
        case lostSignIn = "lost_sign_in"
        case lostSecondFactor = "lost_second_factor"
        case lostClaims = "lost_claims"
        case lostPassword = "lost_password"
    }

    /// Something that somebody should know about one user.
    package struct Note: Sendable, Equatable {
        /// Firebase's uid; empty for what has none.
        package let uid: String
        package let about: Count
        /// More, without personal data.
        package let detail: String
    }

    private var counts: [Count: Int] = [:]

    package init() {}

    package subscript(count: Count) -> Int {
        get { counts[count] ?? 0 }
        set { counts[count] = newValue }
    }

    mutating func add(_ note: Note) { self[note.about] += 1 }

    /// To be kept while an import is under way.
    package init(_ json: JSONObject) {
        for count in Count.allCases {
            if case .number(let text) = json[count.rawValue] { self[count] = Int(text) ?? 0 }
        }
    }

    package var json: JSONObject {
        var object = JSONObject()
        for count in Count.allCases { object[count.rawValue] = .int(self[count]) }
        return object
    }

    // MARK: - For people

    /// One line per number that is worth one, and what to do about it.
    package var lines: [String] {
        var lines: [String] = []
        func line(_ count: Count, _ text: String, always: Bool = false) {
            if always || self[count] > 0 { lines.append("\(Self.padded(self[count]))  \(text)") }
        }
        line(.read, "users read", always: true)
        line(.imported, "imported", always: true)
        line(.withPassword, "of them with their password")
        line(.links, "links to accounts elsewhere kept")
        line(.disabled, "of them disabled, and banned here")
        line(.anonymous, "of them anonymous: nobody can sign in to those again")
        line(.present, "were here already: nothing was changed")
        line(.conflicting, "skipped: their address or number belongs to another user here")
        line(.unreadable, "skipped: they cannot be read")
        line(.linkTaken, "links dropped: the account elsewhere belongs to another user here")
        line(
            .withoutConfirmation,
            "have an address that Firebase never verified: they must confirm it before they sign in")
        line(.lostPassword, "lost their password: its hash is not of this project's parameters")
        line(.lostLink, "links dropped: Apus has no such provider")
        line(
            .lostSignIn, "have no way to sign in but a link by mail: probably a link that the export left out"
        )
        line(.lostSecondFactor, "lost their second factor: Firebase gives away no seeds")
        line(.lostClaims, "lost their custom claims: those are no JSON object")
        return lines
    }

    /// What no file can say, and everybody should know.
    package static let warnings = [
        "`firebase auth:export` leaves out links to Apple, Microsoft, OIDC, SAML and Game Center: it keeps Google, "
            + "Facebook, Twitter and GitHub only. Take a list with all of them from accounts:batchGet.",
        "Second factors are in no export. People who had one add it again.",
    ]

    private static func padded(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }
}
