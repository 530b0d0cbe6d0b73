-- 32 skills and 5,000 people: experts 1 to 2,000 and askers 1 to 3,000.
--
-- Every value follows from a number by arithmetic or by a hash, so each run makes the same rows and ids can be
-- foretold: expert 1 is e0000000-0000-4000-8000-000000000001, asker 1 a0000000-0000-4000-8000-000000000001.

insert into public.skills (slug, name)
select replace(lower(name), ' ', '-'), name
from unnest(array[
    'PostgreSQL', 'Swift', 'Kotlin', 'Flutter', 'TypeScript', 'Rust', 'Python', 'Machine learning',
    'Tax law', 'Contract law', 'Bookkeeping', 'Fundraising', 'Pricing', 'Hiring', 'Marketing', 'Copywriting',
    'Gardening', 'Beekeeping', 'Carpentry', 'Plumbing', 'Solar power', 'Heat pumps', 'Cycling', 'Sailing',
    'Nutrition', 'Physiotherapy', 'Sleep', 'Childcare', 'Piano', 'Guitar', 'Photography', 'Portuguese'
]) with ordinality as skill(name, n)
order by n;

insert into public.profiles (id, handle, display_name, bio, time_zone, created_at, updated_at)
select
    (kind.letter || '0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    kind.name || '_' || n,
    given.names[1 + n * 7 % cardinality(given.names)] || ' '
        || family.names[1 + n * 11 / 3 % cardinality(family.names)],
    case when n % 3 = 0 then null else 'Made for trying things out, number ' || n || '.' end,
    (array['UTC', 'Europe/Lisbon', 'America/New_York', 'Asia/Tokyo', 'Africa/Nairobi'])[1 + n % 5],
    made.at, made.at
from (values ('e', 'expert', 2000), ('a', 'asker', 3000)) as kind(letter, name, count)
cross join lateral generate_series(1, kind.count) as n
cross join lateral (select timestamptz '2025-01-01 00:00:00+00' + n * interval '97 minutes') as made(at)
cross join (select array[
    'Ada', 'Bruno', 'Chioma', 'Dora', 'Emil', 'Fatima', 'Goran', 'Hana', 'Ines', 'Jonas', 'Keiko', 'Liam',
    'Mira', 'Noor', 'Otto', 'Priya', 'Quim', 'Rosa', 'Samir', 'Tove']) as given(names)
cross join (select array[
    'Almeida', 'Berg', 'Costa', 'Dietrich', 'Eze', 'Fischer', 'Garcia', 'Haddad', 'Ito', 'Jansen', 'Kowalski',
    'Lindqvist', 'Moreau', 'Novak', 'Okafor', 'Park', 'Rossi', 'Silva', 'Tanaka', 'Wagner', 'Yilmaz'
    ]) as family(names);
