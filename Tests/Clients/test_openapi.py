"""The OpenAPI 3.1 document, by the judgement of a validator that is not ours."""

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator


def document(server, token: str | None = None) -> dict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    reply = httpx.get(f"{server.url}/rest/v1/openapi.json", headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def faults(document: dict) -> list[str]:
    return [f"{list(error.path)}: {error.message[:200]}" for error in OpenAPIV31SpecValidator(document).iter_errors()]


@pytest.mark.parametrize("role", [None, "authenticated", "service_role"])
def test_example_is_valid(server, role):
    shown = document(server, server.token(role) if role else None)
    assert faults(shown) == []
    assert "/skills" in shown["paths"]
    assert ("/questions" in shown["paths"]) == (role is not None)


@pytest.mark.parametrize("role", [None, "authenticated"])
def test_nasty_is_valid(nasty_server, role):
    shown = document(nasty_server, nasty_server.token(role) if role else None)
    assert faults(shown) == []
    assert ("/keyless" in shown["paths"]) == (role is not None)
    assert len(shown["components"]["schemas"]["wide"]["properties"]) == 1600


def test_nasty_paths_lead_where_they_say(nasty_server):
    """Whatever characters a name has: its path, put behind the server's URL as it is, reads its rows."""
    token = nasty_server.token("authenticated")
    shown = document(nasty_server, token)
    base = f"{nasty_server.url}/rest/v1"
    relations = [path for path in shown["paths"] if not path.startswith("/rpc/")]
    assert len(relations) >= 13
    for path in relations:
        reply = httpx.get(base + path, headers={"Authorization": f"Bearer {token}"})
        assert reply.status_code == 200, f"{path}: {reply.text}"
