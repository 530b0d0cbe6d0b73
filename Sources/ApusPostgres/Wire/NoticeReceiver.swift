import CLibPQ
import Logging

/// Takes a connection's notices and warnings to the log, at level debug: they are a function's chatter, and
/// on a busy server there are many.
final class NoticeReceiver: Sendable {
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// The receiver must outlive the connection: libpq keeps the bare pointer.
    func attach(to connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().log(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func log(_ result: OpaquePointer) {
        guard logger.logLevel <= .debug else { return }
        let notice = PostgresFault(result: result)
        logger.debug(
            "PostgreSQL says: \(notice.message)",
            metadata: [
                "severity": "\(notice.severity ?? "")", "sqlstate": "\(notice.sqlState ?? "")",
                "detail": "\(notice.detail ?? "")",
            ])
    }
}
