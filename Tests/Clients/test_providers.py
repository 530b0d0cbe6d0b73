"""Signing in with accounts elsewhere: a well-behaved provider (oidc-provider-mock), and an evil one."""

import concurrent.futures
import hashlib
import json
import re
import time
import urllib.parse
import uuid
from collections.abc import Iterator

import httpx
import oidc_provider_mock
import pytest
import supabase
from supabase.lib.client_options import SyncClientOptions

from apus_server import ApusServer
from evil_provider import CLIENT, EvilProvider
from test_messages import PASSWORD, inbox, started, stopped

SITE = "https://app.example"


class Account:
    """Somebody's account at the good provider."""

    def __init__(self, good: str, *, verified: bool | None = True, email: str | None = "") -> None:
        self.subject = f"s-{uuid.uuid4().hex[:10]}"
        self.email = f"{self.subject}@example.com" if email == "" else email
        claims: dict = {"name": "Ada L", "picture": "https://p.example/a.png"}
        if self.email:
            claims["email"] = self.email
        if verified is not None:
            claims["email_verified"] = verified
        httpx.put(f"{good}/users/{self.subject}", json=claims).raise_for_status()


@pytest.fixture(scope="module")
def good() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def evil() -> Iterator[EvilProvider]:
    provider = EvilProvider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def trap() -> Iterator[EvilProvider]:
    """Listens at an address that the server must not ask."""
    provider = EvilProvider()
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def apus(good: str, evil: EvilProvider, trap: EvilProvider) -> Iterator[ApusServer]:
    hosts = f"localhost:{good.split(':')[-1]},127.0.0.1:{evil.port}"
    options = ["--outbound-private-hosts", hosts, "--auth-security-manual-linking-enabled", "true"]
    for name, url in [("keycloak", good), ("evil", evil.issuer), ("trap", trap.issuer)]:
        options += [f"--auth-external-{name}-url", url, f"--auth-external-{name}-client-id", CLIENT]
        options += [f"--auth-external-{name}-secret", "s"]
    options += ["--auth-external-google-client-id", "google-client", "--auth-external-github-client-id", "gh"]
    server = started(*options)
    yield server
    stopped(server)


def client(server: ApusServer, flow: str = "pkce", role: str = "anon") -> supabase.Client:
    return supabase.create_client(server.url, server.token(role), SyncClientOptions(flow_type=flow))


def admin(server: ApusServer) -> supabase.Client:
    return client(server, role="service_role")


def user_with(server: ApusServer, email: str, *, confirmed: bool = True) -> str:
    made = admin(server).auth.admin.create_user({"email": email, "password": PASSWORD, "email_confirm": confirmed})
    return made.user.id


def go(browser: httpx.Client, url: str, account: Account) -> str:
    """Follows a sign-in through the good provider and returns where the browser ends."""
    away = browser.get(url) if "/auth/v1/" in url else None
    there = away.headers["location"] if away else url
    assert away is None or away.status_code == 302, away.text
    back = browser.post(there, data={"sub": account.subject})
    assert back.status_code in (302, 303), back.text
    end = browser.get(back.headers["location"])
    return end.headers["location"] if end.is_redirect else end.text


def values(url: str) -> dict[str, str]:
    parts = urllib.parse.urlsplit(url)
    return dict(urllib.parse.parse_qsl(parts.query)) | dict(urllib.parse.parse_qsl(parts.fragment))


def sign_in(server: ApusServer, account: Account, provider: str = "keycloak") -> supabase.Client:
    user = client(server)
    url = user.auth.sign_in_with_oauth({"provider": provider, "options": {"redirect_to": SITE + "/done"}}).url
    end = go(httpx.Client(), url, account)
    assert end.startswith(SITE + "/done?code="), end
    user.auth.exchange_code_for_session({"auth_code": values(end)["code"]})
    return user


# The good provider


