"""Settings of channels that only another server can have."""

import asyncio
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect

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
