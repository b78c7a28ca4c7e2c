create or replace view leadq.job as
select r.job_id,
       (array['rule', 'realtime', 'service', 'bulk'])[r.lane + 1] as lane,
       r.kind, r.target, r.ref, r.attempt, r.created_at,
       null::timestamptz as run_at,
       case when r.lease_until > pg_catalog.now() then 'leased'
            else 'ready' end as state,
       r.lease_worker
  from leadq.job_ready r
union all
select s.job_id,
       (array['rule', 'realtime', 'service', 'bulk'])[s.lane + 1],
       s.kind, s.target, s.ref, s.attempt, s.created_at, s.run_at,
       'scheduled', null
  from leadq.job_scheduled s;

comment on view leadq.job is 'Every job that is not over.';
