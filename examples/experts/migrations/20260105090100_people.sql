-- Who asks and who answers.

create table public.profiles (
    id uuid primary key default auth.uid(),
    handle text not null unique
        constraint handle_is_plain check (handle ~ '^[a-z][a-z0-9_]{2,29}$'),
    display_name text not null
        constraint display_name_has_length check (char_length(display_name) between 1 and 80),
    bio text
        constraint bio_has_length check (char_length(bio) <= 2000),
    time_zone text not null default 'UTC',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.profiles is
    'A person

Everybody with an account has one, experts too. Signed-in users see all; visitors see experts only.';
comment on column public.profiles.id is 'The user''s id, as in the claim sub of the token.';
comment on column public.profiles.handle is 'Unique name in URLs: 3 to 30 of a–z, 0–9 and _, starting with a letter.';
comment on column public.profiles.time_zone is 'IANA name, for instance Europe/Lisbon.';

create trigger profiles_touch before update on public.profiles
    for each row execute function private.touch_updated_at();

create table public.skills (
    id integer generated always as identity primary key,
    slug text not null unique constraint slug_is_plain check (slug ~ '^[a-z][a-z0-9-]*$'),
    name text not null
);
comment on table public.skills is 'What an expert can help with.';

create table public.experts (
    profile_id uuid primary key references public.profiles on delete cascade,
    headline text not null
        constraint headline_has_length check (char_length(headline) between 1 and 160),
    languages text[] not null default '{en}'
        constraint speaks_something check (cardinality(languages) between 1 and 10),
    hourly_rate_cents integer not null default 0
        constraint rate_is_sane check (hourly_rate_cents between 0 and 1000000),
    embedding extensions.vector(64) not null,
    is_listed boolean not null default true,
    stars_sum integer not null default 0,
    stars_count integer not null default 0,
    rating numeric(3, 2) generated always as (
        case when stars_count > 0 then round(stars_sum::numeric / stars_count, 2) end) stored,
    search tsvector generated always as (to_tsvector('english', headline)) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint stars_add_up check (stars_count >= 0 and stars_sum between stars_count and stars_count * 5)
);
comment on table public.experts is
    'Someone who answers questions

One to one with a profile.';
comment on column public.experts.embedding is
    'What the expert knows, as a vector of 64 numbers from the same model as questions.embedding.';
comment on column public.experts.is_listed is 'Unlisted experts are seen by themselves only, and never matched.';
comment on column public.experts.stars_sum is 'Sum of all stars given; written by close_conversation only.';
comment on column public.experts.rating is 'Mean of the stars, 1 to 5; null before the first.';
comment on column public.experts.search is 'For full-text search: ?search=wfts(english).postgres';

create index experts_search on public.experts using gin (search);
create index experts_languages on public.experts using gin (languages);
create index experts_by_rating on public.experts (rating desc nulls last, profile_id) where is_listed;

create trigger experts_touch before update on public.experts
    for each row execute function private.touch_updated_at();

create table public.expert_skills (
    expert_id uuid not null references public.experts on delete cascade,
    skill_id integer not null references public.skills on delete cascade,
    years smallint not null default 0 constraint years_are_sane check (years between 0 and 70),
    primary key (expert_id, skill_id)
);
comment on table public.expert_skills is 'Which expert has which skill; makes experts and skills many-to-many.';
create index expert_skills_by_skill on public.expert_skills (skill_id, years desc);

create table public.availability (
    expert_id uuid primary key references public.experts on delete cascade,
    status public.availability_status not null default 'offline',
    capacity smallint not null default 3 constraint capacity_is_sane check (capacity between 0 and 50),
    active_conversations smallint not null default 0
        constraint active_is_not_negative check (active_conversations >= 0),
    is_open boolean generated always as (status = 'online' and active_conversations < capacity) stored,
    seen_at timestamptz not null default now()
);
comment on table public.availability is
    'Whether an expert takes questions now

Apart from experts because it changes every few minutes, and they do not.';
comment on column public.availability.active_conversations is 'Open conversations; kept by a trigger.';
comment on column public.availability.is_open is 'Online and with room for one more conversation.';

create index availability_open on public.availability (expert_id) where is_open;
