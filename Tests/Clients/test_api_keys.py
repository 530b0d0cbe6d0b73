"""Keys with names, made and revoked by the command beside a running server, used by the real client."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
import supabase
from websockets.asyncio.client import connect

from apus_server import ApusServer
from auth_servers import running

PATIENCE = 60


@pytest.fixture(scope="module")
def server() -> Iterator[ApusServer]:
    with running() as server:
        yield server


def api_keys(server: ApusServer, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(server.binary), "api-keys", *words, "--data-dir", str(server.directory / "data")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def made(server: ApusServer, name: str, *words: str) -> str:
    """A new key that the server knows already."""
    result = api_keys(server, "create", name, *words)
    assert result.returncode == 0, result.stderr
    key = result.stdout.strip()
    until(lambda: rest(server, key).status_code == 200)
    return key


def rest(server: ApusServer, key: str, **fields: str) -> httpx.Response:
    return httpx.get(f"{server.url}/rest/v1/experts?limit=1", headers={"apikey": key} | fields)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_backend_works_with_its_key_until_it_is_revoked(server: ApusServer) -> None:
    key = made(server, "backend")
    backend = supabase.create_client(server.url, key)
    user = backend.auth.admin.create_user({"email": "k@example.com", "password": "a horse of another colour"}).user
    assert backend.auth.admin.get_user_by_id(user.id).user.email == "k@example.com"
    assert backend.table("profiles").select("id", count="exact").limit(1).execute().count > 0
    assert api_keys(server, "revoke", "backend").returncode == 0
    until(lambda: rest(server, key).status_code == 401)
    with pytest.raises(supabase.PostgrestAPIError, match="unknown, was revoked"):
        backend.table("profiles").select("id").limit(1).execute()
    with pytest.raises(supabase.AuthApiError, match="unknown, was revoked"):
        backend.auth.admin.list_users()


def test_an_app_signs_people_in_with_a_publishable_key(server: ApusServer) -> None:
    key = made(server, "app", "--role", "anon")
    assert key.startswith("sb_publishable_")
    app = supabase.create_client(server.url, key)
    app.auth.sign_up({"email": "app@example.com", "password": "a horse of another colour"})
    assert app.auth.get_user().user.email == "app@example.com"
    assert rest(server, key, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_the_list_shows_everything_but_the_keys(server: ApusServer) -> None:
    key = made(server, "listed", "--expires-in", "90d")
    until(lambda: "last used" in line(server, "listed"))
    assert "service_role" in line(server, "listed") and "expires" in line(server, "listed")
    assert key[10:] not in api_keys(server, "list").stdout
    taken = api_keys(server, "create", "listed")
    assert taken.returncode == 1 and "APUS015" in taken.stderr and not taken.stdout
    assert "APUS015" in api_keys(server, "create", "other", "--role", "nobody").stderr
    assert "APUS015" in api_keys(server, "revoke", "nothing").stderr


def line(server: ApusServer, name: str) -> str:
    return next(line for line in api_keys(server).stdout.splitlines() if line.startswith(name))


def test_an_open_socket_ends_with_its_key(server: ApusServer) -> None:
    key = made(server, "listener", "--role", "anon")
    address = server.url.replace("http", "ws") + f"/realtime/v1/websocket?apikey={key}&vsn=2.0.0"

    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE), connect(address) as socket:
            await socket.send(json.dumps(["1", "1", "realtime:room", "phx_join", {"config": {}}]))
            assert json.loads(await socket.recv())[4]["status"] == "ok"
            await asyncio.to_thread(api_keys, server, "revoke", "listener")
            while json.loads(await socket.recv())[3] != "phx_close":
                pass

    asyncio.run(scenario())
    until(lambda: rest(server, key).status_code == 401)
