"""Who may do what: tokens, roles and row level security, seen through supabase-py."""

import time
import uuid

import jwt
import pytest
import supabase
from postgrest.exceptions import APIError

import seeded
from apus_server import SECRET


def with_token(server, anon_key: str, token: str) -> supabase.Client:
    client = supabase.create_client(server.url, anon_key)
    client.postgrest.auth(token)
    return client


def skills(client: supabase.Client) -> int:
    return len(client.table("skills").select("id").execute().data)


def code_of(query) -> str:
    with pytest.raises(APIError) as failure:
        query.execute()
    return failure.value.code


# Row level security


def test_a_visitor_reads_the_directory_and_nothing_else(anon):
    assert code_of(anon.table("questions").select("id")) == "42501"
    assert code_of(anon.table("messages").select("id")) == "42501"
    assert code_of(anon.table("skills").insert({"slug": "mine", "name": "Mine"})) == "42501"
    assert code_of(anon.rpc("match_experts", {"question_id": seeded.question(1)})) == "42501"
    unlisted = anon.table("experts").select("profile_id").eq("profile_id", seeded.expert(50)).execute()
    assert unlisted.data == []


def test_a_user_sees_their_own(sign_in):
    asker = sign_in(seeded.asker(1))
    rows = asker.table("questions").select("id,asker_id,state").order("id").execute().data
    assert [row["id"] for row in rows] == seeded.QUESTIONS_OF_ASKER_1
    assert {row["asker_id"] for row in rows} == {seeded.asker(1)}


def test_users_do_not_see_each_others(new_user):
    one, other = new_user(), new_user()
    question = {"title": "A secret question", "embedding": [0.5] * 64}
    asked = one.client.table("questions").insert(question).execute().data[0]
    assert other.client.table("questions").select("id").eq("id", asked["id"]).execute().data == []
    assert other.client.table("questions").update({"title": "Mine now"}).eq("id", asked["id"]).execute().data == []
    assert code_of(other.client.table("questions").delete().eq("id", asked["id"])) == "42501"
    kept = one.client.table("questions").select("title").eq("id", asked["id"]).execute().data
    assert kept == [{"title": "A secret question"}]


def test_a_user_does_not_write_as_another(new_user):
    one, other = new_user(), new_user()
    question = {"title": "Not mine", "embedding": [0.5] * 64, "asker_id": other.id}
    assert code_of(one.client.table("questions").insert(question)) == "42501"
    assert code_of(one.client.table("profiles").update({"created_at": "2000-01-01"}).eq("id", one.id)) == "42501"
    assert one.client.table("profiles").update({"bio": "x"}).eq("id", other.id).execute().data == []


def test_the_service_role_sees_all(service):
    rows = service.table("experts").select("profile_id").eq("profile_id", seeded.expert(50)).execute().data
    assert rows == [{"profile_id": seeded.expert(50)}]


def test_a_token_without_subject_is_nobody_in_particular(server, anon_key):
    nobody = with_token(server, anon_key, server.token("authenticated"))
    assert nobody.table("questions").select("id").execute().data == []


def test_identities_do_not_mix_on_shared_connections(sign_in):
    """Many requests of many users at once: each answer is the asker's own."""
    import concurrent.futures

    clients = {number: sign_in(seeded.asker(number)) for number in range(1, 9)}

    def askers_seen(number: int) -> set[str]:
        rows = clients[number].table("questions").select("asker_id").execute().data
        return {row["asker_id"] for row in rows}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for number, seen in [(n, pool.submit(askers_seen, n)) for _ in range(25) for n in clients]:
            assert seen.result() == {seeded.asker(number)}


# Tokens


def test_a_token_of_another_library_holds(server, anon_key):
    token = jwt.encode({"role": "anon", "exp": time.time() + 60}, SECRET, algorithm="HS256")
    assert skills(with_token(server, anon_key, token)) == seeded.SKILLS


def test_tokens_of_apus_hold_for_another_library(server):
    subject = str(uuid.uuid4())
    claims = jwt.decode(server.token("authenticated", subject), SECRET, algorithms=["HS256"], options={"verify_aud": False})
    assert claims["role"] == "authenticated" and claims["sub"] == subject and claims["exp"] > time.time()


@pytest.mark.parametrize(
    ("claims", "secret", "code"),
    [
        ({"role": "service_role", "exp": 1_000_000_000}, SECRET, "PGRST303"),
        ({"role": "service_role", "nbf": 9_000_000_000}, SECRET, "PGRST303"),
        ({"role": "service_role"}, "somebody-elses-secret-somebody-elses", "PGRST301"),
    ],
    ids=["expired", "not yet valid", "wrong secret"],
)
def test_tokens_that_do_not_hold(server, anon_key, claims, secret, code):
    forged = with_token(server, anon_key, jwt.encode(claims, secret, algorithm="HS256"))
    assert code_of(forged.table("skills").select("id")) == code


def test_a_token_without_signature_does_not_hold(server, anon_key):
    forged = with_token(server, anon_key, jwt.encode({"role": "service_role"}, None, algorithm="none"))
    assert code_of(forged.table("skills").select("id")) == "PGRST301"


def test_nonsense_in_place_of_a_token(server, anon_key):
    for nonsense in ("x", "a.b.c", "a.b"):
        assert code_of(with_token(server, anon_key, nonsense).table("skills").select("id")) == "PGRST301"


def test_a_role_that_does_not_exist(server, anon_key):
    token = jwt.encode({"role": "no_such_role"}, SECRET, algorithm="HS256")
    assert code_of(with_token(server, anon_key, token).table("skills").select("id")) in ("22023", "42501")


def test_the_authenticator_does_not_become_more_than_its_roles(server, anon_key):
    for role in ("postgres", "none", "pg_read_all_data"):
        token = jwt.encode({"role": role}, SECRET, algorithm="HS256")
        with pytest.raises(APIError):
            with_token(server, anon_key, token).table("skills").select("id").execute()


def test_no_token_is_in_the_log(server, anon, anon_key):
    skills(anon)
    code_of(with_token(server, anon_key, server.token("anon")[:-2]).table("skills").select("id"))
    log = server.log_text()
    assert '"level":"info"' in log
    assert SECRET not in log and anon_key not in log and "eyJ" not in log
