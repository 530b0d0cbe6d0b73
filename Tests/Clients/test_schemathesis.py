"""Thousands of requests made up from the OpenAPI document: no 5xx, and no answer that the document does not allow.

The seed is fixed; `APUS_SCHEMATHESIS_EXAMPLES` asks for more than a run of all tests can afford.
"""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from apus_server import ApusServer
from conftest import running
from seeded import asker

EXAMPLES = os.environ.get("APUS_SCHEMATHESIS_EXAMPLES", "8")
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
]


@pytest.fixture(scope="module")
def example() -> Iterator[ApusServer]:
    """One of its own: what is made up here is written there."""
    yield from running(ApusServer())


def attack(server: ApusServer, token: str | None, *options: str) -> None:
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", f"{server.url}/rest/v1/openapi.json",
        "--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", "7", "--continue-on-failure",
        "--suppress-health-check", "all", "--warnings", "off", "--no-color", *options,
    ]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    ran = subprocess.run(command, cwd=server.directory, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert "No issues found" in ran.stdout


@pytest.mark.parametrize("role", ["authenticated", "service_role"])
def test_example(example, role):
    attack(example, example.token(role, asker(1)), "--phases", "coverage,fuzzing")


def test_example_anonymous(example):
    attack(example, None, "--phases", "fuzzing")


# None: anonymous.
@pytest.mark.parametrize("role", ["authenticated", None])
def test_nasty(nasty_server, role):
    token = role and nasty_server.token(role)
    attack(nasty_server, token, "--phases", "coverage,fuzzing", "--exclude-path", "/wide")


@pytest.mark.parametrize("role", ["authenticated", None])
def test_widest_table(nasty_server, role):
    """Its 1,600 parameters are too many to go through one by one."""
    token = role and nasty_server.token(role)
    attack(nasty_server, token, "--phases", "fuzzing", "--include-path", "/wide")
