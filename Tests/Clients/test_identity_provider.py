"""Apus as identity provider: authlib as the client, and the modules of the OpenID Foundation's basic and config
profiles, by their names. The profile allows requests without PKCE; Apus wants S256 in each, so each has it."""

import base64
import concurrent.futures
import hashlib
import secrets
import time
import urllib.parse

import httpx
import pyotp
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

import auth_servers
from auth_servers import PASSWORD
from browser import Browser, Form, answer_of

REDIRECT = "https://client.example.org/callback"
OTHER = "https://client.example.org/other?fixed=1"
API = "https://api.example.org/"


@pytest.fixture(scope="module")
def server():
    with auth_servers.running(auth_oauth_server_enabled="true") as server:
        yield server


@pytest.fixture(scope="module")
def issuer(server):
    return server.url + "/auth/v1"


@pytest.fixture(scope="module")
def metadata(issuer):
    return httpx.get(issuer + "/.well-known/openid-configuration").json()


@pytest.fixture(scope="module")
def service(server):
    return server.token("service_role")


def register(server, service, **changes) -> dict:
    body = {"client_name": "Test <b>Client</b>", "redirect_uris": [REDIRECT, OTHER]} | changes
    made = auth_servers.post(server, "/admin/oauth/clients", service, body)
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture(scope="module")
def client(server, service):
    return register(server, service)


@pytest.fixture(scope="module")
def account(server):
    sdk, email = auth_servers.sign_up(server)
    sdk.auth.update_user({"data": {"full_name": "Ada Lovelace", "locale": "en"}})
    return {"email": email, "id": sdk.auth.get_user().user.id, "sdk": sdk}


class Request:
    """One authorization request and what it needs later."""

    def __init__(self, issuer: str, client: dict, **changes) -> None:
        self.issuer, self.client = issuer, client
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.parameters = {
            "response_type": "code", "client_id": client["client_id"], "redirect_uri": REDIRECT,
            "scope": "openid", "state": secrets.token_urlsafe(8), "nonce": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256",
        } | changes
        self.parameters = {name: value for name, value in self.parameters.items() if value is not None}

    @property
    def url(self) -> str:
        return self.issuer + "/oauth/authorize?" + urllib.parse.urlencode(self.parameters)

    def exchange(self, code: str, **changes) -> httpx.Response:
        form = {
            "grant_type": "authorization_code", "code": code, "code_verifier": self.verifier,
            "redirect_uri": self.parameters["redirect_uri"],
        } | changes
        return httpx.post(
            self.issuer + "/oauth/token", data={k: v for k, v in form.items() if v is not None},
            auth=(self.client["client_id"], self.client["client_secret"]),
        )


def signed_in(browser: Browser, request: Request, email: str) -> dict[str, str]:
    """Goes through sign-in and consent, whichever is asked for."""
    answer = browser.open(request.url)
    for _ in range(3):
        if answer.is_redirect:
            break
        assert answer.status_code == 200, answer.text
        buttons = Form(answer.text).buttons
        if "sign_in" in buttons:
            answer = browser.press("sign_in", email=email, password=PASSWORD)
        else:
            answer = browser.press("approve")
    result = answer_of(answer)
    assert result["iss"] == request.issuer
    if "state" in request.parameters:
        assert result["state"] == request.parameters["state"]
    return result


@pytest.fixture
def browser(server):
    return Browser(server.url)


@pytest.fixture
def flow(issuer, client, account, browser):
    """Runs an authorization to its tokens."""

    def flow(**changes):
        request = Request(issuer, client, **changes)
        code = signed_in(browser, request, account["email"])["code"]
        answer = request.exchange(code)
        assert answer.status_code == 200, answer.text
        return request, answer.json()

    return flow


def verified(metadata: dict, token: str) -> jwt.Token:
    """A token that one of the published keys signed."""
    keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
    return jwt.decode(token, keys, algorithms=["ES256"])


def id_token(issuer: str, metadata: dict, token: str, client: dict) -> dict:
    """The claims of an ID token, checked as a client does."""
    claims = verified(metadata, token).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": client["client_id"]},
        sub={"essential": True}, exp={"essential": True}, iat={"essential": True},
    ).validate(claims)
    return claims


def userinfo(metadata: dict, token: str) -> httpx.Response:
    return httpx.get(metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})


# oidcc-config


