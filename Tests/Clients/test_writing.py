"""Writing with supabase-py: insert, upsert, update, delete, and what they return."""

import uuid

import pytest
from postgrest.exceptions import APIError
from postgrest.types import CountMethod, ReturnMethod

import seeded


@pytest.fixture
def slug(service):
    """A prefix of slugs that is this test's own; skills with it are removed after."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield prefix
    service.table("skills").delete().like("slug", f"{prefix}%").execute()


def skill(slug: str, name: str = "A skill") -> dict[str, str]:
    return {"slug": slug, "name": name}


def slugs(service, prefix: str) -> list[tuple[str, str]]:
    rows = service.table("skills").select("slug,name").like("slug", f"{prefix}%").order("slug").execute().data
    return [(row["slug"], row["name"]) for row in rows]


def test_insert_returns_the_row_as_it_was_stored(service, slug):
    rows = service.table("skills").insert(skill(slug)).execute().data
    assert len(rows) == 1 and rows[0] == {"id": rows[0]["id"], **skill(slug)} and rows[0]["id"] > 32


def test_insert_returns_what_is_selected(service, slug):
    rows = service.table("skills").insert(skill(slug)).select("name", "slug").execute().data
    assert rows == [{"name": "A skill", "slug": slug}]


def test_insert_minimal_returns_nothing(service, slug):
    answer = service.table("skills").insert(skill(slug), returning=ReturnMethod.minimal).execute()
    assert answer.data == [] and slugs(service, slug) == [(slug, "A skill")]


def test_insert_many_with_count(service, slug):
    rows = [skill(f"{slug}-a"), skill(f"{slug}-b", "Ünï \"quoted\" \\ \n 😀")]
    answer = service.table("skills").insert(rows, count=CountMethod.exact).execute()
    assert answer.count == 2
    assert slugs(service, slug) == [(row["slug"], row["name"]) for row in rows]


def test_insert_of_nothing_changes_nothing(service, slug):
    assert service.table("skills").insert([]).execute().data == []


def test_insert_many_or_none(service, slug):
    with pytest.raises(APIError) as failure:
        service.table("skills").insert([skill(f"{slug}-a"), skill("Not A Slug")]).execute()
    assert failure.value.code == "23514"
    assert slugs(service, slug) == []


def test_missing_columns_are_null_or_default(service, new_user):
    one, two = new_user(), new_user()
    service.table("profiles").delete().in_("id", [one.id, two.id]).execute()
    rows = [
        {"id": one.id, "handle": one.handle, "display_name": "One"},
        {"id": two.id, "handle": two.handle, "display_name": "Two", "time_zone": "Asia/Tokyo"},
    ]
    with pytest.raises(APIError) as failure:
        service.table("profiles").insert(rows).execute()
    assert failure.value.code == "23502"
    stored = service.table("profiles").insert(rows, default_to_null=False).execute().data
    assert [row["time_zone"] for row in stored] == ["UTC", "Asia/Tokyo"]


def test_upsert_merges(service, slug):
    service.table("skills").insert(skill(f"{slug}-a", "Old")).execute()
    rows = [skill(f"{slug}-a", "New"), skill(f"{slug}-b")]
    assert len(service.table("skills").upsert(rows, on_conflict="slug").execute().data) == 2
    assert slugs(service, slug) == [(f"{slug}-a", "New"), (f"{slug}-b", "A skill")]


def test_upsert_ignores(service, slug):
    service.table("skills").insert(skill(f"{slug}-a", "Old")).execute()
    rows = [skill(f"{slug}-a", "New"), skill(f"{slug}-b")]
    stored = service.table("skills").upsert(rows, on_conflict="slug", ignore_duplicates=True).execute().data
    assert [row["slug"] for row in stored] == [f"{slug}-b"]
    assert slugs(service, slug) == [(f"{slug}-a", "Old"), (f"{slug}-b", "A skill")]


def test_upsert_by_primary_key(service, user):
    profile = {"id": user.id, "handle": user.handle, "display_name": "Changed"}
    rows = service.table("profiles").upsert(profile).execute().data
    assert [(row["id"], row["display_name"]) for row in rows] == [(user.id, "Changed")]


def test_update_with_filter_count_and_selection(service, slug):
    service.table("skills").insert([skill(f"{slug}-{letter}") for letter in "abc"]).execute()
    answer = (
        service.table("skills").update({"name": "Changed"}, count=CountMethod.exact)
        .in_("slug", [f"{slug}-a", f"{slug}-b"]).select("slug").order("slug", desc=True).execute()
    )
    assert answer.data == [{"slug": f"{slug}-b"}, {"slug": f"{slug}-a"}]
    assert answer.count == 2
    assert [name for _, name in slugs(service, slug)] == ["Changed", "Changed", "A skill"]


def test_update_of_no_row_is_no_error(service):
    assert service.table("skills").update({"name": "x"}).eq("slug", "no-such-skill").execute().data == []


def test_update_returns_embedded_rows(user):
    rows = user.client.table("profiles").update({"bio": "new"}).eq("id", user.id).select("bio,experts(headline)")
    assert rows.execute().data == [{"bio": "new", "experts": None}]


def test_max_affected_undoes_what_is_too_much(service, slug):
    service.table("skills").insert([skill(f"{slug}-a"), skill(f"{slug}-b")]).execute()
    query = service.table("skills").update({"name": "Changed"}).like("slug", f"{slug}%")
    with pytest.raises(APIError) as failure:
        query.max_affected(1).execute()
    assert failure.value.code == "PGRST124"
    assert [name for _, name in slugs(service, slug)] == ["A skill", "A skill"]


def test_delete_returns_what_is_gone(service, slug):
    service.table("skills").insert([skill(f"{slug}-a"), skill(f"{slug}-b")]).execute()
    gone = service.table("skills").delete(count=CountMethod.exact).eq("slug", f"{slug}-a").execute()
    assert [row["slug"] for row in gone.data] == [f"{slug}-a"] and gone.count == 1
    assert slugs(service, slug) == [(f"{slug}-b", "A skill")]


def test_delete_cascades(service, user):
    question = {"title": "Will this be gone?", "embedding": [0.5] * 64}
    asked = user.client.table("questions").insert(question).execute().data[0]
    assert asked["asker_id"] == user.id
    service.table("profiles").delete().eq("id", user.id).execute()
    assert service.table("questions").select("id").eq("id", asked["id"]).execute().data == []


def test_generated_columns_cannot_be_written(service):
    with pytest.raises(APIError) as failure:
        service.table("experts").update({"rating": 5}).eq("profile_id", seeded.expert(1)).execute()
    assert failure.value.code == "428C9"
