"""Every flow once, without an SDK, its answers decoded as strictly as the strictest of them does."""

import base64
import hashlib
import secrets
import urllib.parse
import uuid
from collections.abc import Iterator

import httpx
import pyotp
import pytest

import strict
from apus_server import ApusServer
from test_messages import started, stopped

PASSWORD = "a horse of another colour"
VERSION = {"X-Supabase-Api-Version": "2024-01-01"}


class Auth:
    """Requests as an SDK sends them."""

    def __init__(self, server: ApusServer) -> None:
        self.server = server
        self.service = server.token("service_role")

    def send(self, method: str, path: str, body: dict | None = None, token: str | None = None) -> httpx.Response:
        headers = VERSION | ({"Authorization": f"Bearer {token}"} if token else {})
        return httpx.request(method, f"{self.server.url}/auth/v1{path}", json=body, headers=headers, timeout=30)

    def post(self, path: str, body: dict, token: str | None = None) -> dict:
        answer = self.send("POST", path, body, token)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def mail(self, recipient: str) -> dict:
        answer = httpx.get(
            f"{self.server.url}/dev/inbox", params={"to": recipient}, headers={"Accept": "application/json"}
        )
        return answer.json()[0]

    def signed_up(self) -> tuple[str, dict]:
        """Somebody new with a confirmed address, signed in."""
        email = f"{uuid.uuid4().hex}@example.com"
        user = strict.user(self.post("/signup", {"email": email, "password": PASSWORD, "data": {"age": 42}}))
        assert user["confirmation_sent_at"] and "access_token" not in user
        code = self.mail(email)["code"]
        return email, strict.session(self.post("/verify", {"type": "signup", "email": email, "token": code}))


@pytest.fixture(scope="module")
def auth() -> Iterator[Auth]:
    server = started(
        "--auth-external-phone-enabled", "true", "--auth-sms-autoconfirm", "false", "--auth-sms-max-frequency", "0",
        "--auth-external-anonymous-users-enabled", "true", "--auth-security-manual-linking-enabled", "true",
        "--auth-passkey-enabled", "true", "--auth-oauth-server-enabled", "true",
    )  # fmt: skip
    yield Auth(server)
    stopped(server)


def test_passwords_and_refresh(auth: Auth) -> None:
    email, _ = auth.signed_up()
    first = strict.session(auth.post("/token?grant_type=password", {"email": email, "password": PASSWORD}))
    second = strict.session(auth.post("/token?grant_type=refresh_token", {"refresh_token": first["refresh_token"]}))
    assert second["user"]["last_sign_in_at"]
    assert auth.send("POST", "/logout?scope=local", {}, second["access_token"]).status_code == 204


def test_phones_codes_and_anonymous_users(auth: Auth) -> None:
    number = "49" + str(uuid.uuid4().int)[:10]
    strict.user(auth.post("/signup", {"phone": number, "password": PASSWORD, "channel": None}))
    code = auth.mail(number)["code"]
    session = strict.session(auth.post("/verify", {"type": "sms", "phone": number, "token": code}))
    assert session["user"]["phone"] == number and session["user"]["email"] == ""
    email = f"{uuid.uuid4().hex}@example.com"
    assert auth.post("/otp", {"email": email, "data": None, "gotrue_meta_security": {"captcha_token": None}}) == {}
    strict.session(auth.post("/verify", {"type": "email", "email": email, "token": auth.mail(email)["code"]}))
    assert strict.session(auth.post("/signup", {}))["user"]["is_anonymous"] is True


def test_pkce_and_the_fragment(auth: Auth) -> None:
    email, _ = auth.signed_up()
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    auth.post("/otp", {"email": email, "code_challenge": challenge, "code_challenge_method": "s256"})
    code = pressed(auth.mail(email)["link"]).query
    session = auth.post(
        "/token?grant_type=pkce", {"auth_code": dict(urllib.parse.parse_qsl(code))["code"], "code_verifier": verifier}
    )
    strict.session(session)
    auth.post("/recover", {"email": email})
    fragment = dict(urllib.parse.parse_qsl(pressed(auth.mail(email)["link"]).fragment))
    assert {"access_token", "refresh_token", "token_type", "type"} <= fragment.keys() and fragment["type"] == "recovery"
    assert int(fragment["expires_at"]) > int(fragment["expires_in"]) > 0
    # A link that is used: the three members that clients need, in the fragment.
    used = dict(urllib.parse.parse_qsl(pressed(auth.mail(email)["link"]).fragment))
    assert {"error", "error_code", "error_description"} <= used.keys()


