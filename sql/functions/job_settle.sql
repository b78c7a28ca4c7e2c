create or replace function leadq._retry_wait(p_kind text,
    p_attempt integer, p_detail jsonb)
returns integer
language sql volatile
as $$
    -- Seconds until the next attempt, with a jitter of a fifth; at least
    -- what the peer asked for, at most a day.  Null: there were enough, or
    -- it would be a message that somebody may have got.
    select least(greatest(extract(epoch from s.delay)
                          * (0.8 + 0.4 * random()),
                          (p_detail ->> 'retry_after_s')::numeric),
                 86400)::integer
      from leadq.retry_step s
     where s.kind = p_kind
       and s.attempt = p_attempt
       and (p_kind <> 'sms' or not leadq._may_have_left(p_detail))
$$;


create or replace function leadq.settle_jobs(p_jobs bigint[],
    p_tokens uuid[], p_outcomes text[], p_details text[])
returns table (job_id bigint, settled boolean, state text, next_s integer)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
#variable_conflict use_column
declare
    v_now timestamptz := leadq.now();
    v_settled bigint[];
    v_kinds text[];
    v_refs uuid[];
    v_states text[];
    v_details jsonb[];
    v_waits integer[];
begin
    -- Takes what became of leased jobs: done, retry or dead.  How long a
    -- retry waits, and when there have been enough of them, is decided
    -- here by retry_step.  What follows from an outcome for leads, letters
    -- and postbacks happens in this transaction.  A token that is no longer
    -- the lease's settles nothing, and says so.  Called by the worker.
    with input as materialized (
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
        returning r.lane, r.job_id, r.kind, r.target, r.ref, r.attempt,
                  r.created_at, i.outcome, i.detail,
                  case when i.outcome = 'retry'
                       then leadq._retry_wait(r.kind, r.attempt, i.detail)
                  end as wait_s
    ), attempts as (
        insert into leadq.job_done
               (done_at, job_id, kind, target, ref, attempt, outcome, detail)
        select v_now, g.job_id, g.kind, g.target, g.ref, g.attempt,
               case when g.outcome = 'done' then 'done'
                    when g.wait_s is not null then 'retry'
                    else 'dead' end,
               g.detail
          from gone g
    ), again as (
        insert into leadq.job_scheduled
               (run_at, lane, job_id, kind, target, ref, attempt, created_at)
        select v_now + make_interval(secs => g.wait_s), g.lane, g.job_id,
               g.kind, g.target, g.ref, g.attempt, g.created_at
          from gone g
         where g.wait_s is not null
    )
    select array_agg(g.job_id), array_agg(g.kind), array_agg(g.ref),
           array_agg(case when g.outcome = 'done' then 'done'
                          when g.wait_s is not null then 'scheduled'
                          else 'dead' end),
           array_agg(g.detail), array_agg(g.wait_s)
      into v_settled, v_kinds, v_refs, v_states, v_details, v_waits
      from gone g;

    perform leadq._follow(v_kinds, v_refs, v_states, v_details);

    return query
        select i.job_id, i.n is not null, v_states[i.n], v_waits[i.n]
          from (select j.job_id, array_position(v_settled, j.job_id) as n
                  from unnest(p_jobs) j (job_id)) i;
end
$$;


