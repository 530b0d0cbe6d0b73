"""Unmodified supabase_auth and supabase against the real server."""

import json
import secrets
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest
import supabase
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from apus_server import ApusServer

PASSWORD = "a horse of another colour"
#: Seconds after which something hangs, on the busiest machine.
PATIENCE = 60


def address() -> str:
    return f"someone-{uuid.uuid4().hex}@example.com"


@pytest.fixture
def app(server: ApusServer, anon_key: str) -> supabase.Client:
    """An app on a device of its own."""
    return supabase.create_client(server.url, anon_key)


@pytest.fixture
def person(app: supabase.Client) -> supabase.Client:
    """An app in which somebody has just signed up."""
    app.auth.sign_up({"email": address(), "password": PASSWORD})
    return app


def test_sign_up_gives_a_session_and_a_user(app: supabase.Client) -> None:
    email = address()
    answer = app.auth.sign_up({"email": email, "password": PASSWORD, "options": {"data": {"age": 42}}})
    assert answer.session is not None and answer.user is not None
    assert answer.user.email == email
    assert answer.user.user_metadata["age"] == 42
    assert answer.user.identities and answer.user.identities[0].provider == "email"
    assert app.auth.get_user().user.id == answer.user.id


def test_sign_in_refresh_and_sign_out(app: supabase.Client, person: supabase.Client) -> None:
    email = person.auth.get_user().user.email
    person.auth.sign_out({"scope": "local"})
    with pytest.raises(AuthApiError) as wrong:
        app.auth.sign_in_with_password({"email": email, "password": "not this one"})
    assert wrong.value.code == "invalid_credentials" and wrong.value.status == 400

    first = app.auth.sign_in_with_password({"email": email, "password": PASSWORD}).session
    second = app.auth.refresh_session().session
    assert second.refresh_token != first.refresh_token
    assert second.expires_at > time.time()
    app.auth.sign_out()
    assert app.auth.get_session() is None
    with pytest.raises(AuthApiError) as over:
        app.auth.refresh_session(second.refresh_token)
    assert over.value.code == "refresh_token_not_found"


def test_claims_are_verified_locally_with_the_published_keys(person: supabase.Client) -> None:
    claims = person.auth.get_claims()
    assert claims["headers"]["alg"] == "ES256"
    assert claims["claims"]["role"] == "authenticated"
    assert claims["claims"]["aal"] == "aal1"
    assert claims["claims"]["is_anonymous"] is False


def test_a_user_sees_and_changes_own_rows_under_a_policy(
    server: ApusServer, anon_key: str, person: supabase.Client
) -> None:
    me = person.auth.get_user().user.id
    handle = f"u{uuid.uuid4().hex[:20]}"
    person.table("profiles").insert({"id": me, "handle": handle, "display_name": "Ada"}).execute()
    other = supabase.create_client(server.url, anon_key)
    other.auth.sign_up({"email": address(), "password": PASSWORD})
    other.table("profiles").update({"display_name": "Mallory"}).eq("id", me).execute()
    assert person.table("profiles").select("display_name").eq("id", me).execute().data == [{"display_name": "Ada"}]
    person.table("profiles").update({"display_name": "Ada L."}).eq("id", me).execute()
    assert person.table("profiles").select("display_name").eq("id", me).execute().data == [{"display_name": "Ada L."}]


def test_signing_out_ends_the_access_token_on_the_data_api(
    server: ApusServer, anon_key: str, person: supabase.Client
) -> None:
    token = person.auth.get_session().access_token
    # A device that keeps the token, and knows nothing of the end of its session.
    stolen = supabase.create_client(server.url, anon_key)
    stolen.postgrest.auth(token)
    stolen.table("profiles").select("id").limit(1).execute()
    person.auth.sign_out()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            stolen.table("profiles").select("id").limit(1).execute()
        except Exception as error:  # noqa: BLE001  The client's own type differs between versions.
            assert "session" in str(error)
            return
    pytest.fail("the token still opens the data API after the sign-out")


def test_users_change_themselves(person: supabase.Client, server: ApusServer, anon_key: str) -> None:
    user = person.auth.update_user({"data": {"city": "Paris"}}).user
    assert user.user_metadata["city"] == "Paris"
    person.auth.update_user({"password": "another horse of the same colour"})
    again = supabase.create_client(server.url, anon_key)
    again.auth.sign_in_with_password({"email": user.email, "password": "another horse of the same colour"})
    with pytest.raises(AuthApiError) as same:
        person.auth.update_user({"password": "another horse of the same colour"})
    assert same.value.code == "same_password"


def test_weak_passwords_have_reasons(app: supabase.Client) -> None:
    with pytest.raises(AuthWeakPasswordError) as weak:
        app.auth.sign_up({"email": address(), "password": "password1"})
    assert weak.value.reasons == ["pwned"]


def test_anonymous_users(app: supabase.Client) -> None:
    answer = app.auth.sign_in_anonymously()
    assert answer.user.is_anonymous
    assert app.auth.get_claims()["claims"]["is_anonymous"] is True


