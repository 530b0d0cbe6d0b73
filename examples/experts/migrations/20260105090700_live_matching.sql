-- Live matching: a question is proposed to an expert who is there, and the expert decides.
--
-- `ask` fills a place and opens the conversation at once. Here a place is only held while the expert makes up their
-- mind. Whoever is there says so every few seconds (`here`), and gets what waits; whoever asks is served at once if
-- somebody is free.
--
-- Locks are taken in the order question, match, availability; where a function needs them in another order it takes
-- only what is free (`skip locked`). So no two of them wait for each other.

-- With a body that PostgreSQL keeps parsed, it is known what the policy of matches reads; reads of matches can then
-- be answered with 304 without asking the database.
create or replace function private.asker_of(question_id uuid) returns uuid
language sql stable security definer set search_path = ''
return (select questions.asker_id from public.questions where questions.id = asker_of.question_id);

-- In place of a language model, as in seed/: a direction for a skill, and something near it for what is about it.
create function private.direction(about text, own text) returns extensions.vector
language sql immutable set search_path = '' as $$
    select array_agg(
            ((get_byte(hash.about, i) - 127.5) / 127.5 + (get_byte(hash.own, i) - 127.5) / 200)::real
            order by i)::extensions.vector
    from (
        select sha512(convert_to(about, 'UTF8')) as about, sha512(convert_to(own, 'UTF8')) as own
        offset 0 -- Hash once, not once per number.
    ) as hash
    cross join generate_series(0, 63) as i
$$;
revoke execute on function private.direction(text, text) from public;

create index availability_here on public.availability (seen_at) where is_open;
-- A question waits for one expert at a time, whoever found the other first.
create unique index matches_one_proposal on public.matches (question_id) where state = 'proposed';

-- A proposal holds a place, as a conversation does.
create function private.count_proposals() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if tg_op <> 'INSERT' and old.state = 'proposed' then
        update public.availability set active_conversations = active_conversations - 1
        where expert_id = old.expert_id;
    end if;
    if tg_op <> 'DELETE' and new.state = 'proposed' then
        update public.availability set active_conversations = active_conversations + 1
        where expert_id = new.expert_id;
    end if;
    return null;
end
$$;
create trigger matches_count after insert or delete or update of state, expert_id on public.matches
    for each row execute function private.count_proposals();
comment on column public.availability.active_conversations is
    'Open conversations, and proposals that wait for an answer; kept by triggers.';
comment on column public.availability.seen_at is 'When the expert was last there; see here().';

-- A question that is withdrawn waits for nobody.
create function private.end_proposals() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    update public.matches set state = 'expired', decided_at = now()
    where question_id = new.id and state = 'proposed';
    return null;
end
$$;
create trigger questions_withdrawn after update of state on public.questions
    for each row when (new.state = 'withdrawn') execute function private.end_proposals();

-- Proposes a question, whose row the caller has locked, to the nearest expert who is there and free.
create function private.propose(question public.questions) returns uuid
language plpgsql set search_path = '' set hnsw.iterative_scan = 'strict_order' as $$
declare
    found_expert uuid;
    similarity real;
    match_id uuid;
begin
    -- The lock keeps two askers from taking an expert's last place: the second skips to the next expert.
    select experts.profile_id, (1 - (experts.embedding operator(extensions.<=>) question.embedding))::real
    into found_expert, similarity
    from public.availability
    join public.experts on experts.profile_id = availability.expert_id
    where availability.is_open and availability.seen_at > now() - interval '45 seconds'
        and experts.is_listed and experts.profile_id <> question.asker_id
        -- Who knows about something else is not asked.
        and experts.embedding operator(extensions.<=>) question.embedding < 0.5
        and not exists (
            select from public.matches
            where matches.question_id = question.id and matches.expert_id = experts.profile_id)
    order by experts.embedding operator(extensions.<=>) question.embedding
    limit 1
    for no key update of availability skip locked;
    if found_expert is null then
        return null;
    end if;
    insert into public.matches (question_id, expert_id, similarity)
    values (question.id, found_expert, similarity)
    on conflict do nothing
    returning id into match_id;
    return match_id;
