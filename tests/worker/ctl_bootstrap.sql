-- The least bootstrap.sql that "leadqctl migrate" can live with.

do $$
begin
    if not exists (select from pg_roles where rolname = 'leadq_owner') then
        create role leadq_owner nologin;
    end if;
end
$$;

create schema if not exists leadq authorization leadq_owner;

create table if not exists leadq.migration (
    name        text        primary key,
    sha256      text        not null,
    applied_at  timestamptz not null default now()
);

alter table leadq.migration owner to leadq_owner;
