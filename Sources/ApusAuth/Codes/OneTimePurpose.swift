/// What a one-time token proves, and so what may be done with it.
package enum OneTimePurpose: String, Sendable {
    /// That an address or number is the user's own, at sign-up.
    case signUp = "signup"
    case invite
    /// Signs in: a link or code by mail, or a code by text message.
    case magicLink = "magiclink"
    case sms
    /// Signs in to set a new password.
    case recovery
    /// Both halves of a change of address.
    case emailChangeCurrent = "email_change_current"
    case emailChangeNew = "email_change_new"
    case phoneChange = "phone_change"
    /// That the person at the device is still the one who signed in.
    case reauthentication

    /// The kind of token that a user has one of: asking again for one replaces what was sent before.
    package var slot: String {
        switch self {
        case .signUp, .invite, .sms: "confirmation_token"
        case .magicLink, .recovery: "recovery_token"
        case .emailChangeCurrent: "email_change_token_current"
        case .emailChangeNew: "email_change_token_new"
        case .phoneChange: "phone_change_token"
        case .reauthentication: "reauthentication_token"
        }
    }

    /// `type` in links and requests.
    package var type: String {
        switch self {
        case .emailChangeCurrent, .emailChangeNew: "email_change"
        default: rawValue
        }
    }

    /// What a request of this `type` may use; nil for a type that does not exist.
    package static func allowed(type: String) -> [OneTimePurpose]? {
        switch type {
        case "signup": [.signUp]
        case "invite": [.invite]
        case "magiclink": [.magicLink, .signUp]
        case "recovery": [.recovery]
        case "email": [.magicLink, .signUp, .invite]
        case "email_change": [.emailChangeCurrent, .emailChangeNew]
        case "sms": [.sms]
        case "phone_change": [.phoneChange]
        default: nil
        }
    }

    /// What `amr` says of a session that it opens.
    package var method: String {
        switch self {
        case .signUp: "email/signup"
        case .invite: "invite"
        case .magicLink: "magiclink"
        case .recovery: "recovery"
        case .emailChangeCurrent, .emailChangeNew: "email_change"
        case .sms, .phoneChange, .reauthentication: "otp"
        }
    }
}
