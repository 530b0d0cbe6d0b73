"""A real Redis on a port of its own, with nothing on disk: a restart brings it back empty."""

import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from reserved_port import ReservedPort


class RedisServer:
    def __init__(self) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="apus-redis-"))
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        # Debian's package of tools has the program under another name; which one it is, it knows by what it is called.
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        assert program, "no Redis: scripts/setup --test"
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            executable=program, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError("Redis does not answer")

    def kill(self) -> None:
        """Ends it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
