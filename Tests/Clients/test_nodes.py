"""Three nodes on one database with one Redis between them: what members on one hear of those on the others."""

import asyncio
import json
import signal
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
from websockets.asyncio.client import ClientConnection, connect

from apus_server import EXAMPLE, ApusServer
from conftest import running
from redis_server import RedisServer
from test_live import Follower, address

#: Nothing takes as long. A node is given up after 16 seconds of silence, looked for every 5.
PATIENCE = 60


class Node(ApusServer):
    """One of several on a database that somebody else keeps."""

    def __init__(self, owner: str, redis: RedisServer) -> None:
        options = ["--db-admin-uri", owner, "--db-uri", owner, "--realtime-bus-uri", redis.url]
        super().__init__(EXAMPLE / "migrations", *options)
        self.owner = owner

    def sql(self, script: str) -> str:
        made = subprocess.run(["psql", self.owner, "-AtXqc", script], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def feed(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.url}/health/feed", timeout=5) as answer:
                return json.load(answer)["status"]
        except OSError:
            return "away"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def nodes(redis: RedisServer, server: ApusServer) -> Iterator[list[Node]]:
    """A database of their own beside the one of `server`, which keeps PostgreSQL running."""
    server.sql("create database nodes")
    told = subprocess.run(
        [str(server.binary), "db", "url", "--data-dir", str(server.directory / "data")],
        cwd=server.directory, env=server._environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    owner = told.stdout.strip() + " dbname=nodes"
    if "://" in owner:
        owner = told.stdout.strip().replace("/postgres?", "/nodes?")
    made = [Node(owner, redis) for _ in range(3)]
    lives = [running(node) for node in made]
    for life in lives:
        next(life)
    yield made
    for node, life in zip(made, lives):
        if node.process is not None and node.process.poll() is None:
            with pytest.raises(StopIteration):
                next(life)
        else:
            node.remove()


class Member:
    """A WebSocket that has joined one topic, and what it has heard there."""

    def __init__(self, socket: ClientConnection, topic: str) -> None:
        self.socket = socket
        self.topic = topic
        #: Of broadcasts, in their order.
        self.heard: list[Any] = []
        #: By `phx_ref`.
        self.present: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())
        self._joined = False

    @classmethod
    @asynccontextmanager
    async def joined(cls, node: ApusServer, room: str, key: str = "") -> AsyncIterator[Self]:
        url = f"{node.url}/realtime/v1/websocket?apikey={node.token('anon')}&vsn=1.0.0".replace("http", "ws", 1)
        async with connect(url) as socket:
            member = cls(socket, f"realtime:{room}")
            presence = {"key": key, "enabled": bool(key)}
            await member.send("phx_join", {"config": {"presence": presence}})
            await member.until(lambda: member._joined)
            yield member
            member._reading.cancel()

    async def send(self, event: str, payload: Any) -> None:
        await self.socket.send(json.dumps({"topic": self.topic, "event": event, "payload": payload, "ref": "1"}))

    async def broadcast(self, payload: Any) -> None:
        await self.send("broadcast", {"type": "broadcast", "event": "said", "payload": payload})

    async def track(self, state: Any) -> None:
        await self.send("presence", {"event": "track", "payload": state})

    async def untrack(self) -> None:
        await self.send("presence", {"event": "untrack"})

    def keys(self) -> list[str]:
        return sorted(entry["key"] for entry in self.present.values())

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def _read(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            event, payload = message["event"], message["payload"]
            async with self._changed:
                if event == "phx_reply":
                    self._joined = True
                elif event == "broadcast":
                    self.heard.append(payload["payload"])
                elif event == "presence_state":
                    self.present = {}
                    self._enter(payload)
                elif event == "presence_diff":
                    for key, entry in payload["leaves"].items():
                        for meta in entry["metas"]:
                            del self.present[meta["phx_ref"]]
                    self._enter(payload["joins"])
                self._changed.notify_all()

    def _enter(self, joins: dict[str, Any]) -> None:
        for key, entry in joins.items():
            for meta in entry["metas"]:
                assert meta["phx_ref"] not in self.present, "told twice"
                self.present[meta["phx_ref"]] = {"key": key} | meta


def room() -> str:
    return f"room-{uuid.uuid4()}"


def post(node: Node, topic: str, payload: Any) -> None:
    """A broadcast over HTTP."""
    body = json.dumps({"messages": [{"topic": topic, "event": "said", "payload": payload}]}).encode()
    headers = {"Authorization": f"Bearer {node.token('anon')}", "Content-Type": "application/json"}
    url = f"{node.url}/realtime/v1/api/broadcast"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        assert answer.status == 202


async def all_hear(node: Node, members: list[Member], say: Callable[[], Any], payload: Any) -> str:
    """Everybody hears it, wherever they are, and once: what is said afterwards, and returned, comes right behind it."""
    behind = f"behind it {uuid.uuid4()}"
    before = [list(member.heard) for member in members]
    said = say()
    if said is not None:
        await said
    for member, heard in zip(members, before):
        await member.until(lambda: len(member.heard) > len(heard))
    await asyncio.to_thread(post, node, members[0].topic.removeprefix("realtime:"), behind)
    for member, heard in zip(members, before):
        await member.until(lambda: member.heard[-1:] == [behind])
        told = [item.get("x") if isinstance(item, dict) else item for item in member.heard[len(heard) :]]
        assert told == [payload, behind]
    return behind


async def bus_is_back(members: list[Member]) -> None:
    """Everybody hears everybody again."""
    for sender in members:
        attempt = 0
        while True:
            attempt += 1
            mark = f"{uuid.uuid4()}"
            await sender.broadcast(mark)
            others = [member for member in members if member is not sender]
            try:
                async with asyncio.timeout(0.5):
                    for member in others:
                        await member.until(lambda: mark in member.heard)
                break
            except TimeoutError:
                assert attempt < 2 * PATIENCE, "the bus does not come back"


def test_broadcasts_reach_all_nodes_once(nodes: list[Node]) -> None:
    async def scenario() -> None:
        name = room()
        async with (
            Member.joined(nodes[0], name) as ann,
            Member.joined(nodes[1], name) as bob,
            Member.joined(nodes[2], name) as cid,
        ):
            members = [ann, bob, cid]
            for node in nodes:
                await all_hear(node, members, lambda: post(node, name, {"x": 1}), 1)
                # Messages of the database come by the feed, which every node follows for itself.
                statement = f"""select realtime.send('{{"x": 2}}'::jsonb, 'said', '{name}', false)"""
                await all_hear(node, members, lambda: asyncio.to_thread(node.sql, statement), 2)
            for sender, others in [(ann, [bob, cid]), (bob, [ann, cid]), (cid, [ann, bob])]:
                behind = await all_hear(nodes[0], others, lambda: sender.broadcast({"x": 3}), 3)
                # Who spoke is one of the others next, and must have heard this before.
                await sender.until(lambda: behind in sender.heard)

    asyncio.run(scenario())


def test_presence_is_of_all_nodes(nodes: list[Node]) -> None:
    async def scenario() -> None:
        name = room()
        async with Member.joined(nodes[0], name, "ann") as ann, Member.joined(nodes[1], name, "bob") as bob:
            await ann.track({"mood": "fine"})
            await bob.until(lambda: bob.keys() == ["ann"])
            await bob.track({"mood": "so so"})
            async with Member.joined(nodes[2], name, "cid") as cid:
                await cid.until(lambda: cid.keys() == ["ann", "bob"])
                await cid.track({})
                await ann.track({"mood": "better"})
                for member in (ann, bob, cid):
                    await member.until(
                        lambda: member.keys() == ["ann", "bob", "cid"]
                        and "better" in [entry.get("mood") for entry in member.present.values()]
                    )
            # Cid's connection ended.
            for member in (ann, bob):
                await member.until(lambda: member.keys() == ["ann", "bob"])
            await bob.untrack()
            for member in (ann, bob):
                await member.until(lambda: member.keys() == ["ann"])

    asyncio.run(scenario())


def test_presence_converges_after_redis_restarts(nodes: list[Node], redis: RedisServer) -> None:
    async def scenario() -> None:
        name = room()
        async with (
            Member.joined(nodes[0], name, "ann") as ann,
            Member.joined(nodes[1], name, "bob") as bob,
            Member.joined(nodes[2], name, "cid") as cid,
        ):
            members = [ann, bob, cid]
            for member in members:
                await member.track({"turn": 1})
            for member in members:
                await member.until(lambda: member.keys() == ["ann", "bob", "cid"])
            redis.kill()
            # What happens meanwhile, nobody else hears of.
            await ann.untrack()
            await ann.until(lambda: "ann" not in ann.keys())
            await bob.track({"turn": 2})
            await bob.until(lambda: 2 in [entry["turn"] for entry in bob.present.values()])
            async with Member.joined(nodes[2], name, "dan") as dan:
                await dan.track({"turn": 1})
                await dan.until(lambda: "dan" in dan.keys())
                redis.start()
                for member in [*members, dan]:
                    await member.until(
                        lambda: sorted((entry["key"], entry["turn"]) for entry in member.present.values())
                        == [("bob", 2), ("cid", 1), ("dan", 1)]
                    )
                await bus_is_back([*members, dan])
                await all_hear(nodes[0], [*members, dan], lambda: post(nodes[1], name, {"x": 4}), 4)

    asyncio.run(scenario())


def has_tag(node: Node, url: str, token: str) -> bool:
    """Whether this node knows that the feed brings what the read reads."""
    request = urllib.request.Request(node.url + url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return not answer.headers["ETag"].startswith('W/"0-')
    except urllib.error.HTTPError:
        return False


def test_live_reads_are_the_same_on_all_nodes(nodes: list[Node]) -> None:
    """Nodes that hear of changes through Redis tell what the one that reads the slot tells."""

    async def scenario() -> None:
        nodes[0].sql("create table public.tasks (id int primary key, done boolean not null default false)")
        nodes[0].sql("insert into tasks select i from generate_series(1, 5) i")
        url = "/rest/v1/tasks?done=is.false&order=id"
        token = nodes[0].token("service_role")
        async with asyncio.timeout(PATIENCE):
            for node in nodes:
                while not await asyncio.to_thread(has_tag, node, url, token):
                    await asyncio.sleep(0.1)
        sockets = [await connect(f"{address(node)}?apikey={token}", subprotocols=["apus.live.v1"]) for node in nodes]
        followers = [Follower(socket) for socket in sockets]
        for follower in followers:
            await follower.send(type="follow", id="open", url=url)
            await follower.until_rows("open", [{"id": number, "done": False} for number in range(1, 6)])
        for number in range(1, 6):
            nodes[0].sql(f"update tasks set done = true where id = {number}; insert into tasks values ({number + 10})")
        expected = [{"id": number, "done": False} for number in range(11, 16)]
        for follower in followers:
            await follower.until_rows("open", expected)
        # What one node told, the next one goes on with, if nothing has changed meanwhile; if it has, all is told.
        for follower in followers[:2]:
            await follower.socket.close()
        async with connect(f"{address(nodes[1])}?apikey={token}", subprotocols=["apus.live.v1"]) as socket:
            again = Follower(socket)
            await again.send(type="follow", id="open", url=url, last=followers[0].cursors["open"])
            await again.until("resumed", "open")
            again.rows["open"] = followers[0].rows["open"]
            nodes[0].sql("insert into tasks values (99)")
            expected.append({"id": 99, "done": False})
            for follower in (again, followers[2]):
                await follower.until_rows("open", expected)
        async with connect(f"{address(nodes[0])}?apikey={token}", subprotocols=["apus.live.v1"]) as socket:
            again = Follower(socket)
            again.rows["open"] = followers[1].rows["open"]
            await again.send(type="follow", id="open", url=url, last=followers[1].cursors["open"])
            await again.until_rows("open", expected)
        await followers[2].socket.close()

    asyncio.run(scenario())


def test_a_killed_node_takes_its_members_with_it(nodes: list[Node]) -> None:
    async def scenario() -> None:
        name = room()
        async with Member.joined(nodes[1], name, "bob") as bob, Member.joined(nodes[2], name, "cid") as cid:
            async with Member.joined(nodes[0], name, "ann") as ann:
                for member in (ann, bob, cid):
                    await member.track({})
                for member in (ann, bob, cid):
                    await member.until(lambda: member.keys() == ["ann", "bob", "cid"])
                nodes[0].kill()
                for member in (bob, cid):
                    await member.until(lambda: member.keys() == ["bob", "cid"])
            # Those that are left go on, and one of them reads the feed.
            async with asyncio.timeout(PATIENCE):
                while "running" not in [await asyncio.to_thread(node.feed) for node in nodes[1:]]:
                    await asyncio.sleep(0.1)
            statement = f"""select realtime.send('{{"x": 5}}'::jsonb, 'said', '{name}', false)"""
            await all_hear(nodes[1], [bob, cid], lambda: asyncio.to_thread(nodes[1].sql, statement), 5)
            await all_hear(nodes[2], [bob, cid], lambda: post(nodes[1], name, {"x": 6}), 6)

    asyncio.run(scenario())
