"""Authentication's figures, for scripts/bench: sign-ins, refreshes, what revocation costs, sign-ups without a mail server."""

import concurrent.futures
import ctypes
import ctypes.util
import http.client
import json
import os
import statistics
import subprocess
import threading
import time

PASSWORD = "a horse of another colour"
UNLIMITED = [
    argument
    for name in ("signup", "token", "verify", "otp", "user", "anonymous-users")
    for argument in (f"--auth-rate-limit-{name}", "0")
]
USERS = 64


class Caller:
    """One connection that is kept."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path: str, body: dict, token: str | None = None) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.connection.request("POST", "/auth/v1" + path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def reference_argon2id():
    """One hash by the reference implementation: a function of where it goes, 32 bytes."""
    hash_raw = ctypes.CDLL(ctypes.util.find_library("argon2")).argon2id_hash_raw
    hash_raw.argtypes = [
        *[ctypes.c_uint32] * 3, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
        ctypes.c_void_p, ctypes.c_size_t,
    ]
    return lambda out: hash_raw(2, 19456, 1, PASSWORD.encode(), len(PASSWORD), b"s" * 16, 16, out, 32)


def libsodium_argon2id():
    """The same hash by libsodium, which Apus uses."""
    library = ctypes.CDLL(ctypes.util.find_library("sodium"))
    assert library.sodium_init() >= 0
    hash_raw = library.crypto_pwhash_argon2id
    hash_raw.argtypes = [
        ctypes.c_void_p, ctypes.c_ulonglong, ctypes.c_char_p, ctypes.c_ulonglong, ctypes.c_char_p,
        ctypes.c_ulonglong, ctypes.c_size_t, ctypes.c_int,
    ]
    return lambda out: hash_raw(out, 32, PASSWORD.encode(), len(PASSWORD), b"s" * 16, 2, 19456 * 1024, 2)


def bare_argon2id(seconds: int, hash_raw) -> float:
    """Hashes a second that this machine makes with nothing around them: as many threads as processors."""
    counts = [0] * (os.cpu_count() or 1)
    end = time.monotonic() + seconds

    def work(index: int):
        out = ctypes.create_string_buffer(32)
        while time.monotonic() < end:
            assert hash_raw(out) == 0
            counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def timed(workers: int, seconds: int, work) -> tuple[float, list[float]]:
    """Calls `work(worker)` again and again on so many threads; calls a second, and how long each took in ms."""
    end = time.monotonic() + seconds

    def loop(worker: int) -> list[float]:
        taken = []
        while time.monotonic() < end:
            start = time.monotonic()
            work(worker)
            taken.append((time.monotonic() - start) * 1000)
        return taken

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(loop, range(workers)))
    taken = sorted(sum(results, []))
    return len(taken) / seconds, taken


def row(name: str, title: str, connections: int, rate: float, reference: float, taken: list[float], goal: float) -> dict:
    return {
        "name": name, "title": title, "connections": connections, "rate": rate, "reference": reference,
        "clients": connections, "ratio": rate / reference if reference else 0.0,
        "p50": taken[len(taken) // 2] if taken else 0.0, "p99": taken[len(taken) * 99 // 100] if taken else 0.0,
        "goal": goal,
    }


# The load generator shares the processors with the hashes, so it is one that costs little.
SIGN_INS = """
local fields = {['Content-Type'] = 'application/json'}
local number = 0
function request()
  number = number + 1
  return wrk.format('POST', '/auth/v1/token?grant_type=password', fields,
    '{"email":"u' .. number %% %d .. '@bench.example","password":"%s"}')
