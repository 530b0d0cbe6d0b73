/// A setting that no verifier or minter can be made from. Says which setting and why, never its value.
package struct TokenSettingsFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting's name, for instance `jwt-secret`.
    package let setting: String
    /// One sentence for the operator.
    package let reason: String

    init(_ setting: String, _ reason: String) {
        self.setting = setting
        self.reason = reason
    }

    package var description: String { "\(setting): \(reason)" }
}
