-- Who may do what, tried out on the seeded database as each kind of caller. Changes nothing.
--
--   psql -v ON_ERROR_STOP=1 -f examples/experts/tests/policies.sql "$DATABASE_URL"
--
-- Run it as a superuser or as a role that may become the three roles of the API. It fails at the first
-- expectation that does not hold.

begin;

create function pg_temp.sign_in(role text, sub uuid default null) returns void language plpgsql as $$
begin
    perform set_config('request.jwt.claims', jsonb_strip_nulls(jsonb_build_object('role', role, 'sub', sub))::text, true);
    perform set_config('role', role, true);
end
$$;

create function pg_temp.expect(query text, wanted bigint, what text) returns void language plpgsql as $$
declare
    found bigint;
begin
    execute query into found;
    if found is distinct from wanted then
        raise exception '% as %: expected %, found %', what, current_user, wanted, found;
    end if;
end
$$;

-- What happens to a statement: 'rows n', or the SQLSTATE it fails with. It is undone in either case.
create function pg_temp.outcome(statement text) returns text language plpgsql as $$
declare
    touched bigint;
begin
    begin
        execute statement;
        get diagnostics touched = row_count;
        raise exception using errcode = 'ZZZZZ', message = 'rows ' || touched;
    exception when others then
        return case when sqlstate = 'ZZZZZ' then sqlerrm else sqlstate end;
    end;
end
$$;

create function pg_temp.expect_outcome(statement text, wanted text, what text) returns void language plpgsql as $$
declare
    seen constant text := pg_temp.outcome(statement);
begin
    if seen <> wanted then
        raise exception '% as %: expected %, got %', what, current_user, wanted, seen;
    end if;
end
$$;

-- Asker 1, who asked question 3000; asker 3000 is the stranger.

-- A visitor reads the directory and nothing else.
select pg_temp.sign_in('anon');
select pg_temp.expect('select count(*) from experts', 1960, 'listed experts');
select pg_temp.expect('select count(*) from profiles', 1960, 'profiles of experts');
select pg_temp.expect('select count(*) from skills', 32, 'skills');
select pg_temp.expect('select count(*) from expert_directory', 1960, 'directory');
select pg_temp.expect_outcome('select from questions', '42501', 'reading questions');
select pg_temp.expect_outcome('select from messages', '42501', 'reading messages');
select pg_temp.expect_outcome('select from inbox', '42501', 'reading an inbox');
select pg_temp.expect_outcome('delete from experts', '42501', 'deleting experts');
select pg_temp.expect_outcome(
    format('select * from ask(%L, (select embedding from experts limit 1))', 'May I?'), '42501', 'asking');
select pg_temp.expect_outcome('select * from match_experts(''b0000000-0000-4000-8000-000000000bb8'')', '42501', 'matching');
select pg_temp.expect_outcome('select private.asker_of(null)', '42501', 'calling a private function');

-- Somebody signed in, with no claim sub: nobody in particular, and not an error.
select pg_temp.sign_in('authenticated');
select pg_temp.expect('select count(*) from questions', 0, 'questions');
select pg_temp.expect('select count(*) from inbox', 0, 'inbox');

-- A user who asked sees and does what is theirs.
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000001');
select pg_temp.expect('select count(*) from profiles', 5000, 'profiles');
select pg_temp.expect('select count(*) from questions', 3, 'questions');
select pg_temp.expect('select count(*) from questions where asker_id <> auth.uid()', 0, 'foreign questions');
select pg_temp.expect('select count(*) from conversations where asker_id <> auth.uid()', 0, 'foreign conversations');
select pg_temp.expect('select count(*) from skills where slug = ''swift''', 1, 'a skill');
select pg_temp.expect_outcome('select * from match_experts(''b0000000-0000-4000-8000-000000000bb8'', 5)', 'rows 5', 'matching');
select pg_temp.expect_outcome('select * from match_experts(''b0000000-0000-4000-8000-000000000bb8'', 0)', 'rows 0', 'matching none');
select pg_temp.expect_outcome('update profiles set bio = ''me''', 'rows 1', 'changing profiles');
select pg_temp.expect_outcome('update profiles set created_at = now()', '42501', 'changing a time of creation');
select pg_temp.expect_outcome('update experts set headline = ''x''', 'rows 0', 'changing foreign experts');
select pg_temp.expect_outcome('update experts set stars_sum = 5', '42501', 'giving oneself stars');
select pg_temp.expect_outcome('update availability set active_conversations = 0', '42501', 'making room');
select pg_temp.expect_outcome(
    'insert into skills (slug, name) values (''x'', ''X'')', '42501', 'inventing a skill');
