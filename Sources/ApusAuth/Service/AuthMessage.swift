package import ApusJSON

/// A message to somebody, to be worded by a template and sent later.
package struct AuthMessage: Sendable {
    /// What the message is about; the name of its template.
    package enum Kind: String, Sendable, CaseIterable {
        case confirmation
        case invite
        case magicLink = "magic_link"
        case recovery
        /// To the address that is being left.
        case emailChangeCurrent = "email_change_current"
        /// To the address that is being taken.
        case emailChangeNew = "email_change_new"
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
    }

    /// How it travels.
    package enum Channel: Sendable, Equatable {
        case email
        case sms
        case whatsapp
    }

    package var kind: Kind
    package var channel: Channel
    /// An e-mail address, or a number of digits in international form without `+`.
    package var recipient: String
    /// The code to type in; nil for messages without one.
    package var code: String?
    /// The link to follow; nil for messages without one.
    package var link: String?
    /// What the link carries, for templates that make a link of their own.
    package var tokenHash: String?
    /// Where the client wants to be sent in the end; checked.
    package var redirectTo: String
    package var siteURL: String
    /// The address that is being taken, for both sides of a change.
    package var newEmail: String?
    /// Code and token hash for the address that is being left, where one errand writes to both sides of a change.
    package var counterpart: (code: String, tokenHash: String)?
    /// The user as the API shows it; templates use `user_metadata` as `Data`.
    package var user: JSONObject

    package init(
        kind: Kind, channel: Channel = .email, recipient: String, code: String? = nil, link: String? = nil,
        tokenHash: String? = nil, redirectTo: String, siteURL: String, newEmail: String? = nil,
        user: JSONObject
    ) {
        self.kind = kind
        self.channel = channel
        self.recipient = recipient
        self.code = code
        self.link = link
        self.tokenHash = tokenHash
        self.redirectTo = redirectTo
        self.siteURL = siteURL
        self.newEmail = newEmail
        self.user = user
    }
}

/// Puts into the queue, within the transaction, that somebody became a user: the id, and what the hook is told.
package typealias UserAnnouncement = @Sendable (String, JSONObject, AuthTransaction) async throws -> Void

/// Puts a message into a queue within the transaction, in which the role is `auth_admin`. Returns at once; sending is
/// for later, by somebody else. Throws when the queue cannot take it.
package typealias MessageQueue = @Sendable (AuthMessage, AuthTransaction) async throws -> Void