def test_oidcc_discovery_endpoint_verification(server, issuer, metadata):
    answer = httpx.get(issuer + "/.well-known/openid-configuration")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
    assert metadata["issuer"] == issuer
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "revocation_endpoint"):
        assert metadata[name].startswith(issuer + "/")
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["id_token_signing_alg_values_supported"] == ["ES256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["request_parameter_supported"] is False and metadata["request_uri_parameter_supported"] is False
    assert "openid" in metadata["scopes_supported"] and "none" not in metadata["id_token_signing_alg_values_supported"]
    assert metadata["subject_types_supported"] == ["public"]
    keys = httpx.get(metadata["jwks_uri"]).json()["keys"]
    assert keys and all(key["kty"] == "EC" and key["kid"] and "d" not in key for key in keys)
    # RFC 8414 §3.1: the well-known part stands before the issuer's path.
    assert httpx.get(server.url + "/.well-known/oauth-authorization-server/auth/v1").json() == metadata


# oidcc-basic


def test_oidcc_server(issuer, metadata, client, account, flow):
    request, tokens = flow(scope="openid profile email")
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] > 0
    claims = id_token(issuer, metadata, tokens["id_token"], client)
    assert claims["nonce"] == request.parameters["nonce"] and claims["sub"] == account["id"]
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_oidcc_response_type_missing(issuer, client, browser):
    answer = browser.open(Request(issuer, client, response_type=None).url)
    assert answer_of(answer)["error"] == "invalid_request"


def test_oidcc_userinfo_get(metadata, account, flow):
    _, tokens = flow()
    answer = userinfo(metadata, tokens["access_token"])
    assert answer.status_code == 200 and answer.json() == {"sub": account["id"]}


def test_oidcc_userinfo_post_header(metadata, account, flow):
    _, tokens = flow()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert httpx.post(metadata["userinfo_endpoint"], headers=headers).json()["sub"] == account["id"]


def test_oidcc_userinfo_post_body(metadata, account, flow):
    _, tokens = flow()
    answer = httpx.post(metadata["userinfo_endpoint"], data={"access_token": tokens["access_token"]})
    assert answer.json()["sub"] == account["id"]


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(issuer, metadata, client, flow):
    _, tokens = flow(nonce=None)
    assert "nonce" not in id_token(issuer, metadata, tokens["id_token"], client)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("openid profile", {"name": "Ada Lovelace", "locale": "en"}),
        ("openid email", {"email_verified": True}),
        ("openid phone", {}),
        ("openid address", {}),
        ("openid profile email phone address", {"name": "Ada Lovelace", "email_verified": True}),
        ("email openid", {"email_verified": True}),
    ],
    ids=["profile", "email", "phone", "address", "all", "other order"],
)
def test_oidcc_scope(metadata, account, flow, scope, expected):
    _, tokens = flow(scope=scope)
    claims = userinfo(metadata, tokens["access_token"]).json()
    assert claims.items() >= expected.items() and claims["sub"] == account["id"]
    assert ("email" in claims) == ("email" in scope) and ("name" in claims) == ("profile" in scope)


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display(flow, display):
    flow(display=display)


def test_oidcc_prompt_login(issuer, metadata, client, account, browser, flow):
    _, first = flow()
    time.sleep(1.1)  # auth_time counts seconds, and the module compares two of them.
    request = Request(issuer, client, prompt="login")
    page = browser.open(request.url)
    assert "sign_in" in Form(page.text).buttons
    code = answer_of(browser.press("sign_in", email=account["email"], password=PASSWORD))["code"]
    second = request.exchange(code).json()
    times = [id_token(issuer, metadata, tokens["id_token"], client)["auth_time"] for tokens in (first, second)]
    assert times[0] < times[1]


def test_prompt_login_in_the_very_second_of_a_sign_in(server, issuer, client, account, browser):
    """Whole seconds would take the sign-in of before for one that answers the request."""
    signed_in(browser, Request(issuer, client), account["email"])
    request = Request(issuer, client, prompt="login")
    answer = browser.open(request.url)
    server.sql(
        "update auth.oauth_browsers set signed_in_at = (select max(created_at) - interval '1 microsecond'"
        " from auth.oauth_authorizations)"
    )
    fields = Form(answer.text).fields
    assert "sign_in" in Form(answer.text).buttons
    # Nor can the page's other button go on without it.
    forced = browser.open(
        issuer + "/oauth/authorize/continue", authorization_id=fields["authorization_id"], action="approve"
    )
    assert not forced.is_redirect and "sign_in" in Form(forced.text).buttons


