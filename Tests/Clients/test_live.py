"""Live reads over `/live/v1` and as server-sent events, with real clients of both."""

import asyncio
import json
import os
import random
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
import supabase
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from apus_server import ApusServer

#: Nothing takes as long; a test that waits longer has failed.
PATIENCE = 30

TABLES = """
create table public.errands (
    id bigint primary key, owner uuid, place text, rank integer not null default 0, done boolean not null default false);
create table public.stops (id bigint primary key, errand bigint references public.errands on delete cascade);
alter table public.errands enable row level security;
create policy "own errands" on public.errands using (owner = auth.uid());
create table public.crowd (id bigint primary key, text text);
grant select on public.crowd to anon;
"""


@pytest.fixture(scope="module")
def live_server(server: ApusServer) -> ApusServer:
    server.sql(TABLES)
    # The tables are found, published, and found again; afterwards nothing of the schema changes.
    deadline = time.monotonic() + PATIENCE
    settled = 0
    while settled < 40:
        assert time.monotonic() < deadline, "the tables are not followed"
        settled = settled + 1 if all(has_tag(server, table) for table in ("errands", "crowd")) else 0
    return server


def has_tag(server: ApusServer, table: str) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/rest/v1/{table}?limit=1") as answer:
            # A tag of the feed, and not one of the content.
            return not answer.headers["ETag"].startswith('W/"0-')
    except urllib.error.HTTPError:
        return False


def address(server: ApusServer) -> str:
    return server.url.replace("http", "ws", 1) + "/live/v1"


class Follower:
    """A connection, and what its follows show by the rules of docs/live.md."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.rows: dict[str, list[dict]] = {}
        self.cursors: dict[str, str] = {}
        self.follows: dict[str, dict] = {}

    async def send(self, **message: Any) -> None:
        if message["type"] == "follow":
            self.follows[message["id"]] = message
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict:
        message = json.loads(await self.socket.recv())
        name = message.get("id")
        if message["type"] == "end" and message["data"]["code"] == "APUS524":
            # Another test's table, or this one's, was published late: the schema has changed.
            again = self.follows[name] | ({"last": self.cursors[name]} if name in self.cursors else {})
            await self.socket.send(json.dumps(again))
        if "cursor" in message:
            self.cursors[name] = message["cursor"]
        if message["type"] == "snapshot":
            self.rows[name] = message["data"]
        if message["type"] == "changes":
            changes = message["data"]
            gone = {(change.get("key") or change["row"])["id"] for change in changes}
            rows = [row for row in self.rows[name] if row["id"] not in gone]
            for change in changes:
                if "index" in change:
                    rows.insert(change["index"], change["row"])
            self.rows[name] = rows
        return message

    async def until(self, type: str, name: str | None = None) -> dict:
        """The next message of this type."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.hear()
                if message["type"] == type and message.get("id") == name:
                    return message

    async def until_rows(self, name: str, expected: list[dict]) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.rows.get(name) != expected:
                await self.hear()


def fresh(server: ApusServer, token: str, url: str) -> list[dict]:
    # A position that the feed has not reached keeps memory out of it.
    fields = {"Authorization": f"Bearer {token}", "Apus-Lsn": "FFFFFFFF/FFFFFFFF"}
    with urllib.request.urlopen(urllib.request.Request(server.url + url, headers=fields)) as answer:
        return json.load(answer)


def test_follows_stay_equal_to_fresh_reads_under_random_writes(live_server: ApusServer) -> None:
    me, other = str(uuid.uuid4()), str(uuid.uuid4())
    token = live_server.token("authenticated", me)
    urls = {
        "all": "/rest/v1/errands?order=id",
        "place": "/rest/v1/errands?place=eq.a&order=id",
        "top": "/rest/v1/errands?order=rank.desc,id&limit=3",
        "second": "/rest/v1/errands?order=rank,id&limit=2&offset=1",
        "either": "/rest/v1/errands?or=(place.eq.b,done.is.true)&order=id",
        "stops": "/rest/v1/errands?select=id,stops(id)&order=id&stops.order=id",
    }

    def write() -> str:
        number, owner = random.randrange(12), random.choice([me, me, other])
        values = f"'{random.choice('abc')}', {random.randrange(5)}, {random.choice(['true', 'false'])}"
        return random.choice([
            f"insert into errands values ({number}, '{owner}', {values}) on conflict do nothing",
            f"update errands set (place, rank, done) = ({values}) where id = {number}",
            f"update errands set owner = '{owner}' where id = {number}",
            f"delete from errands where id = {number}",
            f"insert into stops select {random.randrange(30)}, id from errands where id = {number} on conflict do nothing",
        ])  # fmt: skip

    async def scenario() -> None:
        protocols = ["apus.live.v1", f"bearer.{token}"]
        async with connect(address(live_server), subprotocols=protocols) as socket:
            assert socket.subprotocol == "apus.live.v1"
            follower = Follower(socket)
            for name, url in urls.items():
                await follower.send(type="follow", id=name, url=url)
            for _ in range(8):
                await asyncio.to_thread(live_server.sql, ";".join(write() for _ in range(10)))
                for name, url in urls.items():
                    await follower.until_rows(name, await asyncio.to_thread(fresh, live_server, token, url))
            last = follower.cursors
        # What happens while nobody is there is not missed.
        await asyncio.to_thread(live_server.sql, ";".join(write() for _ in range(10)))
        async with connect(address(live_server), subprotocols=protocols) as socket:
            again = Follower(socket)
            again.rows = follower.rows
            for name, url in urls.items():
                await again.send(type="follow", id=name, url=url, last=last[name])
            for name, url in urls.items():
                await again.until_rows(name, await asyncio.to_thread(fresh, live_server, token, url))

    asyncio.run(scenario())


