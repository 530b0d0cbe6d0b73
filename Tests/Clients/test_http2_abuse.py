"""Clients of HTTP/2 that are slow, greedy, or at war: each costs little, ends in time, and harms nobody else."""

import pathlib
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import trustme

from apus_server import ApusServer
from conftest import running
from http2_client import (
    Connection, ContinuationFrame, DataFrame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame,
    WindowUpdateFrame,
)  # fmt: skip

READ_SECONDS = 2
IDLE_SECONDS = 3
ENHANCE_YOUR_CALM = 0xB

MIGRATION = """
create function nap(seconds float) returns text language plpgsql stable as $$
    begin perform pg_sleep(seconds); return 'awake'; end $$;
create function large(bytes int) returns text language sql stable as $$ select repeat('x', bytes) $$;
create function echo(json) returns json language sql immutable as $$ select $1 $$;
"""


class SecureServer(ApusServer):
    """One that speaks TLS, and so HTTP/2."""

    def __init__(self, directory: pathlib.Path) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        (directory / "migrations").mkdir()
        (directory / "migrations" / "20240101000000_tests.sql").write_text(MIGRATION)
        certificate.cert_chain_pems[0].write_to_path(directory / "cert.pem")
        certificate.private_key_pem.write_to_path(directory / "key.pem")
        super().__init__(
            directory / "migrations", "--server-tls-certificate", str(directory / "cert.pem"),
            "--server-tls-key", str(directory / "key.pem"), "--server-read-timeout", str(READ_SECONDS),
            "--server-idle-timeout", str(IDLE_SECONDS), "--server-max-body", "10000",
        )  # fmt: skip
        self.authority = authority
        self.url = f"https://127.0.0.1:{self.port}"

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def connect(self, **options: int) -> Connection:
        return Connection(self.port, self.context(), **options).greet()

    def answers(self) -> bool:
        """Whether somebody else is served."""
        with self.connect() as other:
            other.request(1, "/rest/v1/rpc/large?bytes=3")
            other.read_until(other.ended(1))
            return other.status(1) == 200 and other.body(1) == b'"xxx"'

    def resident(self) -> int:
        """Bytes of memory of the process."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def naps(self) -> int:
        return int(self.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep'"))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None and self.process.poll() is None, self.log_text()
            try:
                if self.answers():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError(self.log_text())


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    yield from running(SecureServer(tmp_path_factory.mktemp("secure")))


# Slow senders.


def test_handshake_that_never_comes(secure: SecureServer) -> None:
    with socket.create_connection(("127.0.0.1", secure.port), timeout=30) as silent:
        assert silent.recv(1) == b""


def test_preface_that_never_comes(secure: SecureServer) -> None:
    with Connection(secure.port, secure.context()) as silent:
        silent.read_to_end()


def test_request_that_never_comes(secure: SecureServer) -> None:
    with secure.connect() as silent:
        silent.read_to_end()


def test_header_block_that_never_ends(secure: SecureServer) -> None:
    with secure.connect() as slow:
        slow.send(HeadersFrame(1, slow.block("/health/live")))
        slow.read_to_end()
        assert slow.status(1) is None


def test_body_that_never_ends(secure: SecureServer) -> None:
    with secure.connect() as slow:
        slow.request(1, "/rest/v1/rpc/echo", "POST", [("content-type", "application/json")], ends=False)
        slow.send(DataFrame(1, b"[1"))
        assert slow.read_until(slow.ended(1))
        assert slow.status(1) == 408
        assert b"APUS408" in slow.body(1)
        slow.request(3, "/health/live")
        assert slow.read_until(slow.ended(3))
        assert slow.status(3) == 200, "the other streams of the connection go on"


def test_dripping_bytes_do_not_buy_time(secure: SecureServer) -> None:
    with secure.connect() as slow:
        slow.request(1, "/rest/v1/rpc/echo", "POST", [("content-type", "application/json")], ends=False)
        slow.socket.settimeout(0.2)
        began = time.monotonic()
        done = slow.ended(1)
        while time.monotonic() < began + 20:
            slow.send(DataFrame(1, b" "))
            try:
                assert slow.read_until(done)
                break
            except TimeoutError:
                continue
        assert slow.status(1) == 408


def test_idle_connection_ends(secure: SecureServer) -> None:
    with secure.connect() as idle:
        idle.request(1, "/health/live")
        assert idle.read_until(idle.ended(1))
        idle.read_to_end()


# Slow takers.


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_window_that_stays_closed(secure: SecureServer, size: int) -> None:
    with secure.connect(window=0) as greedy:
        greedy.request(1, f"/rest/v1/rpc/large?bytes={size}")
        assert greedy.read_until(lambda frame: isinstance(frame, HeadersFrame))
        assert greedy.status(1) == 200
        greedy.read_until(greedy.ended(1))
        assert greedy.reset(1) or greedy.is_closed
        assert greedy.body(1) == b""
    assert secure.answers()


def test_window_that_opens_slowly(secure: SecureServer) -> None:
    """Slow is not closed: a client that takes something now and then gets all of it."""
    size = 200_000
    with secure.connect(window=50_000) as slow:
        slow.request(1, f"/rest/v1/rpc/large?bytes={size}")
        got = 0
        for _ in range(3):
            slow.read_until(lambda frame: len(slow.body(1)) >= got + 50_000)
            got = len(slow.body(1))
            time.sleep(IDLE_SECONDS * 0.5)  # What is tested is time: all of them are longer than an idle connection has.
            slow.send(WindowUpdateFrame(0, 70_000), WindowUpdateFrame(1, 70_000))
        slow.send(WindowUpdateFrame(0, 70_000), WindowUpdateFrame(1, 70_000))
        assert slow.read_until(slow.ended(1))
        assert not slow.reset(1)
        assert len(slow.body(1)) == size + 2


# Floods.


def test_rapid_reset(secure: SecureServer) -> None:
    """CVE-2023-44487: requests that are taken back at once."""
    with secure.connect() as attacker:
        for stream in range(1, 8_001, 2):
            block = attacker.block("/rest/v1/rpc/nap?seconds=30")
            if not attacker.send(
                HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]), RstStreamFrame(stream, 8)
            ):
                break
        attacker.read_to_end()
        assert attacker.farewell in (ENHANCE_YOUR_CALM, None)
    assert secure.answers()
    deadline = time.monotonic() + 20
    while secure.naps() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert secure.naps() == 0, "what was taken back is cancelled in the database"


@pytest.mark.parametrize("frame", [SettingsFrame(0, settings={4: 65_535}), PingFrame(0, b"12345678")])
def test_frames_of_the_connection(secure: SecureServer, frame: SettingsFrame | PingFrame) -> None:
    with secure.connect() as attacker:
        for _ in range(1_000):
            if not attacker.send(*[frame] * 100):
                break
        attacker.read_to_end()
        assert attacker.farewell in (ENHANCE_YOUR_CALM, None)
    assert secure.answers()


def test_continuations(secure: SecureServer) -> None:
    """CVE-2024-27316: a header block without end."""
    before = secure.resident()
    with secure.connect() as attacker:
        attacker.send(HeadersFrame(1, attacker.block("/health/live")))
        for number in range(2_000):
            if not attacker.send(ContinuationFrame(1, attacker.encoder.encode([(f"x-{number}", "y" * 4_000)]))):
                break
        attacker.read_to_end()
        assert attacker.status(1) in (None, 431)
    assert secure.resident() < before + 50_000_000
    assert secure.answers()


def test_empty_continuations(secure: SecureServer) -> None:
    with secure.connect() as attacker:
        attacker.send(HeadersFrame(1, attacker.block("/health/live")))
        for _ in range(10_000):
            if not attacker.send(ContinuationFrame(1, b"")):
                break
        attacker.read_to_end()
    assert secure.answers()


def test_empty_data(secure: SecureServer) -> None:
    """CVE-2019-9518"""
    with secure.connect() as attacker:
        attacker.request(1, "/rest/v1/rpc/echo", "POST", ends=False)
        for _ in range(10_000):
            if not attacker.send(DataFrame(1, b"")):
                break
        attacker.read_to_end()
    assert secure.answers()


def test_header_bomb(secure: SecureServer) -> None:
    """CVE-2016-6581: few bytes that are many when they are read."""
    before = secure.resident()
    with secure.connect() as attacker:
        attacker.request(1, "/health/live", fields=[("x-bomb", "y" * 4_000)])
        assert attacker.read_until(attacker.ended(1))
        one = attacker.encoder.encode([("x-bomb", "y" * 4_000)])
        assert len(one) == 1, "the field is in the table by now"
        block = attacker.block("/health/live")
        attacker.send(HeadersFrame(3, block + one * 16_000, flags=["END_HEADERS", "END_STREAM"]))
        attacker.read_until(attacker.ended(3))
        assert attacker.status(3) in (None, 431)
    assert secure.resident() < before + 50_000_000
    assert secure.answers()


# What is too large, and what is no request.


def test_long_url(secure: SecureServer) -> None:
    with secure.connect() as client:
        # Until the server's settings are acknowledged, NIO takes heads of 16 KB.
        client.request(1, "/health/live")
        assert client.read_until(client.ended(1))
        client.request(3, "/rest/v1/rpc/large?bytes=3&select=" + "x" * 60_000)
        assert client.read_until(client.ended(3))
        assert client.status(3) not in (None, 414, 431), "as over HTTP/1.1"
        client.request(5, "/" + "x" * 70_000)
        assert client.read_until(client.ended(5))
        assert client.status(5) == 414
        assert b"APUS414" in client.body(5)


def test_body_that_is_too_large(secure: SecureServer) -> None:
    with secure.connect() as client:
        client.request(1, "/rest/v1/rpc/echo", "POST", ends=False)
        client.send(DataFrame(1, b"x" * 10_001))
        assert client.read_until(client.ended(1))
        assert client.status(1) == 413


def test_many_streams_at_once(secure: SecureServer) -> None:
    streams = range(1, 181, 2)
    with secure.connect() as client:
        for stream in streams:
            client.request(stream, "/rest/v1/rpc/nap?seconds=0.1")
        for stream in streams:
            assert client.status(stream) or client.read_until(client.ended(stream))
        assert {client.status(stream) for stream in streams} == {200}


def test_more_streams_than_may_be(secure: SecureServer) -> None:
    """The settings say a hundred at once; more are refused, and none of them is carried out."""
    with secure.connect() as attacker:
        for stream in range(1, 2_001, 2):
            if not attacker.request(stream, "/rest/v1/rpc/nap?seconds=1"):
                break
        attacker.read_until(lambda frame: isinstance(frame, (RstStreamFrame, GoAwayFrame)))
        assert secure.naps() <= 100
    assert secure.answers()


LIES = {
    "length of less than comes": [("content-length", "1")],
    "length of more than comes": [("content-length", "100")],
    "two lengths": [("content-length", "2"), ("content-length", "3")],
    "coding of HTTP/1.1": [("transfer-encoding", "chunked")],
    "field of one connection": [("connection", "keep-alive")],
    "name in large letters": [("X-Upper", "y")],
    "line end in a value": [("x-y", "a\r\nhost: b")],
    "two hosts": [("host", "a"), ("host", "b")],
}


@pytest.mark.parametrize("fields", LIES.values(), ids=LIES.keys())
def test_no_request(secure: SecureServer, fields: list[tuple[str, str]]) -> None:
    with secure.connect() as client:
        client.request(1, "/rest/v1/rpc/echo", "POST", [("content-type", "application/json"), *fields], ends=False)
        client.send(DataFrame(1, b"[]", flags=["END_STREAM"]))
        client.read_until(client.ended(1))
        assert client.status(1) in (400, None), client.body(1)
        assert client.reset(1) or client.is_closed or client.status(1) == 400
    assert secure.answers()
