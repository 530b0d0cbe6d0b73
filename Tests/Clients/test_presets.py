"""The presets of GitHub, Apple and Microsoft, each against a local counterpart that speaks as they do."""

import pathlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from apus_server import ApusServer
from evil_provider import EvilProvider
from test_messages import started, stopped
from test_providers import SITE, values

TENANT = "3b0a5a51-25a2-4fcf-8b8b-0c1a6dfd3c55"
OTHER_TENANT = "7f1d0f6e-4a08-4d5c-9c5b-2f7f6d0a9e11"
PERSONAL = "9188040d-6c67-4b5b-b112-36a304b66dad"
#: What an operator downloads from Apple: a key on P-256 in PKCS #8.
APPLE_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def github() -> Iterator[EvilProvider]:
    provider = EvilProvider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def apple() -> Iterator[EvilProvider]:
    provider = EvilProvider()
    provider.document["userinfo_endpoint"] = None
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def microsoft() -> Iterator[EvilProvider]:
    provider = EvilProvider()
    provider.document["issuer"] = provider.issuer + "/{tenantid}/v2.0"
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def apus(github: EvilProvider, apple: EvilProvider, microsoft: EvilProvider) -> Iterator[ApusServer]:
    with tempfile.TemporaryDirectory() as directory:
        key = pathlib.Path(directory) / "AuthKey.p8"
        key.write_bytes(APPLE_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        hosts = ",".join(f"127.0.0.1:{provider.port}" for provider in (github, apple, microsoft))
        server = started(
            "--outbound-private-hosts", hosts,
            "--auth-external-github-url", github.issuer, "--auth-external-github-client-id", "gh-client",
            "--auth-external-github-secret", "gh-secret",
            "--auth-external-apple-url", apple.issuer, "--auth-external-apple-client-id", "com.example.web,com.example.app",
            "--auth-external-apple-secret", f"@{key}", "--auth-external-apple-key-id", "KEY1234567",
            "--auth-external-apple-team-id", "TEAM123456",
            "--auth-external-azure-url", microsoft.issuer + "/common", "--auth-external-azure-client-id", "ms-client",
            "--auth-external-azure-secret", "s",
        )  # fmt: skip
        yield server
        stopped(server)


class Journey:
    """A browser that was sent to a provider."""

    def __init__(self, server: ApusServer, provider: str) -> None:
        self.server, self.browser = server, httpx.Client()
        parameters = {"provider": provider, "redirect_to": SITE + "/done"}
        answer = self.browser.get(f"{server.url}/auth/v1/authorize", params=parameters)
        self.address = answer.headers["location"]
        self.asked = values(self.address)

    def back(self, method: str = "GET", **parameters: str) -> dict[str, str]:
        sent = {"state": self.asked["state"]} | parameters
        answer = self.browser.request(
            method, f"{self.server.url}/auth/v1/callback", **{"params" if method == "GET" else "data": sent}
        )
        assert answer.status_code in (302, 303), answer.text
        assert answer.headers["location"].startswith(SITE)
        return values(answer.headers["location"])

    def user(self, session: dict[str, str]) -> dict[str, Any]:
        assert "access_token" in session, session
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        return httpx.get(f"{self.server.url}/auth/v1/user", headers=headers).json()


# GitHub: OAuth without OpenID Connect


def github_account(github: EvilProvider, *addresses: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Somebody's account there, and where the form that came for a code will be seen."""
    number, form = uuid.uuid4().int % 10**9, {}
    github.pages["/api/v3/user"] = {"id": number, "login": "ada", "name": "Ada L", "avatar_url": "https://a.example/1"}
    github.pages["/api/v3/user/emails"] = list(addresses)

    def answer(came: dict[str, str]) -> dict[str, Any]:
        form.update(came)
        return {"access_token": "gho_1", "token_type": "bearer", "scope": "user:email"}

    github.codes["code"] = answer
    return number, form


def test_github(apus: ApusServer, github: EvilProvider) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    number, form = github_account(
        github,
        {"email": "old@example.com", "primary": False, "verified": True},
        {"email": email, "primary": True, "verified": True},
    )
    journey = Journey(apus, "github")
    assert journey.address.startswith(github.issuer + "/login/oauth/authorize?")
    assert journey.asked["client_id"] == "gh-client" and journey.asked["scope"] == "user:email"
    assert journey.asked["code_challenge_method"] == "S256" and "nonce" not in journey.asked
    session = journey.back(code="code")
    assert session["provider_token"] == "gho_1"
    user = journey.user(session)
    assert user["email"] == email and user["app_metadata"]["provider"] == "github"
    assert user["user_metadata"]["user_name"] == "ada" and user["user_metadata"]["avatar_url"] == "https://a.example/1"
    assert [identity["id"] for identity in user["identities"]] == [str(number)]
    assert form["client_secret"] == "gh-secret" and form["client_id"] == "gh-client" and form["code_verifier"]
    assert github.bearers["/api/v3/user"] == github.bearers["/api/v3/user/emails"] == "Bearer gho_1"
    # Whoever has the number is the same user, whatever they are called today.
    github_account(github, {"email": "new@example.com", "primary": True, "verified": True})
    github.pages["/api/v3/user"]["id"] = number
    again = Journey(apus, "github")
    assert again.user(again.back(code="code"))["id"] == user["id"]


def test_github_an_address_that_is_not_verified_is_nobodys(apus: ApusServer, github: EvilProvider) -> None:
    github_account(github, {"email": f"{uuid.uuid4().hex}@example.com", "primary": True, "verified": False})
    assert Journey(apus, "github").back(code="code")["error_code"] == "provider_email_needs_verification"


def test_github_says_no_with_200(apus: ApusServer, github: EvilProvider) -> None:
    github.codes["late"] = lambda form: {"error": "bad_verification_code"}
    assert Journey(apus, "github").back(code="late")["error_code"] == "bad_oauth_callback"


@pytest.mark.parametrize("number", ["1", None, {"$ne": 1}, 1.5])
def test_github_an_id_that_is_no_number_is_nobody(apus: ApusServer, github: EvilProvider, number: Any) -> None:
    github_account(github, {"email": "a@example.com", "primary": True, "verified": True})
    github.pages["/api/v3/user"]["id"] = number
    assert Journey(apus, "github").back(code="code")["error"] == "server_error"


# Apple: a secret that is made for every use, and a form that the browser posts


def apple_code(apple: EvilProvider, journey: Journey, **claims: Any) -> dict[str, str]:
    form: dict[str, str] = {}

    def answer(came: dict[str, str]) -> dict[str, Any]:
        form.update(came)
        token = apple.token(aud="com.example.web", nonce=journey.asked["nonce"], **claims)
        return {"access_token": "a1", "refresh_token": "r1", "token_type": "Bearer", "id_token": token}

    apple.codes["code"] = answer
    return form


def test_apple(apus: ApusServer, apple: EvilProvider) -> None:
    email, subject = f"{uuid.uuid4().hex}@privaterelay.appleid.com", f"0001.{uuid.uuid4().hex}.0002"
    journey = Journey(apus, "apple")
    assert journey.asked["response_mode"] == "form_post" and journey.asked["client_id"] == "com.example.web"
    form = apple_code(apple, journey, sub=subject, email=email, email_verified="true")
    name = '{"name": {"firstName": "Ada", "lastName": "L"}, "email": "victim@example.com"}'
    session = journey.back("POST", code="code", user=name)
    assert session["provider_refresh_token"] == "r1"
    user = journey.user(session)
    # The name is taken from beside the token; the address is not.
    assert user["email"] == email and user["user_metadata"]["full_name"] == "Ada L"
    public = APPLE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = jwt.decode(form["client_secret"], ECKey.import_key(public), algorithms=["ES256"])
    assert secret.header["kid"] == "KEY1234567"
    claims = secret.claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("TEAM123456", "com.example.web", "https://appleid.apple.com")
    assert abs(claims["iat"] - time.time()) < 60 and 0 < claims["exp"] - claims["iat"] <= 15_777_000

    again = Journey(apus, "apple")
    second = apple_code(apple, again, sub=subject)
    user = again.user(again.back("POST", code="code"))
    assert user["email"] == email and user["user_metadata"]["full_name"] == "Ada L"
    assert second["client_secret"] != form["client_secret"]


def test_apple_on_a_device(apus: ApusServer, apple: EvilProvider) -> None:
    """CVE-2026-31813 the other way round: a token for the app is good, one of another issuer or for another app is not."""

    def sign_in(**claims: Any) -> httpx.Response:
        token = apple.token(sub=uuid.uuid4().hex, **claims)
        body = {"provider": "apple", "id_token": token}
        return httpx.post(f"{apus.url}/auth/v1/token?grant_type=id_token", json=body)

    assert sign_in(aud="com.example.app", email=f"{uuid.uuid4().hex}@example.com", email_verified=True).status_code == 200
    for wrong in ({"aud": "com.evil.app"}, {"aud": "com.example.app", "iss": "https://appleid.apple.com.evil"}):
        assert sign_in(**wrong).status_code == 400


# Microsoft: one set of keys for all tenants


def microsoft_comes(apus: ApusServer, microsoft: EvilProvider, make: Callable[[], dict[str, Any]]) -> dict[str, str]:
    journey = Journey(apus, "azure")
    claims = {"aud": "ms-client", "nonce": journey.asked["nonce"], "sub": uuid.uuid4().hex} | make()
    microsoft.grant("code", lambda: microsoft.token(**claims))
    return journey.back(code="code")


@pytest.mark.parametrize("tenant", [TENANT, PERSONAL])
def test_microsoft(apus: ApusServer, microsoft: EvilProvider, tenant: str) -> None:
    issuer = f"{microsoft.issuer}/{tenant}/v2.0"
    email = f"{uuid.uuid4().hex}@example.com"
    session = microsoft_comes(apus, microsoft, lambda: {"iss": issuer, "tid": tenant, "email": email, "xms_edov": True})
    assert "access_token" in session, session


@pytest.mark.parametrize(
    "make",
    [
        # supabase/auth#2560: the issuer must be the tenant's that the token names.
        lambda base: {"iss": f"{base}/{OTHER_TENANT}/v2.0", "tid": TENANT},
        lambda base: {"iss": f"{base}/{TENANT}/v2.0"},
        lambda base: {"iss": f"{base}/common/v2.0", "tid": "common"},
        lambda base: {"iss": f"{base}.evil/{TENANT}/v2.0", "tid": TENANT},
        lambda base: {"iss": f"{base}/{TENANT}/v2.0/", "tid": TENANT},
        lambda base: {"iss": f"{base}/{TENANT.upper()}/v2.0", "tid": TENANT.upper()},
        lambda base: {"iss": base + "/{tenantid}/v2.0", "tid": "{tenantid}"},
    ],
)  # fmt: skip
def test_microsoft_another_tenants_issuer(apus: ApusServer, microsoft: EvilProvider, make: Callable) -> None:
    session = microsoft_comes(apus, microsoft, lambda: make(microsoft.issuer) | {"email": "v@example.com", "xms_edov": True})
    assert session["error_code"] == "bad_oauth_callback" and "access_token" not in session


def test_microsoft_an_address_that_an_administrator_wrote_is_not_verified(
    apus: ApusServer, microsoft: EvilProvider
) -> None:
    claims = {"iss": f"{microsoft.issuer}/{TENANT}/v2.0", "tid": TENANT, "email_verified": True}
    email = f"{uuid.uuid4().hex}@example.com"
    session = microsoft_comes(apus, microsoft, lambda: claims | {"email": email})
    assert session["error_code"] == "provider_email_needs_verification"
