"""One server for all tests; a client for each kind of caller."""

import dataclasses
import os
import uuid
from collections.abc import Callable, Iterator

import pytest
import supabase

from apus_server import NASTY, ApusServer


@dataclasses.dataclass
class User:
    """Somebody signed in, with a profile of their own."""

    id: str
    handle: str
    client: supabase.Client


def running(server: ApusServer) -> Iterator[ApusServer]:
    """A server from its start to its end, and what it left behind removed."""
    try:
        server.start()
        yield server
        status = server.stop()
        assert status == 0, f"apus ended with {status}:\n{server.log_text()[-4000:]}"
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        if os.environ.get("APUS_KEEP") != "1":
            server.remove()


@pytest.fixture(scope="session")
def server() -> Iterator[ApusServer]:
    yield from running(ApusServer())


@pytest.fixture(scope="session")
def nasty_server() -> Iterator[ApusServer]:
    """A schema with every name and type that could break something."""
    yield from running(ApusServer(NASTY, "--db-schemas", "nasty"))


@pytest.fixture(scope="session")
def anon_key(server: ApusServer) -> str:
    return server.token("anon")


@pytest.fixture(scope="session")
def anon(server: ApusServer, anon_key: str) -> supabase.Client:
    """What an app is before anybody signs in."""
    return supabase.create_client(server.url, anon_key)


@pytest.fixture(scope="session")
def service(server: ApusServer) -> supabase.Client:
    """A trusted backend, which row level security does not hold back."""
    return supabase.create_client(server.url, server.token("service_role"))


@pytest.fixture(scope="session")
def sign_in(server: ApusServer, anon_key: str) -> Callable[[str], supabase.Client]:
    """An app in which the user with this id has signed in: the anonymous key, and the user's own token."""

    def sign_in(user_id: str) -> supabase.Client:
        client = supabase.create_client(server.url, anon_key)
        client.postgrest.auth(server.token("authenticated", user_id))
        return client

    return sign_in


@pytest.fixture
def new_user(
    sign_in: Callable[[str], supabase.Client], service: supabase.Client
) -> Iterator[Callable[[], User]]:
    """Makes users, and takes them away with all that is theirs."""
    made: list[str] = []

    def new_user() -> User:
        user = User(str(uuid.uuid4()), f"u{uuid.uuid4().hex[:20]}", None)
        user.client = sign_in(user.id)
        made.append(user.id)
        profile = {"id": user.id, "handle": user.handle, "display_name": "Test Person"}
        user.client.table("profiles").insert(profile).execute()
        return user

    yield new_user
    if made:
        service.table("profiles").delete().in_("id", made).execute()


@pytest.fixture
def user(new_user: Callable[[], User]) -> User:
    return new_user()
