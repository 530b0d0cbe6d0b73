"""Calling functions with supabase-py: arguments, sets, filters on them, read-only calls, transactions."""

import uuid

import pytest
from postgrest.exceptions import APIError
from postgrest.types import CountMethod

import seeded

QUESTION = seeded.QUESTIONS_OF_ASKER_1[0]


@pytest.fixture(scope="module")
def asker(sign_in):
    return sign_in(seeded.asker(1))


def test_a_set_best_first(asker):
    rows = asker.rpc("match_experts", {"question_id": QUESTION, "match_count": 3}).execute().data
    assert len(rows) == 3 and all("Nutrition" in row["headline"] for row in rows)
    similarities = [row["similarity"] for row in rows]
    assert similarities == sorted(similarities, reverse=True) and 0.5 < similarities[0] <= 1


def test_default_arguments(asker):
    assert len(asker.rpc("match_experts", {"question_id": QUESTION}).execute().data) == 5


def test_a_set_is_filtered_selected_ordered_and_counted(asker):
    call = asker.rpc("match_experts", {"question_id": QUESTION, "match_count": 10}, count=CountMethod.exact)
    answer = call.select("handle").like("handle", "expert_%").order("handle").limit(4).execute()
    handles = [row["handle"] for row in answer.data]
    assert len(handles) == 4 and handles == sorted(handles) and answer.count == 10
    assert all(set(row) == {"handle"} for row in answer.data)


def test_a_stable_function_by_get(asker):
    arguments = {"question_id": QUESTION, "match_count": 2}
    by_get = asker.rpc("match_experts", arguments, get=True).execute().data
    assert by_get == asker.rpc("match_experts", arguments).execute().data and len(by_get) == 2


def test_a_volatile_function_by_get_changes_nothing(user):
    arguments = {"title": "May a GET write?", "embedding": str([0.5] * 64)}
    with pytest.raises(APIError) as failure:
        user.client.rpc("ask", arguments, get=True).execute()
    assert failure.value.code == "25006"
    assert user.client.table("questions").select("id").execute().data == []


def test_ask_talk_and_close(user, anon, service, sign_in):
    embedding = service.table("experts").select("embedding").eq("profile_id", seeded.expert(1)).single().execute()
    asked = user.client.rpc(
        "ask", {"title": "How do actors work?", "embedding": embedding.data["embedding"], "body": "In Swift."}
    ).single().execute().data
    assert asked["conversation_id"] and asked["similarity"] > 0.9

    conversation = {"conversation_id": asked["conversation_id"]}
    sent = user.client.table("messages").insert({**conversation, "body": "Are you there?"}).execute().data[0]
    assert sent["sender_id"] == user.id
    expert = sign_in(asked["expert_id"])
    expert.table("messages").insert({**conversation, "body": "Yes."}).execute()
    talk = (
        expert.table("messages").select("body,sender:profiles(handle)").match(conversation).order("id")
        .execute().data
    )
    assert [row["body"] for row in talk] == ["In Swift.", "Are you there?", "Yes."]
    assert talk[0]["sender"] == {"handle": user.handle}
    inbox = user.client.table("inbox").select("title,last_excerpt").execute().data
    assert inbox == [{"title": "How do actors work?", "last_excerpt": "Yes."}]

    closed = user.client.rpc("close_conversation", {**conversation, "stars": 5}).execute().data
    assert closed["id"] == asked["conversation_id"] and closed["stars"] == 5 and closed["closed_at"]
    with pytest.raises(APIError) as failure:
        user.client.rpc("close_conversation", conversation).execute()
    assert failure.value.code == "PT404"
    with pytest.raises(APIError) as failure:
        user.client.table("messages").insert({**conversation, "body": "Too late?"}).execute()
    assert failure.value.code == "42501"


def test_a_function_that_fails_has_done_nothing(user):
    with pytest.raises(APIError) as failure:
        user.client.rpc("ask", {"title": "x", "embedding": [0.5] * 64}).execute()
    assert failure.value.code == "23514"
    assert user.client.table("questions").select("id").execute().data == []


def test_unknown_functions_and_arguments(user):
    with pytest.raises(APIError) as failure:
        user.client.rpc("no_such_function", {}).execute()
    assert failure.value.code == "PGRST202"
    with pytest.raises(APIError) as failure:
        user.client.rpc("match_experts", {"question_id": str(uuid.uuid4()), "count": 1}).execute()
    assert failure.value.code == "PGRST202"
    assert "match_experts" in (failure.value.hint or "")
