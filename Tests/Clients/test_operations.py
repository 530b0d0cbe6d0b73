"""What load balancers and Prometheus see."""

import re
import shutil
import subprocess

import httpx
import pytest

PROMTOOL = shutil.which("promtool")


@pytest.fixture
def http(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


def value(text: str, sample: str) -> float:
    """The sum of the samples whose name and labels this pattern matches."""
    return sum(float(found) for found in re.findall(rf"^{sample} (\S+)$", text, re.MULTILINE))


def test_health(http):
    assert http.get("/health/live").json() == {"status": "live"}
    assert http.get("/health/ready").json() == {"status": "ready"}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_has_nothing_to_complain_about(http, anon):
    anon.table("skills").select("id").execute()
    metrics = http.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    check = subprocess.run([PROMTOOL, "check", "metrics"], input=metrics.content, capture_output=True)
    assert check.returncode == 0, check.stderr.decode()


def test_requests_are_counted(http, anon):
    answered = r'http_server_request_duration_seconds_count\{[^}]*http_response_status_code="200"[^}]*\}'
    before = value(http.get("/metrics").text, answered)
    for _ in range(3):
        anon.table("skills").select("id").execute()
    after = http.get("/metrics").text
    assert value(after, answered) == before + 3
    assert value(after, "process_resident_memory_bytes") > 1_000_000
    assert value(after, r"apus_build_info\{[^}]*\}") == 1


def test_no_word_of_a_client_becomes_a_label(http):
    http.get("/rest/v1/words-of-a-client?select=other-words")
    http.get("/words-of-a-client")
    http.request("WORDSOFACLIENT", "/rest/v1/skills")
    text = http.get("/metrics").text.lower()
    assert "wordsofaclient" not in text and "words-of-a-client" not in text and "other-words" not in text
