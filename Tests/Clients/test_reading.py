"""Reading with supabase-py as a visitor: rows, filters, order, pages, embedding, counting, single rows, CSV."""

import asyncio

import pytest
import supabase
from postgrest.exceptions import APIError
from postgrest.types import CountMethod

import seeded

EXPERT_1 = seeded.expert(1)


def test_rows_are_objects_with_the_columns_asked_for(anon):
    answer = anon.table("experts").select("profile_id,headline,languages").eq("profile_id", EXPERT_1).execute()
    assert answer.data == [{"profile_id": EXPERT_1, "headline": "Teaches Swift", "languages": ["en", "pt"]}]
    assert answer.count is None


def test_star_renaming_and_casting(anon):
    answer = anon.table("experts").select("id:profile_id,cents:hourly_rate_cents::text").eq("profile_id", EXPERT_1)
    assert answer.execute().data == [{"id": EXPERT_1, "cents": "3700"}]
    row = anon.table("skills").select("*").eq("id", 1).execute().data
    assert row == [{"id": 1, "slug": "postgresql", "name": "PostgreSQL"}]


@pytest.mark.parametrize(
    ("filtered", "expected"),
    [
        (lambda q: q.eq("slug", "rust"), ["rust"]),
        (lambda q: q.neq("id", 1).lt("id", 4), ["swift", "kotlin"]),
        (lambda q: q.gt("id", 1).lte("id", 3), ["swift", "kotlin"]),
        (lambda q: q.gte("id", 31), ["photography", "portuguese"]),
        (lambda q: q.in_("slug", ["swift", "sailing", "none, such"]), ["swift", "sailing"]),
        (lambda q: q.like("name", "P%n"), ["python"]),
        (lambda q: q.ilike("name", "%LAW"), ["tax-law", "contract-law"]),
        (lambda q: q.not_.gt("id", 2), ["postgresql", "swift"]),
        (lambda q: q.or_("slug.eq.swift,and(id.gt.30,id.lt.32)"), ["swift", "photography"]),
        (lambda q: q.match({"slug": "swift", "name": "Swift"}), ["swift"]),
        (lambda q: q.is_("name", None), []),
        (lambda q: q.filter("name", "match", "^P.*L$"), ["postgresql"]),
        (lambda q: q.ilike_any_of("name", "swi%,%flut%"), ["swift", "flutter"]),
    ],
)
def test_filters(anon, filtered, expected):
    rows = filtered(anon.table("skills").select("slug")).order("id").execute().data
    assert [row["slug"] for row in rows] == expected


def test_filters_on_arrays_and_full_text(anon):
    def experts(query):
        return query.order("profile_id").limit(3).execute().data

    both = experts(anon.table("experts").select("languages").contains("languages", ["sw", "fr"]))
    assert both == [{"languages": ["en", "fr", "sw"]}] * 3
    some = experts(anon.table("experts").select("languages").overlaps("languages", ["ja", "sw"]))
    assert len(some) == 3 and all({"ja", "sw"} & set(row["languages"]) for row in some)
    found = experts(anon.table("experts").select("headline").text_search("search", "swift & teach"))
    assert found == [{"headline": "Teaches Swift"}] * 3


def test_a_value_is_data_whatever_is_in_it(anon):
    for hostile in ["' or 1=1 --", '"', "a,b", "(x)", "a.b", "%", "\\", "*", "ü€😀", "null", ""]:
        assert anon.table("skills").select("id").eq("slug", hostile).execute().data == []
        found = anon.table("skills").select("slug").in_("slug", [hostile, "swift"]).execute().data
        assert found == [{"slug": "swift"}], hostile


def test_order_and_pages(anon):
    skills = anon.table("skills").select("id")
    assert [row["id"] for row in skills.order("id", desc=True).limit(2).execute().data] == [32, 31]
    page = anon.table("skills").select("id").order("id").range(10, 12).execute().data
    assert [row["id"] for row in page] == [11, 12, 13]
    # Ordered by two columns; nulls last.
    rows = (
        anon.table("experts").select("rating,hourly_rate_cents")
        .order("rating", desc=True, nullsfirst=False).order("hourly_rate_cents").limit(50).execute().data
    )
    keys = [(-row["rating"] if row["rating"] is not None else 0, row["hourly_rate_cents"]) for row in rows]
    assert keys == sorted(keys) and len(keys) == 50


