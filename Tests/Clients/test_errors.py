"""What supabase-py shows of a failure: code, message, details and hint are the dialect's."""

import httpx
import pytest
from postgrest.exceptions import APIError


def failure_of(query) -> APIError:
    with pytest.raises(APIError) as failure:
        query.execute()
    return failure.value


def test_unknown_table(anon):
    failure = failure_of(anon.table("skill").select("id"))
    assert failure.code == "PGRST205" and "public.skill" in failure.message and "skills" in failure.hint


def test_unknown_column(anon):
    failure = failure_of(anon.table("skills").select("nope"))
    assert failure.code == "42703" and failure.message == "column skills.nope does not exist"


def test_unknown_relationship(anon):
    failure = failure_of(anon.table("skills").select("id,messages(id)"))
    assert failure.code == "PGRST200"
    assert failure.message == "Could not find a relationship between 'skills' and 'messages' in the schema cache"


def test_a_schema_that_is_not_served(anon):
    failure = failure_of(anon.schema("private").table("skills").select("id"))
    assert failure.code == "PGRST106" and "public" in f"{failure.message} {failure.hint}"


def test_a_filter_that_cannot_be_read(anon):
    assert failure_of(anon.table("skills").select("id").filter("id", "nope", "1")).code == "PGRST100"
    assert failure_of(anon.table("skills").select("id,")).code == "PGRST100"
    assert failure_of(anon.table("skills").select("id").or_("id.eq.1,(")).code == "PGRST100"


def test_a_value_of_the_wrong_type(anon):
    failure = failure_of(anon.table("skills").select("id").eq("id", "one"))
    assert failure.code == "22P02" and '"one"' in failure.message


def test_a_range_beyond_the_rows(anon):
    failure = failure_of(anon.table("skills").select("id", count="exact").range(1000, 1010))
    assert failure.code == "PGRST103"


def test_unique_violation(user, service):
    profile = {"id": user.id, "handle": "another_handle", "display_name": "Again"}
    failure = failure_of(service.table("profiles").insert(profile))
    assert failure.code == "23505" and "duplicate key value" in failure.message
    assert failure.details == f"Key (id)=({user.id}) already exists."
    # Under row level security PostgreSQL does not say which rows there are.
    failure = failure_of(user.client.table("profiles").insert(profile))
    assert failure.code == "23505" and failure.details is None


def test_foreign_key_violation(service):
    row = {"expert_id": "00000000-0000-4000-8000-000000000000", "skill_id": 1}
    failure = failure_of(service.table("expert_skills").insert(row))
    assert failure.code == "23503" and "is not present" in failure.details


def test_check_violation(user):
    failure = failure_of(user.client.table("profiles").update({"handle": "Not Plain"}).eq("id", user.id))
    assert failure.code == "23514" and "handle_is_plain" in failure.message


def test_a_column_that_is_not_there_on_insert(service):
    failure = failure_of(service.table("skills").insert({"slug": "x", "colour": "red"}))
    assert failure.code == "PGRST204" and "'colour'" in failure.message


def test_statuses_and_challenges(server, anon_key):
    """What other clients look at: the status and `WWW-Authenticate`."""
    with httpx.Client(base_url=f"{server.url}/rest/v1", headers={"apikey": anon_key}) as http:
        assert http.get("/skills?select=id").status_code == 200
        assert http.get("/nothing").status_code == 404
        assert http.get("/skills?id=x.1").status_code == 400
        denied = http.get("/questions")
        assert denied.status_code == 401 and denied.headers["www-authenticate"] == "Bearer"
        bad = http.get("/skills", headers={"Authorization": "Bearer a.b"})
        assert bad.status_code == 401 and bad.json()["code"] == "PGRST301"
        challenge = bad.headers["www-authenticate"]
        assert challenge == 'Bearer error="invalid_token", error_description="Expected 3 parts in JWT; got 2"'
        assert http.get("/skills?select=id", headers={"Accept": "image/png"}).status_code == 406