select pg_temp.expect_outcome(
    format('insert into profiles (id, handle, display_name) values (%L, ''other_one'', ''O'')', gen_random_uuid()),
    '42501', 'making a profile for somebody else');
select pg_temp.expect_outcome(
    'insert into matches (question_id, expert_id, similarity) values (null, null, 1)', '42501', 'making a match');
select pg_temp.expect_outcome(
    'insert into questions (title, embedding) select ''A question'', embedding from experts limit 1',
    'rows 1', 'asking by insert');
select pg_temp.expect_outcome(
    'insert into questions (title, embedding) values (''A question'', ''[1,2]'')', '22000', 'two dimensions');

-- Asking finds an expert, fills a place, and both can talk; nobody else listens.
create temporary table asked on commit drop as select null::uuid as question_id, null::uuid as conversation_id,
    null::uuid as expert_id;
grant all on asked to authenticated;
update asked set (question_id, conversation_id, expert_id) = (
    select answer.question_id, answer.conversation_id, answer.expert_id
    from ask('How do I prune roses?', (select embedding from questions limit 1)) as answer);
select pg_temp.expect('select count(*) from asked where conversation_id is not null', 1, 'a conversation');
select pg_temp.expect('select count(*) from questions join asked on id = question_id where state = ''matched''',
    1, 'the question matched');
select pg_temp.expect('select count(*) from inbox join asked using (conversation_id)
    where last_excerpt = ''How do I prune roses?''', 1, 'the inbox');
insert into messages (conversation_id, body) select conversation_id, 'Hello?' from asked;
select pg_temp.expect_outcome(
    'insert into messages (conversation_id, sender_id, body) select conversation_id, expert_id, ''Hi'' from asked',
    '42501', 'writing as the other');
select pg_temp.expect_outcome('update messages set body = ''changed''', '42501', 'changing a message');

