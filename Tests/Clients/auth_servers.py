"""Servers with authentication switched on, and people on them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import supabase

import conftest
from apus_server import EXAMPLE, ApusServer

PASSWORD = "correct horse battery staple"


@contextmanager
def running(**settings: str) -> Iterator[ApusServer]:
    """A server with these settings (by name, with underscores), where addresses count as confirmed."""
    settings = {"auth_mailer_autoconfirm": "true"} | settings
    options = [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", value)]
    yield from conftest.running(ApusServer(EXAMPLE / "migrations", *options))


def sign_up(server: ApusServer) -> tuple[supabase.Client, str]:
    """Somebody new, signed in, and their address."""
    client = supabase.create_client(server.url, server.token("anon"))
    email = f"{uuid.uuid4().hex}@example.org"
    client.auth.sign_up({"email": email, "password": PASSWORD})
    return client, email


def post(server: ApusServer, path: str, token: str | None, body: dict) -> httpx.Response:
    """A request that the SDK has no method for."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{server.url}/auth/v1{path}", headers=headers, json=body)
