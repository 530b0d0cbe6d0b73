"""Settings of channels that only another server can have."""

import asyncio
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from apus_server import EXAMPLE, ApusServer
from conftest import running
from test_realtime_limits import address, join


@pytest.fixture(scope="module")
def strict_server() -> Iterator[ApusServer]:
    """Private channels only, and no change feed."""
    options = ["--realtime-private-only", "true", "--realtime-enabled", "false"]
    yield from running(ApusServer(EXAMPLE / "migrations", *options))


def test_a_server_with_private_channels_only(strict_server: ApusServer) -> None:
    async def scenario() -> None:
        me = str(uuid.uuid4())
        strict_server.sql("create policy everybody on realtime.messages for select to authenticated using (true)")
        async with connect(address(strict_server, "authenticated", subject=me)) as socket:
            refused = await join(socket, "realtime:room")
            assert refused["status"] == "error" and refused["response"]["reason"].startswith("PrivateOnly")
            assert (await join(socket, "realtime:room", {"private": True}))["status"] == "ok"
            changes = {"private": True, "postgres_changes": [{"event": "*", "schema": "public", "table": "profiles"}]}
            # What does not run cannot be subscribed to, and says so instead of keeping silent.
            refused = await join(socket, "realtime:other", changes)
            assert refused["response"]["reason"].startswith("RealtimeDisabledForConfiguration")
        body = json.dumps({"messages": [{"topic": "room", "event": "e", "payload": {}}]}).encode()
        headers = {"apikey": strict_server.token("service_role"), "Content-Type": "application/json"}
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(
                urllib.request.Request(f"{strict_server.url}/realtime/v1/api/broadcast", body, headers)
            )
        assert answer.value.code == 403

    asyncio.run(scenario())


@pytest.fixture(scope="module")
def limited_server() -> Iterator[ApusServer]:
    """Few connections, opened slowly, and a database that is given up soon."""
    options = ["--realtime-max-connections", "3", "--realtime-max-handshakes", "2", "--db-pool-acquisition-timeout", "1"]
    yield from running(ApusServer(EXAMPLE / "migrations", *options))


async def opened(url: str) -> tuple[ClientConnection, int]:
    """A connection, and how often it was refused for coming too fast."""
    refusals = 0
    while True:
        try:
            return await connect(url), refusals
        except InvalidStatus as refused:
            assert refused.response.status_code == 429
            assert refused.response.headers["Retry-After"] == "1"
            reason = json.loads(refused.response.body)["error"]
            if "per second" not in reason:
                raise
            assert reason.startswith("ConnectionRateLimitReached")
            refusals += 1
            await asyncio.sleep(0.1)


def test_connections_have_limits(limited_server: ApusServer) -> None:
    async def scenario() -> None:
        url = address(limited_server)
        first, _ = await opened(url)
        others = [await opened(url) for _ in range(2)]
        assert (await join(first, "realtime:room"))["status"] == "ok"
        with pytest.raises(InvalidStatus) as refused:
            await opened(url)
        assert json.loads(refused.value.response.body)["error"].startswith("ConnectionRateLimitReached: Too many connected")
        # One that ends makes room.
        await first.close()
        async with asyncio.timeout(30):
            while True:
                try:
                    last, _ = await opened(url)
                    break
                except InvalidStatus:
                    await asyncio.sleep(0.05)
        assert (await join(last, "realtime:room"))["status"] == "ok"
        for socket, _ in [*others, (last, 0)]:
            await socket.close()
        # Whoever opens one after the other is told to wait, sooner or later.
        refusals = 0
        for _ in range(100):
            try:
                socket, times = await opened(url)
            except InvalidStatus:
                continue
            await socket.close()
            refusals += times
            if refusals:
                break
        assert refusals

    asyncio.run(scenario())


def test_a_database_that_cannot_be_asked_is_told_as_such(limited_server: ApusServer) -> None:
    async def scenario() -> None:
        me = str(uuid.uuid4())
        limited_server.sql("create policy everybody on realtime.messages for select to authenticated using (true)")
        socket, _ = await opened(address(limited_server, "authenticated", subject=me))
        async with socket:
            assert (await join(socket, "realtime:one", {"private": True}))["status"] == "ok"
            # Two calls, which are two transactions: while the first is not committed, the server comes back at once.
            limited_server.sql("alter role authenticator nologin")
            limited_server.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'"
            )
            refused = await join(socket, "realtime:two", {"private": True})
            assert refused["status"] == "error"
            assert refused["response"]["reason"].startswith("DatabaseLackOfConnections")
            # What needs no database goes on, and everything does when it is back.
            assert (await join(socket, "realtime:public"))["status"] == "ok"
            limited_server.sql("alter role authenticator login")
            async with asyncio.timeout(60):
                while (await join(socket, "realtime:two", {"private": True}))["status"] != "ok":
                    await asyncio.sleep(0.1)

    asyncio.run(scenario())
