"""Sign-ins with accounts elsewhere, without an SDK, every answer decoded as strictly as the strictest of them does."""

import base64
import hashlib
import secrets
import urllib.parse
import uuid

import httpx
import pytest

import strict
from apus_server import ApusServer
from evil_provider import EvilProvider
from test_providers import SITE, Account, apus, evil, go, good, trap, values

__all__ = ["apus", "evil", "good", "trap"]  # Fixtures: one server for all of this page.

VERSION = {"X-Supabase-Api-Version": "2024-01-01"}


def post(server: ApusServer, path: str, body: dict, token: str | None = None, headers: dict = VERSION) -> httpx.Response:
    fields = headers | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.post(f"{server.url}/auth/v1{path}", json=body, headers=fields, timeout=30)


def session_of(answer: httpx.Response) -> dict:
    assert answer.status_code == 200, answer.text
    return strict.session(answer.json())


def challenge() -> tuple[str, dict[str, str]]:
    verifier = secrets.token_urlsafe(48)
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return verifier, {"code_challenge": digest, "code_challenge_method": "s256"}


def authorize(server: ApusServer, **more: str) -> str:
    query = {"provider": "keycloak", "redirect_to": SITE + "/done"} | more
    return f"{server.url}/auth/v1/authorize?{urllib.parse.urlencode(query)}"


def of_provider(session: dict, account: Account) -> None:
    """A user with one identity of the provider's, told as the API tells it."""
    user = session["user"]
    assert user["email"] == account.email and user["email_confirmed_at"] and user["last_sign_in_at"]
    assert user["app_metadata"] == {"provider": "keycloak", "providers": ["keycloak"]}
    (identity,) = user["identities"]
    assert (identity["provider"], identity["id"]) == ("keycloak", account.subject)
    assert identity["identity_data"]["sub"] == account.subject and identity["identity_data"]["email_verified"] is True
    assert identity["email"] == account.email and identity["last_sign_in_at"]


def test_pkce(apus: ApusServer, good: str) -> None:
    account = Account(good)
    verifier, asked = challenge()
    end = go(httpx.Client(), authorize(apus, **asked), account)
    code = values(end)["code"]
    assert str(uuid.UUID(code)) == code and urllib.parse.urlsplit(end).fragment == ""
    wrong = post(apus, "/token?grant_type=pkce", {"auth_code": str(uuid.uuid4()), "code_verifier": verifier})
    strict.error(wrong, "flow_state_not_found")
    session = session_of(post(apus, "/token?grant_type=pkce", {"auth_code": code, "code_verifier": verifier}))
    of_provider(session, account)
    assert isinstance(session["provider_token"], str) and session["provider_token"]
    assert isinstance(session.get("provider_refresh_token", ""), str)
    strict.user(httpx.get(f"{apus.url}/auth/v1/user", headers={"Authorization": f"Bearer {session['access_token']}"}).json())
    refreshed = session_of(post(apus, "/token?grant_type=refresh_token", {"refresh_token": session["refresh_token"]}))
    of_provider(refreshed, account)
    # Theirs alone is the first one's, at the exchange.
    assert "provider_token" not in refreshed


def test_the_fragment(apus: ApusServer, good: str) -> None:
    account = Account(good)
    end = go(httpx.Client(), authorize(apus), account)
    parts = urllib.parse.urlsplit(end)
    assert parts.query == "" and end.startswith(SITE + "/done#")
    got = dict(urllib.parse.parse_qsl(parts.fragment, strict_parsing=False, keep_blank_values=True))
    assert {"access_token", "refresh_token", "provider_token"} <= got.keys() and got["token_type"] == "bearer"
    assert int(got["expires_at"]) > int(got["expires_in"]) > 0 and got["sb"] == "" and got["access_token"].count(".") == 2
    user = httpx.get(f"{apus.url}/auth/v1/user", headers={"Authorization": f"Bearer {got['access_token']}"})
    of_provider({"user": strict.user(user.json())}, account)


def test_errors_come_back_where_clients_look(apus: ApusServer, good: str) -> None:
    _, asked = challenge()
    for more, needs_query in ((asked, True), ({}, False)):
        end = go(httpx.Client(), authorize(apus, **more), Account(good, email=None, verified=None))
        parts = urllib.parse.urlsplit(end)
        for text in [parts.fragment] + ([parts.query] if needs_query else []):
            got = dict(urllib.parse.parse_qsl(text))
            assert {"error", "error_code", "error_description"} <= got.keys()
            assert got["error_code"] == "email_address_not_provided" and got["error"] == "invalid_request"
        assert needs_query or parts.query == ""


