-- What is asked, who was found for it, and what they say to each other.

create table public.questions (
    id uuid primary key default gen_random_uuid(),
    asker_id uuid not null default auth.uid() references public.profiles on delete cascade,
    title text not null
        constraint title_has_length check (char_length(title) between 3 and 200),
    body text not null default ''
        constraint body_has_length check (char_length(body) <= 10000),
    embedding extensions.vector(64) not null,
    state public.question_state not null default 'open',
    search tsvector generated always as (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'B')) stored,
    created_at timestamptz not null default now()
);
comment on table public.questions is
    'A question

Seen by who asked it and by the experts it was matched with.';
comment on column public.questions.embedding is 'What the question is about; compared with experts.embedding.';

create index questions_by_asker on public.questions (asker_id, created_at desc);
create index questions_open on public.questions (created_at) where state = 'open';
create index questions_search on public.questions using gin (search);

create table public.matches (
    id uuid primary key default gen_random_uuid(),
    question_id uuid not null references public.questions on delete cascade,
    expert_id uuid not null references public.experts on delete cascade,
    similarity real not null constraint similarity_is_cosine check (similarity between -1 and 1),
    state public.match_state not null default 'proposed',
    created_at timestamptz not null default now(),
    decided_at timestamptz,
    constraint one_match_per_expert unique (question_id, expert_id),
    constraint decided_has_time check ((state = 'proposed') = (decided_at is null))
);
comment on table public.matches is 'An expert found for a question; made by ask only.';
comment on column public.matches.similarity is 'Cosine similarity of the two embeddings, −1 to 1.';

create index matches_by_expert on public.matches (expert_id, created_at desc);

create table public.conversations (
    id uuid primary key default gen_random_uuid(),
    match_id uuid not null unique references public.matches on delete cascade,
    asker_id uuid not null references public.profiles on delete cascade,
    expert_id uuid not null references public.experts on delete cascade,
    stars smallint constraint stars_in_range check (stars between 1 and 5),
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint not_with_oneself check (asker_id <> expert_id),
    constraint stars_come_last check (stars is null or closed_at is not null)
);
comment on table public.conversations is
    'A conversation between an asker and an expert

One to one with an accepted match. Both people stand here once more, so that policies need no join.';
comment on column public.conversations.closed_at is 'When it was closed; null while it is open.';
comment on column public.conversations.stars is 'What the asker gave in the end.';

create index conversations_by_asker on public.conversations (asker_id, opened_at desc);
create index conversations_by_expert on public.conversations (expert_id, opened_at desc);

create table public.messages (
    id bigint generated always as identity primary key,
    conversation_id uuid not null references public.conversations on delete cascade,
    sender_id uuid not null default auth.uid() references public.profiles on delete cascade,
    body text not null constraint message_has_length check (char_length(body) between 1 and 10000),
    sent_at timestamptz not null default now()
);
comment on table public.messages is
    'A message in a conversation

Written and read by its two people; never changed.';
comment on column public.messages.id is 'Rises with time, so it orders a conversation.';

create index messages_by_conversation on public.messages (conversation_id, id desc);
create index messages_by_sender on public.messages (sender_id);

-- availability.active_conversations follows the conversations, whoever opens or closes them.
create function private.count_conversations() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    if tg_op <> 'INSERT' and old.closed_at is null then
        update public.availability set active_conversations = active_conversations - 1
        where expert_id = old.expert_id;
    end if;
    if tg_op <> 'DELETE' and new.closed_at is null then
        update public.availability set active_conversations = active_conversations + 1
        where expert_id = new.expert_id;
    end if;
    return null;
end
$$;

create trigger conversations_count
    after insert or delete or update of closed_at, expert_id on public.conversations
    for each row execute function private.count_conversations();
