"""Second factors and passkeys with the SDK, an authenticator app's library, a scanner and a security key made of
Yubico's library."""

import base64
import io
import os
import time
from hashlib import sha256

import pyotp
import pytest
import resvg_py
import zxingcpp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData
from PIL import Image
from supabase_auth.errors import AuthApiError

import auth_servers

ORIGIN = "https://app.example.org"


@pytest.fixture(scope="module")
def server():
    with auth_servers.running(
        auth_site_url=ORIGIN, auth_passkey_enabled="true", auth_mfa_issuer="Apus & Söhne"
    ) as server:
        yield server


def enrol(client):
    return client.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})


def scanned(qr_code: str) -> str:
    """What a phone's camera reads from the picture that an app shows."""
    svg = qr_code.split(",", 1)[1]
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("L")
    return zxingcpp.read_barcodes(picture)[0].text


def test_a_scanned_code_makes_codes_that_hold(server):
    client, email = auth_servers.sign_up(server)
    factor = enrol(client)
    uri = scanned(factor.totp.qr_code)
    assert uri == factor.totp.uri
    totp = pyotp.parse_uri(uri)
    assert totp.issuer == "Apus & Söhne" and totp.name == email and totp.secret == factor.totp.secret

    before = client.auth.mfa.get_authenticator_assurance_level()
    assert (before.current_level, before.next_level) == ("aal1", "aal1")
    client.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": totp.now()})
    after = client.auth.mfa.get_authenticator_assurance_level()
    assert (after.current_level, after.next_level) == ("aal2", "aal2")
    assert {entry.method for entry in after.current_authentication_methods} == {"totp", "password"}
    assert [factor.status for factor in client.auth.mfa.list_factors().totp] == ["verified"]


def test_a_code_holds_once(server):
    client, _ = auth_servers.sign_up(server)
    factor = enrol(client)
    totp = pyotp.TOTP(factor.totp.secret)
    code = totp.now()
    client.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": code})
    with pytest.raises(AuthApiError) as refused:
        client.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": code})
    assert refused.value.code == "mfa_verification_failed"
    later = totp.at(int(time.time()) + 30)
    client.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": later})


def test_a_refresh_token_from_before_is_not_strong(server):
    client, _ = auth_servers.sign_up(server)
    weak = client.auth.get_session().refresh_token
    factor = enrol(client)
    code = pyotp.TOTP(factor.totp.secret).now()
    client.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": code})
    refreshed = client.auth.refresh_session()
    claims = client.auth.get_claims(refreshed.session.access_token)["claims"]
    assert claims["aal"] == "aal2"
    stolen = auth_servers.post(server, "/token?grant_type=refresh_token", None, {"refresh_token": weak})
    assert stolen.status_code == 400


def test_recovery_codes(server):
    client, email = auth_servers.sign_up(server)
    factor = enrol(client)
    client.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": pyotp.TOTP(factor.totp.secret).now()})
    strong = client.auth.get_session().access_token
    codes = auth_servers.post(server, "/factors/recovery-codes", strong, {}).json()["codes"]
    assert len(set(codes)) == 10

    signed_in = client.auth.sign_in_with_password({"email": email, "password": auth_servers.PASSWORD})
    weak = signed_in.session.access_token
    used = auth_servers.post(server, "/factors/recovery-codes/verify", weak, {"code": codes[0]})
    assert used.status_code == 200
    again = auth_servers.post(
        server, "/factors/recovery-codes/verify", used.json()["access_token"], {"code": codes[0]}
    )
    assert again.status_code == 422


# Passkeys


class Key:
    """A security key in software, which asks for a finger unless it is told not to."""

    def __init__(self, flags=AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV) -> None:
        self.flags = flags
        self.counter = 0
        self.id = os.urandom(32)
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle = b""

    def create(self, options: dict, origin: str) -> dict:
        client = CollectedClientData.create(CollectedClientData.TYPE.CREATE, options["challenge"], origin)
        self.user_handle = options["user"]["id"]
        public = ES256.from_cryptography_key(self.private_key.public_key())
        data = AuthenticatorData.create(
            sha256(options["rp"]["id"].encode()).digest(), self.flags | AuthenticatorData.FLAG.AT, self.counter,
            AttestedCredentialData.create(b"\0" * 16, self.id, public),
        )
        attestation = AttestationObject.create("none", data, {})
        return self._shown({"clientDataJSON": bytes(client), "attestationObject": bytes(attestation)})

    def get(self, options: dict, origin: str) -> dict:
        client = CollectedClientData.create(CollectedClientData.TYPE.GET, options["challenge"], origin)
        self.counter += 1
        data = AuthenticatorData.create(sha256(options["rpId"].encode()).digest(), self.flags, self.counter)
        signature = self.private_key.sign(bytes(data) + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._shown({
            "clientDataJSON": bytes(client), "authenticatorData": bytes(data), "signature": signature,
            "userHandle": self.user_handle,
        })

    def _shown(self, response: dict) -> dict:
        return {"rawId": self.id, "type": "public-key", "response": response}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def as_json(credential: dict) -> dict:
    """PublicKeyCredential.toJSON(), as browsers have it."""
    response = {name: encoded(value) for name, value in credential["response"].items() if value}
    return {
        "id": encoded(credential["rawId"]), "rawId": encoded(credential["rawId"]),
        "type": credential["type"], "response": response,
    }


def register(server, client, key=None) -> Key:
    token = client.auth.get_session().access_token
    begun = auth_servers.post(server, "/passkeys/registration/options", token, {}).json()
    options = begun["options"] | {
        "challenge": decoded(begun["options"]["challenge"]),
        "user": begun["options"]["user"] | {"id": decoded(begun["options"]["user"]["id"])},
    }
    key = key or Key()
    made = key.create(options, ORIGIN)
    verified = auth_servers.post(
        server, "/passkeys/registration/verify", token,
        {"challenge_id": begun["challenge_id"], "credential": as_json(made)},
    )
    assert verified.status_code == 200, verified.text
    return key


def sign_in(server, key: Key, origin: str = ORIGIN):
    begun = auth_servers.post(server, "/passkeys/authentication/options", None, {}).json()
    options = begun["options"] | {"challenge": decoded(begun["options"]["challenge"])}
    shown = key.get(options, origin)
    return auth_servers.post(
        server, "/passkeys/authentication/verify", None,
        {"challenge_id": begun["challenge_id"], "credential": as_json(shown)},
    )


def test_passkeys(server):
    client, email = auth_servers.sign_up(server)
    key = register(server, client)
    for _ in range(2):
        answer = sign_in(server, key)
        assert answer.status_code == 200, answer.text
        assert answer.json()["user"]["email"] == email
    user = client.auth.get_user(answer.json()["access_token"]).user
    assert user.email == email


def test_a_passkey_shown_on_another_site(server):
    client, _ = auth_servers.sign_up(server)
    key = register(server, client)
    answer = sign_in(server, key, "https://app.example.org.evil.example")
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "webauthn_verification_failed"


def test_a_key_that_asks_for_no_finger(server):
    client, _ = auth_servers.sign_up(server)
    key = register(server, client)
    key.flags = AuthenticatorData.FLAG.UP
    assert sign_in(server, key).status_code == 400


def test_a_cloned_key(server):
    client, _ = auth_servers.sign_up(server)
    key = register(server, client)
    clone = Key()
    vars(clone).update(vars(key))
    assert sign_in(server, key).status_code == 200
    assert sign_in(server, clone).status_code == 400
