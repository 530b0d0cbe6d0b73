"""Channels at the level of frames: limits and their codes, replay, and what the clients never send."""

import asyncio
import json
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from apus_server import ApusServer

#: Nothing takes as long; a test that waits longer has failed.
PATIENCE = 30


def address(server: ApusServer, role: str = "anon", version: str = "1.0.0", subject: str | None = None) -> str:
    token = server.token(role, subject)
    return f"{server.url}/realtime/v1/websocket?apikey={token}&vsn={version}".replace("http", "ws", 1)


async def send(socket: ClientConnection, topic: str, event: str, payload: Any, ref: str | None = "1") -> None:
    await socket.send(json.dumps({"topic": topic, "event": event, "payload": payload, "ref": ref}))


async def frame(socket: ClientConnection, *events: str) -> dict[str, Any]:
    """The next frame of one of these kinds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            got = json.loads(await socket.recv())
            if got["event"] in events:
                return got


async def join(socket: ClientConnection, topic: str, config: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    await send(socket, topic, "phx_join", {"config": config or {}, **more})
    return (await frame(socket, "phx_reply"))["payload"]


def test_a_connection_has_a_limit_of_channels_and_of_joins(server: ApusServer) -> None:
    async def scenario() -> None:
        async with connect(address(server)) as socket:
            reasons = []
            for number in range(101):
                answer = await join(socket, f"realtime:channel-{number}")
                if answer["status"] == "error":
                    reasons.append(answer["response"]["reason"])
            # A hundred joins a second, and a hundred channels: whichever came first.
            assert reasons and {reason.split(":")[0] for reason in reasons} <= {
                "ClientJoinRateLimitReached", "ChannelRateLimitReached",
            }  # fmt: skip
            while True:
                answer = await join(socket, f"realtime:channel-{uuid.uuid4()}")
                if answer["status"] == "error" and answer["response"]["reason"].startswith("ChannelRateLimitReached"):
                    break
                await asyncio.sleep(0.05)
            # A channel that ends makes room.
            await send(socket, "realtime:channel-0", "phx_leave", {})
            assert (await frame(socket, "phx_reply"))["payload"]["status"] == "ok"
            for _ in range(100):
                answer = await join(socket, "realtime:another")
                if answer["status"] == "ok":
                    break
                assert answer["response"]["reason"].startswith("ClientJoinRateLimitReached")
                await asyncio.sleep(0.05)
            assert answer["status"] == "ok"

    asyncio.run(scenario())


def test_too_many_messages_end_the_channel(server: ApusServer) -> None:
    async def scenario() -> None:
        async with connect(address(server)) as socket:
            topic = f"realtime:{uuid.uuid4()}"
            await join(socket, topic)
            for number in range(300):
                await send(socket, topic, "broadcast", {"type": "broadcast", "event": "e", "payload": number}, None)
            told = await frame(socket, "system")
            assert told["payload"]["status"] == "error"
            assert told["payload"]["message"].startswith("MessagePerSecondRateLimitReached")
            assert (await frame(socket, "phx_close"))["topic"] == topic
            # The connection goes on.
            await send(socket, "phoenix", "heartbeat", {}, "9")
            while (await frame(socket, "phx_reply"))["ref"] != "9":
                pass
            assert (await join(socket, topic))["status"] == "ok"

    asyncio.run(scenario())


def test_presence_calls_have_a_limit(server: ApusServer) -> None:
    async def scenario() -> None:
        async with connect(address(server)) as socket:
            topic = f"realtime:{uuid.uuid4()}"
            await join(socket, topic, {"presence": {"key": "me", "enabled": True}})
            for number in range(61):
                await send(socket, topic, "presence", {"event": "track", "payload": {"n": number}})
            assert (await frame(socket, "system"))["payload"]["message"].startswith("ClientPresenceRateLimitReached")
            assert (await frame(socket, "phx_close"))["topic"] == topic

    asyncio.run(scenario())


def test_large_payloads_are_refused(server: ApusServer) -> None:
    async def scenario() -> None:
        large = "x" * 3_000_001
        async with connect(address(server)) as socket:
            topic = f"realtime:{uuid.uuid4()}"
            await join(socket, topic, {"broadcast": {"ack": True}})
            await send(socket, topic, "broadcast", {"type": "broadcast", "event": "e", "payload": large}, "2")
            answer = await frame(socket, "phx_reply")
            assert answer["ref"] == "2" and answer["payload"]["response"]["reason"].startswith("PayloadTooLarge")
            # A frame over five megabytes ends the connection (RFC 6455 §7.4.1).
            with pytest.raises(ConnectionClosed):
                await send(socket, topic, "broadcast", {"payload": "x" * 5_000_001})
                await frame(socket, "phx_reply")
            assert socket.close_code == 1009
        body = json.dumps({"messages": [{"topic": "t", "event": "e", "payload": large}]}).encode()
        headers = {"apikey": server.token("anon"), "Content-Type": "application/json"}
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"{server.url}/realtime/v1/api/broadcast", body, headers))
        assert refused.value.code == 413

    asyncio.run(scenario())


def test_joins_that_cannot_be(server: ApusServer) -> None:
    async def scenario() -> None:
        async with connect(address(server)) as socket:
            for topic, payload, reason in [
                ("realtime:", {}, "TopicNameRequired"),
                ("other:topic", {}, "unmatched topic"),
                ("realtime:r", {"config": {"broadcast": {"replay": {"since": 0}}}}, "UnableToReplayMessages"),
                ("realtime:r", {"config": {"private": True, "broadcast": {"replay": {"since": 0, "limit": 26}}}}, "UnableToReplayMessages"),
                ("realtime:r", {"config": {"postgres_changes": [{"event": "NO"}]}}, "InvalidJoinPayload"),
                ("realtime:r", {"config": {"postgres_changes": [{}] * 101}}, "InvalidJoinPayload"),
                ("realtime:r", {"access_token": "no token"}, "MalformedJWT"),
                ("realtime:r", {"access_token": server.token("anon")[:-4] + "AAAA"}, "JwtSignatureError"),
            ]:  # fmt: skip
                await send(socket, topic, "phx_join", payload)
                answer = (await frame(socket, "phx_reply"))["payload"]
                assert answer["status"] == "error" and answer["response"]["reason"].startswith(reason), (topic, answer)
            await send(socket, "realtime:never-joined", "broadcast", {"event": "e"})
            assert (await frame(socket, "phx_reply"))["payload"]["response"] == {"reason": "unmatched topic"}
            await socket.send("no JSON")
            with pytest.raises(ConnectionClosed):
                await frame(socket, "phx_reply")
            assert socket.close_code == 1008

    asyncio.run(scenario())


def test_replay_brings_what_came_before(server: ApusServer) -> None:
    async def scenario() -> None:
        me = str(uuid.uuid4())
        topic = f"replayed-{me}"
        server.sql(
            f"""create policy "replay {me}" on realtime.messages for select to authenticated
                using (realtime.topic() = '{topic}' and auth.uid()::text = '{me}')"""
        )
        since = int(time.time() * 1000) - 60_000
        for number in range(10):
            server.sql(f"""select realtime.send('{{"n": {number}}}'::jsonb, 'old', '{topic}', true)""")
        config = {"private": True, "broadcast": {"replay": {"since": since, "limit": 5}}}
        async with connect(address(server, "authenticated", subject=me)) as socket:
            assert (await join(socket, f"realtime:{topic}", config))["status"] == "ok"
            told = [(await frame(socket, "broadcast"))["payload"] for _ in range(5)]
            assert [item["payload"]["n"] for item in told] == [5, 6, 7, 8, 9], "the newest, oldest first"
            assert all(item["meta"]["replayed"] is True and item["meta"]["id"] for item in told)
            server.sql(f"""select realtime.send('{{"n": 10}}'::jsonb, 'new', '{topic}', true)""")
            fresh = (await frame(socket, "broadcast"))["payload"]
            assert fresh["payload"]["n"] == 10 and "replayed" not in fresh.get("meta", {})
        async with connect(address(server, "authenticated", subject=str(uuid.uuid4()))) as socket:
            refused = await join(socket, f"realtime:{topic}", config)
            assert refused["response"]["reason"].startswith("Unauthorized")

    asyncio.run(scenario())


def test_a_renewed_token_keeps_the_channel_alive(server: ApusServer) -> None:
    async def scenario() -> None:
        async with connect(address(server)) as socket:
            topic = f"realtime:{uuid.uuid4()}"
            first = server.token("anon", seconds=3)
            assert (await join(socket, topic, access_token=first))["status"] == "ok"
            await send(socket, topic, "access_token", {"access_token": server.token("anon", seconds=6)})
            began = time.monotonic()
            told = await frame(socket, "system")
            # It ends with the second one's time and not with the first one's.
            assert told["payload"]["message"].startswith("InvalidJWTToken") and time.monotonic() - began > 3.5
            assert (await frame(socket, "phx_close"))["topic"] == topic
            # A token that does not hold ends it at once.
            assert (await join(socket, topic))["status"] == "ok"
            await send(socket, topic, "access_token", {"access_token": "forged"})
            assert (await frame(socket, "system"))["payload"]["message"].startswith("MalformedJWT")
            assert (await frame(socket, "phx_close"))["topic"] == topic

    asyncio.run(scenario())


def test_equal_subscriptions_come_and_go(server: ApusServer) -> None:
    """Equal entries of many channels are one subscription inside; leaving takes only the one that leaves."""

    async def scenario() -> None:
        name = f"equal_{uuid.uuid4().hex[:12]}"
        server.sql(f"create table public.{name} (id int primary key, kind text not null)")
        entry = {"event": "INSERT", "schema": "public", "table": name}
        same = {"postgres_changes": [entry | {"filter": "kind=eq.a"}]}
        both = {"postgres_changes": [entry | {"filter": "kind=eq.a"}, entry]}
        url = address(server, "service_role")

        async def ids(socket: ClientConnection, topic: str) -> list[tuple[int, int]]:
            got = await frame(socket, "postgres_changes")
            assert got["topic"] == topic
            return got["payload"]["data"]["record"]["id"], len(got["payload"]["ids"])

        async with connect(url) as one, connect(url) as two, connect(url) as three:
            assert (await join(one, "realtime:x", same))["status"] == "ok"
            assert (await join(two, "realtime:x", same))["status"] == "ok"
            # The same on another topic, and a channel with a further entry.
            assert (await join(two, "realtime:y", same))["status"] == "ok"
            assert (await join(three, "realtime:z", both))["status"] == "ok"
            server.sql(f"insert into {name} values (1, 'a')")
            assert await ids(one, "realtime:x") == (1, 1)
            heard = [await frame(two, "postgres_changes") for _ in range(2)]
            assert sorted(item["topic"] for item in heard) == ["realtime:x", "realtime:y"]
            assert await ids(three, "realtime:z") == (1, 2), "one message for both entries"
            await send(two, "realtime:x", "phx_leave", {})
            await frame(two, "phx_reply")
            await one.close()
            server.sql(f"insert into {name} values (2, 'b'), (3, 'a')")
            assert await ids(two, "realtime:y") == (3, 1)
            assert await ids(three, "realtime:z") == (2, 1)
            assert await ids(three, "realtime:z") == (3, 2)

    asyncio.run(scenario())


def test_the_handshake_takes_the_token_from_the_fields_too(server: ApusServer) -> None:
    async def scenario() -> None:
        url = f"{server.url}/realtime/v1/websocket?vsn=1.0.0".replace("http", "ws", 1)
        for name in ("x-api-key", "apikey"):
            fields = {"x-api-key": server.token("anon")} if name == "x-api-key" else None
            target = url if fields else f"{url}&apikey={server.token('anon')}"
            async with connect(target, additional_headers=fields) as socket:
                assert (await join(socket, f"realtime:{uuid.uuid4()}"))["status"] == "ok"

    asyncio.run(scenario())


def test_a_slow_subscriber_of_changes_is_closed_and_the_others_miss_nothing(server: ApusServer) -> None:
    async def scenario() -> None:
        name = f"slow_{uuid.uuid4().hex[:12]}"
        server.sql(f"create table public.{name} (id int primary key, body text not null)")
        entry = {"event": "INSERT", "schema": "public", "table": name}
        url = address(server, "service_role")
        async with connect(url, max_queue=1) as lazy, connect(url) as busy:
            for socket in (lazy, busy):
                assert (await join(socket, "realtime:slow", {"postgres_changes": [entry]}))["status"] == "ok"
            # One statement for each, so that none is too large for a row; together far more than sockets hold.
            for number in range(60):
                await asyncio.to_thread(server.sql, f"insert into {name} values ({number}, repeat('x', 400000))")
                got = await frame(busy, "postgres_changes")
                assert got["payload"]["data"]["record"]["id"] == number
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(PATIENCE):
                    while True:
                        await lazy.recv()
            # The close frame waits behind what the client has not read, for five seconds; who takes longer loses the
            # connection without it.
            assert (lazy.close_code, "resume" in lazy.close_reason) in [(4008, True), (1006, False)]
        server.sql(f"drop table public.{name}")

    asyncio.run(scenario())
