-- Extensions, enumerations, and a schema for what the API must not show.
--
-- Only schema public is served. Extensions live in `extensions`, so that their functions do not turn up as
-- remote procedures, and helpers of triggers and policies live in `private`.

create schema if not exists extensions;
grant usage on schema extensions to anon, authenticated, service_role;
create extension if not exists vector with schema extensions;

create schema private;
comment on schema private is 'Helpers of triggers and functions; not served.';

create type public.availability_status as enum ('offline', 'away', 'online');
comment on type public.availability_status is 'Whether an expert takes questions now.';

create type public.question_state as enum ('open', 'matched', 'answered', 'withdrawn');
comment on type public.question_state is
    'open: nobody found yet; matched: in conversation; answered: closed by the asker; withdrawn: given up.';

create type public.match_state as enum ('proposed', 'accepted', 'declined', 'expired');
comment on type public.match_state is 'What became of a match.';

create function private.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    return new;
end
$$;
