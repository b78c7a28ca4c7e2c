create or replace function leadq.pause_jobs(p_kind text, p_target text,
    p_reason text)
returns integer
language plpgsql
as $$
declare
    v_waiting integer;
begin
    -- From now on no job of the kind to the target is started; null is every
    -- kind, every target.  What is under way goes on.  A repeat changes the
    -- reason.  Returns how many jobs are ready that wait from now on.
    -- Called by the operator.
    insert into leadq.job_pause (kind, target, reason, paused_at)
    values (p_kind, p_target, p_reason, leadq.now())
    on conflict on constraint job_pause_uq do update
       set reason = excluded.reason;

    select count(*) into v_waiting
      from leadq.job_ready r
     where r.lane > 0
       and r.kind = coalesce(p_kind, r.kind)
       and r.target = coalesce(p_target, r.target)
       and (r.lease_until is null or r.lease_until < pg_catalog.now());

    return v_waiting;
end
$$;


create or replace function leadq.resume_jobs(p_kind text, p_target text)
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Lifts the pauses of the kind and target, null meaning every; parked
    -- jobs that no other pause holds are ready again, in their old order.
    -- A repeat does nothing.  Returns how many came back.  Called by the
    -- operator.
    delete from leadq.job_pause p
     where (p_kind is null or p.kind = p_kind)
       and (p_target is null or p.target = p_target);

    with gone as (
        delete from leadq.job_scheduled s
         where s.run_at = 'infinity'
           and not exists (
                select from leadq.job_pause p
                 where s.kind = coalesce(p.kind, s.kind)
                   and s.target = coalesce(p.target, s.target))
        returning s.*
    )
    insert into leadq.job_ready
           (lane, job_id, kind, target, ref, attempt, created_at)
    select g.lane, g.job_id, g.kind, g.target, g.ref, g.attempt, g.created_at
      from gone g;

    get diagnostics v_count = row_count;
    perform pg_notify('leadq_ready', '');
    return v_count;
end
$$;


create or replace function leadq.cancel_jobs(p_ids bigint[])
returns table (job_id bigint, result text)
language plpgsql
as $$
#variable_conflict use_column
declare
    v_ids bigint[];
    v_kinds text[];
    v_refs uuid[];
begin
    -- Ends jobs that nobody has begun: for what they are about it is as if
    -- they had failed for good, so that what waits for them goes on.  Rules
    -- (lane 0) are not cancelled.  result: cancelled, leased (a worker is at
    -- it), over (done or dead before), unknown.  Called by the operator.
    with ready as (
        delete from leadq.job_ready r
         using unnest(p_ids) i (job_id)
         where r.lane = i.job_id % 8
           and r.lane > 0
           and r.job_id = i.job_id
           and (r.lease_until is null or r.lease_until < pg_catalog.now())
        returning r.job_id, r.kind, r.target, r.ref, r.attempt
    ), scheduled as (
        delete from leadq.job_scheduled s
         where s.job_id = any (p_ids)
           and s.lane > 0
        returning s.job_id, s.kind, s.target, s.ref, s.attempt
    ), gone as (
        select * from ready union all select * from scheduled
    ), kept as (
        insert into leadq.job_done
               (done_at, job_id, kind, target, ref, attempt, outcome)
        select leadq.now(), g.job_id, g.kind, g.target, g.ref, g.attempt,
               'cancelled'
          from gone g
    )
    select array_agg(g.job_id), array_agg(g.kind), array_agg(g.ref)
      into v_ids, v_kinds, v_refs
      from gone g;

    if v_ids is not null then
        perform leadq._follow(v_kinds, v_refs,
            array_fill('cancelled'::text, array[cardinality(v_ids)]),
            array_fill(null::jsonb, array[cardinality(v_ids)]));
    end if;

    return query
        select i.job_id,
               case when i.job_id = any (v_ids) then 'cancelled'
                    else leadq._where_is(i.job_id) end
          from unnest(p_ids) i (job_id);
end
$$;


create or replace function leadq._where_is(p_job bigint)
returns text
language sql stable
as $$
    -- The word for a job that an operator's command left alone.
    select case when exists (select from leadq.job_ready r
                              where r.lane = p_job % 8
                                and r.lane > 0
                                and r.job_id = p_job)
                then 'leased'
                when exists (select from leadq.job_done d
                              where d.job_id = p_job)
                then 'over'
                else 'unknown' end
$$;


create or replace function leadq.retry_jobs(p_ids bigint[])
returns table (job_id bigint, result text)
language plpgsql
as $$
#variable_conflict use_column
declare
    v_ready bigint[];
    v_dead bigint[];
    v_back bigint[];
