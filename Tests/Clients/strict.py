"""Decoders as strict as those of supabase-swift and supabase_auth together: what they require is there, of its type."""

import datetime
import re
import uuid
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def _uuid(value: Any) -> None:
    assert isinstance(value, str) and str(uuid.UUID(value)) == value, value


def _time(value: Any) -> None:
    assert isinstance(value, str) and TIME.fullmatch(value), value
    datetime.datetime.fromisoformat(value)


def _number(value: Any) -> None:
    # A Swift Int does not decode from 1.0, and in Python True is an int.
    assert type(value) is int, value


def _typed(json: dict, kinds: dict[str, type]) -> None:
    for name, kind in kinds.items():
        assert type(json.get(name)) is kind, f"{name}: {json.get(name)!r}"


def identity(json: dict) -> None:
    _uuid(json["identity_id"])
    _uuid(json["user_id"])
    _typed(json, {"id": str, "identity_data": dict, "provider": str})
    for name in ("created_at", "updated_at"):
        _time(json[name])


def factor(json: dict) -> None:
    _uuid(json["id"])
    assert json["factor_type"] in ("totp", "phone", "webauthn", "recovery_code")
    assert json["status"] in ("verified", "unverified")
    for name in ("created_at", "updated_at"):
        _time(json[name])


def user(json: dict) -> dict:
    _uuid(json["id"])
    _typed(json, {
        "aud": str, "role": str, "email": str, "phone": str, "app_metadata": dict, "user_metadata": dict,
        "identities": list, "is_anonymous": bool,
    })  # fmt: skip
    for name in ("created_at", "updated_at"):
        _time(json[name])
    for name, value in json.items():
        # Absent and not null: an optional date that is "" or a number breaks a strict decoder.
        assert value is not None, name
        if name.endswith("_at"):
            _time(value)
    for item in json["identities"]:
        identity(item)
    for item in json.get("factors", []):
        factor(item)
    return json


def session(json: dict) -> dict:
    _typed(json, {"access_token": str, "token_type": str, "refresh_token": str})
    _number(json["expires_in"])
    _number(json["expires_at"])
    assert json["token_type"] == "bearer" and json["access_token"].count(".") == 2
    user(json["user"])
    return json


def error(answer: Any, code: str) -> None:
    """In both shapes: the one of a client that names its version of the API, and the older one."""
    json = answer.json()
    if "X-Supabase-Api-Version" in answer.request.headers:
        assert answer.headers["X-Supabase-Api-Version"] == "2024-01-01"
        _typed(json, {"code": str, "message": str})
        assert json["code"] == code, json
    else:
        _typed(json, {"code": int, "error_code": str, "msg": str})
        assert json["code"] == answer.status_code and json["error_code"] == code, json
