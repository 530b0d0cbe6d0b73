-- The matching itself, as functions that the API serves under /rpc.

create function public.match_experts(question_id uuid, match_count integer default 5)
returns table (
    expert_id uuid, handle text, display_name text, headline text, similarity real, rating numeric
)
language sql stable
set search_path = ''
-- The index finds the nearest experts and availability is checked after; strict_order makes it go on until
-- enough of them are open.
set hnsw.iterative_scan = 'strict_order'
as $$
    select
        experts.profile_id, profiles.handle, profiles.display_name, experts.headline,
        (1 - (experts.embedding operator(extensions.<=>) asked.embedding))::real, experts.rating
    from (
        select embedding from public.questions where questions.id = match_experts.question_id
    ) as asked
    cross join lateral (
        select experts.*
        from public.experts
        join public.availability on availability.expert_id = experts.profile_id
        where experts.is_listed and availability.is_open
        order by experts.embedding operator(extensions.<=>) asked.embedding
        limit least(greatest(match_experts.match_count, 0), 100)
    ) as experts
    join public.profiles on profiles.id = experts.profile_id
    order by experts.embedding operator(extensions.<=>) asked.embedding, experts.profile_id
$$;
comment on function public.match_experts(uuid, integer) is
    'Finds experts for a question

The nearest by meaning among those who are open now, best first; at most 100. Sees what its caller may see, so
a question of somebody else finds nobody.';
revoke execute on function public.match_experts(uuid, integer) from public, anon;

create function public.ask(title text, embedding extensions.vector, body text default '')
returns table (
    question_id uuid, match_id uuid, conversation_id uuid, expert_id uuid, similarity real
)
language plpgsql volatile security definer
set search_path = ''
set hnsw.iterative_scan = 'strict_order'
as $$
declare
    caller constant uuid := auth.uid();
begin
    if caller is null then
        raise insufficient_privilege using message = 'Sign in to ask.';
    end if;
    insert into public.questions (asker_id, title, body, embedding)
    values (caller, ask.title, ask.body, ask.embedding)
    returning questions.id into question_id;

    -- The lock keeps two askers from taking an expert's last place: the second skips to the next expert.
    select experts.profile_id, (1 - (experts.embedding operator(extensions.<=>) ask.embedding))::real
    into ask.expert_id, ask.similarity
    from public.experts
    join public.availability on availability.expert_id = experts.profile_id
    where experts.is_listed and availability.is_open and experts.profile_id <> caller
    order by experts.embedding operator(extensions.<=>) ask.embedding
    limit 1
    for no key update of availability skip locked;

    if ask.expert_id is not null then
        insert into public.matches (question_id, expert_id, similarity, state, decided_at)
        values (ask.question_id, ask.expert_id, ask.similarity, 'accepted', now())
        returning matches.id into match_id;
        insert into public.conversations (match_id, asker_id, expert_id)
        values (ask.match_id, caller, ask.expert_id)
        returning conversations.id into conversation_id;
        insert into public.messages (conversation_id, sender_id, body)
        values (ask.conversation_id, caller, coalesce(nullif(ask.body, ''), ask.title));
        update public.questions set state = 'matched' where questions.id = ask.question_id;
    end if;
    return next;
end
$$;
comment on function public.ask(text, extensions.vector, text) is
    'Asks a question

Stores it and opens a conversation with the best expert who is open now, in one transaction. When nobody is
open, the question stays open and the other fields are null.';
revoke execute on function public.ask(text, extensions.vector, text) from public, anon;

create function public.close_conversation(conversation_id uuid, stars smallint default null)
returns public.conversations
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    closed public.conversations;
begin
    update public.conversations
    set closed_at = now(), stars = close_conversation.stars
    where conversations.id = close_conversation.conversation_id
        and conversations.asker_id = auth.uid() and conversations.closed_at is null
    returning * into closed;
    if closed.id is null then
        raise sqlstate 'PT404' using message = 'No open conversation of yours has this id.';
    end if;
    update public.questions set state = 'answered'
    where questions.id = (select matches.question_id from public.matches where matches.id = closed.match_id);
    if closed.stars is not null then
        update public.experts set stars_sum = stars_sum + closed.stars, stars_count = stars_count + 1
        where experts.profile_id = closed.expert_id;
    end if;
    return closed;
end
$$;
comment on function public.close_conversation(uuid, smallint) is
    'Closes a conversation

Only who asked can; the expert has room for another one then, and gets the stars (1 to 5) if any.';
revoke execute on function public.close_conversation(uuid, smallint) from public, anon;
