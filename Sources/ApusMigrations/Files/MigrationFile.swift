/// A migration in the directory.
package struct MigrationFile: Sendable, Equatable {
    package let name: MigrationName
    package let script: ScriptFile

    package init(name: MigrationName, script: ScriptFile) {
        self.name = name
        self.script = script
    }
}
