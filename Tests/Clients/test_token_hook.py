"""A function of the database that changes the claims of access tokens."""

import base64
import json
import pathlib
import tempfile
import uuid
from collections.abc import Iterator

import pytest
import supabase

from apus_server import ApusServer
from test_hooks import SECRETS, Receiver, post, running
from test_messages import PASSWORD, client, stopped

MIGRATION = """
create table public.roles (user_id uuid primary key, level text not null);
grant usage on schema public to auth_admin;
grant select on public.roles to auth_admin;
create function public.add_level(event jsonb) returns jsonb language plpgsql stable as $$
declare
    wanted text;
begin
    select level into wanted from public.roles where user_id = (event ->> 'user_id')::uuid;
    if wanted = 'slow' then
        perform pg_sleep(60);
    elsif wanted = 'gold' then
        -- So that an end that is told by a later clock than the token's differs from it.
        perform pg_sleep(1);
    elsif wanted = 'barred' then
        return '{"error": {"http_code": 403, "message": "Not today"}}';
    end if;
    return jsonb_build_object('claims', (event -> 'claims')
        || jsonb_build_object('level', wanted, 'sub', gen_random_uuid(), 'aal', 'aal2', 'exp', 4102444800,
            'method', event ->> 'authentication_method'));
end $$;
revoke all on function public.add_level(jsonb) from public;
grant execute on function public.add_level(jsonb) to auth_admin;
"""


def claims(session) -> dict:
    body = session.access_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_function_adds_claims_and_changes_none_that_say_who_it_is() -> None:
    migrations = pathlib.Path(tempfile.mkdtemp(prefix="apus-hook-")) / "migrations"
    migrations.mkdir()
    (migrations / "20260101000000_hook.sql").write_text(MIGRATION)
    server = ApusServer(
        migrations, "--auth-mailer-autoconfirm", "true",
        "--auth-hook-custom-access-token-uri", "pg-functions://postgres/public/add_level",
    )
    server.start()
    try:
        user = client(server)
        email = f"h{uuid.uuid4().hex[:8]}@example.com"
        id = user.auth.sign_up({"email": email, "password": PASSWORD}).user.id
        service = supabase.create_client(server.url, server.token("service_role"))
        for level in ("silver", "gold"):
            service.table("roles").upsert({"user_id": id, "level": level}).execute()
            for session in (
                user.auth.sign_in_with_password({"email": email, "password": PASSWORD}).session,
                user.auth.refresh_session().session,
            ):
                got = claims(session)
                assert (got["level"], got["method"]) == (level, "password")
                assert (got["sub"], got["aal"], got["exp"]) == (id, "aal1", session.expires_at)
        service.table("roles").upsert({"user_id": id, "level": "barred"}).execute()
        with pytest.raises(supabase.AuthApiError, match="Not today"):
            user.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        service.table("roles").upsert({"user_id": id, "level": "slow"}).execute()
        slow = post(server, "/token?grant_type=password", {"email": email, "password": PASSWORD})
        assert slow.status_code == 422 and slow.json()["code"] == "hook_timeout"
    finally:
        stopped(server)


@pytest.fixture(scope="module")
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture(scope="module")
def asking(receiver: Receiver) -> Iterator[ApusServer]:
    yield from running(
        "--outbound-private-hosts", f"127.0.0.1:{receiver.port}",
        "--auth-hook-custom-access-token-uri", f"http://127.0.0.1:{receiver.port}/custom-access-token",
        "--auth-hook-custom-access-token-secrets", "|".join(SECRETS),
    )  # fmt: skip


def test_a_receiver_adds_claims_to_every_kind_of_session(asking: ApusServer, receiver: Receiver) -> None:
    receiver.answer = lambda path, event: (
        200, {"claims": event["claims"] | {"level": "gold", "sub": str(uuid.uuid4()), "aal": "aal2", "exp": 4102444800}}
    )  # fmt: skip
    user = client(asking)
    email = f"r{uuid.uuid4().hex[:8]}@example.com"
    sessions = [
        user.auth.sign_up({"email": email, "password": PASSWORD}).session,
        user.auth.sign_in_with_password({"email": email, "password": PASSWORD}).session,
        user.auth.refresh_session().session,
        user.auth.sign_in_anonymously().session,
    ]
    for session in sessions:
        got = claims(session)
        assert (got["level"], got["sub"], got["aal"]) == ("gold", session.user.id, "aal1")
        assert got["exp"] == session.expires_at
    assert [event["authentication_method"] for _, event, _ in receiver.seen] == ["password"] * 3 + ["anonymous"]


def test_a_session_ends_whose_claims_are_refused(asking: ApusServer, receiver: Receiver) -> None:
    receiver.answer = lambda path, event: (200, {"claims": event["claims"]})
    user = client(asking)
    email = f"b{uuid.uuid4().hex[:8]}@example.com"
    id = user.auth.sign_up({"email": email, "password": PASSWORD}).user.id
    sessions = f"select count(*) from auth.sessions where user_id = '{id}'"
    assert asking.sql(sessions) == "1"
    for answer, words in [
        ((200, {"error": {"http_code": 403, "message": "Not today"}}), "Not today"),
        ((200, {"claims": {"role": "authenticated"}}), "took the claim"), ((500, {}), "answered 500"),
    ]:  # fmt: skip
        receiver.answer = lambda path, event: answer
        with pytest.raises(supabase.AuthError, match=words):
            client(asking).auth.sign_in_with_password({"email": email, "password": PASSWORD})
        assert asking.sql(sessions) == "1"
    # A refused refresh ends nothing: the token is good again when the receiver is.
    token = user.auth.get_session().refresh_token
    assert post(asking, "/token?grant_type=refresh_token", {"refresh_token": token}).status_code == 500
    receiver.answer = lambda path, event: (200, {"claims": event["claims"]})
    assert post(asking, "/token?grant_type=refresh_token", {"refresh_token": token}).status_code == 200