end
$$;
revoke execute on function private.propose(public.questions) from public;

create function public.become_expert(skill text, headline text default null) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
    chosen public.skills;
begin
    if auth.uid() is null then
        raise insufficient_privilege using message = 'Sign in to help.';
    end if;
    select * into chosen from public.skills where skills.slug = become_expert.skill;
    if chosen.id is null then
        raise sqlstate 'PT400' using message = 'There is no such skill.';
    end if;
    insert into public.experts (profile_id, headline, embedding)
    values (
        auth.uid(), coalesce(nullif(trim(become_expert.headline), ''), 'Knows about ' || chosen.name),
        private.direction(chosen.slug, auth.uid()::text))
    on conflict (profile_id) do update set headline = excluded.headline, embedding = excluded.embedding;
    insert into public.expert_skills (expert_id, skill_id) values (auth.uid(), chosen.id) on conflict do nothing;
    insert into public.availability (expert_id, status, capacity) values (auth.uid(), 'online', 1)
    on conflict (expert_id) do update set status = 'online', seen_at = now();
    return auth.uid();
end
$$;
comment on function public.become_expert(text, text) is
    'Becomes an expert

In the skill of this slug, online, for one conversation at a time.';
revoke execute on function public.become_expert(text, text) from public, anon;

create function public.request_expert(skill text, title text, body text default '') returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
    question public.questions;
begin
    if auth.uid() is null then
        raise insufficient_privilege using message = 'Sign in to ask.';
    end if;
    if not exists (select from public.skills where skills.slug = request_expert.skill) then
        raise sqlstate 'PT400' using message = 'There is no such skill.';
    end if;
    insert into public.questions (asker_id, title, body, embedding)
    values (
        auth.uid(), request_expert.title, request_expert.body,
        private.direction(request_expert.skill, gen_random_uuid()::text))
    returning * into question;
    perform private.propose(question);
    return question.id;
end
$$;
comment on function public.request_expert(text, text, text) is
    'Asks whoever is there

Stores the question and proposes it to the nearest expert in the skill of this slug who is there and free; they
accept or decline. Somebody who knows about something else is not asked. While nobody is free, it waits.';
revoke execute on function public.request_expert(text, text, text) from public, anon;

create function public.seek_expert(question_id uuid) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
    question public.questions;
    match_id uuid;
begin
    select * into question from public.questions
    where questions.id = seek_expert.question_id and questions.asker_id = auth.uid()
    for update;
    if question.id is null then
        raise sqlstate 'PT404' using message = 'No question of yours has this id.';
    end if;
    if question.state <> 'open' then
        return null;
    end if;
    update public.matches set state = 'expired', decided_at = now()
    where matches.question_id = question.id and matches.state = 'proposed'
        and matches.created_at < now() - interval '1 minute';
    select matches.id into match_id from public.matches
    where matches.question_id = question.id and matches.state = 'proposed';
    return coalesce(match_id, private.propose(question));
end
$$;
comment on function public.seek_expert(uuid) is
    'Looks for an expert again

For an open question: a proposal that has waited for a minute goes to the next one. Returns the match that waits for
an answer, if any.';
revoke execute on function public.seek_expert(uuid) from public, anon;

create function public.here() returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
    is_open boolean;
    question public.questions;
    match_id uuid;
