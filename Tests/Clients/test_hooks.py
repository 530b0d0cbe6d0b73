"""Hooks: functions of the database, and receivers of signed requests."""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyotp
import pytest

import conftest
import strict
from apus_server import ApusServer

PATIENCE = 60
PASSWORD = "a horse of another colour"
SECRETS = ["whsec_" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2)]
NAMES = (
    "before-user-created", "password-verification-attempt", "mfa-verification-attempt", "after-user-created",
    "send-email", "send-sms",
)  # fmt: skip

MIGRATION = """
create table public.asked (name text, event jsonb);
grant usage on schema public to auth_admin;
grant insert on public.asked to auth_admin;
create function public.invited(event jsonb) returns jsonb language plpgsql as $$
begin
    insert into public.asked values ('invited', event);
    if event -> 'user' ->> 'email' like '%@slow.example' then
        perform pg_sleep(30);
    elsif event -> 'user' ->> 'email' like '%@broken.example' then
        raise exception 'the secret of the house';
    elsif event -> 'user' ->> 'email' like '%@evil.example' then
        return '{"error": {"http_code": 403, "message": "Not with this address"}}';
    end if;
    return '{}';
end $$;
create function public.attempted(event jsonb) returns jsonb language plpgsql as $$
declare
    failures int;
begin
    insert into public.asked values ('attempted', event);
    select count(*) into failures from public.asked a
    where a.name = 'attempted' and a.event ->> 'user_id' = attempted.event ->> 'user_id' and not (a.event -> 'valid')::boolean;
    if failures >= 2 then
        return '{"decision": "reject", "message": "Wait until tomorrow", "should_logout_user": true}';
    end if;
    return '{"decision": "continue"}';
end $$;
create function public.welcomed(event jsonb) returns jsonb language sql as
    $$ insert into public.asked values ('welcomed', event) returning null::jsonb $$;
create function public.mailed(event jsonb) returns jsonb language sql as
    $$ insert into public.asked values ('mailed', event) returning '{}'::jsonb $$;
create function public.texted(event jsonb) returns jsonb language sql as
    $$ insert into public.asked values ('texted', event) returning '{}'::jsonb $$;
revoke all on function public.invited(jsonb), public.attempted(jsonb), public.welcomed(jsonb), public.mailed(jsonb),
    public.texted(jsonb) from public;
grant execute on function public.invited(jsonb), public.attempted(jsonb), public.welcomed(jsonb), public.mailed(jsonb),
    public.texted(jsonb) to auth_admin;
grant select on public.asked to auth_admin;
"""


class Receiver:
    """A service of the operator's: answers what a test wants, and keeps what came."""

    def __init__(self) -> None:
        self.answer: Callable[[str, dict], tuple[int, Any]] = lambda path, event: (200, {})
        self.seen: list[tuple[str, dict, dict]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fields = {name.lower(): value for name, value in self.headers.items()}
                signed = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body
                digests = [hmac.digest(base64.b64decode(secret[6:]), signed, hashlib.sha256) for secret in SECRETS]
                expected = " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)
                assert fields["webhook-signature"] == expected
                assert abs(int(fields["webhook-timestamp"]) - time.time()) < 60
                event = json.loads(body)
                receiver.seen.append((self.path, event, fields))
                status, answer = receiver.answer(self.path, event)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(answer, bytes) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, name: str) -> list[dict]:
        """What came for a hook."""
        return [event for path, event, _ in self.seen if path == f"/{name}"]


def running(*options: str) -> Iterator[ApusServer]:
    migrations = pathlib.Path(tempfile.mkdtemp(prefix="apus-hooks-")) / "migrations"
    migrations.mkdir()
    (migrations / "20260101000000_hooks.sql").write_text(MIGRATION)
    yield from conftest.running(ApusServer(
        migrations, *options, "--auth-mailer-autoconfirm", "true", "--auth-external-phone-enabled", "true",
        "--auth-sms-max-frequency", "0",
    ))  # fmt: skip


