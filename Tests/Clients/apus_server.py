"""The real server, started the way a developer starts it, on the experts example."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from reserved_port import ReservedPort

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "experts"
NASTY = pathlib.Path(__file__).resolve().parent / "nasty"
#: At least 32 bytes; only ever used against a throw-away database.
SECRET = "only-for-tests-only-for-tests-only"

#: All tests call from one address.
UNLIMITED = [
    argument
    for name in ("signup", "token", "verify", "otp", "user", "anonymous-users")
    for argument in (f"--auth-rate-limit-{name}", "0")
] + ["--auth-smtp-max-frequency", "0"]


def binary() -> pathlib.Path:
    """`APUS_BINARY`, or the newest of what `swift build` left behind."""
    if named := os.environ.get("APUS_BINARY"):
        return pathlib.Path(named).resolve()
    built = [ROOT / ".build" / kind / "apus" for kind in ("release", "debug")]
    existing = [path for path in built if path.is_file()]
    if not existing:
        raise FileNotFoundError("no apus binary: build it, or name one in APUS_BINARY")
    return max(existing, key=lambda path: path.stat().st_mtime)


class ApusServer:
    """One process with a database of its own, both gone when it is closed."""

    #: The first start unpacks PostgreSQL, migrates and seeds.
    START_SECONDS = 240
    STOP_SECONDS = 60

    def __init__(self, migrations: pathlib.Path = EXAMPLE / "migrations", *options: str) -> None:
        """Of the example, unless other migrations are named; `options` are flags of `apus serve`."""
        self.binary = binary()
        self.options = ["--migrations", str(migrations), *options]
        if migrations.parent == EXAMPLE:
            self.options += ["--seed", str(EXAMPLE / "seed")]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="apus-clients-"))
        # PostgreSQL refuses to be root, so the server may run it as somebody who must be able to get here.
        self.directory.chmod(0o711)
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.directory / "apus.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            str(self.binary), "serve",
            # The first that says something wins.
            *self.options,
            "--data-dir", str(self.directory / "data"),
            "--server-port", str(self.port),
            "--log-format", "json",
            "--auth-mailer-autoconfirm", "true",
            "--auth-external-anonymous-users-enabled", "true",
            *UNLIMITED,
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait_until_ready()

    def stop(self) -> int:
        """Asks the server to stop and returns its exit status; kills it when it does not."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(self.STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def kill(self) -> None:
        """Ends the process without a chance to put anything in order; `start` begins anew on its data."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    def sql(self, script: str) -> str:
        """Runs statements as the owner of the database, and returns what psql prints."""
        told = subprocess.run(
            [str(self.binary), "db", "url", "--data-dir", str(self.directory / "data")],
            cwd=self.directory, env=self._environment(), check=True, capture_output=True, text=True,
        )  # fmt: skip
        command = ["psql", told.stdout.strip(), "-AtXq", "-v", "ON_ERROR_STOP=1", "-c", script]
        made = subprocess.run(command, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def token(self, role: str, subject: str | None = None, seconds: int | None = None) -> str:
        """A token made by `apus token` with the server's own secret."""
        command = [str(self.binary), "token", "--role", role]
        if seconds:
            command += ["--expires-in", f"{seconds}s"]
        if subject:
            command += ["--sub", subject]
        made = subprocess.run(
            command, cwd=self.directory, env=self._environment(), check=True, capture_output=True, text=True
        )
        return made.stdout.strip()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        """Without the caller's settings, which would lead the server to another database."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("APUS_")}
        kept.pop("DATABASE_URL", None)
        return kept | {"APUS_JWT_SECRET": SECRET}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"apus ended while it started:\n{self.log_text()}")
            try:
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"apus was not ready after {self.START_SECONDS} s:\n{self.log_text()}")
