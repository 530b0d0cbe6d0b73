-- apus: no-transaction
-- Nearest experts by cosine distance. Built without stopping writers, which cannot be done in a transaction;
-- and repeatable, should it be interrupted: an interrupted build leaves an invalid index behind.
drop index concurrently if exists public.experts_by_embedding;
create index concurrently experts_by_embedding on public.experts
    using hnsw (embedding extensions.vector_cosine_ops);
