import ApusTestSupport
import NIOCore
import NIOPosix
import Synchronization

@testable import ApusHTTP

/// Tables of the tests of live reads, besides the library.
enum LiveTables {
    static let sql = """
        -- The feed hears of a commit when it is flushed, which the cluster of tests puts off for up to 0.2 s.
        do $$ begin
            execute format('alter database %I set synchronous_commit = on', current_database());
        end $$;
        create table library.tasks (id int primary key, owner uuid, title text, rank int not null default 0);
        create table library.teams (id int primary key, member uuid);
        create table library.boards (id int primary key, team int references library.teams, title text);
        grant select, insert, update, delete on library.tasks, library.teams, library.boards
            to authenticated, service_role;
        grant select on library.tasks to anon;
        alter table library.tasks enable row level security;
        create policy own on library.tasks to authenticated using (owner = auth.uid());
        create policy open on library.tasks to anon using (owner is null);
        alter table library.boards enable row level security;
        create policy team on library.boards to authenticated
            using (exists (select from library.teams t where t.id = boards.team and t.member = auth.uid()));
        create view library.moments as select id, now() as moment from library.tasks;
        create view library.sample as select id from library.tasks tablesample bernoulli (50);
        create view library.titles as select id, title from library.boards;
        grant select on library.moments, library.sample, library.titles to authenticated;
        insert into library.tasks values (1, '\(Token.adaID)', 'first', 1), (2, '\(Token.benID)', 'second', 2),
            (3, '\(Token.adaID)', 'third', 3);
        insert into library.teams values (1, '\(Token.adaID)'), (2, '\(Token.benID)');
        insert into library.boards values (1, 1, 'plan'), (2, 2, 'other');
        """

    /// - Parameter more: further statements for the database.
    static func start(_ changes: [String: String] = [:], more: String = "") async throws -> TestServer {
        let server = try await TestServer.start(changes, prepare: sql + more, isLive: true)
        // Publishing the tables changes the schema once more; afterwards nothing is found out anew.
        for target in ["tasks?id=eq.1", "boards?id=eq.1", "titles", "tasks?select=id"] {
            var tags = 0
            _ = try await eventually {
                let tag = await server.get(target, as: Token.ada).field("ETag")
                // A tag of the feed, and not one of the content.
                tags = tag?.hasPrefix("W/\"0-") == false ? tags + 1 : 0
                return tags > 40
            }
        }
        return server
    }
}

/// A stream of server-sent events, as a client reads it.
final class EventStream: Sendable {
    struct Event: Sendable, Equatable {
        var id: String?
        var name = ""
        var data = ""

        var json: JSON { get throws { try JSON(Array(data.utf8)) } }
    }

    private struct State {
        var text = ""
        var events: [Event] = []
        var isOver = false
    }

    private let state = Mutex(State())
    private let leaving = Mutex<(@Sendable () -> Void)?>(nil)
    let reply: Reply

    /// Opens a stream and returns when its head has come.
    static func open(
        _ server: TestServer, _ target: String, as token: String? = nil, _ fields: [String: String] = [:]
    ) async -> EventStream {
        var fields = fields
        fields["Accept"] = "text/event-stream"
        let response = await withCheckedContinuation { [fields] continuation in
            server.exchange(.get, target, as: token, fields) { continuation.resume(returning: $0) }
        }
        return EventStream(response)
    }

    private init(_ response: HTTPResponse) {
        reply = Reply(response)
        guard case .stream(let stream) = response.body else { return }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        leaving.withLock { $0 = { stream.disconnect() } }
        stream.start(
            .init(
                eventLoop: loop,
                write: { [weak self] bytes in
                    self?.receive(bytes)
                    return loop.makeSucceededVoidFuture()
                }, abort: {}))
    }

    func leave() { leaving.withLock { $0 }?() }

    var events: [Event] { state.withLock { $0.events } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// The first event after those that were taken before, which `condition` holds for.
    func first(_ name: String, after count: Int = 0) async throws -> Event? {
        _ = try await eventually { self.events.dropFirst(count).contains { $0.name == name } }
        return events.dropFirst(count).first { $0.name == name }
    }

    private func receive(_ bytes: ByteBuffer?) {
        state.withLock { state in
            guard let bytes else {
                state.isOver = true
                return
            }
            state.text += String(buffer: bytes)
            while let end = state.text.firstRange(of: "\n\n") {
                var event = Event()
                for line in state.text[..<end.lowerBound].split(separator: "\n") {
                    if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                    if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                    if line.hasPrefix("data: ") { event.data += line.dropFirst(6) }
                }
                state.text.removeSubrange(..<end.upperBound)
                if !event.name.isEmpty { state.events.append(event) }
            }
        }
    }
}
