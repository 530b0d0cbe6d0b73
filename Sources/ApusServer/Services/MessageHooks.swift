import ApusAuth
import ApusJSON
import ApusMessages
import ApusPostgres
import Foundation
import Logging

/// Hooks that are asked from the queue of messages: those that write to people instead of us, and the one that hears of new
/// users. What goes in is GoTrue's.
struct MessageHooks: Sendable {
    /// `auth-hook-send-email-uri`
    let mail: Hook?
    /// `auth-hook-send-sms-uri`
    let text: Hook?
    /// `auth-hook-after-user-created-uri`
    let userCreated: Hook?
    private let templates: MessageTemplates
    private let caller: HookCaller
    private let externalURL: String

    /// - Throws: for a hook that cannot be asked.
    init(_ settings: Settings, templates: MessageTemplates, database: Database, logger: Logger) throws {
        mail = try settings.hook("send-email", needsNoAnswer: true)
        text = try settings.hook("send-sms", needsNoAnswer: true)
        userCreated = try settings.hook("after-user-created", needsNoAnswer: true)
        self.templates = templates
        caller = HookCaller(
            database: AuthDatabase(database), client: settings.outboundClient, logger: logger)
        externalURL = try settings.authentication().externalURL
    }

    func delivers(_ channel: Message.Channel) -> Bool { hook(of: channel) != nil }

    /// What delivers the channels that have a hook.
    var deliveries: [Message.Channel: MessageWorker.Deliver] {
        var deliveries: [Message.Channel: MessageWorker.Deliver] = [:]
        for channel in [Message.Channel.email, .sms, .hook] {
            guard let hook = hook(of: channel) else { continue }
            let send: MessageWorker.Deliver = { message throws(DeliveryFailure) in
                try await self.deliver(message, by: hook)
            }
            deliveries[channel] = send
        }
        return deliveries
    }

    // MARK: - Non public

    private func hook(of channel: Message.Channel) -> Hook? {
        switch channel {
        case .email: mail
        case .sms: text
        case .hook: userCreated
        }
    }

    /// Every try has the message's own id, by which a receiver knows one that it has had.
    private func deliver(_ message: Message, by hook: Hook) async throws(DeliveryFailure) {
        do {
            try await caller.ask(hook, input(message), id: message.id)
        } catch let fault as AuthFault {
            let reason = "the hook \(hook.name) answered with \(fault.code)"
            switch fault.code {
            case "hook_rejected", "hook_payload_over_size_limit": throw .permanent(reason)
            case "hook_timeout_after_retry": throw .unreachable(reason)
            default: throw .passing(reason)
            }
        } catch {
            throw .passing("the hook \(hook.name) could not be asked")
        }
    }

    private func input(_ message: Message) -> JSONObject {
        switch message.channel {
        case .hook: return message.user ?? [:]
        case .email: return ["user": user(message), "email_data": .object(mailData(message))]
        case .sms:
            let sms: JSONObject = [
                "otp": .string(message.values["Token"] ?? ""), "phone": .string(message.recipient),
                "message": .string(templates.text(message)),
            ]
            return ["user": user(message), "sms": .object(sms)]
        }
    }

    /// The user, or what is known of them when the message was queued before there was a hook.
    private func user(_ message: Message) -> JSONValue {
        if let user = message.user { return .object(user) }
        var user: JSONObject = [:]
        if let id = message.userID { user["id"] = .string(id) }
        user[message.channel == .email ? "email" : "phone"] = .string(message.recipient)
        return .object(user)
    }

    /// With two codes, two mails are to be sent: `token` and `token_hash_new` are for the address that is being left,
    /// `token_new` and `token_hash` for the one that is being taken. (The names are GoTrue's.)
    private func mailData(_ message: Message) -> JSONObject {
        let (code, hash) = (message.values["Token"] ?? "", message.values["TokenHash"] ?? "")
        var data: JSONObject = [
            "token": .string(code), "token_hash": .string(hash), "token_new": "", "token_hash_new": "",
            "redirect_to": .string(message.values["RedirectTo"] ?? ""),
            "email_action_type": .string(Self.action(message.kind)), "site_url": .string(externalURL),
            "old_email": "", "old_phone": "", "provider": "", "factor_type": "",
        ]
        if let other = message.values["CounterpartToken"] {
            data["token"] = .string(other)
            data["token_hash_new"] = .string(message.values["CounterpartTokenHash"] ?? "")
            data["token_new"] = .string(code)
        }
        if message.kind == .emailChanged { data["old_email"] = .string(message.recipient) }
        return data
    }

    private static func action(_ kind: MessageKind) -> String {
        switch kind {
        case .confirmation: "signup"
        case .magicLink: "magiclink"
        case .emailChangeCurrent, .emailChangeNew: "email_change"
        default: kind.rawValue
        }
    }
}

extension Settings {
    /// Whether anything sends text messages.
    var sendsTexts: Bool {
        string("auth-sms-webhook-url") != nil || string("auth-hook-send-sms-uri") != nil
    }
}