def test_a_session_that_ends_ends_its_follows(live_server: ApusServer) -> None:
    app = supabase.create_client(live_server.url, live_server.token("anon"))
    mail = f"{uuid.uuid4().hex}@example.com"
    session = app.auth.sign_up({"email": mail, "password": "correct horse battery"}).session
    assert session is not None

    async def scenario() -> None:
        async with connect(f"{address(live_server)}?apikey={live_server.token('anon')}") as socket:
            follower = Follower(socket)
            await follower.send(type="auth", token=session.access_token)
            assert (await follower.until("authenticated"))["data"]["role"] == "authenticated"
            backend = live_server.token("service_role")
            await follower.send(type="follow", id="mine", url="/rest/v1/errands?order=id")
            await follower.send(type="follow", id="backend", url="/rest/v1/crowd?order=id", token=backend)
            await follower.until("snapshot", "mine")
            if "backend" not in follower.rows:
                await follower.until("snapshot", "backend")
            await asyncio.to_thread(app.auth.sign_out)
            end = await follower.until("end", "mine")
            assert end["data"]["code"].startswith("PGRST30"), end
            await asyncio.to_thread(live_server.sql, "insert into crowd values (1, 'still')")
            assert (await follower.until("changes", "backend"))["data"][0]["row"]["text"] == "still"

    asyncio.run(scenario())


def test_whoever_is_signed_out_hears_nothing_more(live_server: ApusServer) -> None:
    """Twenty people, one signed out after the other. `APUS_MEASURE=1` prints how long their streams outlived that."""
    delays: dict[str, list[float]] = {"/live/v1": [], "/realtime/v1": []}

    def call(path: str, token: str, body: dict) -> dict:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(live_server.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "{}")

    async def heard(socket: ClientConnection, word: str) -> float:
        async with asyncio.timeout(PATIENCE):
            while word not in await socket.recv():
                pass
        return time.monotonic()

    async def scenario() -> None:
        anon = live_server.token("anon")
        for number in range(20):
            token = call("/auth/v1/signup", anon, {"data": {}})["access_token"]
            old = live_server.url.replace("http", "ws", 1) + f"/realtime/v1/websocket?apikey={token}&vsn=1.0.0"
            async with connect(f"{address(live_server)}?apikey={token}") as live, connect(old) as channel:
                await live.send(json.dumps({"type": "follow", "id": "crowd", "url": "/rest/v1/errands?order=id"}))
                await heard(live, "snapshot")
                join = {"topic": f"realtime:{number}", "event": "phx_join", "payload": {"config": {}}, "ref": "1"}
                await channel.send(json.dumps(join))
                await heard(channel, "phx_reply")
                ends = asyncio.gather(heard(live, '"end"'), heard(channel, "InvalidJWTToken"))
                began = time.monotonic()
                await asyncio.to_thread(call, "/auth/v1/logout?scope=local", token, {})
                for times, end in zip(delays.values(), await ends):
                    times.append((end - began) * 1000)

    asyncio.run(scenario())
    if os.environ.get("APUS_MEASURE"):
        for path, times in delays.items():
            times.sort()
            print(f"{path}: from the request to sign out to the end, p50 {times[9]:.0f} ms, max {times[-1]:.0f} ms")


def test_who_does_not_read_is_closed_and_can_resume(live_server: ApusServer) -> None:
    token = live_server.token("service_role")
    live_server.sql("truncate crowd; insert into crowd values (0, '')")

    async def scenario() -> None:
        url = "/rest/v1/crowd?order=id"
        headers = {"Authorization": f"Bearer {token}"}
        connecting = connect(address(live_server), additional_headers=headers, max_queue=1, max_size=None)
        async with asyncio.timeout(4 * PATIENCE), connecting as lazy:
            follower = Follower(lazy)
            await follower.send(type="follow", id="crowd", url=url)
            await follower.until("snapshot", "crowd")
            busy = Follower(await connect(address(live_server), additional_headers=headers, max_size=None))
            await busy.send(type="follow", id="crowd", url=url)
            for number in range(40):
                text = f"update crowd set text = repeat('{number % 10}', 1000000) where id = 0"
                await asyncio.to_thread(live_server.sql, text)
                while not busy.rows.get("crowd") or busy.rows["crowd"][0]["text"][:1] != str(number % 10):
                    await busy.hear()
            with pytest.raises(ConnectionClosed):
                while True:
                    await follower.hear()
            # Who does not take the server's word within five seconds does not get it.
            assert lazy.close_code in (4008, 1006)
            async with connect(address(live_server), additional_headers=headers, max_size=None) as socket:
                again = Follower(socket)
                again.rows = follower.rows
                await again.send(type="follow", id="crowd", url=url, last=follower.cursors["crowd"])
                await again.until_rows("crowd", busy.rows["crowd"])
            await busy.socket.close()

    asyncio.run(scenario())


def test_what_is_wrong_is_told_and_the_connection_goes_on(live_server: ApusServer) -> None:
    async def scenario() -> None:
        async with connect(address(live_server)) as socket:
            follower = Follower(socket)
            await socket.send("no json")
            assert (await follower.until("error"))["data"]["code"] == "APUS527"
            await follower.send(type="follow", id="a", url="/rest/v1/no_such_table")
            assert (await follower.until("error", "a"))["data"]["code"] == "PGRST205"
            await follower.send(type="follow", id="a", url="/rest/v1/crowd")
            await follower.until("snapshot", "a")
            await follower.send(type="unfollow", id="a")
            await follower.until("unfollowed", "a")
            await follower.send(type="ping")
            await follower.until("pong")
            await socket.send(b"bytes")
            with pytest.raises(ConnectionClosed):
                await follower.hear()
            assert socket.close_code == 1003

    asyncio.run(scenario())
