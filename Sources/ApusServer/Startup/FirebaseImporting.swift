import ApusAuth
package import ApusFaults
import ApusMigrations
import ApusPostgres
import Crypto
import Foundation
import Logging

/// `apus import firebase-auth`: users of a Firebase project into the database that a configuration names.
package struct FirebaseImporting: Sendable {
    /// What the command line says.
    package struct Arguments: Sendable {
        package var file: String
        package var hashParameters: String
        package var project: String
        package var isRehearsal: Bool
        package var confirmsAll: Bool
        /// Where to write a line of JSON per user that needs a look; nil: nowhere.
        package var report: String?
        /// `EMAIL`: somebody whose password is asked for and checked before anything is imported.
        package var check: String?
        /// The password of `check`.
        package var password: String?

        package init(
            file: String, hashParameters: String, project: String, isRehearsal: Bool, confirmsAll: Bool,
            report: String?, check: String?, password: String?
        ) {
            self.file = file
            self.hashParameters = hashParameters
            self.project = project
            self.isRehearsal = isRehearsal
            self.confirmsAll = confirmsAll
            self.report = report
            self.check = check
            self.password = password
        }
    }

    private let settings: Settings
    private let arguments: Arguments

    package init(_ settings: Settings, _ arguments: Arguments) {
        self.settings = settings
        self.arguments = arguments
    }

    /// Imports, and prints what became of it.
    package func run() async throws {
        let file = try ImportFile(arguments.file)
        let work = FirebaseImport(
            .init(
                project: arguments.project, parameters: try parameters(), fingerprint: try file.fingerprint(),
                confirmsAll: arguments.confirmsAll))
        do {
            try checkPassword(file)
            let notes = try arguments.report.map { try ImportNotes($0) }
            var progress = ImportProgress(size: file.size)
            let result: FirebaseImportReport
            if arguments.isRehearsal {
                result = try work.rehearse(read: file.read) { event in
                    progress.show(event)
                    notes?.write(event)
                }
            } else {
                result = try await imported(work, file, notes, &progress)
            }
            progress.end()
            finish(result)
        } catch let fault as FirebaseExportScanner.Malformed {
            throw Fault(
                code: "APUS041", kind: .invalid,
                message: "The file is no export of users: \(Self.words(fault)).",
                hint: "Make one with: firebase auth:export users.json --format=json")
        }
    }

    // MARK: - Non public

    private func imported(
        _ work: FirebaseImport, _ file: ImportFile, _ notes: ImportNotes?, _ progress: inout ImportProgress
    ) async throws -> FirebaseImportReport {
        guard let masterKeys = try settings.masterKeys(.existing(settings)) else {
            throw Fault(
                code: "APUS042", kind: .invalid,
                message: "There is no key to seal the project's signer key with.",
                hint: "Set auth-encryption-key, as for the server.")
        }
        var logger = Logger(label: "apus")
        logger.logLevel = .warning
        var configuration = DatabaseConfiguration(connectionString: try DatabaseAddress.owner(settings))
        configuration.connections = 2
        let database = Database(configuration, logger: logger)
        do {
            let steps = SystemStep.all(catalogEventTrigger: CatalogStore.eventTriggerSQL)
            try await SystemMigrator(database: database, steps: steps).run()
            let result = try await work.run(AuthDatabase(database), masterKeys: masterKeys, read: file.read) {
                event in
                progress.show(event)
                notes?.write(event)
            }
            await database.shutdown()
            return result
        } catch {
            progress.end()
            await database.shutdown()
            if let fault = error as? MigrationFault { throw fault.fault }
            if let fault = error as? PostgresFault { throw fault.fault }
            throw error
        }
    }

    private func parameters() throws -> FirebaseScrypt.Parameters {
        do {
            return try FirebaseHashParameters.read(Array(Data(SmallFile.read(arguments.hashParameters).utf8)))
        } catch let fault as FirebaseHashParameters.Unusable {
            let what =
                switch fault {
                case .missing(let name): "\(name) is missing"
                case .algorithm(let name): "the algorithm is \(name), and only SCRYPT is Firebase's own"
                case .malformed(let name): "\(name) cannot be read"
                }
            throw Fault(
                code: "APUS040", kind: .invalid, message: "The hash parameters cannot be used: \(what).",
                hint:
                    "Copy them from Firebase's console: Authentication, Users, the menu, Password hash parameters."
            )
        }
    }

    /// Wrong parameters would import everybody and let nobody in; a password that somebody knows tells.
    private func checkPassword(_ file: ImportFile) throws {
        guard let email = arguments.check?.lowercased(), let password = arguments.password else { return }
        var scanner = FirebaseExportScanner()
        var verdict: Bool?
        let parameters = try parameters()
        while verdict == nil {
            let piece = try file.read(scanner.offset, 1 << 18)
            if piece.isEmpty { break }
            try scanner.scan(piece) { found in
                guard verdict == nil, let user = try? FirebaseUser(found.bytes),
                    user.email?.lowercased() == email
                else {
                    return
                }
                verdict = user.passwordHash.map {
                    FirebaseScrypt(parameters: parameters, salt: user.salt ?? [], hash: $0).verify(
                        Array(password.utf8))
                }
            }
        }
        guard verdict != true else {
            return Terminal.print("The password of \(email) holds: the hash parameters are right.")
        }
        throw Fault(
            code: "APUS043", kind: .invalid,
            message: verdict == nil
                ? "The file has nobody with the address \(email) and a password."
                : "The password of \(email) does not hold; the hash parameters are of another project, or it is mistyped.",
            hint: "Nothing was imported.")
    }

    private func finish(_ report: FirebaseImportReport) {
        if arguments.isRehearsal {
            Terminal.print("Rehearsal: nothing was changed. What an import would do:")
        }
        for line in report.lines { Terminal.print(line) }
        for warning in FirebaseImportReport.warnings { Terminal.print("Mind: " + warning) }
        if let path = arguments.report { Terminal.print("Users who need a look: \(path)") }
        if report[.withoutConfirmation] > 0, !arguments.confirmsAll {
            Terminal.print(
                "Mind: Firebase lets people with unverified addresses sign in, Apus does not; --confirm-all lets them, "
                    + "and lets whoever signed up first with somebody else's address keep it.")
        }
    }

    private static func words(_ fault: FirebaseExportScanner.Malformed) -> String {
        switch fault {
        case .noUsers(let offset): "no list of users before byte \(offset)"
        case .unexpected(let offset): "no user at byte \(offset)"
        case .userTooLarge(let offset): "the user at byte \(offset) is too large"
        case .cutOff(let offset): "it ends within the list, at byte \(offset)"
        }
    }
}