def test_oidcc_prompt_none_not_logged_in(issuer, client, browser):
    answer = browser.open(Request(issuer, client, prompt="none").url)
    assert answer_of(answer)["error"] in ("login_required", "interaction_required")


def test_oidcc_prompt_none_logged_in(issuer, metadata, client, browser, flow):
    _, first = flow()
    request = Request(issuer, client, prompt="none")
    second = request.exchange(answer_of(browser.open(request.url))["code"]).json()
    claims = [id_token(issuer, metadata, tokens["id_token"], client) for tokens in (first, second)]
    assert claims[0]["sub"] == claims[1]["sub"] and claims[0]["auth_time"] == claims[1]["auth_time"]


def test_oidcc_max_age_1(server, issuer, metadata, client, account, browser, flow):
    flow()
    # Longer ago than max_age by less than a second, whatever fraction of one the clock shows.
    server.sql("update auth.oauth_browsers set signed_in_at = clock_timestamp() - interval '1.001 seconds'")
    request = Request(issuer, client, max_age="1")
    assert "sign_in" in Form(browser.open(request.url).text).buttons
    code = answer_of(browser.press("sign_in", email=account["email"], password=PASSWORD))["code"]
    claims = id_token(issuer, metadata, request.exchange(code).json()["id_token"], client)
    assert time.time() - claims["auth_time"] < 30


def test_oidcc_max_age_10000(issuer, metadata, client, browser, flow):
    _, first = flow()
    request = Request(issuer, client, max_age="10000")
    second = request.exchange(answer_of(browser.open(request.url))["code"]).json()
    claims = [id_token(issuer, metadata, tokens["id_token"], client) for tokens in (first, second)]
    assert claims[0]["auth_time"] == claims[1]["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(flow):
    flow(extra="foobar")


def test_oidcc_id_token_hint(issuer, metadata, client, browser, flow):
    _, first = flow()
    request = Request(issuer, client, prompt="none", id_token_hint=first["id_token"])
    second = request.exchange(answer_of(browser.open(request.url))["code"]).json()
    assert id_token(issuer, metadata, second["id_token"], client)["sub"]


def test_oidcc_login_hint(issuer, client, browser):
    page = browser.open(Request(issuer, client, login_hint='buffy"<x>@example.org').url)
    assert Form(page.text).fields["email"] == 'buffy"<x>@example.org'


@pytest.mark.parametrize("name", ["ui_locales", "claims_locales", "acr_values"])
def test_oidcc_hints_that_may_be_ignored(flow, name):
    flow(**{name: "se aal1"})


def test_oidcc_codereuse_30seconds(metadata, issuer, client, account, browser, server):
    """At once rather than after thirty seconds: what was issued for the code ends, at the data API too."""
    request = Request(issuer, client)
    code = signed_in(browser, request, account["email"])["code"]
    tokens = request.exchange(code).json()
    assert userinfo(metadata, tokens["access_token"]).status_code == 200
    again = request.exchange(code)
    assert again.status_code == 400 and again.json()["error"] == "invalid_grant"
    assert userinfo(metadata, tokens["access_token"]).status_code == 401
    refreshed = httpx.post(
        metadata["token_endpoint"], auth=(client["client_id"], client["client_secret"]),
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
    )
    assert refreshed.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "uri",
    [
        REDIRECT + "/", REDIRECT + "?x=1", REDIRECT.replace("https", "http"), "https://evil.example/callback",
        "https://client.example.org@evil.example/callback", "https://client.example.org/callback#x", OTHER + "1", None,
    ],
)
def test_oidcc_ensure_registered_redirect_uri(issuer, client, browser, uri):
    answer = browser.open(Request(issuer, client, redirect_uri=uri).url)
    assert answer.status_code == 400 and not answer.is_redirect
    assert answer.headers["content-type"].startswith("text/html")


def test_oidcc_redirect_uri_query_OK(issuer, client, account, browser):
    request = Request(issuer, client, redirect_uri=OTHER)
    assert signed_in(browser, request, account["email"])["fixed"] == "1"


