-- The first half of 50,000 messages. Message n is in conversation number n modulo their count, so messages come in
-- rounds; asker and expert take turns.

with numbered as (
    select row_number() over (order by id) - 1 as position, conversations.*
    from public.conversations
), round as (
    select n, n % total as position, n / total as number
    from generate_series(0, 24999) as n, (select count(*) as total from public.conversations) as counted
)
insert into public.messages (conversation_id, sender_id, body, sent_at)
select
    numbered.id,
    case when round.number % 2 = 0 then numbered.asker_id else numbered.expert_id end,
    (array['Thank you, that helps.', 'Could you say more about the second point?', 'Here is what I would do first.',
        'I tried it, and it works.', 'It depends on how much time there is.', 'Let me look at the details.',
        'What have you tried so far?'])[1 + n * 5 % 7] || ' (' || n || ')',
    numbered.opened_at + (1 + round.number) * interval '4 minutes'
from round
join numbered using (position)
order by n;