begin
    -- Brings dead jobs back, and scheduled ones forward: ready at once, with
    -- the same id and ref, so that the peer can tell a repeat.  A dead one
    -- begins its retries anew.  result: ready, leased, over (done, or it may
    -- not be repeated any more, see _reopen), unknown.  Called by the
    -- operator.
    with gone as (
        delete from leadq.job_scheduled s
         where s.job_id = any (p_ids)
           and s.lane > 0
        returning s.*
    ), forward as (
        insert into leadq.job_ready
               (lane, job_id, kind, target, ref, attempt, created_at)
        select g.lane, g.job_id, g.kind, g.target, g.ref, g.attempt,
               g.created_at
          from gone g
        returning job_id
    )
    select array_agg(f.job_id) into v_ready from forward f;

    v_ready := v_ready || array(
        select r.job_id
          from unnest(p_ids) i (job_id)
          join leadq.job_ready r
            on r.lane = i.job_id % 8
           and r.job_id = i.job_id
         where r.lease_until is null
            or r.lease_until < pg_catalog.now());

    select array_agg(l.job_id) into v_dead
      from (select distinct on (d.job_id) d.job_id, d.outcome
              from leadq.job_done d
             where d.job_id = any (p_ids)
               and not exists (select from leadq.job_ready r
                                where r.lane = d.job_id % 8
                                  and r.job_id = d.job_id)
             order by d.job_id, d.done_at desc, d.attempt desc) l
     where l.outcome = 'dead';

    v_back := leadq._reopen(v_dead);
    perform pg_notify('leadq_ready', '');

    return query
        select i.job_id,
               case when i.job_id = any (v_ready || v_back) then 'ready'
                    else leadq._where_is(i.job_id) end
          from unnest(p_ids) i (job_id);
end
$$;


create or replace function leadq._reopen(p_jobs bigint[])
returns bigint[]
language plpgsql
as $$
declare
    v_refs uuid[];
    v_letters uuid[];
    v_postbacks uuid[];
    v_sms uuid[];
    v_back bigint[];
begin
    -- Dead jobs that may be repeated are ready once more; returns them.  A
    -- letter may while its series runs, that of a trigger always, a postback
    -- as _reopen_postbacks says; one that waits has no job.  A message may
    -- that has not left for certain.
    select array_agg(distinct d.ref) into v_refs
      from leadq.job_done d
     where d.job_id = any (p_jobs);

    with planned as (
        update leadq.message m
           set state = 'planned',
               class = null,
               ended_at = null
          from leadq.enrolment e
          join leadq.series s using (series_id)
         where m.message_id = any (v_refs)
           and m.state in ('bounced', 'failed')
           and e.enrolment_id = m.enrolment_id
           and (e.state = 'running'
                or e.state = 'finished' and s.kind = 'trigger')
        returning m.message_id, e.enrolment_id
    ), running as (
        update leadq.enrolment e
           set state = 'running',
               ended_at = null
          from planned p
         where e.enrolment_id = p.enrolment_id
           and e.state = 'finished'
    )
    select array_agg(p.message_id) into v_letters from planned p;

    select array_agg(r.postback_id) into v_postbacks
      from leadq._reopen_postbacks(v_refs) r;

    with planned as (
        update leadq.sms s
           set state = 'planned',
               reason = null,
               handed_at = null,
               ended_at = null
         where s.sms_id = any (v_refs)
           and s.state = 'failed'
        returning s.sms_id
    )
    select array_agg(p.sms_id) into v_sms from planned p;

    with last as (
        select distinct on (k.key) d.job_id, d.kind, d.target, d.ref
          from leadq.job_done d
         cross join lateral (
                select case when d.kind in ('letter', 'postback', 'sms')
                            then d.ref::text else d.job_id::text end) k (key)
         where d.job_id = any (p_jobs)
           and (d.kind not in ('letter', 'postback', 'sms')
                or d.ref = any (v_letters || v_postbacks || v_sms))
         order by k.key, d.done_at desc
    ), ready as (
        insert into leadq.job_ready
               (lane, job_id, kind, target, ref, created_at)
        select l.job_id % 8, l.job_id, l.kind, l.target, l.ref, leadq.now()
          from last l
         where not exists (select from leadq.postback p
                            where p.postback_id = l.ref
                              and p.state = 'waiting')
    )
    select array_agg(l.job_id) into v_back from last l;

    return v_back;
end
$$;
