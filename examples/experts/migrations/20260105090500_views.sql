-- Views see what their reader may see (security_invoker).

create view public.expert_directory with (security_invoker = true) as
select
    experts.profile_id, profiles.handle, profiles.display_name, experts.headline, experts.languages,
    experts.hourly_rate_cents, experts.rating, experts.stars_count,
    coalesce(availability.status, 'offline') as status, coalesce(availability.is_open, false) as is_open,
    array(
        select skills.slug
        from public.expert_skills
        join public.skills on skills.id = expert_skills.skill_id
        where expert_skills.expert_id = experts.profile_id
        order by expert_skills.years desc, skills.slug) as skills
from public.experts
join public.profiles on profiles.id = experts.profile_id
left join public.availability on availability.expert_id = experts.profile_id
where experts.is_listed;
comment on view public.expert_directory is
    'Listed experts

With name, skills and whether they are open now, in one row each.';
comment on column public.expert_directory.skills is 'Slugs, the most practised first.';
revoke insert, update, delete on public.expert_directory from anon, authenticated;

create view public.inbox with (security_invoker = true) as
select
    conversations.id as conversation_id, conversations.asker_id, conversations.expert_id,
    conversations.opened_at, conversations.closed_at, questions.id as question_id, questions.title,
    last_message.id as last_message_id, last_message.sender_id as last_sender_id,
    left(last_message.body, 140) as last_excerpt, last_message.sent_at as last_sent_at
from public.conversations
join public.matches on matches.id = conversations.match_id
join public.questions on questions.id = matches.question_id
left join lateral (
    select messages.id, messages.sender_id, messages.body, messages.sent_at
    from public.messages
    where messages.conversation_id = conversations.id
    order by messages.id desc
    limit 1) as last_message on true;
comment on view public.inbox is
    'Conversations of the caller

Each with its question and its latest message.';
revoke all on public.inbox from anon;
revoke insert, update, delete on public.inbox from authenticated;