def test_linking(apus: ApusServer, good: str) -> None:
    email, account = f"{uuid.uuid4().hex}@example.com", Account(good)
    body = {"email": email, "password": "a horse of another colour", "email_confirm": True}
    assert post(apus, "/admin/users", body, apus.token("service_role")).status_code == 200
    token = session_of(post(apus, "/token?grant_type=password", body))["access_token"]
    verifier, asked = challenge()
    query = {"provider": "keycloak", "redirect_to": SITE, "skip_http_redirect": "true"} | asked
    answer = httpx.get(
        f"{apus.url}/auth/v1/user/identities/authorize", params=query, headers=VERSION | {"Authorization": f"Bearer {token}"}
    )
    assert answer.json().keys() == {"url"} and isinstance(answer.json()["url"], str)
    code = values(go(httpx.Client(), answer.json()["url"], account))["code"]
    session = session_of(post(apus, "/token?grant_type=pkce", {"auth_code": code, "code_verifier": verifier}))
    identities = {identity["provider"]: identity for identity in session["user"]["identities"]}
    assert identities.keys() == {"email", "keycloak"} and session["user"]["app_metadata"]["provider"] == "email"
    headers = VERSION | {"Authorization": f"Bearer {session['access_token']}"}
    for expected, code in ((200, None), (422, "identity_not_found")):
        path = f"{apus.url}/auth/v1/user/identities/{identities['keycloak']['identity_id']}"
        answer = httpx.delete(path, headers=headers)
        assert answer.status_code == expected
        if code:
            strict.error(answer, code)
        else:
            assert answer.json() == {}


@pytest.mark.parametrize("names", [{"provider": "evil"}, "issuer"], ids=["provider", "client_id and issuer"])
def test_id_token(apus: ApusServer, evil: EvilProvider, names: dict | str) -> None:
    """The provider is one that does what it is told, here for once the truth."""
    subject, nonce = uuid.uuid4().hex, secrets.token_hex(16)
    email = f"{subject}@example.com"
    named = names if isinstance(names, dict) else {"issuer": evil.issuer, "client_id": "our-client"}
    claims = {"sub": subject, "email": email, "email_verified": True, "name": "Ada L"}

    def sign_in(**changes) -> httpx.Response:
        token = evil.token(**(claims | {"nonce": hashlib.sha256(nonce.encode()).hexdigest()} | changes))
        return post(apus, "/token?grant_type=id_token", named | {"id_token": token, "nonce": nonce, "access_token": None})

    sessions = [session_of(sign_in()) for _ in range(2)]
    assert sessions[0]["user"]["id"] == sessions[1]["user"]["id"]
    user = sessions[1]["user"]
    assert user["email"] == email and user["app_metadata"] == {"provider": "evil", "providers": ["evil"]}
    assert user["user_metadata"]["full_name"] == "Ada L" and user["identities"][0]["id"] == subject
    # Errors about the token are OAuth's, whatever version the client names; what Swift and Python decode are strings.
    for answer in (sign_in(nonce="another"), sign_in(aud="nobody"), sign_in(iss="https://evil.example")):
        body = answer.json()
        assert answer.status_code == 400 and body["error"] == "invalid_request", body
        assert isinstance(body["error_description"], str) and body["error_description"]


def test_id_token_links(apus: ApusServer, evil: EvilProvider) -> None:
    email, subject = f"{uuid.uuid4().hex}@example.com", uuid.uuid4().hex
    body = {"email": email, "password": "a horse of another colour", "email_confirm": True}
    assert post(apus, "/admin/users", body, apus.token("service_role")).status_code == 200
    before = session_of(post(apus, "/token?grant_type=password", body))
    ask = {"provider": "evil", "id_token": evil.token(sub=subject), "link_identity": True}
    strict.error(post(apus, "/token?grant_type=id_token", ask), "no_authorization")
    linked = session_of(post(apus, "/token?grant_type=id_token", ask, before["access_token"]))
    assert linked["user"]["id"] == before["user"]["id"]
    assert sorted(identity["provider"] for identity in linked["user"]["identities"]) == ["email", "evil"]
    ask["provider"] = "nobody"
    strict.error(post(apus, "/token?grant_type=id_token", ask), "provider_disabled")
