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


create or replace function leadq._hurry_jobs(p_kind text, p_refs uuid[],
    p_run_at timestamptz[])
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Scheduled jobs of a kind, each known by its ref and its time, are ready
    -- now; how many were there.
    with gone as (
        delete from leadq.job_scheduled s
         using unnest(p_refs, p_run_at) w (ref, run_at)
         where s.run_at = w.run_at
           and s.ref = w.ref
           and s.kind = p_kind
        returning s.*
    )
    insert into leadq.job_ready
           (lane, job_id, kind, target, ref, attempt, created_at)
    select g.lane, g.job_id, g.kind, g.target, g.ref, g.attempt,
           g.created_at
      from gone g;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;


create or replace function leadq.promote_jobs(p_limit integer)
returns table (moved integer, next_ms bigint)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan  -- no planning of all days each time
as $$
declare
    v_now timestamptz := leadq.now();
    v_part oid;
    v_rows tid[];
    v_count integer;
begin
    -- Moves at most p_limit due jobs from scheduled to ready.  next_ms: how
    -- long until the next one is due; null when none is ahead.  Called by
    -- the worker; several at once share the work.
    moved := 0;

    for v_part, v_rows in
        with due as (
            select s.tableoid, s.ctid
              from leadq.job_scheduled s
             where s.run_at <= v_now
             order by s.run_at
             limit p_limit
               for update skip locked
        )
        select d.tableoid, array_agg(d.ctid) from due d group by d.tableoid
    loop
        with gone as (
            delete from leadq.job_scheduled s
             where s.run_at <= v_now
               and s.tableoid = v_part
               and s.ctid = any (v_rows)
            returning s.*
        )
        insert into leadq.job_ready
               (lane, job_id, kind, target, ref, attempt, created_at)
        select g.lane, g.job_id, g.kind, g.target, g.ref, g.attempt,
               g.created_at
          from gone g;

        get diagnostics v_count = row_count;
        moved := moved + v_count;
    end loop;

    select greatest(ceil(extract(epoch from s.run_at - v_now) * 1000), 0)
      into next_ms
      from leadq.job_scheduled s
     where s.run_at < 'infinity'
     order by s.run_at
     limit 1;

    return next;
end
$$;


create or replace function leadq.claim_jobs(p_worker text, p_lanes text[],
    p_limits integer[], p_after bigint[], p_lease_s integer,
    p_avoid text[] default '{}', p_avoid_s integer[] default '{}')
returns table (job_id bigint, token uuid, kind text, target text,
    attempt integer, payload text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
declare
    c_withheld_max constant integer := 2000;
    v_now timestamptz := pg_catalog.now();
    v_until timestamptz := v_now + make_interval(secs => p_lease_s);
    v_token uuid := gen_random_uuid();
    v_held boolean := p_avoid <> '{}'
                      or exists (select from leadq.job_pause);
    v_withheld integer := 0;
    v_lane integer;
    v_room integer;
    v_after bigint;
    v_some bigint[];
    v_others bigint[];
    v_postbacks bigint[];
    v_refs uuid[];
    v_letters bigint[];
    v_judged boolean;
    v_takeovers integer;
    v_kept integer;
begin
    -- Leases ready jobs to p_worker for p_lease_s seconds, lane by lane in
    -- the order given: of lane i at most p_limits[i], with ids greater than
    -- p_after[i], the caller's cursor, behind which it has seen all (0: from
    -- the start).  Hands each out with all that acting on it takes.  A job
    -- whose lease ran out is taken over.  What may not be acted upon is
    -- withheld, see _withhold_jobs; the lane is asked again for as much.
    -- Targets in p_avoid take nothing now: their jobs come again after the
    -- p_avoid_s of each, so that a dead target stands in nobody's way.  One
    -- token serves all jobs of a call.  Called by the worker.
    for v_lane, v_room, v_after in
        select array_position(array['realtime', 'service', 'bulk'], l.name),
               l.room, coalesce(l.after, 0)
          from unnest(p_lanes, p_limits, p_after) with ordinality
               l (name, room, after, n)
         order by l.n
    loop
        while v_room > 0 loop
            with leased as (
                update leadq.job_ready r
                   set lease_token = v_token,
                       lease_until = v_until,
                       lease_worker = p_worker,
                       attempt = r.attempt + 1,
                       takeovers = r.takeovers
                           + (r.lease_until is not null)::integer
                 where r.ctid = any (array(
                        select d.ctid
                          from leadq.job_ready d
                         where d.lane = v_lane
                           and d.job_id > v_after
                           and (d.lease_until is null
                                or d.lease_until < v_now)
                         order by d.job_id
                         limit v_room
                           for update skip locked))
                returning r.job_id, r.kind, r.ref, r.takeovers
            )
            select array_agg(l.job_id), max(l.job_id),
                   bool_or(l.kind in ('letter', 'sms')), max(l.takeovers),
                   v_letters || array_agg(l.job_id)
                       filter (where l.kind = 'letter'),
                   v_postbacks || array_agg(l.job_id)
                       filter (where l.kind = 'postback'),
                   v_refs || array_agg(l.ref)
                       filter (where l.kind = 'postback'),
                   v_others || array_agg(l.job_id)
                       filter (where l.kind not in ('letter', 'postback'))
              into v_some, v_after, v_judged, v_takeovers, v_letters,
                   v_postbacks, v_refs, v_others
              from leased l;

            exit when v_some is null;

            v_kept := cardinality(v_some);
            if v_held or v_judged or v_takeovers > 0 then
                v_kept := v_kept - leadq._withhold_jobs(v_some, p_avoid,
                                                        p_avoid_s);
            end if;

            v_withheld := v_withheld + cardinality(v_some) - v_kept;
            exit when cardinality(v_some) < v_room;
            v_room := v_room - v_kept;

            if v_withheld >= c_withheld_max then
                perform pg_notify('leadq_ready', '');  -- there may be more
                exit;
            end if;
        end loop;
    end loop;

    return query
        select r.job_id, r.lease_token, r.kind, r.target, r.attempt,
               case r.kind
                    when 'webhook' then leadq._webhook_payload(r.ref)
                    when 'mx' then leadq._domain_payload(r.ref)
                    when 'bounce' then leadq._mail_event_payload(r.ref)
                    when 'code' then leadq._code_payload(r.ref)
                    when 'receipt' then leadq._receipt_payload(r.ref)
                    when 'poll' then coalesce(leadq._poll_payload(r.ref),
                                         leadq._sms_poll_payload(r.ref))
                    when 'captcha' then leadq._captcha_payload(r.ref)
                    when 'sms' then leadq._sms_payload(r.ref)
                    when 'identity' then leadq._identity_payload(r.ref)
                    else j.payload
               end
          from (select p.job_id, p.payload
                  from leadq._postback_payloads(v_postbacks, v_refs) p
                 union all
                select l.job_id, l.payload
                  from leadq._letter_payloads(v_letters) l
                 union all
                select o.job_id, null
                  from unnest(v_others) o (job_id)) j
          join leadq.job_ready r
            on r.lane = j.job_id % 8
           and r.job_id = j.job_id
         order by r.lane, r.job_id;
