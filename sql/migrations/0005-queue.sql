-- The queue at full strength: leases that were lost are counted, jobs can be
-- paused, history is found by job, and each table is vacuumed as it is used.
-- The functions of the second contract with the worker replace these.

drop function if exists leadq.claim_jobs(text, text[], integer, integer);
drop function if exists leadq.release_jobs(bigint[], uuid[]);


alter table leadq.job_ready
    add column takeovers smallint not null default 0;

comment on column leadq.job_ready.takeovers is
    'How often a worker lost the lease of this job; too often, and the job '
    'is dead.';

-- A claim leases whole pages at once: the other half is for the leased rows,
-- which then need no new entries in the index.
alter table leadq.job_ready set (
    fillfactor = 45,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 100000
);


-- Paused jobs lie beyond every day: no look at what is due meets them.
create table leadq.job_scheduled_parked
    partition of leadq.job_scheduled
    for values from ('infinity') to (maxvalue);

create table leadq.job_pause (
    kind            text,
    target          text,
    reason          text        not null,
    paused_at       timestamptz not null,
    constraint job_pause_uq unique nulls not distinct (kind, target)
);

comment on table leadq.job_pause is
    'Jobs that nobody may start: of a kind, to a target; null is every. '
    'claim_jobs parks those it meets at run_at infinity.';


create index job_done_job_ix on leadq.job_done (job_id);

do $$
declare
    v_part record;
begin
    -- What maintain() gives to new partitions.
    for v_part in
        select c.relname, i.inhparent = 'leadq.job_done'::regclass as done
          from pg_inherits i
          join pg_class c on c.oid = i.inhrelid
         where i.inhparent in ('leadq.job_done'::regclass,
                               'leadq.job_scheduled'::regclass)
           and c.relkind = 'r'
    loop
        execute format('alter table leadq.%I set (%s)', v_part.relname,
            case when v_part.done
                 then 'autovacuum_vacuum_insert_scale_factor = 0, '
                      'autovacuum_vacuum_insert_threshold = 500000, '
                      'autovacuum_analyze_scale_factor = 0, '
                      'autovacuum_analyze_threshold = 500000'
                 else 'autovacuum_vacuum_scale_factor = 0, '
                      'autovacuum_vacuum_threshold = 20000, '
                      'autovacuum_vacuum_cost_delay = 0, '
                      'autovacuum_vacuum_insert_scale_factor = 0, '
                      'autovacuum_vacuum_insert_threshold = 1000000'
            end);
    end loop;
end
$$;
