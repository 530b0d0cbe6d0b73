package import ApusFaults
import ApusTokens

/// `apus token`.
package enum DevelopmentToken {
    /// - Parameters:
    ///   - claims: further claims, a JSON object.
    ///   - lifetime: seconds; nil for no end.
    /// - Throws: when there is no secret, or the claims are none.
    package static func make(
        settings: Settings, role: String, subject: String?, claims: String?, lifetime: Int64?
    ) throws -> String {
        do {
            let fallback = DevelopmentKeys.existing(settings).fallbackSecret
            let minter = try TokenMinter(settings: try settings.tokens(fallbackSecret: fallback))
            return try minter.mint(
                role: role, subject: subject, claims: claims.map { Array($0.utf8) }, lifetime: lifetime)
        } catch let fault as TokenSettingsFault {
            throw Fault(
                code: "APUS005", kind: .invalid, message: "No token can be made: \(fault.reason).",
                hint: "Start the server once with this --data-dir, or set --jwt-secret.")
        } catch let fault as TokenMintingFault {
            throw Fault(code: "APUS005", kind: .invalid, message: "No token can be made: \(fault)")
        }
    }
}
