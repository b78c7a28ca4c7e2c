create or replace function leadq._job_id(p_lane integer)
returns bigint
language sql volatile
as $$
    -- A new job id; the lane is its remainder by 8.
    select nextval('leadq.job_seq') * 8 + p_lane
$$;


create or replace function leadq._add_jobs(p_kind text, p_lane integer,
    p_target text, p_refs uuid[], p_run_at timestamptz[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
begin
    -- Plans one job of a kind for each ref: ready when its time has come,
    -- scheduled otherwise.  Null arrays plan nothing.
    with wanted as (
        select leadq._job_id(p_lane) as job_id, w.ref, w.run_at
          from unnest(p_refs, p_run_at) w (ref, run_at)
    ), later as (
        insert into leadq.job_scheduled
               (run_at, lane, job_id, kind, target, ref, created_at)
        select w.run_at, p_lane, w.job_id, p_kind, p_target, w.ref, v_now
          from wanted w
         where w.run_at > v_now
    )
    insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at)
    select p_lane, w.job_id, p_kind, p_target, w.ref, v_now
      from wanted w
     where w.run_at <= v_now;
end
$$;


create or replace function leadq.promote_jobs(p_limit integer)
returns table (moved integer, next_ms bigint)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- Moves at most p_limit due jobs from scheduled to ready.  next_ms: how
    -- long until the next one is due; null when none is ahead.  Called by
    -- the worker; several at once share the work.
    with due as (
        select s.tableoid, s.ctid, s.run_at
          from leadq.job_scheduled s
         where s.run_at <= leadq.now()
         order by s.run_at
         limit p_limit
           for update skip locked
    ), gone as (
        delete from leadq.job_scheduled s
         using due d
         where s.run_at = d.run_at
           and s.tableoid = d.tableoid
           and s.ctid = d.ctid
        returning s.*
    )
    insert into leadq.job_ready
           (lane, job_id, kind, target, ref, attempt, created_at)
    select g.lane, g.job_id, g.kind, g.target, g.ref, g.attempt, g.created_at
      from gone g;

    get diagnostics moved = row_count;

    select greatest(ceil(extract(epoch from s.run_at - leadq.now()) * 1000),
                    0)
      into next_ms
      from leadq.job_scheduled s
     order by s.run_at
     limit 1;

    return next;
end
$$;


create or replace function leadq.claim_jobs(p_worker text, p_lanes text[],
    p_limit integer, p_lease_s integer)
returns table (job_id bigint, token uuid, kind text, target text,
    attempt integer, payload text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_lane integer;
    v_room integer := p_limit;
    v_jobs bigint[] := '{}';
    v_some bigint[];
begin
    -- Leases at most p_limit ready jobs to p_worker for p_lease_s seconds,
    -- lane by lane in the order given, and hands each out with all that
    -- acting on it takes.  A job whose lease ran out is taken over.  A
    -- letter that may no longer be sent is cancelled here, in the
    -- transaction that would have handed it out.  Called by the worker.
    for v_lane in
        select array_position(array['realtime', 'service', 'bulk'], l.name)
          from unnest(p_lanes) with ordinality l (name, n)
         order by l.n
    loop
        exit when v_room <= 0;

        with due as (
            select r.lane, r.job_id
              from leadq.job_ready r
             where r.lane = v_lane
               and (r.lease_until is null or r.lease_until < pg_catalog.now())
             order by r.job_id
             limit v_room
               for update skip locked
        ), leased as (
            update leadq.job_ready r
               set lease_token = gen_random_uuid(),
                   lease_until = pg_catalog.now()
                                 + make_interval(secs => p_lease_s),
                   lease_worker = p_worker,
                   attempt = r.attempt + 1
              from due d
             where r.lane = d.lane
               and r.job_id = d.job_id
            returning r.job_id
        )
        select coalesce(array_agg(l.job_id), '{}') into v_some from leased l;

        v_jobs := v_jobs || v_some;
        v_room := v_room - cardinality(v_some);
    end loop;

    if v_jobs = '{}' then
        return;
    end if;

    perform leadq._drop_stale_letters(v_jobs);

    return query
        select r.job_id, r.lease_token, r.kind, r.target, r.attempt,
               case r.kind
                    when 'letter' then leadq._letter_payload(r.ref)
                    when 'postback' then leadq._postback_payload(r.ref)
               end
          from unnest(v_jobs) with ordinality j (job_id, n)
          join leadq.job_ready r
            on r.lane = j.job_id % 8
           and r.job_id = j.job_id
         order by j.n;
end
$$;


create or replace function leadq.settle_jobs(p_jobs bigint[],
    p_tokens uuid[], p_outcomes text[], p_details text[])
returns table (job_id bigint, settled boolean, state text, next_s integer)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_kinds text[];
    v_refs uuid[];
    v_states text[];
    v_details jsonb[];
    v_settled bigint[];
    v_waits integer[];
begin
    -- Takes what became of leased jobs: done, retry or dead.  How long a
    -- retry waits, and when there have been enough of them, is decided
    -- here by retry_step.  What follows from an outcome for leads, letters
    -- and postbacks happens in this transaction.  A token that is no longer
    -- the lease's settles nothing, and says so.  Called by the worker.
    with input as (
        select i.job_id, i.token, i.outcome, i.detail::jsonb as detail
          from unnest(p_jobs, p_tokens, p_outcomes, p_details)
               i (job_id, token, outcome, detail)
         order by i.job_id
    ), gone as (
        delete from leadq.job_ready r
         using input i
         where r.lane = i.job_id % 8
           and r.job_id = i.job_id
           and r.lease_token = i.token
        returning r.*, i.outcome, i.detail
    ), waits as (
        select g.*,
               case when s.delay is not null
                    then least(greatest(extract(epoch from s.delay)
                                        * (0.8 + 0.4 * random()),
                                        (g.detail ->> 'retry_after_s')
                                        ::numeric),
                               86400)::integer
               end as wait_s
          from gone g
          left join leadq.retry_step s
            on g.outcome = 'retry'
           and s.kind = g.kind
           and s.attempt = g.attempt
    ), plan as (
        select w.*,
               case when w.outcome = 'done' then 'done'
                    when w.outcome = 'retry' and w.wait_s is not null
                    then 'scheduled'
                    else 'dead'
               end as state
          from waits w
    ), attempts as (
        insert into leadq.job_done
               (done_at, job_id, kind, target, ref, attempt, outcome, detail)
        select leadq.now(), p.job_id, p.kind, p.target, p.ref, p.attempt,
               case p.state when 'scheduled' then 'retry' else p.state end,
               p.detail
          from plan p
    ), again as (
        insert into leadq.job_scheduled
               (run_at, lane, job_id, kind, target, ref, attempt, created_at)
        select leadq.now() + make_interval(secs => p.wait_s), p.lane,
               p.job_id, p.kind, p.target, p.ref, p.attempt, p.created_at
          from plan p
         where p.state = 'scheduled'
    )
    select array_agg(p.job_id order by p.job_id),
           array_agg(p.kind order by p.job_id),
           array_agg(p.ref order by p.job_id),
           array_agg(p.state order by p.job_id),
           array_agg(p.detail order by p.job_id),
           array_agg(p.wait_s order by p.job_id)
      into v_settled, v_kinds, v_refs, v_states, v_details, v_waits
      from plan p;

    perform leadq._settle_letters(v_kinds, v_refs, v_states, v_details);
    perform leadq._settle_postbacks(v_kinds, v_refs, v_states);

    return query
        select i.job_id, s.job_id is not null, s.state,
               case s.state when 'scheduled' then s.wait_s end
          from unnest(p_jobs) i (job_id)
          left join unnest(v_settled, v_states, v_waits)
               s (job_id, state, wait_s)
            on s.job_id = i.job_id;
end
$$;


create or replace function leadq.release_jobs(p_jobs bigint[],
    p_tokens uuid[])
returns integer
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_count integer;
begin
    -- Gives back leased jobs that were not started; the attempt does not
    -- count.  Returns how many leases were still held.  Called by a worker
    -- that is about to stop.
    update leadq.job_ready r
       set lease_token = null,
           lease_until = null,
           lease_worker = null,
           attempt = r.attempt - 1
      from unnest(p_jobs, p_tokens) i (job_id, token)
     where r.lane = i.job_id % 8
       and r.job_id = i.job_id
       and r.lease_token = i.token;

    get diagnostics v_count = row_count;
    perform pg_notify('leadq_ready', '');
    return v_count;
end
$$;


create or replace function leadq.run_rules(p_limit integer)
returns integer
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_kinds text[];
    v_refs uuid[];
    v_jobs bigint[];
    v_i integer;
begin
    -- Runs at most p_limit jobs of the lane rule, which concern the
    -- database alone: they are done when this transaction commits.  One
    -- that fails is set aside as dead, and spoils no other.  Returns how
    -- many were taken.  Called by the worker; several at once share them.
    with due as (
        select r.lane, r.job_id
          from leadq.job_ready r
         where r.lane = 0
         order by r.job_id
         limit p_limit
           for update skip locked
    ), gone as (
        delete from leadq.job_ready r
         using due d
         where r.lane = d.lane
           and r.job_id = d.job_id
        returning r.job_id, r.kind, r.ref
    )
    select array_agg(g.job_id order by g.job_id),
           array_agg(g.kind order by g.job_id),
           array_agg(g.ref order by g.job_id)
      into v_jobs, v_kinds, v_refs
      from gone g;

    if v_jobs is null then
        return 0;
    end if;

    begin
        perform leadq._run_rules(v_kinds, v_refs);
        return cardinality(v_jobs);
    exception when others then
        if sqlstate ~ '^(40|53|55|57|58)' then
            raise;
        end if;
    end;

    for v_i in 1 .. cardinality(v_jobs) loop
        begin
            perform leadq._run_rules(v_kinds[v_i : v_i], v_refs[v_i : v_i]);
        exception when others then
            if sqlstate ~ '^(40|53|55|57|58)' then
                raise;
            end if;

            insert into leadq.job_done (done_at, job_id, kind, target, ref,
                    attempt, outcome, detail)
            values (leadq.now(), v_jobs[v_i], v_kinds[v_i], 'rule',
                    v_refs[v_i], 1, 'dead',
                    jsonb_build_object('sqlstate', sqlstate));

            raise warning 'rule % failed for %: %', v_kinds[v_i],
                v_refs[v_i], sqlstate;
        end;
    end loop;

    return cardinality(v_jobs);
end
$$;


create or replace function leadq._run_rules(p_kinds text[], p_refs uuid[])
returns void
language plpgsql
as $$
begin
    -- Each kind of rule over all its rows at once.  Unknown kinds raise.
    perform leadq._intake(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'lead'
     having count(*) > 0;

    perform leadq._end_series(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'series_end'
     having count(*) > 0;

    if exists (select from unnest(p_kinds) k (kind)
                where k.kind not in ('lead', 'series_end')) then
        raise exception 'unknown kind of rule';
    end if;
end
$$;