create or replace function leadq._follow(p_kinds text[], p_refs uuid[],
    p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
begin
    -- What follows for the rows that jobs are about, once the jobs are done,
    -- dead or cancelled.  Kinds that nothing follows from cost nothing.
    if 'letter' = any (p_kinds) then
        perform leadq._settle_letters(p_kinds, p_refs, p_states, p_details);
    end if;

    if 'postback' = any (p_kinds) then
        perform leadq._settle_postbacks(p_kinds, p_refs, p_states);
    end if;

    if 'webhook' = any (p_kinds) then
        perform leadq._settle_webhooks(p_kinds, p_refs, p_states);
    end if;

    if 'mx' = any (p_kinds) then
        perform leadq._settle_domains(p_kinds, p_refs, p_states, p_details);
    end if;

    if 'bounce' = any (p_kinds) then
        perform leadq._settle_mail_events(p_kinds, p_refs, p_states,
                                          p_details);
    end if;

    if 'code' = any (p_kinds) then
        perform leadq._settle_codes(p_kinds, p_refs, p_states, p_details);
    end if;

    if p_kinds && array['receipt', 'poll'] then
        perform leadq._settle_receipts(p_kinds, p_refs, p_states, p_details);
    end if;

    if 'captcha' = any (p_kinds) then
        perform leadq._settle_captchas(p_kinds, p_refs, p_states);
    end if;

    if 'sms' = any (p_kinds) then
        perform leadq._settle_sms(p_kinds, p_refs, p_states, p_details);
    end if;

    if 'identity' = any (p_kinds) then
        perform leadq._settle_identity(p_kinds, p_refs, p_states, p_details);
    end if;
end
$$;


create or replace function leadq.release_jobs(p_jobs bigint[],
    p_tokens uuid[], p_delays_s integer[])
returns integer
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
declare
    v_now timestamptz := leadq.now();
    v_diverted integer;
    v_at_once integer;
    v_later integer;
begin
    -- Gives back leased jobs that were not started; the attempt does not
    -- count.  With a delay they are scheduled so many seconds ahead (codes go
    -- another way instead, if there is one), without
    -- one they are ready again.  Returns how many leases were still held.
    -- Called by the worker: too busy, about to stop, or the destination
    -- takes nothing now.
    perform leadq._disarm_codes(p_jobs, p_tokens);
    perform leadq._take_back_sms(p_jobs, p_tokens);
    v_diverted := leadq._divert_codes(array(
        select i.job_id
          from unnest(p_jobs, p_tokens, p_delays_s) i (job_id, token, delay_s)
          join leadq.job_ready r
            on r.lane = i.job_id % 8
           and r.job_id = i.job_id
           and r.lease_token = i.token
         where i.delay_s > 0
           and r.kind = 'code'));

    with input as materialized (
        select i.job_id, i.token
          from unnest(p_jobs, p_tokens, p_delays_s) i (job_id, token, delay_s)
         where coalesce(i.delay_s, 0) <= 0
         order by i.job_id
    )
    update leadq.job_ready r
       set lease_token = null,
           lease_until = null,
           lease_worker = null,
           attempt = r.attempt - 1
      from input i
     where r.lane = i.job_id % 8
       and r.job_id = i.job_id
       and r.lease_token = i.token;

    get diagnostics v_at_once = row_count;

    with input as materialized (
        select i.job_id, i.token, i.delay_s
          from unnest(p_jobs, p_tokens, p_delays_s) i (job_id, token, delay_s)
         where i.delay_s > 0
         order by i.job_id
    ), gone as (
        delete from leadq.job_ready r
         using input i
         where r.lane = i.job_id % 8
           and r.job_id = i.job_id
           and r.lease_token = i.token
        returning r.*, i.delay_s
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select v_now + make_interval(secs => g.delay_s), g.lane, g.job_id,
           g.kind, g.target, g.ref, g.attempt - 1, g.created_at
      from gone g;

    get diagnostics v_later = row_count;

    if v_at_once > 0 then
        perform pg_notify('leadq_ready', '');
    end if;

    return v_diverted + v_at_once + v_later;
end
$$;


create or replace function leadq.extend_jobs(p_jobs bigint[],
    p_tokens uuid[], p_lease_s integer)
returns table (job_id bigint, extended boolean)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
#variable_conflict use_column
declare
    v_longer bigint[];
begin
    -- Makes leases last p_lease_s seconds from now, for work that takes
    -- longer than one.  A token that is no longer the lease's extends
    -- nothing, and says so.  Called by the worker.
    with input as materialized (
        select i.job_id, i.token
          from unnest(p_jobs, p_tokens) i (job_id, token)
         order by i.job_id
    ), longer as (
        update leadq.job_ready r
           set lease_until = pg_catalog.now()
                             + make_interval(secs => p_lease_s)
          from input i
         where r.lane = i.job_id % 8
           and r.job_id = i.job_id
           and r.lease_token = i.token
        returning r.job_id
    )
    select array_agg(l.job_id) into v_longer from longer l;

    return query
        select i.job_id, coalesce(i.job_id = any (v_longer), false)
          from unnest(p_jobs) i (job_id);
end
$$;
