/// What the built-in messages say in one language. The texts are templates.
struct Phrases: Sendable {
    /// A message's own words.
    struct Words: Sendable {
        var subject: String
        var body: String
        /// On the link that looks like a button.
        var button = ""
        /// Whether whoever did not ask for it need do nothing.
        var isIgnorable = true
    }

    /// BCP 47
    var language: String
    /// Before a code that is all there is.
    var code: String
    /// Before a code that does the same as the link above it.
    var orCode: String
    var ignore: String
    var confirmation: Words
    var invite: Words
    var magicLink: Words
    var recovery: Words
    var emailChange: Words
    var reauthentication: Words
    var passwordChanged: Words
    var emailChanged: Words
    var accountExists: Words
    /// The body of a text message.
    var sms: String

    func of(_ kind: MessageKind) -> Words {
        switch kind {
        case .confirmation: confirmation
        case .invite: invite
        case .magicLink: magicLink
        case .recovery: recovery
        case .emailChangeCurrent, .emailChangeNew: emailChange
        case .reauthentication: reauthentication
        case .phoneCode, .phoneChange: Words(subject: sms, body: sms)
        case .passwordChanged: passwordChanged
        case .emailChanged: emailChanged
        case .accountExists: accountExists
        // Nobody reads it.
        case .userCreated: Words(subject: "", body: "")
        }
    }

    /// By language.
    static let all: [String: Phrases] = [
        "en": english, "de": german, "fr": french, "es": spanish, "it": italian, "pt": portuguese,
    ]
}
