/// Why somebody is written to; also the name of the template.
package enum MessageKind: String, Sendable, CaseIterable {
    /// To confirm the address of a new account.
    case confirmation
    /// An account was made for somebody, who is invited to take it.
    case invite
    case magicLink = "magic_link"
    /// To choose a new password.
    case recovery
    /// To the address that is being left.
    case emailChangeCurrent = "email_change_current"
    /// To the address that is being taken.
    case emailChangeNew = "email_change_new"
    /// A code to enter before something delicate.
    case reauthentication
    /// A code by text message.
    case phoneCode = "phone_code"
    /// A code for a new number.
    case phoneChange = "phone_change"
    /// Says that something was done: no code, no link.
    case passwordChanged = "password_changed_notification"
    case emailChanged = "email_changed_notification"
    /// Somebody tried to sign up with an address that has an account.
    case accountExists = "account_exists_notification"
    /// For a hook and not for a person: somebody became a user.
    case userCreated = "user_created"

    /// Those that are worded, by templates.
    package static let worded = allCases.filter { $0 != .userCreated }
}
