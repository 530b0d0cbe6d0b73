-- 10,000 questions of 3,000 askers, about the 32 skills in turn.

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

insert into public.questions (id, asker_id, title, body, embedding, created_at)
select
    ('b0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    ('a0000000-0000-4000-8000-' || lpad(to_hex(1 + n * 7 % 3000), 12, '0'))::uuid,
    (array['How do I start with', 'What goes wrong most often in', 'Who can look over my plan for',
        'What does it cost to learn', 'Is there a shortcut in'])[1 + n % 5] || ' ' || skill.name || '?',
    'Question number ' || n || ' about ' || skill.name || ', with a little more to say about it.',
    pg_temp.direction(skill.slug, 'question ' || n),
    timestamptz '2025-06-01 00:00:00+00' + n * interval '31 minutes'
from generate_series(1, 10000) as n
join public.skills as skill on skill.id = 1 + n % 32;