def test_one_time_codes_links_and_recovery(app: supabase.Client, service: supabase.Client, person: supabase.Client) -> None:
    email = person.auth.get_user().user.email
    made = service.auth.admin.generate_link({"type": "magiclink", "email": email}).properties
    assert made.action_link.startswith("http") and made.verification_type == "magiclink"
    assert app.auth.verify_otp({"type": "email", "email": email, "token": made.email_otp}).session is not None
    with pytest.raises(AuthApiError) as used:
        app.auth.verify_otp({"type": "email", "email": email, "token": made.email_otp})
    assert used.value.code == "otp_expired" and used.value.status == 403

    made = service.auth.admin.generate_link({"type": "recovery", "email": email}).properties
    assert app.auth.verify_otp({"type": "recovery", "token_hash": made.hashed_token}).user.email == email

    app.auth.sign_in_with_otp({"email": address(), "options": {"should_create_user": False}})
    app.auth.reset_password_for_email(email)


def test_the_error_of_a_missing_session(server: ApusServer, anon_key: str) -> None:
    """Both shapes: with the version of the API the code is a text, without it a number."""
    for version, shape in (("2024-01-01", {"code": str, "message": str}), (None, {"code": int, "error_code": str, "msg": str})):
        request = urllib.request.Request(f"{server.url}/auth/v1/user", headers={"apikey": anon_key})
        if version:
            request.add_header("X-Supabase-Api-Version", version)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE)
        assert refused.value.code == 401
        assert refused.value.headers.get("X-Supabase-Api-Version") == version
        body = json.load(refused.value)
        assert {name: type(value) for name, value in body.items()} == shape


def test_administrators_manage_users_page_by_page(service: supabase.Client, app: supabase.Client) -> None:
    admin = service.auth.admin
    email = address()
    user = admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True, "app_metadata": {"plan": "gold"}}).user
    assert user.app_metadata["plan"] == "gold" and user.email_confirmed_at
    app.auth.sign_in_with_password({"email": email, "password": PASSWORD})

    assert admin.get_user_by_id(user.id).user.email == email
    assert len(admin.list_users(page=1, per_page=1)) == 1
    changed = admin.update_user_by_id(user.id, {"ban_duration": "24h", "user_metadata": {"a": 1}}).user
    assert changed.user_metadata["a"] == 1
    with pytest.raises(AuthApiError) as banned:
        app.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    assert banned.value.code == "user_banned"
    with pytest.raises(AuthApiError):
        app.auth.get_user()
    admin.delete_user(user.id)
    with pytest.raises(AuthApiError) as gone:
        admin.get_user_by_id(user.id)
    assert gone.value.status == 404 and gone.value.code == "user_not_found"

    invited = admin.invite_user_by_email(address()).user
    assert invited.invited_at


def test_pages_of_users_are_linked(server: ApusServer, service: supabase.Client) -> None:
    for _ in range(2):
        service.auth.admin.create_user({"email": address(), "password": PASSWORD})
    request = urllib.request.Request(
        f"{server.url}/auth/v1/admin/users?page=1&per_page=1",
        headers={"Authorization": f"Bearer {server.token('service_role')}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        total = int(answer.headers["X-Total-Count"])
        pages = {
            link.split(";")[1].split("=")[1].strip('"'): int(link.split(";")[0].split("page=")[1].split("&")[0].rstrip(">"))
            for link in answer.headers["Link"].split(",")
        }
    assert pages == {"next": 2, "last": total}


def test_pkce(server: ApusServer, anon_key: str, service: supabase.Client) -> None:
    """The client makes the challenge; the link's code is good for whoever has the verifier, once."""
    import base64
    import hashlib

    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    email = address()
    service.auth.admin.create_user({"email": email, "password": PASSWORD, "email_confirm": True})
    post(server, "/otp", {"email": email, "code_challenge": challenge, "code_challenge_method": "s256"})
    link = inbox_link(server, email)
    assert "token=pkce_" in link
    code = follow(server, link)
    assert code.startswith("http://localhost:3000?code=")
    body = {"auth_code": code.split("code=")[1], "code_verifier": verifier}
    assert post(server, "/token?grant_type=pkce", body)["user"]["email"] == email
    with pytest.raises(urllib.error.HTTPError) as again:
        post(server, "/token?grant_type=pkce", body)
    assert again.value.code == 404


def test_keys_rotate_and_everybody_stays_signed_in(server: ApusServer, person: supabase.Client) -> None:
    before = person.auth.get_claims()["headers"]["kid"]
    subprocess.run(
        [str(server.binary), "keys", "rotate", "--data-dir", str(server.directory / "data")],
        check=True, capture_output=True,
    )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        person.auth.refresh_session()
        if person.auth.get_claims()["headers"]["kid"] != before:
            break
    else:
        pytest.fail("the server does not sign with the new key")
    person.table("profiles").select("id").limit(1).execute()


def post(server: ApusServer, path: str, body: dict) -> dict:
    request = urllib.request.Request(
        f"{server.url}/auth/v1{path}", data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-Supabase-Api-Version": "2024-01-01"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def inbox_link(server: ApusServer, email: str) -> str:
    """The link of the newest mail to somebody, from the log of the development server."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in reversed(server.log_text().splitlines()):
            if email in line and '"link"' in line:
                return json.loads(line)["metadata"]["link"]
        time.sleep(0.05)
    raise AssertionError(f"no mail to {email}")


def follow(server: ApusServer, link: str) -> str:
    """Opens the page, presses its button, and returns where that leads."""
    import urllib.parse

    with urllib.request.urlopen(link, timeout=PATIENCE) as page:
        assert page.status == 200 and "<form" in page.read().decode()
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as away:
        urllib.request.build_opener(Stay).open(link, data=urllib.parse.urlencode(query).encode(), timeout=PATIENCE)
    assert away.value.code == 303
    return away.value.headers["Location"]
