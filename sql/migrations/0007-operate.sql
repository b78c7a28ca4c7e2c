-- What those who watch the jobs ask for: since when a ready job has been
-- ready, and the dead letters without a look at all that went well.

alter table leadq.job_ready
    add column ready_at timestamptz not null default pg_catalog.now();

comment on column leadq.job_ready.ready_at is
    'When it became ready: planned, promoted or given back. Real time, never '
    'shifted; set by the default alone.';

create index job_done_dead_ix on leadq.job_done (done_at)
    where outcome = 'dead';