def test_oidcc_ensure_post_request_succeeds(issuer, client, account, browser):
    request = Request(issuer, client)
    browser.open(issuer + "/oauth/authorize", **request.parameters)
    browser.press("sign_in", email=account["email"], password=PASSWORD)
    answer = browser.page if browser.page.is_redirect else browser.press("approve")
    assert request.exchange(answer_of(answer)["code"]).status_code == 200


def test_oidcc_server_client_secret_post(server, service, issuer, account, browser):
    client = register(server, service, token_endpoint_auth_method="client_secret_post")
    request = Request(issuer, client)
    code = signed_in(browser, request, account["email"])["code"]
    # The other method is not the one that was registered.
    assert request.exchange(code).status_code == 401
    form = {
        "grant_type": "authorization_code", "code": code, "code_verifier": request.verifier, "redirect_uri": REDIRECT,
        "client_id": client["client_id"], "client_secret": client["client_secret"],
    }
    assert httpx.post(issuer + "/oauth/token", data=form).status_code == 200


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(issuer, client, browser):
    answer = browser.open(Request(issuer, client, request="eyJhbGciOiJub25lIn0.e30.").url)
    assert answer_of(answer)["error"] == "request_not_supported"


def test_oidcc_claims_essential(metadata, flow):
    _, tokens = flow(claims='{"userinfo":{"name":{"essential":true}}}')
    assert userinfo(metadata, tokens["access_token"]).status_code == 200


def test_oidcc_refresh_token(issuer, metadata, client, account, flow):
    _, tokens = flow(scope="openid offline_access")
    first = id_token(issuer, metadata, tokens["id_token"], client)

    def refresh(token):
        return httpx.post(
            metadata["token_endpoint"], auth=(client["client_id"], client["client_secret"]),
            data={"grant_type": "refresh_token", "refresh_token": token},
        )

    answer = refresh(tokens["refresh_token"]).json()
    assert answer["refresh_token"] != tokens["refresh_token"]
    second = id_token(issuer, metadata, answer["id_token"], client)
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])
    third = refresh(answer["refresh_token"]).json()
    # Two exchanges back: stolen. The session ends for both.
    assert refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(third["refresh_token"]).json()["error"] == "invalid_grant"


def test_oidcc_ensure_request_with_valid_pkce_succeeds(flow):
    flow()


# Stricter than the profile


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"), ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"), ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"), ({"prompt": "none login"}, "invalid_request"),
        ({"scope": "nothing"}, "invalid_scope"), ({"resource": API}, "invalid_target"), ({"max_age": "-1"}, "invalid_request"),
        ({"request_uri": "https://x.example"}, "request_uri_not_supported"), ({"id_token_hint": "x.y.z"}, "invalid_request"),
    ],
)
def test_requests_that_are_refused(issuer, client, browser, changes, error):
    answer = answer_of(browser.open(Request(issuer, client, **changes).url))
    assert answer["error"] == error and answer["iss"] == issuer and answer["state"]


def test_nothing_may_come_twice(issuer, client, browser):
    """Keycloak CVE-2026-9689: duplicated parameters."""
    twice = browser.open(Request(issuer, client).url + "&scope=email")
    assert answer_of(twice)["error"] == "invalid_request"
    assert browser.open(Request(issuer, client).url + "&redirect_uri=https://evil.example").status_code == 400


@pytest.mark.parametrize("verifier", ["x" * 43, "short", None])
def test_another_verifier(issuer, client, account, browser, verifier):
    request = Request(issuer, client)
    code = signed_in(browser, request, account["email"])["code"]
    answer = request.exchange(code, code_verifier=verifier)
    assert answer.status_code == 400 and answer.json()["error"] in ("invalid_grant", "invalid_request")


def test_a_code_of_another_client(server, service, issuer, client, account, browser):
    """Pocket ID CVE-2026-28513."""
    request = Request(issuer, client)
    code = signed_in(browser, request, account["email"])["code"]
    thief = Request(issuer, register(server, service))
    thief.verifier = request.verifier
    assert thief.exchange(code).json()["error"] == "invalid_grant"
    # It was not the thief's to spend either.
    assert request.exchange(code).status_code == 200


def test_of_fifty_exchanges_one_wins(issuer, client, account, browser):
    """supabase/auth#2612."""
    request = Request(issuer, client)
    code = signed_in(browser, request, account["email"])["code"]
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        statuses = [f.result().status_code for f in [pool.submit(request.exchange, code) for _ in range(50)]]
    assert statuses.count(200) == 1 and set(statuses) <= {200, 400}


