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

from apus_server import ApusServer

PASSWORD = "a horse of another colour"
SECRETS = ["whsec_" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2)]
NAMES = ("before-user-created", "mfa-verification-attempt")

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
revoke all on function public.invited(jsonb) from public;
grant execute on function public.invited(jsonb) to auth_admin;
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


def running(*options: str) -> Iterator[ApusServer]:
    migrations = pathlib.Path(tempfile.mkdtemp(prefix="apus-hooks-")) / "migrations"
    migrations.mkdir()
    (migrations / "20260101000000_hooks.sql").write_text(MIGRATION)
    server = ApusServer(migrations, "--auth-mailer-autoconfirm", "true", *options)
    try:
        server.start()
        yield server
        assert server.stop() == 0, server.log_text()[-4000:]
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        server.remove()


@pytest.fixture(scope="module")
def functions() -> Iterator[ApusServer]:
    named = [("invited", NAMES[0])]
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


def sign_up(server: ApusServer, domain: str = "example.com") -> tuple[str, httpx.Response]:
    email = f"{uuid.uuid4().hex}@{domain}"
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
    receiver.answer = lambda path, event: (503, {}) if len(receiver.seen) < 3 else (200, {})
    assert sign_up(receivers)[1].status_code == 200
    assert len({fields["webhook-id"] for _, _, fields in receiver.seen}) == 1 and len(receiver.seen) == 3
    receiver.seen.clear()
    receiver.answer = lambda path, event: (503, {})
    assert sign_up(receivers)[1].json()["code"] == "hook_timeout_after_retry" and len(receiver.seen) == 3


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
    receiver.answer = lambda path, event: answer
    refused = sign_up(receivers)[1]
    assert refused.status_code in (422, 500) and refused.json()["code"] == code
