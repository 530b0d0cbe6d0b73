-- Five of six questions found an expert in the same skill: a match each and, where it was accepted, a
-- conversation. One of ten conversations is still open.

create temporary table found on commit drop as
select
    n,
    questions.id as question_id, questions.asker_id, questions.embedding, questions.created_at,
    -- Expert and question of one skill have the same number modulo 32; expert 0 does not exist, so 32 it is.
    ('e0000000-0000-4000-8000-'
        || lpad(to_hex(coalesce(nullif(n % 32 + 32 * (n * 17 % 62), 0), 32)), 12, '0'))::uuid as expert_id
from generate_series(1, 10000) as n
join public.questions on questions.id = ('b0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
where n % 6 <> 0;

insert into public.matches (id, question_id, expert_id, similarity, state, created_at, decided_at)
select
    ('c0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    found.question_id, found.expert_id,
    1 - (experts.embedding operator(extensions.<=>) found.embedding),
    (case when n % 25 = 1 then 'declined' when n % 25 = 2 then 'expired' else 'accepted' end)::public.match_state,
    found.created_at + interval '2 seconds', found.created_at + interval '40 seconds'
from found
join public.experts on experts.profile_id = found.expert_id;

insert into public.conversations (id, match_id, asker_id, expert_id, stars, opened_at, closed_at)
select
    ('d0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    matches.id, found.asker_id, found.expert_id,
    case when n % 10 = 7 or n % 4 = 0 then null else 3 + n % 3 end,
    matches.decided_at,
    case when n % 10 = 7 then null else matches.decided_at + interval '50 minutes' end
from found
join public.matches on matches.question_id = found.question_id
where matches.state = 'accepted';

update public.questions
set state = case when conversations.closed_at is null then 'matched' else 'answered' end::public.question_state
from public.conversations
join public.matches on matches.id = conversations.match_id
where questions.id = matches.question_id;

update public.experts
set stars_sum = given.sum, stars_count = given.count
from (
    select expert_id, sum(stars) as sum, count(stars) as count
    from public.conversations
    where stars is not null
    group by expert_id
) as given
where given.expert_id = experts.profile_id;
