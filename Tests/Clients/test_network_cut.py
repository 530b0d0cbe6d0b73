"""Two nodes, one behind a network of its own that is cut: broadcasts, presence and live reads on both sides of the cut.

The node inside has two lines: one to PostgreSQL and Redis, which is cut, and one to its clients, which is not. Needs root
and the right to make network namespaces.
"""

import asyncio
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect

from apus_server import EXAMPLE, ROOT, ApusServer
from conftest import running
from test_live import Follower
from test_nodes import PATIENCE, Member, has_tag, room


def command(*words: str, check: bool = True) -> str:
    made = subprocess.run(words, capture_output=True, text=True)
    if check:
        assert made.returncode == 0, f"{words}: {made.stdout}{made.stderr}"
    return made.stdout.strip()


class Network:
    """A namespace with two lines to it, and what runs at its other end: PostgreSQL and Redis."""

    def __init__(self) -> None:
        number = os.getpid() % 200 + 20
        self.name = f"apus{os.getpid()}"
        #: The host's addresses; those inside end in 2.
        self.backbone, self.front = f"10.97.{number}.1", f"10.96.{number}.1"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="apus-cut-"))
        self.directory.chmod(0o777)
        bin = os.environ.get("APUS_TEST_PG_BIN", str(ROOT / ".cache/postgresql-18/bin"))
        account = next(name for name in ("postgres", "nobody") if self._has(name))
        self._postgres = lambda tool, *words: command("runuser", "-u", account, "--", f"{bin}/{tool}", *words)
        self._redis: subprocess.Popen[bytes] | None = None

    @staticmethod
    def _has(account: str) -> bool:
        with suppress(KeyError):
            return pwd.getpwnam(account).pw_uid > 0
        return False

    def start(self) -> None:
        command("ip", "netns", "add", self.name)
        command("ip", "netns", "exec", self.name, "ip", "link", "set", "lo", "up")
        for line, address in ((f"{self.name}b", self.backbone), (f"{self.name}f", self.front)):
            command("ip", "link", "add", line, "type", "veth", "peer", "name", f"{line}n", "netns", self.name)
            command("ip", "addr", "add", f"{address}/24", "dev", line)
            command("ip", "link", "set", line, "up")
            inside = ("ip", "-n", self.name)
            command(*inside, "addr", "add", f"{address[:-1]}2/24", "dev", f"{line}n")
            command(*inside, "link", "set", f"{line}n", "up")
        data = str(self.directory / "data")
        self._postgres("initdb", "-D", data, "-U", "postgres", "--auth", "trust", "-N")
        with open(f"{data}/pg_hba.conf", "a") as file:
            file.write(f"host all all {self.backbone}/24 trust\nhost replication all {self.backbone}/24 trust\n")
        with open(f"{data}/postgresql.conf", "a") as file:
            file.write(
                f"wal_level = logical\nlisten_addresses = '{self.backbone}'\nport = 5432\nfsync = off\n"
                f"unix_socket_directories = '{self.directory}'\n"
            )
        self._postgres("pg_ctl", "-D", data, "-w", "-l", str(self.directory / "log"), "start")
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        assert program, "no Redis: scripts/setup --test"
        self._redis = subprocess.Popen(
            ["redis-server", "--port", "6379", "--bind", self.backbone, "--protected-mode", "no", "--save", ""],
            executable=program, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def cut(self) -> None:
        command("ip", "link", "set", f"{self.name}b", "down")
        # The host reaches itself all the same.
        command("ip", "addr", "add", f"{self.backbone}/32", "dev", "lo")

    def mend(self) -> None:
        command("ip", "addr", "del", f"{self.backbone}/32", "dev", "lo")
        command("ip", "link", "set", f"{self.name}b", "up")

    def sql(self, script: str) -> str:
        return command("psql", f"host={self.directory} user=postgres dbname=postgres", "-AtXqc", script)

    def remove(self) -> None:
        if self._redis is not None:
            self._redis.kill()
            self._redis.wait()
        with suppress(AssertionError):
            self._postgres("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "stop")
        command("ip", "addr", "del", f"{self.backbone}/32", "dev", "lo", check=False)
        for line in "bf":
            command("ip", "link", "del", f"{self.name}{line}", check=False)
        command("ip", "netns", "del", self.name, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


def _may_make_networks() -> bool:
    name = f"apus-try{os.getpid()}"
    attempt = f"ip netns add {name} && ip netns exec {name} ip link set lo up; made=$?; ip netns del {name}; exit $made"
    return subprocess.run(["sh", "-c", attempt], capture_output=True).returncode == 0


class Node(ApusServer):
    def __init__(self, network: Network, is_inside: bool) -> None:
        database = f"host={network.backbone} port=5432 dbname=postgres"
        super().__init__(
            EXAMPLE / "migrations", "--db-admin-uri", f"{database} user=postgres", "--db-uri",
            f"{database} user=authenticator", "--realtime-bus-uri", f"redis://{network.backbone}:6379",
            "--server-host", "0.0.0.0",
        )  # fmt: skip
        if is_inside:
            self.url = f"http://{network.front[:-1]}2:{self.port}"
            wrapper = self.directory / "inside"
            wrapper.write_text(f'#!/bin/sh\nexec ip netns exec {network.name} {self.binary} "$@"\n')
            wrapper.chmod(0o755)
            self.binary = wrapper

    def live(self) -> str:
        return self.url.replace("http", "ws", 1) + "/live/v1"


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if not _may_make_networks():
        pytest.skip("needs root and the right to make network namespaces")
    network = Network()
    try:
        network.start()
        yield network
    finally:
        network.remove()


@pytest.fixture(scope="module")
def nodes(network: Network) -> Iterator[tuple[Node, Node]]:
    lives = []
    made = []
    for is_inside in (True, False):
        made.append(Node(network, is_inside))
        lives.append(running(made[-1]))
        next(lives[-1])
    yield made[0], made[1]
    for life in lives:
        with pytest.raises(StopIteration):
            next(life)


def test_both_sides_of_a_cut_agree_again_when_it_is_mended(network: Network, nodes: tuple[Node, Node]) -> None:
    inside, outside = nodes

    async def scenario() -> None:
        network.sql("create table public.marks (id int primary key); insert into marks values (1)")
        url = "/rest/v1/marks?order=id"
        token = outside.token("service_role")
        async with asyncio.timeout(PATIENCE):
            for node in nodes:
                while not await asyncio.to_thread(has_tag, node, url, token):
                    await asyncio.sleep(0.1)
        name = room()
        async with (
            Member.joined(inside, name, "ann") as ann,
            Member.joined(outside, name, "bob") as bob,
            connect(f"{inside.live()}?apikey={token}", subprotocols=["apus.live.v1"]) as near,
            connect(f"{outside.live()}?apikey={token}", subprotocols=["apus.live.v1"]) as far,
        ):
            followers = [Follower(near), Follower(far)]
            for follower in followers:
                await follower.send(type="follow", id="marks", url=url)
                await follower.until_rows("marks", [{"id": 1}])
            await ann.track({"turn": 1})
            await bob.track({"turn": 1})
            for member in (ann, bob):
                await member.until(lambda: member.keys() == ["ann", "bob"])

            network.cut()
            # Outside, life goes on: the feed is read there within seconds, and who is behind the cut is away.
            network.sql("insert into marks values (2)")
            await followers[1].until_rows("marks", [{"id": 1}, {"id": 2}])
            await bob.until(lambda: bob.keys() == ["bob"])
            await bob.broadcast("behind the cut")
            await bob.track({"turn": 2})
            # Inside, clients are served what the node knows.
            await ann.until(lambda: ann.keys() == ["ann"])
            await ann.track({"turn": 3})
            await ann.until(lambda: 3 in [entry["turn"] for entry in ann.present.values()])
            network.sql("insert into marks values (3)")
            await followers[1].until_rows("marks", [{"id": 1}, {"id": 2}, {"id": 3}])
            assert followers[0].rows["marks"] == [{"id": 1}]

            network.mend()
            await followers[0].until_rows("marks", [{"id": 1}, {"id": 2}, {"id": 3}])
            for member in (ann, bob):
                await member.until(
                    lambda: sorted((entry["key"], entry["turn"]) for entry in member.present.values())
                    == [("ann", 3), ("bob", 2)]
                )
            for sender, other in ((ann, bob), (bob, ann)):
                await sender.broadcast(f"from {sender is ann}")
                await other.until(lambda: other.heard[-1:] == [f"from {sender is ann}"])
            assert "behind the cut" not in ann.heard, "broadcasts travel at most once"
            network.sql("insert into marks values (4)")
            for follower in followers:
                await follower.until_rows("marks", [{"id": number} for number in range(1, 5)])

    asyncio.run(scenario())
