-- The planner knows the new rows at once, and not when autovacuum comes by.
analyze public.profiles, public.skills, public.experts, public.expert_skills, public.availability,
    public.questions, public.matches, public.conversations, public.messages;
