-- Roles, schema and the list of applied migrations.  Run by "leadqctl
-- migrate" before anything else, every time, as the connecting role; changes
-- nothing that is there.  All that follows runs as leadq_owner.
--
-- The word leadq, alone or at the head of a name, is the schema parameter:
-- "leadqctl migrate --schema brand" makes roles brand_owner, brand_web ...

-- Roles belong to the cluster: another database may be making them just now.
do $$
declare
    v_role record;
    v_setting text;
begin
    for v_role in
        select * from (values
            ('leadq_owner', 'nologin', array[]::text[]),
            ('leadq_web', 'login', array['statement_timeout = 4s',
                'lock_timeout = 1s',
                'idle_in_transaction_session_timeout = 10s']),
            ('leadq_worker', 'login', array['statement_timeout = 60s',
                'lock_timeout = 10s',
                'idle_in_transaction_session_timeout = 60s']),
            ('leadq_read', 'nologin', array['statement_timeout = 60s']))
            v (name, may_login, settings)
    loop
        continue when exists (select from pg_roles
                               where rolname = v_role.name);
        begin
            execute format('create role %I %s', v_role.name,
                           v_role.may_login);
            foreach v_setting in array v_role.settings loop
                execute format('alter role %I set %s to %L', v_role.name,
                    split_part(v_setting, ' = ', 1),
                    split_part(v_setting, ' = ', 2));
            end loop;
        exception when duplicate_object or unique_violation then
            null;
        end;
    end loop;
end
$$;

do $$
begin
    if not pg_has_role('leadq_owner', 'member') then
        execute format('grant leadq_owner to %I', current_user);
    end if;
end
$$;

-- To see whose transaction holds vacuum back; without it our own are seen.
do $$
begin
    if not pg_has_role('leadq_owner', 'pg_read_all_stats', 'member') then
        grant pg_read_all_stats to leadq_owner;
    end if;
exception when insufficient_privilege then
    raise notice 'pg_read_all_stats was not granted to leadq_owner: '
                 'whose transaction holds vacuum back will not be seen';
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
