import ApusAuth
import ApusAuthTestSupport
import ApusJSON
import ApusTokens
import Testing

@Suite struct WebAuthnTests {
    private let challenge = Array("0123456789abcdef0123456789abcdef".utf8)
    private let party = RelyingParty(id: "example.com", name: "Example", origins: ["https://example.com"])

    private func register(_ device: SoftAuthenticator) throws -> WebAuthnRegistration {
        try WebAuthnRegistration(
            response: device.register(challenge), challenge: challenge, relyingParty: party,
            requiresUserVerification: true)
    }

    private func credential(
        _ registration: WebAuthnRegistration, count: UInt32 = 0
    ) -> WebAuthnAssertion.Credential {
        .init(
            publicKey: registration.publicKey, signCount: count,
            isBackupEligible: registration.isBackupEligible)
    }

    private func assert(
        _ device: SoftAuthenticator, _ credential: WebAuthnAssertion.Credential
    ) throws -> WebAuthnAssertion.Outcome {
        try WebAuthnAssertion(response: device.assert(challenge)).check(
            credential, challenge: challenge, relyingParty: party, requiresUserVerification: true)
    }

    @Test(arguments: SoftAuthenticator.Kind.allCases, ["none", "packed"])
    func registersAndSignsIn(kind: SoftAuthenticator.Kind, format: String) throws {
        let device = SoftAuthenticator(kind: kind, format: format)
        let registration = try register(device)
        #expect(registration.attestationType == format)
        #expect(registration.credentialID == device.id)
        let outcome = try assert(device, credential(registration))
        #expect(outcome.signCount == 1 && !outcome.isBackedUp)
    }

    @Test(
        arguments: [
            ("wrong origin", .wrongOrigin), ("wrong party", .wrongRelyingParty), ("nobody", .userNotPresent),
            ("no finger", .userNotVerified), ("odd format", .unsupportedAttestation), ("flags", .malformed),
        ] as [(String, WebAuthnFault)])
    func refusesRegistration(what: String, fault: WebAuthnFault) throws {
        var device = SoftAuthenticator()
        switch what {
        case "wrong origin": device.origin = "https://example.com.evil.org"
        case "wrong party": device.relyingParty = "evil.org"
        case "nobody": device.flags = 0x04
        case "no finger": device.flags = 0x01
        case "odd format": device.format = "tpm"
        default: device.flags = 0x15  // Backed up, and not to be backed up.
        }
        #expect(throws: fault) { try register(device) }
    }

