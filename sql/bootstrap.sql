-- Roles, schema and the list of applied migrations.  Run by "leadqctl
-- migrate" before anything else, every time, as the connecting role; changes
-- nothing that is there.  All that follows runs as leadq_owner.
--
-- The word leadq, alone or at the head of a name, is the schema parameter:
-- "leadqctl migrate --schema brand" makes roles brand_owner, brand_web ...

-- Roles belong to the cluster: another database may be making them just now.
do $$
begin
    if not exists (select from pg_roles where rolname = 'leadq_owner') then
        create role leadq_owner nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'leadq_web') then
        create role leadq_web login;
        alter role leadq_web set statement_timeout = '4s';
        alter role leadq_web set lock_timeout = '1s';
        alter role leadq_web set idle_in_transaction_session_timeout = '10s';
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'leadq_worker') then
        create role leadq_worker login;
        alter role leadq_worker set statement_timeout = '60s';
        alter role leadq_worker set lock_timeout = '10s';
        alter role leadq_worker
            set idle_in_transaction_session_timeout = '60s';
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'leadq_read') then
        create role leadq_read nologin;
        alter role leadq_read set statement_timeout = '60s';
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

do $$
begin
    if not pg_has_role('leadq_owner', 'member') then
        execute format('grant leadq_owner to %I', current_user);
    end if;
end
$$;

create schema if not exists leadq authorization leadq_owner;

create table if not exists leadq.migration (
    name        text        not null,
    sha256      text        not null,
    applied_at  timestamptz not null default now(),
    constraint migration_pk primary key (name)
);

alter table leadq.migration owner to leadq_owner;

comment on table leadq.migration is
    'Files of sql/migrations that were applied, with their checksums.';