def test_of_many_consents_at_once_one_counts(issuer, client, account, browser):
    """supabase/auth#2512."""
    request = Request(issuer, client, prompt="consent")
    browser.open(request.url)
    page = browser.press("sign_in", email=account["email"], password=PASSWORD)
    form, cookies = Form(page.text).fields | {"action": "approve"}, dict(browser.client.cookies)

    def approve(_: int) -> httpx.Response:
        return httpx.post(issuer + "/oauth/authorize/continue", data=form, cookies=cookies, timeout=30)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(approve, range(20)))
    codes = [answer_of(answer)["code"] for answer in answers if answer.is_redirect]
    assert len(codes) == 1 and {answer.status_code for answer in answers} <= {303, 400, 404}
    assert request.exchange(codes[0]).status_code == 200


def test_what_people_agree_to_is_in_the_audit_log(server, service, issuer, client, account, browser):
    def told(action: str) -> list[dict]:
        answer = httpx.get(
            f"{issuer}/admin/audit?query=action:{action}&per_page=500", headers={"Authorization": f"Bearer {service}"}
        )
        entries = [entry["payload"] for entry in answer.json()]
        return [entry for entry in entries if entry["traits"]["client_id"] == client["client_id"]]

    for button, action in (("deny", "oauth_consent_denied"), ("approve", "oauth_consent_granted")):
        before = len(told(action))
        browser.open(Request(issuer, client, prompt="consent").url)
        if "sign_in" in Form(browser.page.text).buttons:
            browser.press("sign_in", email=account["email"], password=PASSWORD)
        browser.press(button)
        after = told(action)
        assert len(after) == before + 1
        assert all(entry["actor"] and account["id"] not in str(entry) and account["email"] not in str(entry) for entry in after)