begin
    update public.matches set state = 'expired', decided_at = now()
    where matches.id in (
        select matches.id from public.matches
        where matches.expert_id = auth.uid() and matches.state = 'proposed'
            and matches.created_at < now() - interval '1 minute'
        for update skip locked);
    update public.availability set seen_at = now() where expert_id = auth.uid()
    returning availability.is_open into is_open;
    if is_open is not true then
        return null;
    end if;
    select questions.* into question
    from public.questions
    join public.experts on experts.profile_id = auth.uid() and experts.is_listed
    where questions.state = 'open' and questions.created_at > now() - interval '15 minutes'
        and questions.asker_id <> auth.uid()
        and questions.embedding operator(extensions.<=>) experts.embedding < 0.5
        and not exists (
            select from public.matches
            where matches.question_id = questions.id
                and (matches.state = 'proposed' or matches.expert_id = auth.uid()))
    order by questions.embedding operator(extensions.<=>) experts.embedding
    limit 1
    for update of questions skip locked;
    if question.id is null then
        return null;
    end if;
    insert into public.matches (question_id, expert_id, similarity)
    select question.id, experts.profile_id,
        (1 - (experts.embedding operator(extensions.<=>) question.embedding))::real
    from public.experts where experts.profile_id = auth.uid()
    on conflict do nothing
    returning id into match_id;
    return match_id;
end
$$;
comment on function public.here() is
    'Says that an expert is there

To be called every 15 seconds; who has not called for 45 seconds gets no proposals. An expert with room gets the
nearest question that waits; returns its match, if any.';
revoke execute on function public.here() from public, anon;

create function public.accept_match(match_id uuid) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
    question public.questions;
    conversation_id uuid;
begin
    select questions.* into question
    from public.questions
    where questions.id = (
        select matches.question_id from public.matches
        where matches.id = accept_match.match_id and matches.expert_id = auth.uid())
    for update;
    if question.id is null then
        raise sqlstate 'PT404' using message = 'No match of yours has this id.';
    end if;
    update public.matches set state = 'accepted', decided_at = now()
    where matches.id = accept_match.match_id and matches.state = 'proposed' and question.state = 'open';
    if not found then
        raise sqlstate 'PT409' using message = 'This question does not wait for you any more.';
    end if;
    insert into public.conversations (match_id, asker_id, expert_id)
    values (accept_match.match_id, question.asker_id, auth.uid())
    returning id into conversation_id;
    insert into public.messages (conversation_id, sender_id, body)
    values (conversation_id, question.asker_id, coalesce(nullif(question.body, ''), question.title));
    update public.questions set state = 'matched' where questions.id = question.id;
    return conversation_id;
end
$$;
comment on function public.accept_match(uuid) is
    'Accepts a question

Opens the conversation, with the question as its first message, and returns its id.';
revoke execute on function public.accept_match(uuid) from public, anon;

create function public.decline_match(match_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
    question public.questions;
begin
    select questions.* into question
    from public.questions
    where questions.id = (
        select matches.question_id from public.matches
        where matches.id = decline_match.match_id and matches.expert_id = auth.uid())
    for update;
    update public.matches set state = 'declined', decided_at = now()
    where matches.id = decline_match.match_id and matches.expert_id = auth.uid() and matches.state = 'proposed';
    if not found then
        raise sqlstate 'PT404' using message = 'No match of yours waits for an answer under this id.';
    end if;
    if question.state = 'open' then
        perform private.propose(question);
    end if;
end
$$;
comment on function public.decline_match(uuid) is
    'Declines a question

It goes to the next expert who is there.';
revoke execute on function public.decline_match(uuid) from public, anon;

-- Who is there and who is typing goes over a private channel, which both sides of a conversation may join.
create function private.is_in_conversation(topic text) returns boolean
language sql stable security definer set search_path = ''
return exists (
    select from public.conversations
    where conversations.id = case
            when topic ~ '^conversation:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then substr(topic, 14)::uuid end
        and auth.uid() in (conversations.asker_id, conversations.expert_id));
revoke execute on function private.is_in_conversation(text) from public;
grant execute on function private.is_in_conversation(text) to authenticated;

create policy "both sides hear their conversation" on realtime.messages for select to authenticated
    using (extension in ('broadcast', 'presence') and private.is_in_conversation(realtime.topic()));
create policy "both sides signal in their conversation" on realtime.messages for insert to authenticated
    with check (extension in ('broadcast', 'presence') and private.is_in_conversation(realtime.topic()));
