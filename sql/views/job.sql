-- The columns came one after another: a view takes new ones at its end only.
create or replace view leadq.job as
select r.job_id,
       (array['rule', 'realtime', 'service', 'bulk'])[r.lane + 1] as lane,
       r.kind, r.target, r.ref, r.attempt, r.created_at,
       null::timestamptz as run_at,
       case when r.lease_until > pg_catalog.now() then 'leased'
            else 'ready' end as state,
       r.lease_worker, r.lease_until, r.ready_at
  from leadq.job_ready r
union all
select s.job_id,
       (array['rule', 'realtime', 'service', 'bulk'])[s.lane + 1],
       s.kind, s.target, s.ref, s.attempt, s.created_at,
       case when s.run_at < 'infinity' then s.run_at end,
       case when s.run_at < 'infinity' then 'scheduled'
            else 'parked' end,
       null, null, null
  from leadq.job_scheduled s;

comment on view leadq.job is
    'Every job that is not over: ready, leased, scheduled, or parked by a '
    'pause.';
