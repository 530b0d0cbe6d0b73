-- Who may see and change what. Tables in public are granted to the API's roles by default privileges; here row
-- level security narrows that to rows, and column grants narrow it to columns.
--
-- auth.uid() stands in a subquery of its own, (select auth.uid()), so that it is computed once per statement
-- and not once per row.

alter table public.profiles enable row level security;
alter table public.skills enable row level security;
alter table public.experts enable row level security;
alter table public.expert_skills enable row level security;
alter table public.availability enable row level security;
alter table public.questions enable row level security;
alter table public.matches enable row level security;
alter table public.conversations enable row level security;
alter table public.messages enable row level security;

-- Visitors read the directory of experts and change nothing.
revoke insert, update, delete on all tables in schema public from anon;
revoke select on public.questions, public.matches, public.conversations, public.messages from anon;

-- Skills: everybody reads; only service_role, which passes row level security, writes.
create policy "skills are public" on public.skills for select using (true);

-- Profiles
create policy "experts are public, users see all" on public.profiles for select
    using (
        (select auth.uid()) is not null
        or exists (select from public.experts where experts.profile_id = profiles.id));
create policy "a user makes the own profile" on public.profiles for insert to authenticated
    with check (id = (select auth.uid()));
create policy "a user changes the own profile" on public.profiles for update to authenticated
    using (id = (select auth.uid()));
create policy "a user removes the own profile" on public.profiles for delete to authenticated
    using (id = (select auth.uid()));
revoke insert, update on public.profiles from authenticated;
grant insert (id, handle, display_name, bio, time_zone) on public.profiles to authenticated;
grant update (handle, display_name, bio, time_zone) on public.profiles to authenticated;

-- Experts: stars are given by close_conversation alone.
create policy "listed experts are public" on public.experts for select
    using (is_listed or profile_id = (select auth.uid()));
create policy "a user becomes an expert" on public.experts for insert to authenticated
    with check (profile_id = (select auth.uid()));
create policy "an expert changes the own entry" on public.experts for update to authenticated
    using (profile_id = (select auth.uid()));
create policy "an expert leaves" on public.experts for delete to authenticated
    using (profile_id = (select auth.uid()));
revoke insert, update on public.experts from authenticated;
grant insert (profile_id, headline, languages, hourly_rate_cents, embedding, is_listed)
    on public.experts to authenticated;
grant update (headline, languages, hourly_rate_cents, embedding, is_listed) on public.experts to authenticated;

-- Skills of experts
create policy "skills of visible experts are public" on public.expert_skills for select
    using (exists (select from public.experts where experts.profile_id = expert_id));
create policy "an expert keeps the own skills" on public.expert_skills for all to authenticated
    using (expert_id = (select auth.uid()));

-- Availability
create policy "availability of visible experts is public" on public.availability for select
    using (exists (select from public.experts where experts.profile_id = expert_id));
create policy "an expert enters the own availability" on public.availability for insert to authenticated
    with check (expert_id = (select auth.uid()));
create policy "an expert changes the own availability" on public.availability for update to authenticated
    using (expert_id = (select auth.uid()));
revoke insert, update, delete on public.availability from authenticated;
grant insert (expert_id, status, capacity) on public.availability to authenticated;
grant update (status, capacity, seen_at) on public.availability to authenticated;

-- Questions
create policy "askers and matched experts see a question" on public.questions for select to authenticated
    using (
        asker_id = (select auth.uid())
        or exists (
            select from public.matches
            where matches.question_id = questions.id and matches.expert_id = (select auth.uid())));
create policy "a user asks" on public.questions for insert to authenticated
    with check (asker_id = (select auth.uid()));
create policy "an asker changes the own question" on public.questions for update to authenticated
    using (asker_id = (select auth.uid()) and state = 'open')
    with check (asker_id = (select auth.uid()) and state in ('open', 'withdrawn'));
revoke insert, update, delete on public.questions from authenticated;
grant insert (id, title, body, embedding) on public.questions to authenticated;
grant update (title, body, embedding, state) on public.questions to authenticated;

-- Matches. A policy of matches that read questions, whose policy reads matches, would go in circles; so who
-- asked is looked up past the policies.
create function private.asker_of(question_id uuid) returns uuid
language sql stable security definer set search_path = '' as $$
    select asker_id from public.questions where id = asker_of.question_id
$$;
revoke execute on function private.asker_of(uuid) from public;
grant usage on schema private to authenticated;
grant execute on function private.asker_of(uuid) to authenticated;

create policy "both sides see a match" on public.matches for select to authenticated
    using (expert_id = (select auth.uid()) or private.asker_of(question_id) = (select auth.uid()));
revoke insert, update, delete on public.matches from authenticated;

-- Conversations: opened by ask, closed by close_conversation.
create policy "both sides see a conversation" on public.conversations for select to authenticated
    using ((select auth.uid()) in (asker_id, expert_id));
revoke insert, update, delete on public.conversations from authenticated;

-- Messages
create policy "both sides read the messages" on public.messages for select to authenticated
    using (exists (
        select from public.conversations
        where conversations.id = conversation_id
            and (select auth.uid()) in (conversations.asker_id, conversations.expert_id)));
create policy "both sides write while it is open" on public.messages for insert to authenticated
    with check (
        sender_id = (select auth.uid())
        and exists (
            select from public.conversations
            where conversations.id = conversation_id and conversations.closed_at is null
                and (select auth.uid()) in (conversations.asker_id, conversations.expert_id)));
revoke insert, update, delete on public.messages from authenticated;
grant insert (conversation_id, body) on public.messages to authenticated;
