import ApusAuth
import ApusPostgres
import Testing

/// Imports of Firebase's users into a real database.
@Suite struct FirebaseImportTests {
    private static let masterKeys = MasterKeys([[UInt8](repeating: 7, count: 32)])

    private func request() throws -> FirebaseImport.Request {
        let key = try #require(
            Base64Text.decode(
                "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="))
        let parameters = try #require(
            FirebaseScrypt.Parameters(signerKey: key, saltSeparator: [7], rounds: 8, memoryCost: 14))
        return .init(project: "demo", parameters: parameters, fingerprint: "f", confirmsAll: false)
    }

    private func run(
        _ database: FeatureDatabase, _ file: [UInt8],
        failingAt limit: Int = .max, notes: @escaping (FirebaseImportReport.Note) -> Void = { _ in }
    ) async throws -> FirebaseImportReport {
        let work = FirebaseImport(try request())
        let keys = try #require(Self.masterKeys)
        return try await database.withOwner { owner in
            try await work.run(
                AuthDatabase(owner), masterKeys: keys,
                read: { offset, count in
                    if offset >= limit { throw Interrupted() }
                    return Array(file.dropFirst(offset).prefix(count))
                }, onEvent: { if case .note(let note) = $0 { notes(note) } })
        }
    }

    private struct Interrupted: Error {}

    private func export(_ users: [String]) -> [UInt8] {
        Array("{\"users\":[\(users.joined(separator: ",\n"))]}".utf8)
    }

    private static let ada = #"""
        {"localId":"adaUid","email":"Ada@Example.org","emailVerified":true,"displayName":"Ada","photoUrl":"https://x/y",
        "passwordHash":"lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        "salt":"42xEC+ixf3L2lw==","createdAt":"1500000000123","lastSignedInAt":"1600000000000",
        "customAttributes":"{\"admin\":true,\"provider\":\"evil\"}",
        "providerUserInfo":[{"providerId":"google.com","rawId":"g1","email":"ada@example.org"},
            {"providerId":"gc.apple.com","rawId":"x"},{"providerId":"password","rawId":"ada@example.org"}]}
        """#

    @Test func everythingThatCanBeKeptIs() async throws {
        let database = try await FeatureDatabase.make()
        var notes: [FirebaseImportReport.Note] = []
        let report = try await run(
            database,
            export([
                Self.ada, #"{"localId":"phoneUid","phoneNumber":"+4917012345678","disabled":true}"#,
                #"{"localId":"lostUid","email":"lost@example.org"}"#, #"{"localId":"anon"}"#,
                #"{"nobody":1}"#,
                #"{"localId":"twin","email":"ada@example.org"}"#,
            ]), notes: { notes.append($0) })
        #expect(report[.read] == 6)
        #expect(report[.imported] == 4)
        #expect(report[.withPassword] == 1)
        #expect(report[.links] == 1)
        #expect(report[.lostLink] == 1)
        #expect(report[.lostSignIn] == 1)
        #expect(report[.anonymous] == 1)
        #expect(report[.disabled] == 1)
        #expect(report[.unreadable] == 1)
        #expect(report[.conflicting] == 1)
        #expect(notes.contains { $0.uid == "lostUid" && $0.about == .lostSignIn })
        #expect(notes.contains { $0.uid == "twin" && $0.about == .conflicting })

        let id = FirebaseUser.userID(project: "demo", uid: "adaUid")
        let row = try await database.value(
            """
            select concat_ws('|', email, email_confirmed_at is not null, extract(epoch from created_at)::bigint,
                raw_app_meta_data ->> 'admin', raw_app_meta_data ->> 'provider', raw_app_meta_data -> 'providers',
                raw_app_meta_data ->> 'firebase_uid', raw_user_meta_data ->> 'full_name')
            from auth.users where id = '\(id)'
            """)
        #expect(row == #"ada@example.org|t|1500000000|true|email|["email", "google"]|adaUid|Ada"#)
        let identities = try await database.value(
            """
            select string_agg(provider || ':' || provider_id, ',' order by provider) from auth.identities
            where user_id = '\(id)'
            """)
        #expect(identities == "email:\(id),firebase:adaUid,google:g1")
        let banned = try await database.value(
            "select count(*)::text from auth.users where banned_until > now()")
        #expect(banned == "1")
        // The project's key is sealed and in no row of a user.
        let rows = try await database.value("select string_agg(encrypted_password, ',') from auth.users")
        #expect(rows?.contains("jxspr8Ki") == false)
    }

    @Test func goesOnAfterACrashAndTwiceIsOnce() async throws {
        let database = try await FeatureDatabase.make()
        let users = (0..<3000).map { number in
            #"{"localId":"u\#(number)","email":"u\#(number)@example.org","displayName":"\#(String(repeating: "n", count: 200))"}"#
        }
        let file = export(users)
        await #expect(throws: Interrupted.self) {
            _ = try await run(database, file, failingAt: file.count / 2)
        }
        let half = try #require(Int(try await database.value("select count(*)::text from auth.users") ?? ""))
        #expect((500..<3000).contains(half))
        let report = try await run(database, file)
        #expect(report[.read] == 3000)
        #expect(report[.imported] == 3000)
        #expect(try await database.value("select count(*)::text from auth.users") == "3000")
        let again = try await run(database, file)
        #expect(again[.present] == 3000)
        #expect(again[.imported] == 0)
    }

    @Test func aRehearsalSaysTheSame() async throws {
        let file = export([Self.ada, #"{"localId":"anon"}"#])
        let report = try FirebaseImport(try request()).rehearse(
            read: { Array(file.dropFirst($0).prefix($1)) }, onEvent: { _ in })
        #expect(report[.imported] == 2)
        #expect(report[.withPassword] == 1)
        #expect(report[.lostLink] == 1)
    }

    @Test func oldPasswordsHold() async throws {
        let database = try await FeatureDatabase.make()
        _ = try await run(database, export([Self.ada]))
        let hash = try await database.value(
            "select encrypted_password from auth.users where email = 'ada@example.org'")
        let keys = try #require(Self.masterKeys)
        try await database.withOwner { owner in
            let hasher = PasswordHasher(
                workers: 1, waitingLimit: 10,
                signerKeys: SignerKeys(database: AuthDatabase(owner), masterKeys: keys))
            let right = try await hasher.verify("user1password", against: hash)
            let wrong = try await hasher.verify("user2password", against: hash)
            #expect(right && !wrong)
            let text = try #require(hash)
            #expect(hasher.isOutdated(text))
            let stranger = PasswordHasher(workers: 1, waitingLimit: 10)
            let unknown = try await stranger.verify("user1password", against: hash)
            #expect(!unknown)
        }
    }
}
