create or replace function leadq._horizon_xids()
returns double precision
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    -- How many transactions ago the oldest one began that vacuum must spare:
    -- of a session, a prepared transaction or a replication slot.  Sessions
    -- of others show theirs to members of pg_read_all_stats only; that they
    -- write is seen from the snapshot all the same.
    select coalesce(max(age(h.xid)), 0)::double precision
      from (select backend_xmin from pg_stat_activity
             where pid <> pg_backend_pid()
            union all
            select transaction from pg_prepared_xacts
            union all
            select xmin from pg_replication_slots
            union all
            select pg_snapshot_xmin(pg_current_snapshot())::xid) h (xid)
     where h.xid is not null
$$;


create or replace function leadq.queue_figures()
returns table (figure text, lane text, value double precision)
language sql stable
security definer set search_path = pg_catalog, pg_temp
as $$
    -- How full the queue is and how late, for the worker's metrics; changes
    -- nothing.  Cheap whatever lies ahead: the jobs of a lane, due and parked
    -- ones are counted up to 10,000, dead letters up to 1,000, and jobs of
    -- the future are the planner's estimate.  Ages of ready jobs are
    -- real time; of scheduled ones they are by leadq.now().
    with lane as (
        select l.lane, l.name
          from unnest(array['rule', 'realtime', 'service', 'bulk'])
               with ordinality n (name, i)
         cross join lateral (select (n.i - 1)::smallint, n.name)
               l (lane, name)
    ), ready as (
        select l.name,
               count(r.job_id) filter (where r.lease_until is null) as ready,
               count(r.job_id) filter (where r.lease_until >= now())
                   as leased,
               count(r.job_id) filter (where r.lease_until < now())
                   as expired,
               extract(epoch from now() - min(r.ready_at)
                       filter (where r.lease_until is null
                                  or r.lease_until < now())) as oldest_s
          from lane l
          left join lateral (
            select j.job_id, j.lease_until, j.ready_at
              from leadq.job_ready j
             where j.lane = l.lane
             order by j.lane, j.job_id
             limit 10000) r on true
         group by l.name
    )
    select f.figure, r.name, f.value
      from ready r
     cross join lateral (values
        ('ready', r.ready::double precision),
        ('leased', r.leased::double precision),
        ('expired', r.expired::double precision),
        ('oldest_s', greatest(coalesce(r.oldest_s, 0), 0)::double precision))
           f (figure, value)
    union all
    select 'overdue', null, count(*)
      from (select from leadq.job_scheduled s
             where s.run_at <= leadq.now()
             limit 10000) d
    union all
    select 'parked', null, count(*)
      from (select from leadq.job_scheduled s
             where s.run_at = 'infinity'
             limit 10000) p
    union all
    select 'pauses', null, count(*) from leadq.job_pause
    union all
    select 'scheduled', null,
           coalesce(sum(greatest(c.reltuples, 0)), 0)::double precision
      from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'leadq.job_scheduled'::regclass
    union all
    select 'dead', null, count(*)
      from (select from leadq.job_dead d
             where d.died_at > leadq.now() - interval '7 days'
             limit 1000) d
    union all
    select 'horizon_xids', null, leadq._horizon_xids()
$$;
