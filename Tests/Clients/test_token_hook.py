"""A function of the database that changes the claims of access tokens."""

import base64
import json
import pathlib
import tempfile
import uuid

import pytest
import supabase

from apus_server import ApusServer
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
    if wanted = 'barred' then
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
    finally:
        stopped(server)