def test_embedding_one_many_and_through(anon):
    answer = (
        anon.table("experts")
        .select("profiles(handle,display_name),availability(capacity),expert_skills(years,skills(slug)),skills(name)")
        .eq("profile_id", EXPERT_1)
        .order("years", foreign_table="expert_skills")
        .single()
        .execute()
    )
    row = answer.data
    assert row["profiles"] == {"handle": "expert_1", "display_name": "Hana Dietrich"}
    assert row["availability"] == {"capacity": 2}
    assert row["expert_skills"] == [
        {"years": 14, "skills": {"slug": "swift"}}, {"years": 21, "skills": {"slug": "python"}}]
    assert sorted(skill["name"] for skill in row["skills"]) == ["Python", "Swift"]


def test_embedding_inner_filters_the_outer_rows(anon):
    def handles(query):
        return [row["profiles"] and row["profiles"]["handle"] for row in query.execute().data]

    ids = [seeded.expert(1), seeded.expert(2)]
    outer = anon.table("experts").select("profiles(handle)").in_("profile_id", ids).order("profile_id")
    assert handles(outer.eq("profiles.handle", "expert_2")) == [None, "expert_2"]
    inner = anon.table("experts").select("profiles!inner(handle)").in_("profile_id", ids)
    assert handles(inner.eq("profiles.handle", "expert_2")) == ["expert_2"]


def test_embedded_rows_are_ordered_and_limited_on_their_own(anon):
    rows = (
        anon.table("skills").select("slug,expert_skills(years)").in_("slug", ["swift", "rust"]).order("slug")
        .order("years", desc=True, foreign_table="expert_skills").limit(2, foreign_table="expert_skills")
        .execute().data
    )
    assert [row["slug"] for row in rows] == ["rust", "swift"]
    for row in rows:
        years = [link["years"] for link in row["expert_skills"]]
        assert len(years) == 2 and years == sorted(years, reverse=True)


def test_views_are_tables_too(anon):
    row = (
        anon.table("expert_directory").select("handle,display_name,headline,skills").eq("handle", "expert_1")
        .single().execute().data
    )
    assert row == {
        "handle": "expert_1", "display_name": "Hana Dietrich", "headline": "Teaches Swift",
        "skills": ["python", "swift"],
    }


def test_counting(anon):
    exact = anon.table("experts").select("profile_id", count=CountMethod.exact).limit(1).execute()
    assert (len(exact.data), exact.count) == (1, seeded.LISTED_EXPERTS)
    head = anon.table("skills").select("*", count=CountMethod.exact, head=True).execute()
    assert (head.data, head.count) == ([], seeded.SKILLS)
    planned = anon.table("skills").select("id", count=CountMethod.planned).execute()
    assert planned.count is not None and len(planned.data) == seeded.SKILLS
    estimated = anon.table("experts").select("profile_id", count=CountMethod.estimated).limit(1).execute()
    assert estimated.count is not None


def test_single(anon):
    row = anon.table("skills").select("slug").eq("id", 2).single().execute()
    assert row.data == {"slug": "swift"}
    for query in (
        anon.table("skills").select("slug").eq("id", -1),
        anon.table("skills").select("slug").lt("id", 3),
    ):
        with pytest.raises(APIError) as failure:
            query.single().execute()
        assert failure.value.code == "PGRST116"
    assert "2 rows" in failure.value.details


def test_maybe_single(anon):
    found = anon.table("skills").select("slug").eq("id", 2).maybe_single().execute()
    assert found is not None and found.data == {"slug": "swift"}
    assert anon.table("skills").select("slug").eq("id", -1).maybe_single().execute() is None


def test_csv(anon):
    answer = anon.table("skills").select("slug,name").order("id").limit(2).csv().execute()
    assert answer.data.splitlines() == ["slug,name", "postgresql,PostgreSQL", "swift,Swift"]


def test_the_asynchronous_client(server, anon_key):
    async def read():
        client = await supabase.acreate_client(server.url, anon_key)
        queries = [client.table("skills").select("id").eq("id", number).execute() for number in range(1, 33)]
        return [answer.data for answer in await asyncio.gather(*queries)]

    assert asyncio.run(read()) == [[{"id": number}] for number in range(1, 33)]