end
$$;


create or replace function leadq._withhold_jobs(p_jobs bigint[],
    p_avoid text[], p_avoid_s integer[])
returns integer
language plpgsql
as $$
declare
    c_takeovers_max constant integer := 5;
    v_lost bigint[];
    v_tokens uuid[];
    v_now timestamptz := leadq.now();
    v_parked integer;
    v_diverted integer;
    v_avoided integer;
    v_stale integer;
    v_held integer;
begin
    -- Takes away from just leased jobs what may not be acted upon: parks
    -- those that are paused, puts off those of targets to be avoided, by up
    -- to half as long again, so that not all come at once (codes go another
    -- way instead, if there is one), drops letters and messages that may no
    -- longer be sent, puts off those that may not be sent now, keeps back
    -- letters whose receiver is not known to take them, and ends as dead what
    -- has cost too many workers their lease: it may be what kills them.
    -- Returns how many.
    with parked as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id), leadq.job_pause p
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.kind = coalesce(p.kind, r.kind)
           and r.target = coalesce(p.target, r.target)
        returning r.*
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select 'infinity', p.lane, p.job_id, p.kind, p.target, p.ref,
           p.attempt - 1, p.created_at
      from parked p;

    get diagnostics v_parked = row_count;

    v_diverted := leadq._divert_codes(array(
        select r.job_id
          from unnest(p_jobs) j (job_id)
          join leadq.job_ready r
            on r.lane = j.job_id % 8
           and r.job_id = j.job_id
         where r.kind = 'code'
           and r.target = any (p_avoid)));

    with avoided as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id),
               unnest(p_avoid, p_avoid_s) a (target, wait_s)
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.target = a.target
        returning r.*, a.wait_s
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select v_now + a.wait_s * (1 + random() / 2) * interval '1 s', a.lane,
           a.job_id, a.kind, a.target, a.ref, a.attempt - 1, a.created_at
      from avoided a;

    get diagnostics v_avoided = row_count;
    v_stale := leadq._drop_stale_letters(p_jobs)
               + leadq._drop_stale_sms(p_jobs);
    v_held := leadq._hold_letters(p_jobs) + leadq._await_domains(p_jobs)
              + leadq._hold_sms(p_jobs);

    select array_agg(r.job_id), array_agg(r.lease_token)
      into v_lost, v_tokens
      from unnest(p_jobs) j (job_id)
      join leadq.job_ready r
        on r.lane = j.job_id % 8
       and r.job_id = j.job_id
     where r.takeovers > c_takeovers_max;

    if v_lost is not null then
        perform leadq.settle_jobs(v_lost, v_tokens,
            array_fill('dead'::text, array[cardinality(v_lost)]),
            array_fill('{"reason": "lease-lost"}'::text,
                       array[cardinality(v_lost)]));
    end if;

    return v_parked + v_diverted + v_avoided + v_stale + v_held
           + coalesce(cardinality(v_lost), 0);
end
$$;
