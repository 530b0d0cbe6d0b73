-- 2,000 experts with one to three skills each, their embedding, and whether they are available.
--
-- In place of a language model: a skill has a direction, 64 numbers made of SHA-512 of its name; an expert or a
-- question lies near the direction of its skill, off by numbers made of its own hash. So what belongs together
-- lies together, and searching by vector finds it.

create function pg_temp.direction(about text, own text) returns extensions.vector
language sql immutable as $$
    select array_agg(
            ((get_byte(hash.about, i) - 127.5) / 127.5 + (get_byte(hash.own, i) - 127.5) / 200)::real
            order by i)::extensions.vector
    from (
        select sha512(convert_to(about, 'UTF8')) as about, sha512(convert_to(own, 'UTF8')) as own
        offset 0 -- Hash once, not once per number.
    ) as hash
    cross join generate_series(0, 63) as i
$$;

insert into public.experts (profile_id, headline, languages, hourly_rate_cents, embedding, is_listed)
select
    ('e0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    (array['Helps with', 'Teaches', 'Twenty years of', 'Answers about', 'Loves'])[1 + n % 5] || ' ' || skill.name,
    (array['{en}', '{en,pt}', '{en,de}', '{en,ja}', '{en,fr,sw}'])[1 + n % 5]::text[],
    n * 37 % 200 * 100,
    pg_temp.direction(skill.slug, 'expert ' || n),
    n % 50 <> 0
from generate_series(1, 2000) as n
join public.skills as skill on skill.id = 1 + n % 32;

insert into public.expert_skills (expert_id, skill_id, years)
select
    ('e0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    1 + (n + k * 5) % 32,
    1 + (n * 13 + k * 7) % 25
from generate_series(1, 2000) as n
cross join lateral generate_series(0, n % 3) as k;

insert into public.availability (expert_id, status, capacity, seen_at)
select
    ('e0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    (array['online', 'online', 'away', 'offline'])[1 + n * 5 / 3 % 4]::public.availability_status,
    1 + n % 5,
    timestamptz '2026-01-01 00:00:00+00' - n * interval '3 minutes'
from generate_series(1, 2000) as n;
