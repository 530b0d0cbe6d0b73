"""Users of a Firebase project: hashes made here with another library, imported by the command, signed in by the SDK."""

import base64
import json
import os
import subprocess
import uuid

import pytest
import supabase
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from supabase_auth.errors import AuthApiError

import auth_servers

PROJECT = "old-project"
SIGNER_KEY = os.urandom(64)
SEPARATOR = b"\x07"


@pytest.fixture(scope="module")
def server():
    with auth_servers.running() as server:
        yield server


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hashed(password: str) -> dict[str, str]:
    """What Firebase keeps of a password (https://github.com/firebase/scrypt)."""
    salt = os.urandom(10)
    key = Scrypt(salt=salt + SEPARATOR, length=32, n=1 << 14, r=8, p=1).derive(password.encode())
    encryptor = Cipher(algorithms.AES(key), modes.CTR(b"\0" * 16)).encryptor()
    return {"passwordHash": text(encryptor.update(SIGNER_KEY) + encryptor.finalize()), "salt": text(salt)}


@pytest.fixture(scope="module")
def files(server):
    parameters = server.directory / "hash.txt"
    parameters.write_text(
        "hash_config {\n  algorithm: SCRYPT,\n"
        f"  base64_signer_key: {text(SIGNER_KEY)},\n  base64_salt_separator: {text(SEPARATOR)},\n"
        "  rounds: 8,\n  mem_cost: 14,\n}\n"
    )
    users = [
        {"localId": "ada1", "email": "Ada@old.example.org", "emailVerified": True, "displayName": "Ada",
         "customAttributes": '{"editor": true}', "createdAt": "1500000000000",
         "providerUserInfo": [{"providerId": "google.com", "rawId": "g-1", "email": "ada@old.example.org"}],
         **hashed("ada's old password")},
        {"localId": "ben1", "email": "ben@old.example.org", "emailVerified": False, **hashed("ben's old password")},
        {"localId": "out1", "email": "out@old.example.org", "emailVerified": True, "disabled": True, **hashed("x" * 10)},
        {"localId": "apple1", "email": "apple@old.example.org", "emailVerified": True, "providerUserInfo": []},
        *({"localId": f"many{i}", "email": f"many{i}@old.example.org", "emailVerified": True} for i in range(2000)),
    ]
    export = server.directory / "users.json"
    export.write_text(json.dumps({"users": users}))
    return export, parameters


def run(server, files, *options, password=None) -> subprocess.CompletedProcess:
    export, parameters = files
    command = [
        str(server.binary), "import", "firebase-auth", str(export), "--hash-parameters", str(parameters),
        "--project", PROJECT, *options, "--data-dir", str(server.directory / "data"),
    ]
    return subprocess.run(
        command, cwd=server.directory, env=server._environment(), input=password, capture_output=True, text=True
    )


def sign_in(server, email, password):
    client = supabase.create_client(server.url, server.token("anon"))
    return client.auth.sign_in_with_password({"email": email, "password": password})


def test_a_rehearsal_changes_nothing(server, files):
    done = run(server, files, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "2004  users read" in done.stdout and "Rehearsal" in done.stdout and "leaves out links to Apple" in done.stdout
    with pytest.raises(AuthApiError):
        sign_in(server, "ada@old.example.org", "ada's old password")


def test_wrong_parameters_are_noticed(server, files):
    done = run(server, files, "--check", "ada@old.example.org", password="not her password\n")
    assert done.returncode == 1 and "APUS043" in done.stderr


def test_people_sign_in_with_the_password_they_have(server, files):
    report = server.directory / "report.jsonl"
    done = run(
        server, files, "--check", "ada@old.example.org", "--report", str(report), password="ada's old password\n"
    )
    assert done.returncode == 0, done.stderr
    assert "2004  imported" in done.stdout
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert {"uid": "apple1", "problem": "lost_sign_in"} in lines

    with pytest.raises(AuthApiError) as wrong:
        sign_in(server, "ada@old.example.org", "another password")
    assert wrong.value.code == "invalid_credentials"
    for _ in range(2):  # With Firebase's hash, and then with the new one.
        user = sign_in(server, "ada@old.example.org", "ada's old password").user
        assert user.id == str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://securetoken.google.com/{PROJECT}/ada1"))
        assert user.app_metadata["editor"] is True and user.app_metadata["firebase_uid"] == "ada1"
        assert {identity.provider for identity in user.identities} == {"email", "google", "firebase"}
        assert user.user_metadata["full_name"] == "Ada" and user.created_at.year == 2017


def test_who_may_not(server, files):
    with pytest.raises(AuthApiError) as unconfirmed:
        sign_in(server, "ben@old.example.org", "ben's old password")
    assert unconfirmed.value.code == "email_not_confirmed"
    with pytest.raises(AuthApiError) as disabled:
        sign_in(server, "out@old.example.org", "x" * 10)
    assert disabled.value.code == "user_banned"


def test_twice_is_once(server, files):
    done = run(server, files)
    assert done.returncode == 0 and "2004  were here already" in done.stdout and "0  imported" in done.stdout


def test_what_is_no_export(server, files):
    broken = server.directory / "broken.json"
    broken.write_text(files[0].read_text()[:5000])
    done = run(server, (broken, files[1]), "--dry-run")
    assert done.returncode == 1 and "APUS041" in done.stderr