def test_assertions_of_clients_are_not_taken(metadata, issuer, client):
    """Hydra GHSA-3p3g-vpw6-4w66 was about assertions that are used twice; here none authenticates anybody."""
    assert "private_key_jwt" not in metadata["token_endpoint_auth_methods_supported"]
    form = {
        "grant_type": "authorization_code", "code": "x", "code_verifier": "x" * 43, "client_id": client["client_id"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": "a.b.c",
    }
    answer = httpx.post(issuer + "/oauth/token", data=form)
    assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"


def test_wrong_client_credentials(issuer, client):
    for credentials in [(client["client_id"], "wrong"), ("nobody", "x"), (client["client_id"], "")]:
        answer = httpx.post(issuer + "/oauth/token", data={"grant_type": "authorization_code"}, auth=credentials)
        assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert httpx.post(issuer + "/oauth/token", json={"grant_type": "x"}).json()["error"] == "invalid_request"


def test_bearer_errors(metadata, flow):
    bare = httpx.get(metadata["userinfo_endpoint"])
    assert bare.status_code == 401 and bare.headers["www-authenticate"] == "Bearer"
    wrong = userinfo(metadata, "nonsense")
    assert wrong.status_code == 401 and 'error="invalid_token"' in wrong.headers["www-authenticate"]
    _, tokens = flow(scope="email")
    assert "id_token" not in tokens
    weak = userinfo(metadata, tokens["access_token"])
    assert weak.status_code == 403 and "insufficient_scope" in weak.headers["www-authenticate"]


def test_tokens_are_not_interchangeable(server, issuer, metadata, account, flow):
    """A third party's token and an ID token are nothing to the data API or to the account; an SDK's is none here."""
    _, tokens = flow(scope="openid email profile")
    for token in (tokens["access_token"], tokens["id_token"]):
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{server.url}/rest/v1/skills?limit=1", headers=headers).status_code == 401
        assert httpx.get(f"{issuer}/user", headers=headers).status_code in (401, 403)
        assert httpx.put(f"{issuer}/user", headers=headers, json={"password": "x" * 12}).status_code in (401, 403)
    assert userinfo(metadata, tokens["id_token"]).status_code == 401
    assert userinfo(metadata, account["sdk"].auth.get_session().access_token).status_code == 401
    refresh = auth_servers.post(
        server, "/token?grant_type=refresh_token", None, {"refresh_token": tokens["refresh_token"]}
    )
    assert refresh.status_code == 400


def test_access_tokens_are_of_rfc_9068(issuer, metadata, client, flow):
    _, tokens = flow(scope="openid email")
    token = verified(metadata, tokens["access_token"])
    assert token.header["typ"] == "at+jwt"
    claims = token.claims
    assert claims["aud"] == claims["iss"] == issuer and claims["client_id"] == client["client_id"]
    assert claims["scope"] == "openid email" and claims["jti"] and "role" not in claims


def test_a_resource_bound_token(server, service, issuer, metadata, account, browser):
    """The data API as a resource: row level security sees who, and through which client."""
    data_api = server.url + "/rest/v1"
    client = register(server, service, resources=[data_api, API])
    for resource in (data_api, API):
        request = Request(issuer, client, resource=resource)
        code = signed_in(browser, request, account["email"])["code"]
        tokens = request.exchange(code, resource=resource).json()
        assert verified(metadata, tokens["access_token"]).claims["aud"] == resource
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        status = httpx.get(f"{data_api}/questions?select=id&limit=1", headers=headers).status_code
        assert status == (200 if resource == data_api else 401)
        assert httpx.get(f"{issuer}/user", headers=headers).status_code in (401, 403)


def test_revocation_and_introspection(server, service, issuer, metadata, client, account, flow):
    _, tokens = flow(scope="openid email")
    session = OAuth2Client(client["client_id"], client["client_secret"], token=tokens)
    active = session.introspect_token(metadata["introspection_endpoint"], tokens["access_token"]).json()
    assert active["active"] and active["sub"] == account["id"] and active["scope"] == "openid email"
    stranger = register(server, service)
    other = OAuth2Client(stranger["client_id"], stranger["client_secret"])
    assert other.introspect_token(metadata["introspection_endpoint"], tokens["access_token"]).json() == {"active": False}
    assert other.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"]).status_code == 200
    assert userinfo(metadata, tokens["access_token"]).status_code == 200
    assert session.revoke_token(metadata["revocation_endpoint"], tokens["refresh_token"]).status_code == 200
    assert userinfo(metadata, tokens["access_token"]).status_code == 401
    gone = session.introspect_token(metadata["introspection_endpoint"], tokens["access_token"]).json()
    assert gone == {"active": False}
    assert session.revoke_token(metadata["revocation_endpoint"], "nonsense").status_code == 200


def test_authlib_runs_the_whole_flow(issuer, metadata, client, account, browser):
    session = OAuth2Client(
        client["client_id"], client["client_secret"], scope="openid email offline_access", redirect_uri=REDIRECT,
        code_challenge_method="S256", token_endpoint=metadata["token_endpoint"],
    )
    verifier = secrets.token_urlsafe(48)
    url, _ = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    browser.open(url)
    browser.press("sign_in", email=account["email"], password=PASSWORD)
    answer = browser.page if browser.page.is_redirect else browser.press("approve")
    tokens = session.fetch_token(
        metadata["token_endpoint"], authorization_response=answer.headers["location"], code_verifier=verifier
    )
    assert session.get(metadata["userinfo_endpoint"]).json()["email"] == account["email"]
    fresh = session.refresh_token(metadata["token_endpoint"])
    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert session.get(metadata["userinfo_endpoint"]).json()["sub"] == account["id"]


# Pages


def test_pages_have_no_script_and_cannot_be_framed(issuer, client, browser):
    page = browser.open(Request(issuer, client).url)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store" and page.headers["x-frame-options"] == "DENY"
    assert "<script" not in page.text and "<b>Client</b>" not in page.text


def test_denying(issuer, client, account, browser):
    request = Request(issuer, client, prompt="consent")
    browser.open(request.url)
    page = browser.press("sign_in", email=account["email"], password=PASSWORD)
    assert "approve" in Form(page.text).buttons
    assert answer_of(browser.press("deny"))["error"] == "access_denied"


def test_a_wrong_password(issuer, client, account, browser):
    browser.open(Request(issuer, client).url)
    page = browser.press("sign_in", email=account["email"], password="wrong password")
    assert page.status_code == 400 and "Invalid login credentials" in page.text
    assert "sign_in" in Form(page.text).buttons


def test_a_page_of_another_browser(issuer, client, account, browser, server):
    """An attacker's authorization in a victim's browser, and a form from another site."""
    page = browser.open(Request(issuer, client).url)
    fields = Form(page.text).fields
    victim = Browser(server.url)
    signed_in(victim, Request(issuer, client), account["email"])
    url = issuer + "/oauth/authorize/continue"
    assert victim.open(url, authorization_id=fields["authorization_id"], action="approve").status_code == 400
    forged = browser.client.post(
        url, data={"authorization_id": fields["authorization_id"], "action": "deny"},
        headers={"Origin": "https://evil.example"},
    )
    assert forged.status_code == 403


def test_the_cookie_changes_with_the_person(issuer, client, account, browser):
    browser.open(Request(issuer, client, prompt="login").url)
    before = dict(browser.client.cookies)
    browser.press("sign_in", email=account["email"], password=PASSWORD)
    assert before and dict(browser.client.cookies) != before


def test_a_second_factor_is_asked_for(server, issuer, metadata, client, browser):
    sdk, email = auth_servers.sign_up(server)
    factor = sdk.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone"})
    totp = pyotp.TOTP(factor.totp.secret)
    sdk.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": totp.now()})
    request = Request(issuer, client)
    browser.open(request.url)
    page = browser.press("sign_in", email=email, password=PASSWORD)
    assert "factor" in Form(page.text).buttons
    assert browser.press("factor", code="000000").status_code == 400
    page = browser.press("factor", code=totp.at(int(time.time()) + 30))
    code = answer_of(browser.press("approve"))["code"]
    claims = id_token(issuer, metadata, request.exchange(code).json()["id_token"], client)
    assert claims["acr"] == "aal2" and "totp" in claims["amr"]


def test_what_was_allowed_can_be_taken_back(server, issuer, metadata, client, account, flow):
    _, tokens = flow()
    token = account["sdk"].auth.get_session().access_token
    headers = {"Authorization": f"Bearer {token}"}
    grants = httpx.get(issuer + "/user/oauth/grants", headers=headers).json()
    assert client["client_id"] in [grant["client"]["id"] for grant in grants]
    gone = httpx.delete(f"{issuer}/user/oauth/grants?client_id={client['client_id']}", headers=headers)
    assert gone.status_code == 204
    assert userinfo(metadata, tokens["access_token"]).status_code == 401


# Clients


def test_the_sdk_manages_clients(server, service):
    import supabase

    admin = supabase.create_client(server.url, service).auth.admin.oauth
    made = admin.create_client({"client_name": "By SDK", "redirect_uris": [REDIRECT]}).client
    assert made.client_secret and made.client_type == "confidential"
    assert made.client_id in [client.client_id for client in admin.list_clients().clients]
    assert admin.get_client(made.client_id).client.client_name == "By SDK"
    assert admin.regenerate_client_secret(made.client_id).client.client_secret != made.client_secret
    admin.delete_client(made.client_id)
    assert made.client_id not in [client.client_id for client in admin.list_clients().clients]


@pytest.mark.parametrize(
    "uri", ["http://client.example.org/", "javascript:alert(1)", "https://x/#f", "https://u@x/", "//x", "myapp:/cb", "https://*.x/"]
)
def test_redirect_uris_that_cannot_be_registered(server, service, uri):
    answer = auth_servers.post(server, "/admin/oauth/clients", service, {"client_name": "x", "redirect_uris": [uri]})
    assert answer.status_code == 400


def test_a_native_app(server, service, issuer, account, browser):
    """A public client on the machine itself: any port (RFC 8252 §7.3), no secret, PKCE."""
    app = register(
        server, service, redirect_uris=["http://127.0.0.1/cb", "com.example.app:/cb"], token_endpoint_auth_method="none"
    )
    assert "client_secret" not in app
    request = Request(issuer, app, redirect_uri="http://127.0.0.1:49152/cb")
    code = signed_in(browser, request, account["email"])["code"]
    form = {
        "grant_type": "authorization_code", "code": code, "code_verifier": request.verifier,
        "client_id": app["client_id"],
    }
    assert httpx.post(issuer + "/oauth/token", data=form).status_code == 200


def test_clients_do_not_register_themselves_unasked(server):
    answer = auth_servers.post(server, "/oauth/clients/register", None, {"client_name": "x", "redirect_uris": [REDIRECT]})
    assert answer.status_code == 403
    assert answer.json()["error_code"] == "oauth_dynamic_client_registration_disabled"


def test_own_programs_ask_nobody(server, service, issuer, account, browser):
    own = register(server, service, skip_consent=True)
    browser.open(Request(issuer, own).url)
    assert "code" in answer_of(browser.press("sign_in", email=account["email"], password=PASSWORD))
