import ApusAuth
import Foundation
import Testing

/// The built-in filter: what everybody tries first is refused, and hardly anything else.
@Suite struct CommonPasswordTests {
    private let policy: PasswordPolicy

    init() {
        var policy = PasswordPolicy()
        policy.minimum = 1
        self.policy = policy
    }

    /// One in 97 of those that are in it, from the likeliest to the last.
    @Test func `R2: passwords that leaked are refused, in any case of letters`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "common-passwords-sample.base64")
        let text = try #require(
            Data(base64Encoded: Data(contentsOf: file), options: .ignoreUnknownCharacters))
        let sample = String(decoding: text, as: UTF8.self).split(separator: "\n")
        #expect(sample.count > 1_200)
        for password in sample {
            #expect(isRefused(String(password)) && isRefused(password.uppercased()), "\(password)")
        }
    }

    /// From a fixed seed, so it is the same every time.
    @Test func `Others are hardly ever taken for one`() {
        var state: UInt64 = 42
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        let refused = (0..<10_000).filter { _ in
            let password = (0..<12).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return letters[Int(state >> 33) % letters.count]
            }
            return isRefused(String(password))
        }
        #expect(refused.count <= 2)
    }

    @Test func `Neither the address nor the site is a password`() {
        var policy = policy
        policy.refuseNames(of: "https://app.zwonderlandz.example:8443/start")
        for word in ["somebodyelse", "somebodyelse@example.com", "zwonderlandz", "app.zwonderlandz.example"] {
            let context = ["somebodyelse@example.com", "somebodyelse"]
            #expect(throws: AuthFault.self) { try policy.check(word.uppercased(), context: context) }
        }
        #expect(throws: Never.self) { try policy.check("zwonderlandzz in the garden", context: ["alice"]) }
    }

    private func isRefused(_ password: String) -> Bool {
        do throws(AuthFault) {
            try policy.check(password)
            return false
        } catch {
            return error.code == "weak_password"
        }
    }
}