    @Test func refusesOtherCeremoniesAndChallenges() throws {
        let device = SoftAuthenticator()
        #expect(throws: WebAuthnFault.wrongCeremony) {
            try WebAuthnRegistration(
                response: device.register(challenge, type: "webauthn.get"), challenge: challenge,
                relyingParty: party, requiresUserVerification: true)
        }
        #expect(throws: WebAuthnFault.wrongChallenge) {
            try WebAuthnRegistration(
                response: device.register(Array("another".utf8)), challenge: challenge, relyingParty: party,
                requiresUserVerification: true)
        }
    }

    @Test func refusesAnAttestationOfAnotherKey() throws {
        var response = try SoftAuthenticator(format: "packed").register(challenge)
        var inner = try #require(response["response"]?.object)
        let text = try #require(inner["attestationObject"]?.text)
        var bytes = try #require(Base64URL.decode(text.utf8))
        // One bit of the authenticator data's counter, which the signature covers.
        let index = bytes.count - 77 - 10 - 18 - 1
        bytes[index] ^= 1
        inner["attestationObject"] = .string(Base64URL.encode(bytes))
        response["response"] = .object(inner)
        #expect(throws: WebAuthnFault.attestationInvalid) {
            try WebAuthnRegistration(
                response: response, challenge: challenge, relyingParty: party, requiresUserVerification: true)
        }
    }

    @Test func refusesAssertions() throws {
        var device = SoftAuthenticator()
        let registration = try register(device)
        let known = credential(registration)
        #expect(throws: WebAuthnFault.signCountStale) {
            try assert(device, credential(registration, count: 1))
        }
        #expect(throws: WebAuthnFault.signatureInvalid) { try assert(SoftAuthenticator(), known) }
        device.flags = 0x01
        #expect(throws: WebAuthnFault.userNotVerified) { try assert(device, known) }
        device.flags = 0x0D
        #expect(throws: WebAuthnFault.backupEligibilityChanged) { try assert(device, known) }
        device.flags = 0x05
        device.origin = "http://example.com"
        #expect(throws: WebAuthnFault.wrongOrigin) { try assert(device, known) }
    }

    @Test func authenticatorsWithoutCounterStayAtZero() throws {
        var device = SoftAuthenticator()
        device.signCount = 0
        let registration = try register(device)
        #expect(try assert(device, credential(registration)).signCount == 0)
        #expect(throws: WebAuthnFault.signCountStale) {
            try assert(device, credential(registration, count: 7))
        }
    }

    /// Made by soft-webauthn 0.1.4.
    @Test func anotherImplementationsCredential() throws {
        let response = try #require(
            JSONReader.read(
                Array(
                    #"""
                    {"id": "5Q5W9evjQ2DzNrX4Pe3W7PZqdnsgm6crcf12J38TEew", "rawId": "5Q5W9evjQ2DzNrX4Pe3W7PZqdnsgm6crcf12J38TEew", "type": "public-key", "response": {"clientDataJSON": "eyJ0eXBlIjogIndlYmF1dGhuLmNyZWF0ZSIsICJjaGFsbGVuZ2UiOiAiTURFeU16UTFOamM0T1dGaVkyUmxaakF4TWpNME5UWTNPRGxoWW1Oa1pXWSIsICJvcmlnaW4iOiAiaHR0cHM6Ly9leGFtcGxlLmNvbSJ9", "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViko3mm9u6vuaVeN4wRgDTidR5oL6ufLTCrE9ISVYbOGUdBAAAAAAAAAAAAAAAAAAAAAAAAAAAAIOUOVvXr40Ng8za1-D3t1uz2anZ7IJunK3H9did_ExHspQECAyYgASFYIHb88l5JfaBxMONb4E7vX1SeqyfVTfveHAH-EaX74buEIlggV6KNXfMK7_vOndpETdPqxPTtufaRUkkfTmOOGHcChp4"}}
                    """#.utf8)
            ).object)
        let registration = try WebAuthnRegistration(
            response: response, challenge: challenge, relyingParty: party, requiresUserVerification: false)
        let assertion = try #require(
            JSONReader.read(
                Array(
                    #"""
                    {"id": "5Q5W9evjQ2DzNrX4Pe3W7PZqdnsgm6crcf12J38TEew", "type": "public-key", "response": {"clientDataJSON": "eyJ0eXBlIjogIndlYmF1dGhuLmdldCIsICJjaGFsbGVuZ2UiOiAiTURFeU16UTFOamM0T1dGaVkyUmxaakF4TWpNME5UWTNPRGxoWW1Oa1pXWSIsICJvcmlnaW4iOiAiaHR0cHM6Ly9leGFtcGxlLmNvbSJ9", "authenticatorData": "o3mm9u6vuaVeN4wRgDTidR5oL6ufLTCrE9ISVYbOGUcBAAAAAQ", "signature": "MEQCIDDSwCEBoesh81j4IQgbT28cpVjzI70vdHfB5K5BlaqWAiBlCHO1zO2V_GuR3_eD-7o9oJLEdEDAP28tP-x8ZKKnfw", "userHandle": "dTE"}}
                    """#.utf8)
            ).object)
        let outcome = try WebAuthnAssertion(response: assertion).check(
            .init(publicKey: registration.publicKey, signCount: 0, isBackupEligible: false),
            challenge: challenge,
            relyingParty: party, requiresUserVerification: false)
        #expect(outcome.signCount == 1)
    }

    /// Whatever stands in for the objects, it is refused and nothing traps.
    @Test func nonsenseIsRefused() throws {
        let good = try SoftAuthenticator().register(challenge)
        let inner = try #require(good["response"]?.object)
        let text = try #require(inner["attestationObject"]?.text)
        let bytes = try #require(Base64URL.decode(text.utf8))
        var variants = (0..<bytes.count).map { Array(bytes[..<$0]) }
        for index in bytes.indices {
            for value: UInt8 in [0x00, 0x1B, 0x5B, 0x9B, 0xBB, 0xFF] {
                var changed = bytes
                changed[index] = value
                if changed != bytes { variants.append(changed) }
            }
        }
        var accepted = 0
        for variant in variants {
            var (response, members) = (good, inner)
            members["attestationObject"] = .string(Base64URL.encode(variant))
            response["response"] = .object(members)
            let made = try? WebAuthnRegistration(
                response: response, challenge: challenge, relyingParty: party, requiresUserVerification: true)
            if made != nil { accepted += 1 }
        }
        // With `none`, the model and the counter are not signed; everything else is looked at.
        #expect(accepted <= 20 * 6)
    }
}