-- The expert sees the question and answers.
select pg_temp.sign_in('authenticated', (select expert_id from asked));
select pg_temp.expect('select count(*) from questions join asked on id = question_id', 1, 'the question');
select pg_temp.expect('select count(*) from messages join asked using (conversation_id)', 2, 'messages');
select pg_temp.expect_outcome('insert into messages (conversation_id, body)
    select conversation_id, ''Good day'' from asked', 'rows 1', 'answering');
select pg_temp.expect_outcome('update availability set status = ''away''', 'rows 1', 'going away');
select pg_temp.expect_outcome('select close_conversation(conversation_id) from asked', 'PT404', 'closing as expert');

-- A stranger sees none of it.
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000bb8');
select pg_temp.expect('select count(*) from questions join asked on id = question_id', 0, 'the question');
select pg_temp.expect('select count(*) from matches join asked using (question_id)', 0, 'the match');
select pg_temp.expect('select count(*) from messages join asked using (conversation_id)', 0, 'the messages');
select pg_temp.expect_outcome('insert into messages (conversation_id, body)
    select conversation_id, ''Boo'' from asked', '42501', 'joining in');
select pg_temp.expect_outcome('select m.* from asked, match_experts(asked.question_id) as m', 'rows 0', 'matching');
select pg_temp.expect_outcome('select close_conversation(conversation_id) from asked', 'PT404', 'closing');

-- Closing gives stars and room, and ends the talk.
reset role;
create temporary table before on commit drop as
select active_conversations, stars_sum
from availability join experts on profile_id = availability.expert_id where availability.expert_id = (select expert_id from asked);
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000001');
select close_conversation(conversation_id, 5::smallint) is not null as closed from asked;
select pg_temp.expect_outcome('insert into messages (conversation_id, body)
    select conversation_id, ''One more'' from asked', '42501', 'writing after the end');
select pg_temp.expect_outcome('select close_conversation(conversation_id) from asked', 'PT404', 'closing twice');
reset role;
select pg_temp.expect('select count(*) from before, asked, availability join experts on profile_id = availability.expert_id
    where availability.expert_id = asked.expert_id
        and availability.active_conversations = before.active_conversations - 1
        and experts.stars_sum = before.stars_sum + 5', 1, 'room and stars');

-- Live: a question is proposed to an expert who is there, who accepts or declines. Undone, so that counts below hold.
savepoint live;
select pg_temp.sign_in('anon');
select pg_temp.expect_outcome('select request_expert(''gardening'', ''When do I sow?'')', '42501', 'asking live');
select pg_temp.expect_outcome('select become_expert(''gardening'')', '42501', 'helping');
select pg_temp.expect_outcome('select here()', '42501', 'being there');
select pg_temp.expect_outcome('select private.direction(''x'', ''y'')', '42501', 'calling a private function');
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000003');
select pg_temp.expect_outcome('select become_expert(''no-such-skill'')', 'PT400', 'an unknown skill');
select become_expert('gardening') is not null as helps, here() is null as nothing_waits;
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000001');
create temporary table requested on commit drop as
select request_expert('gardening', 'When do I sow?') as first, request_expert('gardening', 'And when do I reap?') as second;
grant all on requested to authenticated;
select pg_temp.expect('select count(*) from matches join requested on question_id = first
    where state = ''proposed'' and expert_id = ''a0000000-0000-4000-8000-000000000003''', 1, 'the proposal');
select pg_temp.expect('select count(*) from matches join requested on question_id = second', 0, 'the one place is held');
select pg_temp.expect('select count(*) from requested where seek_expert(first) is not null', 1, 'seeking again');
select pg_temp.expect('select count(*) from requested where seek_expert(second) is null', 1, 'seeking in vain');
select pg_temp.expect_outcome('select accept_match(matches.id) from matches join requested on question_id = first',
    'PT404', 'accepting for somebody else');
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000bb8');
select pg_temp.expect_outcome('select seek_expert(first) from requested', 'PT404', 'seeking for somebody else');
select pg_temp.expect('select count(*) from matches join requested on question_id = first', 0, 'a foreign proposal');
select pg_temp.sign_in('authenticated', 'a0000000-0000-4000-8000-000000000003');
select pg_temp.expect('select count(*) from questions join requested on id in (first, second)', 1, 'the question asked of me');
select decline_match(matches.id) from matches join requested on question_id = first;
select pg_temp.expect_outcome('select decline_match(matches.id) from matches join requested on question_id = first',
    'PT404', 'declining twice');
select here() is not null as gets_the_one_that_waits;
select pg_temp.expect('select count(*) from matches join requested on question_id = second where state = ''proposed''',
    1, 'the question that waited');
select accept_match(matches.id) is not null as accepted from matches join requested on question_id = second;
select pg_temp.expect_outcome('select accept_match(matches.id) from matches join requested on question_id = second',
    'PT409', 'accepting twice');
select pg_temp.expect('select count(*) from messages join conversations on conversations.id = conversation_id
    join matches on matches.id = match_id join requested on question_id = second', 1, 'the first message');
select pg_temp.expect('select active_conversations from availability where expert_id = auth.uid()', 1, 'places');
select pg_temp.expect('select count(*) where here() is null', 1, 'no room');
rollback to live;

-- service_role sees and does everything.
select pg_temp.sign_in('service_role');
select pg_temp.expect('select count(*) from experts', 2000, 'all experts');
select pg_temp.expect('select count(*) from questions', 10001, 'all questions');
select pg_temp.expect('select count(*) from messages where id <= 50000', 50000, 'all messages');
select pg_temp.expect_outcome('insert into skills (slug, name) values (''x-ray'', ''X'')', 'rows 1', 'a new skill');
select pg_temp.expect_outcome('update experts set is_listed = true where not is_listed', 'rows 40', 'listing all');

rollback;