end
""" % (USERS, PASSWORD)


def measure(server, service_key: str, seconds: int, wrk, in_turns):
    workers = 8
    callers = [Caller(server.port) for _ in range(workers)]
    for number in range(USERS):
        status, answer = callers[0].post(
            "/admin/users", {"email": f"u{number}@bench.example", "password": PASSWORD, "email_confirm": True}, service_key)
        assert status == 200, answer
    tokens = [""] * workers
    for worker in range(workers):
        status, answer = callers[worker].post(
            "/token?grant_type=password", {"email": f"u{worker}@bench.example", "password": PASSWORD})
        assert status == 200, answer
        tokens[worker] = answer["refresh_token"]

    def refresh(worker: int):
        status, answer = callers[worker].post("/token?grant_type=refresh_token", {"refresh_token": tokens[worker]})
        assert status == 200, answer
        tokens[worker] = answer["refresh_token"]

    for title, one, goal in (("the reference implementation", reference_argon2id(), 0.9),
                             ("libsodium, which Apus uses", libsodium_argon2id(), None)):
        ratio, bare, result = in_turns(
            lambda: bare_argon2id(seconds, one), lambda: wrk(server.port, SIGN_INS, seconds, workers))
        made = row("auth", f"sign-ins by password, against bare Argon2id of {title}", workers, result["rate"], bare, [], goal)
        yield made | {"ratio": ratio, "p50": result["p50"], "p99": result["p99"]}
    rate, taken = timed(workers, seconds, refresh)
    yield row("auth", "token refreshes", workers, rate, 0.0, taken, 0.0)


def session(server, service_key: str) -> str:
    """The access token of somebody new who is signed in."""
    caller, person = Caller(server.port), {"email": "reader@bench.example", "password": PASSWORD}
    status, answer = caller.post("/admin/users", person | {"email_confirm": True}, service_key)
    assert status == 200, answer
    status, answer = caller.post("/token?grant_type=password", person)
    assert status == 200, answer
    return answer["access_token"]


def revocation_checks(checked, unchecked, token: str, read, rounds: int = 9) -> dict:
    """What asking whether a session has ended adds to a data request: processor time of the server for one read, with
    authentication and without, turn by turn. The quickest third of either's turns is compared: what else the machine does
    makes turns slower and none quicker."""
    for server in (checked, unchecked):
        read(server, token)
    costs = [(read(checked, token), read(unchecked, token)) if turn % 2 else
             (read(unchecked, token), read(checked, token))[::-1] for turn in range(rounds)]
    ratios = sorted(one / other for one, other in costs)
    quickest = [sorted(side)[: rounds // 3] for side in zip(*costs)]
    ratio = statistics.mean(quickest[0]) / statistics.mean(quickest[1])
    title = f"revocation checks: {100 * (ratio - 1):+.1f} % of a read's processor time " \
            f"(single turns {100 * (ratios[0] - 1):+.1f} to {100 * (ratios[-1] - 1):+.1f}; goal at most +2)"
    made = row("auth", title, 64, 0.0, 0.0, [], 0.0)
    return made | {"ratio": ratio, "microseconds": costs}


def sign_ups(server) -> dict:
    """1,000 at once while the mail server is down: all are answered, and every mail waits in the queue."""
    before = server.memory()
    peak, done = [before], threading.Event()

    def watch():
        while not done.wait(0.05):
            peak[0] = max(peak[0], server.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()

    def sign_up(number: int) -> float:
        start = time.monotonic()
        status, answer = Caller(server.port).post(
            "/signup", {"email": f"new{number}@bench.example", "password": PASSWORD})
        assert status == 200, answer
        return (time.monotonic() - start) * 1000

    start = time.monotonic()
    try:
        with concurrent.futures.ThreadPoolExecutor(1000) as pool:
            taken = sorted(pool.map(sign_up, range(1000)))
    finally:
        done.set()
        watcher.join()
    rate = 1000 / (time.monotonic() - start)
    waiting = subprocess.run(
        ["psql", "-Atc", "select count(*) from apus.messages", server.database()],
        check=True, capture_output=True, text=True).stdout.strip()
    assert waiting == "1000", f"{waiting} of 1,000 mails wait"
    title = f"1,000 sign-ups at once, no mail server: none lost, +{peak[0] - before:.0f} MB at the peak"
    return row("auth", title, 1000, rate, 0.0, taken, 0.0)