@pytest.fixture(scope="module")
def functions() -> Iterator[ApusServer]:
    functions = ("invited", "attempted", "attempted", "welcomed", "mailed", "texted")
    named = zip(functions, NAMES)
    yield from running(*(word for function, name in named
                         for word in (f"--auth-hook-{name}-uri", f"pg-functions://postgres/public/{function}")))


@pytest.fixture(scope="module")
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture(scope="module")
def receivers(receiver: Receiver) -> Iterator[ApusServer]:
    options = ["--outbound-private-hosts", f"127.0.0.1:{receiver.port}"]
    for name in NAMES:
        options += [f"--auth-hook-{name}-uri", f"http://127.0.0.1:{receiver.port}/{name}"]
        options += [f"--auth-hook-{name}-secrets", "|".join(SECRETS)]
    yield from running(*options)


def post(server: ApusServer, path: str, body: dict, token: str | None = None) -> httpx.Response:
    headers = {"X-Supabase-Api-Version": "2024-01-01"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.post(f"{server.url}/auth/v1{path}", json=body, headers=headers, timeout=30)


def sign_up(server: ApusServer, domain: str = "example.com", email: str = "") -> tuple[str, httpx.Response]:
    email = email or f"{uuid.uuid4().hex}@{domain}"
    return email, post(server, "/signup", {"email": email, "password": PASSWORD, "data": {"plan": "gold"}})


def asked(server: ApusServer, condition: str) -> list[dict]:
    return json.loads(server.sql(f"select coalesce(json_agg(event), '[]') from public.asked where {condition}"))


def test_a_function_decides_who_becomes_a_user(functions: ApusServer) -> None:
    email, answer = sign_up(functions)
    assert answer.status_code == 200
    event = asked(functions, f"event -> 'user' ->> 'email' = '{email}'")[0]
    assert event["metadata"]["name"] == "before-user-created" and event["metadata"]["ip_address"] == "127.0.0.1"
    assert event["user"]["user_metadata"] == {"plan": "gold"} and event["user"]["app_metadata"]["provider"] == "email"
    email, answer = sign_up(functions, "evil.example")
    assert answer.status_code == 403 and answer.json() == {"code": "hook_rejected", "message": "Not with this address"}
    assert functions.sql(f"select count(*) from auth.users where email = '{email}'") == "0"


def test_a_refusal_of_a_code_says_nothing(functions: ApusServer) -> None:
    email = f"{uuid.uuid4().hex}@evil.example"
    answer = post(functions, "/otp", {"email": email})
    assert answer.status_code == 200 and answer.json() == {}
    assert functions.sql(f"select count(*) from auth.users where email = '{email}'") == "0"
    # Who is a user already is not asked about.
    functions.sql("truncate public.asked")
    email, _ = sign_up(functions)
    assert post(functions, "/otp", {"email": email}).status_code == 200
    assert len(asked(functions, "name = 'invited'")) == 1


def test_a_function_that_sleeps_or_fails_is_a_coded_error(functions: ApusServer) -> None:
    begun = time.monotonic()
    _, answer = sign_up(functions, "slow.example")
    assert answer.status_code == 422 and answer.json()["code"] == "hook_timeout"
    assert time.monotonic() - begun < 20
    _, answer = sign_up(functions, "broken.example")
    assert answer.status_code == 500 and answer.json()["code"] == "unexpected_failure" and "house" not in answer.text


def test_a_function_sees_attempts_and_ends_them(functions: ApusServer) -> None:
    email, answer = sign_up(functions)
    token = answer.json()["access_token"]

    def sign_in(password: str) -> httpx.Response:
        return post(functions, "/token?grant_type=password", {"email": email, "password": password})

    assert sign_in("wrong").json()["message"] == "Invalid login credentials"
    right = sign_in(PASSWORD)
    assert right.status_code == 200, right.text
    # The second failure is one too many, and so is what follows, with whatever password.
    refused = {"code": "invalid_credentials", "message": "Wait until tomorrow"}
    for password in ("wrong", PASSWORD):
        answer = sign_in(password)
        assert answer.status_code == 400 and answer.json() == refused
    user = httpx.get(f"{functions.url}/auth/v1/user", headers={"Authorization": f"Bearer {token}"})
    assert user.json()["error_code"] == "session_not_found"
    # Of nobody it is asked under an id, too, and under the same one again: nothing tells the two apart.
    nobody = {"email": f"{uuid.uuid4().hex}@example.com", "password": "wrong"}
    answers = [post(functions, "/token?grant_type=password", nobody).json()["message"] for _ in range(2)]
    assert answers == ["Invalid login credentials", "Wait until tomorrow"]


def eventually(value: Callable[[], list[dict]], count: int = 1) -> list[dict]:
    """What comes from the queue, once so many are there."""
    deadline = time.monotonic() + PATIENCE
    while len(value()) < count:
        assert time.monotonic() < deadline, value()
        time.sleep(0.05)
    return value()


def test_a_function_hears_of_a_new_user_once(functions: ApusServer) -> None:
    email, answer = sign_up(functions)
    user = answer.json()["user"]
    condition = f"name = 'welcomed' and event -> 'user' ->> 'email' = '{email}'"
    event = eventually(lambda: asked(functions, condition))[0]
    assert event["metadata"]["name"] == "after-user-created" and event["metadata"]["ip_address"] == "127.0.0.1"
    strict.user(event["user"])
    assert event["user"]["id"] == user["id"] and event["user"]["user_metadata"] == {"plan": "gold"}
    # Taken addresses and sign-ins make nobody.
    assert sign_up(functions, email=email)[1].status_code == 422
    assert post(functions, "/token?grant_type=password", {"email": email, "password": PASSWORD}).status_code == 200
    other, _ = sign_up(functions)
    eventually(lambda: asked(functions, condition.replace(email, other)))
    assert len(asked(functions, condition)) == 1


def test_functions_write_to_people(functions: ApusServer) -> None:
    email, _ = sign_up(functions)
    assert post(functions, "/recover", {"email": email}).status_code == 200
    mail = eventually(lambda: asked(functions, f"name = 'mailed' and event -> 'user' ->> 'email' = '{email}'"))[0]
    data = mail["email_data"]
    assert data["email_action_type"] == "recovery" and data["token_new"] == data["token_hash_new"] == ""
    session = post(functions, "/verify", {"type": "recovery", "email": email, "token": data["token"]})
    assert session.status_code == 200, session.text
    number = "49" + str(uuid.uuid4().int)[:10]
    assert post(functions, "/otp", {"phone": number}).status_code == 200
    text = eventually(lambda: asked(functions, f"name = 'texted' and event -> 'sms' ->> 'phone' = '+{number}'"))[0]
    assert text["sms"]["otp"] in text["sms"]["message"] and text["user"]["phone"] == number
    session = post(functions, "/verify", {"type": "sms", "phone": number, "token": text["sms"]["otp"]})
    assert session.status_code == 200, session.text


def test_a_receiver_mails_both_sides_of_a_change_of_address(receivers: ApusServer, receiver: Receiver) -> None:
    receiver.answer = lambda path, event: (200, b"") if "send" in path or "after" in path else (200, {})
    email, answer = sign_up(receivers)
    token = answer.json()["access_token"]
    taken, _ = sign_up(receivers)

    def change(new: str) -> dict:
        receiver.seen.clear()
        headers = {"Authorization": f"Bearer {token}"}
        changed = httpx.put(f"{receivers.url}/auth/v1/user", json={"email": new}, headers=headers)
        assert changed.status_code == 200, changed.text
        event = eventually(lambda: receiver.of("send-email"))[0]
        strict.user(event["user"])
        assert event["email_data"]["email_action_type"] == "email_change" and event["user"]["email"] == email
        return event["email_data"]

    shapes = [{name: bool(value) for name, value in change(new).items()} for new in (taken, f"n{email}")]
    # An address that is somebody's looks like any other, also to the receiver.
    assert shapes[0] == shapes[1]
    data = receiver.of("send-email")[0]["email_data"]
    assert data["site_url"].endswith("/auth/v1")
    half = post(receivers, "/verify", {"type": "email_change", "token_hash": data["token_hash"]})
    assert half.json()["code"] == "200", half.text
    whole = post(receivers, "/verify", {"type": "email_change", "email": email, "token": data["token"]})
    assert whole.json()["user"]["email"] == f"n{email}", whole.text


def test_a_receiver_that_is_away_is_told_later_under_the_same_id(receivers: ApusServer, receiver: Receiver) -> None:
    receiver.seen.clear()
    receiver.answer = lambda path, event: (
        (500, {}) if path == "/after-user-created" and len(receiver.of("after-user-created")) < 3 else (200, {})
    )
    email, answer = sign_up(receivers)
    assert answer.status_code == 200
    events = eventually(lambda: receiver.of("after-user-created"), 3)
    assert {event["user"]["email"] for event in events} == {email}
    ids = {fields["webhook-id"] for path, _, fields in receiver.seen if path == "/after-user-created"}
    assert len(ids) == 1


def test_a_receiver_is_asked_with_a_signature(receivers: ApusServer, receiver: Receiver) -> None:
    receiver.seen.clear()
    receiver.answer = lambda path, event: (204, b"") if "attempt" in path else (200, {})
    _, answer = sign_up(receivers)
    token = answer.json()["access_token"]
    enrolled = post(receivers, "/factors", {"factor_type": "totp"}, token).json()

    def verify(code: str) -> httpx.Response:
        challenge = post(receivers, f"/factors/{enrolled['id']}/challenge", {}, token).json()
        return post(receivers, f"/factors/{enrolled['id']}/verify", {"challenge_id": challenge["id"], "code": code}, token)

    assert verify("000000").json()["code"] == "mfa_verification_failed"
    receiver.answer = lambda path, event: (200, {"decision": "reject", "message": "Not from there"})
    rejected = verify(pyotp.TOTP(enrolled["totp"]["secret"]).now())
    assert rejected.status_code == 403 and rejected.json() == {"code": "mfa_verification_rejected", "message": "Not from there"}
    events = [event for path, event, _ in receiver.seen if path == "/mfa-verification-attempt"]
    assert [event["valid"] for event in events] == [False, True]
    assert events[0]["factor_id"] == enrolled["id"] and events[0]["factor_type"] == "totp"


def test_a_receiver_that_is_busy_is_asked_three_times_under_one_id(receivers: ApusServer, receiver: Receiver) -> None:
    receiver.seen.clear()
    name = "before-user-created"
    receiver.answer = lambda path, event: (503, {}) if path == f"/{name}" and len(receiver.of(name)) < 3 else (200, {})
    assert sign_up(receivers)[1].status_code == 200
    ids = {fields["webhook-id"] for path, _, fields in receiver.seen if path == f"/{name}"}
    assert len(ids) == 1 and len(receiver.of(name)) == 3
    receiver.seen.clear()
    receiver.answer = lambda path, event: (503, {}) if path == f"/{name}" else (200, {})
    assert sign_up(receivers)[1].json()["code"] == "hook_timeout_after_retry" and len(receiver.of(name)) == 3


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, b"<html>"), "hook_payload_invalid_content_type"), ((200, []), "unexpected_failure"),
        ((500, {}), "unexpected_failure"), ((302, {}), "unexpected_failure"),
        ((200, {"x": "a" * 300_000}), "hook_timeout_after_retry"),
    ],
    ids=["no JSON", "no object", "500", "redirect", "too large"],
)  # fmt: skip
def test_an_answer_that_is_none_lets_nobody_in(receivers: ApusServer, receiver: Receiver, answer, code: str) -> None:
    receiver.answer = lambda path, event: answer if path == "/before-user-created" else (200, {})
    refused = sign_up(receivers)[1]
    assert refused.status_code in (422, 500) and refused.json()["code"] == code