def pressed(link: str) -> urllib.parse.SplitResult:
    """Where the button of a link's page leads."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
    answer = httpx.post(link.split("?")[0], data=query)
    assert answer.status_code == 303, answer.text
    return urllib.parse.urlsplit(answer.headers["location"])


def test_changing_oneself(auth: Auth) -> None:
    email, session = auth.signed_up()
    token = session["access_token"]
    strict.user(auth.send("GET", "/user", token=token).json())
    new = f"{uuid.uuid4().hex}@example.com"
    changed = strict.user(auth.send("PUT", "/user", {"email": new, "data": {"a": None}}, token).json())
    assert changed["new_email"] == new
    half = auth.post("/verify", {"type": "email_change", "email": new, "token": auth.mail(new)["code"]})
    assert half["code"] == "200" and isinstance(half["msg"], str)
    whole = auth.post("/verify", {"type": "email_change", "email": email, "token": auth.mail(email)["code"]})
    assert strict.session(whole)["user"]["email"] == new
    assert auth.post("/reauthenticate", {}, whole["access_token"]) == {}


def test_second_factors_and_passkeys(auth: Auth) -> None:
    _, session = auth.signed_up()
    token = session["access_token"]
    enrolled = auth.post("/factors", {"factor_type": "totp", "friendly_name": ""}, token)
    assert isinstance(enrolled["friendly_name"], str) and enrolled["totp"]["qr_code"].startswith("<svg")
    challenge = auth.post(f"/factors/{enrolled['id']}/challenge", {}, token)
    assert type(challenge["expires_at"]) is int and challenge["type"] == "totp"
    code = pyotp.TOTP(enrolled["totp"]["secret"]).now()
    strong = strict.session(
        auth.post(f"/factors/{enrolled['id']}/verify", {"challenge_id": challenge["id"], "code": code}, token)
    )
    token = strong["access_token"]
    assert strict.user(auth.send("GET", "/user", token=token).json())["factors"][0]["status"] == "verified"
    codes = auth.post("/factors/recovery-codes", {}, token)
    assert codes["type"] == "recovery_code" and len(codes["codes"]) == codes["total"] == 10
    begun = auth.post("/passkeys/registration/options", {}, token)
    assert isinstance(begun["challenge_id"], str) and type(begun["expires_at"]) is int and begun["options"]["challenge"]
    assert auth.send("GET", "/passkeys/", token=token).json() == []
    assert auth.send("DELETE", f"/factors/{enrolled['id']}", token=token).json() == {"id": enrolled["id"]}


def test_administration(auth: Auth) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    made = strict.user(auth.post("/admin/users", {"email": email, "password": PASSWORD, "email_confirm": True}, auth.service))
    strict.user(auth.send("GET", f"/admin/users/{made['id']}", token=auth.service).json())
    strict.user(auth.send("PUT", f"/admin/users/{made['id']}", {"ban_duration": "1h"}, auth.service).json())
    page = auth.send("GET", "/admin/users?page=1&per_page=2", token=auth.service)
    assert isinstance(page.json()["aud"], str) and int(page.headers["X-Total-Count"]) > 0 and "page=" in page.headers["Link"]
    for user in page.json()["users"]:
        strict.user(user)
    link = auth.post("/admin/generate_link", {"type": "magiclink", "email": email}, auth.service)
    for name in ("action_link", "email_otp", "hashed_token", "verification_type", "redirect_to"):
        assert isinstance(link[name], str)
    strict.user(link)
    strict.user(auth.post("/invite", {"email": f"{uuid.uuid4().hex}@example.com"}, auth.service))
    client = auth.post("/admin/oauth/clients", {"client_name": "a", "redirect_uris": ["https://a.example/"]}, auth.service)
    for name in ("client_id", "client_type", "token_endpoint_auth_method", "registration_type", "created_at", "updated_at"):
        assert isinstance(client[name], str), name
    for name in ("redirect_uris", "grant_types", "response_types"):
        assert isinstance(client[name], list), name
    assert auth.send("DELETE", f"/admin/users/{made['id']}", {}, auth.service).json() == {}


def test_settings_health_and_keys(auth: Auth) -> None:
    settings = auth.send("GET", "/settings").json()
    assert all(isinstance(value, bool) for value in settings["external"].values())
    for name in ("disable_signup", "mailer_autoconfirm", "phone_autoconfirm", "saml_enabled", "passkeys_enabled"):
        assert isinstance(settings[name], bool), name
    assert isinstance(settings["sms_provider"], str)
    assert {"version", "name", "description"} == auth.send("GET", "/health").json().keys()
    assert auth.send("GET", "/.well-known/jwks.json").json()["keys"]


@pytest.mark.parametrize("version", [VERSION, {}], ids=["2024-01-01", "older"])
def test_errors(auth: Auth, version: dict[str, str]) -> None:
    email, session = auth.signed_up()

    def refused(method: str, path: str, body: dict | None, code: str, token: str | None = None) -> dict:
        headers = version | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = httpx.request(method, f"{auth.server.url}/auth/v1{path}", json=body, headers=headers)
        strict.error(answer, code)
        return answer.json()

    weak = refused("POST", "/signup", {"email": "a@example.com", "password": "short"}, "weak_password")
    assert "length" in weak["weak_password"]["reasons"]
    refused("POST", "/token?grant_type=password", {"email": email, "password": "wrong"}, "invalid_credentials")
    refused("POST", "/token?grant_type=refresh_token", {"refresh_token": "none"}, "refresh_token_not_found")
    refused("POST", "/token?grant_type=pkce", {"auth_code": str(uuid.uuid4()), "code_verifier": "x" * 43}, "flow_state_not_found")
    refused("POST", "/verify", {"type": "email", "email": email, "token": "000000"}, "otp_expired")
    refused("GET", "/user", None, "no_authorization")
    refused("GET", "/user", None, "bad_jwt", "a.b.c")
    refused("GET", "/admin/users", None, "not_admin", session["access_token"])
    refused("GET", f"/admin/users/{uuid.uuid4()}", None, "user_not_found", auth.service)
    refused("PUT", "/user", {"password": PASSWORD}, "same_password", session["access_token"])
    refused("GET", "/nothing", None, "not_found")
    auth.send("POST", "/logout", {}, session["access_token"])
    refused("GET", "/user", None, "session_not_found", session["access_token"])