def test_pkce_signs_in_and_hands_the_providers_tokens_over(apus: ApusServer, good: str) -> None:
    account = Account(good)
    user = client(apus)
    url = user.auth.sign_in_with_oauth({"provider": "keycloak", "options": {"redirect_to": SITE + "/done"}}).url
    end = go(httpx.Client(), url, account)
    session = user.auth.exchange_code_for_session({"auth_code": values(end)["code"]}).session
    assert session is not None and session.provider_token
    assert session.user.email == account.email and session.user.email_confirmed_at
    assert session.user.app_metadata == {"provider": "keycloak", "providers": ["keycloak"]}
    assert session.user.user_metadata["full_name"] == "Ada L"
    assert [(i.provider, i.id) for i in session.user.identities] == [("keycloak", account.subject)]
    # The code is used up, and using it again ends what it gave.
    with pytest.raises(supabase.AuthApiError):
        client(apus).auth.exchange_code_for_session({"auth_code": values(end)["code"], "code_verifier": "x" * 43})


def test_the_same_account_is_the_same_user(apus: ApusServer, good: str) -> None:
    account = Account(good)
    first, second = sign_in(apus, account), sign_in(apus, account)
    assert first.auth.get_user().user.id == second.auth.get_user().user.id


def test_implicit_hands_the_session_over_in_the_fragment(apus: ApusServer, good: str) -> None:
    account = Account(good)
    url = client(apus, "implicit").auth.sign_in_with_oauth({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    end = go(httpx.Client(), url, account)
    assert end.startswith(SITE + "#access_token=")
    got = values(end)
    user = client(apus).auth.get_user(got["access_token"]).user
    assert user.email == account.email and got["provider_token"]


def test_a_verified_address_joins_the_account_that_confirmed_it(apus: ApusServer, good: str) -> None:
    account = Account(good)
    known = user_with(apus, account.email)
    user = sign_in(apus, account).auth.get_user().user
    assert user.id == known
    assert user.app_metadata["providers"] == ["email", "keycloak"]
    # What was there still works.
    assert client(apus).auth.sign_in_with_password({"email": account.email, "password": PASSWORD}).user.id == known


def test_an_unverified_address_joins_nobody(apus: ApusServer, good: str) -> None:
    for verified in (False, None):
        account = Account(good, verified=verified)
        known = user_with(apus, account.email)
        user = sign_in(apus, account).auth.get_user().user
        assert user.id != known and user.email == ""


def test_pre_hijacking_leaves_nothing_to_the_attacker(apus: ApusServer, good: str) -> None:
    """An attacker signs up with the victim's address and waits for the owner."""
    account = Account(good)
    client(apus).auth.sign_up(
        {"email": account.email, "password": PASSWORD, "options": {"data": {"planted": "by the attacker"}}}
    )
    victim = sign_in(apus, account).auth.get_user().user
    assert victim.email == account.email and victim.email_confirmed_at
    assert [i.provider for i in victim.identities] == ["keycloak"]
    assert "planted" not in victim.user_metadata
    with pytest.raises(supabase.AuthApiError, match="Invalid login credentials"):
        client(apus).auth.sign_in_with_password({"email": account.email, "password": PASSWORD})


def test_an_unverified_address_of_nobody_is_confirmed_by_mail_first(apus: ApusServer, good: str) -> None:
    account = Account(good, verified=False)
    url = client(apus).auth.sign_in_with_oauth({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    end = go(httpx.Client(), url, account)
    assert values(end)["error_code"] == "provider_email_needs_verification"
    letter = next(letter for letter in inbox(apus) if letter["recipient"] == account.email)
    client(apus).auth.verify_otp({"email": account.email, "token": letter["code"], "type": "signup"})
    assert sign_in(apus, account).auth.get_user().user.email == account.email


def test_somebody_without_an_address_is_refused_unless_it_is_optional(apus: ApusServer, good: str) -> None:
    url = client(apus).auth.sign_in_with_oauth({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    end = go(httpx.Client(), url, Account(good, email=None, verified=None))
    assert values(end)["error_code"] == "email_address_not_provided"


def test_saying_no_at_the_provider_comes_back_as_an_error(apus: ApusServer) -> None:
    browser = httpx.Client()
    url = client(apus).auth.sign_in_with_oauth({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    state = values(browser.get(url).headers["location"])["state"]
    end = browser.get(
        f"{apus.url}/auth/v1/callback", params={"state": state, "error": "access_denied", "error_description": "No <b>"}
    )
    got = values(end.headers["location"])
    assert (got["error"], got["error_code"], got["error_description"]) == ("access_denied", "access_denied", "No <b>")


def test_unknown_providers_and_foreign_redirects(apus: ApusServer, good: str) -> None:
    answer = httpx.get(f"{apus.url}/auth/v1/authorize", params={"provider": "nobody"})
    assert answer.status_code == 400 and "Unsupported provider" in answer.text
    url = f"{apus.url}/auth/v1/authorize?provider=keycloak&redirect_to=https://evil.example/"
    end = go(httpx.Client(), url, Account(good))
    assert end.startswith(SITE + "#access_token=")
    assert httpx.get(f"{apus.url}/auth/v1/settings").json()["external"]["google"] is True


def test_plain_challenges_are_refused(apus: ApusServer) -> None:
    answer = httpx.get(
        f"{apus.url}/auth/v1/authorize",
        params={"provider": "keycloak", "code_challenge": "x" * 43, "code_challenge_method": "plain"},
    )
    assert answer.status_code == 400


# Linking


def signed_in(server: ApusServer, flow: str = "pkce") -> supabase.Client:
    email = f"l{uuid.uuid4().hex[:10]}@example.com"
    user_with(server, email)
    user = client(server, flow)
    user.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    return user


def test_linking_and_unlinking(apus: ApusServer, good: str) -> None:
    account = Account(good)
    user = signed_in(apus)
    url = user.auth.link_identity({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    assert url.startswith(good)
    end = go(httpx.Client(), url, account)
    # Nothing is linked before the client that asked says so.
    assert [i.provider for i in user.auth.get_user_identities().identities] == ["email"]
    user.auth.exchange_code_for_session({"auth_code": values(end)["code"]})
    identities = user.auth.get_user_identities().identities
    assert sorted(i.provider for i in identities) == ["email", "keycloak"]
    assert sorted(user.auth.get_user().user.app_metadata["providers"]) == ["email", "keycloak"]

    # It is linked to nobody else now.
    other = signed_in(apus)
    url = other.auth.link_identity({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    end = go(httpx.Client(), url, account)
    with pytest.raises(supabase.AuthApiError, match="already linked"):
        other.auth.exchange_code_for_session({"auth_code": values(end)["code"]})
    # Nor does another unlink it.
    acme = next(i for i in identities if i.provider == "keycloak")
    with pytest.raises(supabase.AuthApiError, match="doesn't exist"):
        other.auth.unlink_identity(acme)

    user.auth.unlink_identity(acme)
    assert [i.provider for i in user.auth.get_user_identities().identities] == ["email"]
    with pytest.raises(supabase.AuthApiError, match="at least 1 identity"):
        user.auth.unlink_identity(user.auth.get_user_identities().identities[0])


def test_two_unlinkings_at_once_leave_one_identity(apus: ApusServer, good: str) -> None:
    account = Account(good)
    user_with(apus, account.email)
    user = sign_in(apus, account)
    identities = user.auth.get_user_identities().identities
    assert len(identities) == 2
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda identity: attempt(user.auth.unlink_identity, identity), identities))
    assert len(user.auth.get_user_identities().identities) == 1


def attempt(action, *arguments):
    try:
        return action(*arguments)
    except supabase.AuthApiError as error:
        return error


def test_an_address_for_linking_given_to_a_victim_links_nothing(apus: ApusServer, good: str) -> None:
    """The attacker asks for an address to link to his account, and has the victim follow it."""
    victim = Account(good)
    for flow in ("pkce", "implicit"):
        attacker = signed_in(apus, flow)
        url = attacker.auth.link_identity({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
        end = go(httpx.Client(), url, victim)
        if flow == "implicit":
            # A page asks, and names both accounts.
            assert victim.email in end and attacker.auth.get_user().user.email in end
        assert [i.provider for i in attacker.auth.get_user_identities().identities] == ["email"]
    assert sign_in(apus, victim).auth.get_user().user.email == victim.email


def test_the_pages_button_links_once(apus: ApusServer, good: str) -> None:
    account = Account(good)
    user = signed_in(apus, "implicit")
    url = user.auth.link_identity({"provider": "keycloak", "options": {"redirect_to": SITE}}).url
    page = go(httpx.Client(), url, account)
    form = dict(re.findall(r'name="(flow|ticket)" value="([^"]+)"', page))
    wrong = httpx.post(f"{apus.url}/auth/v1/callback/link", data=form | {"ticket": "wrong"})
    assert wrong.status_code == 400
    answers = [httpx.post(f"{apus.url}/auth/v1/callback/link", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 400]
    assert values(answers[0].headers["location"])["access_token"]
    assert sorted(i.provider for i in user.auth.get_user_identities().identities) == ["email", "keycloak"]


# The evil provider: the browser's flow


class Flow:
    """A sign-in that has gone to the evil provider."""

    def __init__(self, server: ApusServer, provider: str = "evil") -> None:
        self.server = server
        self.browser = httpx.Client()
        answer = self.browser.get(
            f"{server.url}/auth/v1/authorize", params={"provider": provider, "redirect_to": SITE + "/done"}
        )
        self.asked = values(answer.headers["location"])
        self.state, self.nonce = self.asked["state"], self.asked["nonce"]

    def back(self, browser: httpx.Client | None = None, **parameters: str) -> dict[str, str]:
        answer = (browser or self.browser).get(
            f"{self.server.url}/auth/v1/callback", params={"state": self.state} | parameters
        )
        assert answer.status_code in (302, 303), answer.text
        return values(answer.headers["location"])


def test_an_honest_answer_of_the_evil_provider_signs_in(apus: ApusServer, evil: EvilProvider) -> None:
    flow = Flow(apus)
    assert flow.asked["code_challenge_method"] == "S256"
    subject = uuid.uuid4().hex
    seen: dict[str, str] = {}

    def answer(form: dict[str, str]) -> dict:
        seen.update(form)
        token = evil.token(nonce=flow.nonce, sub=subject, email=f"{subject}@example.com", email_verified=True)
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}

    evil.codes["good"] = answer
    assert "access_token" in flow.back(code="good")
    # Our own proof goes along (RFC 7636), and meets what was asked.
    digest = hashlib.sha256(seen["code_verifier"].encode()).digest()
    import base64

    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == flow.asked["code_challenge"]


@pytest.mark.parametrize(
    "make",
    [
        lambda evil, nonce: evil.token(nonce="another"),
        lambda evil, nonce: evil.token(),
        lambda evil, nonce: evil.token(nonce=nonce, aud="another-client"),
        lambda evil, nonce: evil.token(nonce=nonce, aud=None),
        lambda evil, nonce: evil.token(nonce=nonce, aud=[CLIENT, "x"], azp="another-client"),
        lambda evil, nonce: evil.token(nonce=nonce, iss="https://accounts.google.com"),
        lambda evil, nonce: evil.token(nonce=nonce, iss=evil.issuer + "/"),
        lambda evil, nonce: evil.token(nonce=nonce, iss=evil.issuer + ".evil.example"),
        lambda evil, nonce: evil.token(nonce=nonce, exp=int(time.time()) - 3600),
        lambda evil, nonce: evil.token(nonce=nonce, exp=None),
        lambda evil, nonce: evil.token(nonce=nonce, iat=int(time.time()) + 3600),
        lambda evil, nonce: evil.token(nonce=nonce, iat=None),
        lambda evil, nonce: evil.token(nonce=nonce, sub=None),
        lambda evil, nonce: evil.token(nonce=nonce, sub=""),
        lambda evil, nonce: evil.token(nonce=nonce, sub=7),
        lambda evil, nonce: evil.token(nonce=nonce, at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
        lambda evil, nonce: evil.token(evil.stranger, nonce=nonce),
        lambda evil, nonce: evil.token(
            evil.stranger, {"jwk": evil.stranger.as_dict(private=False), "kid": None}, nonce=nonce
        ),
        lambda evil, nonce: evil.token(evil.stranger, {"jku": evil.issuer + "/keys2"}, nonce=nonce),
        lambda evil, nonce: evil.unsigned(nonce=nonce),
        lambda evil, nonce: evil.hmac_with_public_key(nonce=nonce),
        lambda evil, nonce: "a.b.c",
        lambda evil, nonce: "",
    ],
)
def test_a_wrong_id_token_signs_nobody_in(apus: ApusServer, evil: EvilProvider, make) -> None:
    flow = Flow(apus)
    evil.grant("code", lambda: make(evil, flow.nonce))
    got = flow.back(code="code")
    assert got["error_code"] == "bad_oauth_callback" and "access_token" not in got


def test_userinfo_of_another_user_is_refused(apus: ApusServer, evil: EvilProvider) -> None:
    flow = Flow(apus)
    evil.userinfo = {"sub": "another", "email": "victim@example.com", "email_verified": True}
    evil.grant("code", lambda: evil.token(nonce=flow.nonce, sub="mine"))
    assert flow.back(code="code")["error_code"] == "bad_oauth_callback"


def test_a_state_is_used_once(apus: ApusServer, evil: EvilProvider) -> None:
    flow = Flow(apus)
    subject = uuid.uuid4().hex
    for code in ("one", "two"):
        evil.grant(
            code,
            lambda: evil.token(nonce=flow.nonce, sub=subject, email=f"{subject}@example.com", email_verified=True),
        )
    assert "access_token" in flow.back(code="one")
    assert flow.back(code="two")["error_code"] == "flow_state_already_used"


def test_of_many_answers_at_once_one_counts(apus: ApusServer, evil: EvilProvider) -> None:
    flow = Flow(apus)
    subject = uuid.uuid4().hex
    for number in range(50):
        evil.grant(
            f"c{number}",
            lambda: evil.token(nonce=flow.nonce, sub=subject, email=f"{subject}@example.com", email_verified=True),
        )
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: flow.back(code=f"c{number}"), range(50)))
    assert sum("access_token" in answer for answer in answers) == 1


def test_first_visits_at_once_make_one_user(apus: ApusServer, evil: EvilProvider) -> None:
    subject = uuid.uuid4().hex
    flows = [Flow(apus) for _ in range(10)]
    for number, flow in enumerate(flows):
        evil.grant(
            f"v{number}",
            lambda nonce=flow.nonce: evil.token(
                nonce=nonce, sub=subject, email=f"{subject}@example.com", email_verified=True
            ),
        )
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda pair: pair[1].back(code=f"v{pair[0]}"), enumerate(flows)))
    users = {client(apus).auth.get_user(answer["access_token"]).user.id for answer in answers}
    assert len(users) == 1


def test_another_browser_cannot_finish_a_sign_in(apus: ApusServer, evil: EvilProvider) -> None:
    """Login CSRF: the attacker's state and code in the victim's browser."""
    flow = Flow(apus)
    subject = uuid.uuid4().hex
    evil.grant(
        "csrf", lambda: evil.token(nonce=flow.nonce, sub=subject, email=f"{subject}@example.com", email_verified=True)
    )
    assert flow.back(httpx.Client(), code="csrf")["error_code"] == "bad_oauth_state"
    # Nothing was used up by that.
    assert "access_token" in flow.back(code="csrf")


def test_a_code_of_another_sign_in_is_refused(apus: ApusServer, evil: EvilProvider) -> None:
    """Code injection: the id_token that comes for it was made for another flow."""
    theirs, mine = Flow(apus), Flow(apus)
    evil.grant("injected", lambda: evil.token(nonce=theirs.nonce, sub="victim"))
    assert mine.back(code="injected")["error_code"] == "bad_oauth_callback"


def test_an_answer_of_another_provider_is_refused(apus: ApusServer, evil: EvilProvider) -> None:
    """Mix-up (RFC 9207)."""
    flow = Flow(apus)
    evil.grant("mixed", lambda: evil.token(nonce=flow.nonce))
    assert flow.back(code="mixed", iss="https://accounts.google.com")["error_code"] == "bad_oauth_callback"


@pytest.mark.parametrize("state", ["", "x", str(uuid.uuid4()), "' or 1=1 --"])
def test_a_state_that_nobody_made_leads_home(apus: ApusServer, state: str) -> None:
    answer = httpx.get(f"{apus.url}/auth/v1/callback", params={"state": state, "code": "c"})
    assert answer.headers["location"].startswith(SITE)
    assert values(answer.headers["location"])["error_code"] in ("bad_oauth_state", "bad_oauth_callback")


def test_a_parameter_that_comes_twice_or_is_too_long_is_refused(apus: ApusServer) -> None:
    assert httpx.get(f"{apus.url}/auth/v1/callback", params={"state": "0" * 5000}).status_code == 400
    answer = httpx.post(f"{apus.url}/auth/v1/callback?state={uuid.uuid4()}&code=a", data={"code": "b"})
    assert answer.status_code == 400


# The evil provider: id_token


def id_token(server: ApusServer, token: str, provider: str = "evil", **more) -> httpx.Response:
    return httpx.post(
        f"{server.url}/auth/v1/token?grant_type=id_token", json={"provider": provider, "id_token": token} | more
    )


def test_an_id_token_signs_in_with_its_nonce(apus: ApusServer, evil: EvilProvider) -> None:
    subject = uuid.uuid4().hex
    nonce = uuid.uuid4().hex
    digest = hashlib.sha256(nonce.encode()).hexdigest()
    token = evil.token(sub=subject, nonce=digest, email=f"{subject}@example.com", email_verified="true")
    session = client(apus).auth.sign_in_with_id_token({"provider": "evil", "token": token, "nonce": nonce}).session
    assert session is not None and session.user.email == f"{subject}@example.com"
    for wrong in (None, "another", digest):
        answer = id_token(apus, token, nonce=wrong)
        assert answer.status_code == 400 and "nonce" in answer.json()["error_description"].lower()
    plain = evil.token(sub=subject, email=f"{subject}@example.com", email_verified=True)
    assert id_token(apus, plain).status_code == 200
    assert id_token(apus, plain, nonce="unasked").status_code == 400


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        ("google", {}),
        ("google", {"iss": "https://accounts.google.com", "aud": "google-client"}),
        ("azure", {}),
        ("apple", {"iss": "https://appleid.apple.com"}),
        ("github", {}),
        ("nobody", {}),
        ("evil", {"iss": "https://login.microsoftonline.com.evil/x/v2.0"}),
        ("evil", {"aud": "google-client"}),
        ("evil", {"aud": []}),
        ("keycloak", {}),
    ],
)
def test_a_token_of_the_attackers_own_issuer_signs_nobody_in(
    apus: ApusServer, evil: EvilProvider, provider: str, changes: dict
) -> None:
    """CVE-2026-31813: a token that is consistent in itself, from an issuer that is not the provider's."""
    answer = id_token(apus, evil.token(email="victim@example.com", email_verified=True, **changes), provider)
    # Google's own keys cannot be had on a machine without a network: no session either way.
    assert answer.status_code in (400, 500) and "access_token" not in answer.text


def test_forged_id_tokens_sign_nobody_in(apus: ApusServer, evil: EvilProvider) -> None:
    good = evil.token()
    head, body, signature = good.split(".")
    for token in [
        evil.unsigned(), evil.hmac_with_public_key(), evil.token(evil.stranger), f"{head}.{body}.", f"{head}.{body}",
        head + "." + body[:-4] + "AAAA." + signature, "", "x" * 20_000,
    ]:
        answer = id_token(apus, token)
        assert answer.status_code == 400 and "access_token" not in answer.text


def test_an_id_token_may_link(apus: ApusServer, evil: EvilProvider) -> None:
    user = signed_in(apus)
    token = evil.token(sub=uuid.uuid4().hex)
    answer = id_token(apus, token, link_identity=True)
    assert answer.status_code == 401
    bearer = {"Authorization": f"Bearer {user.auth.get_session().access_token}"}
    answer = httpx.post(
        f"{apus.url}/auth/v1/token?grant_type=id_token",
        json={"provider": "evil", "id_token": token, "link_identity": True}, headers=bearer,
    )
    assert answer.status_code == 200, answer.text
    assert sorted(i["provider"] for i in answer.json()["user"]["identities"]) == ["email", "evil"]


# Requests that the server is led to


def test_a_provider_on_loopback_is_not_asked(apus: ApusServer, trap: EvilProvider) -> None:
    answer = httpx.get(f"{apus.url}/auth/v1/authorize", params={"provider": "trap"})
    assert answer.is_redirect and values(answer.headers["location"])["error"] == "server_error"
    assert id_token(apus, trap.token(), "trap").status_code == 500
    assert trap.requests == []


@pytest.mark.parametrize(
    "document",
    [
        {"token_endpoint": "http://169.254.169.254/latest/meta-data/"},
        {"token_endpoint": "https://[::ffff:127.0.0.1]/token"},
        {"token_endpoint": "TRAP/token"},
        {"jwks_uri": "TRAP/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"issuer": "https://accounts.google.com"},
        {"issuer": None},
    ],
)
def test_a_discovery_document_leads_nowhere_else(good: str, trap: EvilProvider, document: dict) -> None:
    evil = EvilProvider()
    evil.document = {name: value.replace("TRAP", trap.issuer) if value else value for name, value in document.items()}
    server = started(
        "--outbound-private-hosts", f"127.0.0.1:{evil.port}", "--auth-external-evil-url", evil.issuer,
        "--auth-external-evil-client-id", CLIENT,
    )
    try:
        answer = httpx.get(f"{server.url}/auth/v1/authorize", params={"provider": "evil", "redirect_to": SITE})
        if "state" in values(answer.headers["location"]):
            flow = Flow(server)
            evil.grant("code", lambda: evil.token(nonce=flow.nonce))
            got = flow.back(code="code")
        else:
            got = values(answer.headers["location"])
        assert "access_token" not in got and got["error"] == "server_error"
        assert trap.requests == []
        assert "169.254.169.254" not in json.dumps(got)
    finally:
        stopped(server)
        evil.stop()


def test_a_redirect_of_the_discovery_document_is_not_followed(trap: EvilProvider) -> None:
    evil = EvilProvider()
    evil.moved = trap.issuer + "/.well-known/openid-configuration"
    server = started(
        "--outbound-private-hosts", f"127.0.0.1:{evil.port},127.0.0.1:{trap.port}",
        "--auth-external-evil-url", evil.issuer, "--auth-external-evil-client-id", CLIENT,
    )
    try:
        answer = httpx.get(f"{server.url}/auth/v1/authorize", params={"provider": "evil"})
        assert values(answer.headers["location"])["error"] == "server_error"
        assert trap.requests == []
    finally:
        stopped(server)
        evil.stop()
