-- What the benchmark reads and writes. Loaded as the owner into an empty database.
create schema bench;
grant usage on schema bench to anon, authenticated;

create table bench.accounts (
    id int primary key,
    owner uuid not null,
    name text not null,
    balance int not null,
    created_at timestamptz not null default '2026-01-01T00:00:00Z'
);
insert into bench.accounts
select n, md5((n % 1000)::text)::uuid, 'account ' || n, n * 7 % 10000, '2026-01-01T00:00:00Z'
from generate_series(1, 100000) n;
grant select on bench.accounts to anon, authenticated;

-- The same rows under row level security: a user sees their own.
create table bench.private_accounts (like bench.accounts including all);
insert into bench.private_accounts select * from bench.accounts;
alter table bench.private_accounts enable row level security;
create policy own on bench.private_accounts to authenticated using (owner = (select auth.uid()));
grant select on bench.private_accounts to authenticated;

create table bench.items (
    id int primary key,
    category int not null,
    title text not null,
    price numeric not null,
    created_at timestamptz not null
);
insert into bench.items
select n, n % 500, 'item ' || n, (n % 997) / 10.0, timestamptz '2026-01-01' + n * interval '1 second'
from generate_series(1, 100000) n;
create index on bench.items (category, created_at desc);
grant select on bench.items to anon;

create table bench.parents (id int primary key, title text not null);
create table bench.children (
    id int primary key,
    parent_id int not null references bench.parents,
    label text not null
);
insert into bench.parents select n, 'parent ' || n from generate_series(1, 10000) n;
insert into bench.children select n, (n - 1) / 10 + 1, 'child ' || n from generate_series(1, 100000) n;
create index on bench.children (parent_id);
grant select on bench.parents, bench.children to anon;

create table bench.events (
    id bigint generated always as identity primary key,
    kind text not null,
    payload jsonb not null,
    created_at timestamptz not null default now()
);
grant insert on bench.events to anon;
vacuum analyze;
