import ApusEdge
import ApusFaults
import ApusMessages
import ApusOutbound
import ApusPostgres
import Foundation
import Logging
import NIOPosix
import NIOSSL

/// Mail and text messages, made out of the configuration: the queue that authentication fills, the worker that empties
/// it, and the inbox where messages land while there is no mail server.
struct Messaging: Sendable {
    let queue: MessageQueue
    let worker: MessageWorker
    /// nil outside of development.
    let inbox: InboxEndpoint?
    /// Code of the operator's that delivers.
    let hooks: MessageHooks
    private let transport: SMTPTransport?

    /// - Parameters:
    ///   - isDevelopment: whether the database is the private one.
    /// - Throws: for settings that do not hold.
    init(
        _ settings: Settings, seal: MessageSeal, isDevelopment: Bool, database: Database, logger: Logger
    ) throws {
        let templates = try settings.messageTemplates()
        let inbox =
            settings.showsInbox(isDevelopment: isDevelopment)
            ? DevelopmentInbox(database: database, templates: templates, logger: logger) : nil
        let transport = try settings.smtp().map {
            SMTPTransport($0, group: MultiThreadedEventLoopGroup.singleton)
        }
        hooks = try MessageHooks(settings, templates: templates, database: database, logger: logger)
        var deliver = try Self.deliveries(settings, templates, inbox, transport)
        deliver.merge(hooks.deliveries) { $1 }
        if deliver[.email] == nil, settings.boolean("auth-enabled") {
            logger.warning("no mail is sent: auth-smtp-host is not set; messages wait until they expire")
        }
        queue = MessageQueue(seal: seal)
        worker = MessageWorker(
            queue: queue, database: database, deliver: deliver,
            slots: settings.integer("auth-smtp-connections") ?? 4, logger: logger)
        self.inbox = inbox.map {
            InboxEndpoint(inbox: $0, answersEverybody: settings.string("dev-inbox") == "on")
        }
        self.transport = transport
    }

    /// Delivers until cancelled.
    func run() async {
        await worker.run()
        await transport?.close()
    }

    /// What delivers each channel: whatever is configured, else the inbox, else nothing.
    private static func deliveries(
        _ settings: Settings, _ templates: MessageTemplates, _ inbox: DevelopmentInbox?,
        _ transport: SMTPTransport?
    ) throws -> [Message.Channel: MessageWorker.Deliver] {
        var deliver: [Message.Channel: MessageWorker.Deliver] = [:]
        if let inbox {
            let keep: MessageWorker.Deliver = { message throws(DeliveryFailure) in
                try await inbox.deliver(message)
            }
            deliver = [.email: keep, .sms: keep]
        }
        if let transport {
            let sender = try settings.mailSender(transport, templates)
            let send: MessageWorker.Deliver = { message throws(DeliveryFailure) in
                try await sender.send(message, seconds: now)
            }
            deliver[.email] = send
        }
        if let webhook = try settings.smsWebhook(templates) {
            let send: MessageWorker.Deliver = { message throws(DeliveryFailure) in
                try await webhook.send(message, seconds: now)
            }
            deliver[.sms] = send
        }
        return deliver
    }

    private static var now: Int { Int(Date().timeIntervalSince1970) }
}

extension Settings {
    /// nil when nothing sends messages: authentication is off, or there is nothing to encrypt with.
    func messaging(_ keys: DevelopmentKeys, database: Database, logger: Logger) throws -> Messaging? {
        guard boolean("auth-enabled"), let masterKeys = try masterKeys(keys) else { return nil }
        return try Messaging(
            self, seal: MessageSeal(masterKeys), isDevelopment: keys.isDevelopment, database: database,
            logger: logger)
    }

    fileprivate func showsInbox(isDevelopment: Bool) -> Bool {
        switch string("dev-inbox") {
        case "on": true
        case "off": false
        default: isDevelopment && string("auth-smtp-host") == nil
        }
    }

    /// Requests to other servers, guarded by `outbound-private-hosts`.
    var outboundClient: OutboundClient {
        OutboundClient(
            group: MultiThreadedEventLoopGroup.singleton,
            guard: AddressGuard(allowedHosts: list("outbound-private-hosts")))
    }

    fileprivate func smtp() throws -> SMTPSettings? {
        guard let host = string("auth-smtp-host") else { return nil }
        let port = integer("auth-smtp-port") ?? 587
        let security =
            SMTPSettings.Security(rawValue: string("auth-smtp-security") ?? "auto")
            ?? (port == 465 ? .implicit : .starttls)
        if security == .none, !["localhost", "127.0.0.1", "::1"].contains(host) {
            throw Self.refused("auth-smtp-security", "'none' is for a mail server on this machine only")
        }
        var smtp = SMTPSettings(
            host: host, port: port, security: security, user: string("auth-smtp-user"),
            password: try secret("auth-smtp-pass"), connections: integer("auth-smtp-connections") ?? 4,
            timeout: .seconds(Int64(integer("auth-smtp-timeout") ?? 30)))
        if let path = string("auth-smtp-ca") {
            guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
                throw Self.refused("auth-smtp-ca", "'\(path)' is no readable PEM file of certificates")
            }
            smtp.trustRoots = .certificates(certificates)
        }
        return smtp
    }

    fileprivate func mailSender(
        _ transport: SMTPTransport, _ templates: MessageTemplates
    ) throws -> MailSender {
        guard let from = string("auth-smtp-admin-email").flatMap({ MailAddress($0) }) else {
            throw Self.refused("auth-smtp-admin-email", "it must be one mail address")
        }
        return MailSender(
            templates: templates, transport: transport, from: from,
            senderName: string("auth-smtp-sender-name") ?? "")
    }

    fileprivate func smsWebhook(_ templates: MessageTemplates) throws -> SMSWebhook? {
        guard let text = string("auth-sms-webhook-url") else { return nil }
        guard let url = OutboundURL(text) else {
            throw Self.refused("auth-sms-webhook-url", "it is no URL with http or https")
        }
        let signature = try secret("auth-sms-webhook-secret").map { secret in
            guard let signature = StandardWebhook(secret: secret) else {
                throw Self.refused("auth-sms-webhook-secret", "it is not whsec_ and base64 of 24 to 64 bytes")
            }
            return signature
        }
        return SMSWebhook(url: url, signature: signature, client: outboundClient, templates: templates)
    }

    /// The built-in templates, and over them those in `auth-mailer-templates`.
    fileprivate func messageTemplates() throws -> MessageTemplates {
        var files: [String: String] = [:]
        if let directory = string("auth-mailer-templates") {
            guard let names = FileManager.default.enumerator(atPath: directory) else {
                throw Self.refused("auth-mailer-templates", "'\(directory)' is no directory")
            }
            for case let name as String in names where name.hasSuffix(".mustache") {
                guard let text = try? SmallFile.read(directory + "/" + name) else {
                    throw Self.refused("auth-mailer-templates", "'\(name)' cannot be read")
                }
                files[name] = text
            }
        }
        do {
            return try MessageTemplates(files: files, locale: string("auth-mailer-locale") ?? "en")
        } catch {
            throw Self.refused("auth-mailer-templates", "'\(error.name)': \(error.reason)")
        }
    }

    private static func refused(_ setting: String, _ reason: String) -> Fault {
        Fault(
            code: "APUS002", kind: .invalid, message: "The setting '\(setting)' does not hold: \(reason).")
    }
}
