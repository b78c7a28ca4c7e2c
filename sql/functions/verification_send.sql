create or replace function leadq.arm_codes(p_jobs bigint[], p_tokens uuid[],
    p_code_keys smallint[], p_check_keys smallint[], p_macs text[],
    p_segments smallint[])
returns table (job_id bigint, armed boolean)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
#variable_conflict use_column
declare
    c_life constant interval := '60 s';    -- what a code must have left
    c_doubt constant interval := '20 s';   -- before one is sent again
    v_now timestamptz := leadq.now();
    v_armed bigint[];
begin
    -- The last word before leased codes leave, and the mark that they may
    -- have: from the commit on, nobody sends them again but after a while.
    -- Takes the keys that a code was derived and its MAC (hex) made with;
    -- null where the gateway chooses the digits.  Not armed is what must not
    -- be sent: the lease is gone, the verification over or delivered, the
    -- code about to die, another worker's attempt too fresh.  Called by the
    -- worker, once for each attempt.
    perform from leadq.verification v
      where v.verification_id = any (array(
                select s.verification_id
                  from unnest(p_jobs, p_tokens) i (job_id, token)
                  join leadq.job_ready r
                    on r.lane = i.job_id % 8
                   and r.job_id = i.job_id
                   and r.lease_token = i.token
                  join leadq.verification_send s on s.send_id = r.ref))
      order by v.verification_id
        for update;

    with fit as materialized (
        select i.job_id, i.code_key, i.check_key, i.mac, i.segments,
               s.send_id, s.verification_id
          from unnest(p_jobs, p_tokens, p_code_keys, p_check_keys, p_macs,
                      p_segments)
               i (job_id, token, code_key, check_key, mac, segments)
          join leadq.job_ready r
            on r.lane = i.job_id % 8
           and r.job_id = i.job_id
           and r.lease_token = i.token
           and r.kind = 'code'
          join leadq.verification_send s on s.send_id = r.ref
          join leadq.verification v using (verification_id)
         where v.closed_at is null
           and v.expires_at >= v_now + c_life
           and (s.manual or v.state <> 'delivered')
           and (s.state = 'queued'
                or s.state in ('sending', 'in_doubt')
                   and s.armed_at <= v_now - c_doubt)
    ), sending as (
        update leadq.verification_send s
           set state = 'sending',
               armed_at = v_now,
               segments = f.segments
          from fit f
         where s.send_id = f.send_id
    ), verifying as (
        update leadq.verification v
           set state = case when v.state in ('queued', 'failed')
                            then 'sending' else v.state end,
               code_key = case when f.mac is null then v.code_key
                               else coalesce(v.code_key, f.code_key) end,
               code_mac = coalesce(decode(f.mac, 'hex'), v.code_mac),
               check_key = case when f.mac is null then v.check_key
                                else f.check_key end
          from (select distinct on (o.verification_id) o.*
                  from fit o
                 order by o.verification_id, o.mac is null) f
         where v.verification_id = f.verification_id
    )
    select array_agg(f.job_id) into v_armed from fit f;

    return query
        select i.job_id, coalesce(i.job_id = any (v_armed), false)
          from unnest(p_jobs) i (job_id);
end
$$;


create or replace function leadq._disarm_codes(p_jobs bigint[],
    p_tokens uuid[])
returns void
language sql volatile
as $$
    -- Leased codes that were armed and have not left after all.
    update leadq.verification_send s
       set state = 'queued',
           armed_at = null
      from unnest(p_jobs, p_tokens) i (job_id, token)
      join leadq.job_ready r
        on r.lane = i.job_id % 8
       and r.job_id = i.job_id
       and r.lease_token = i.token
       and r.kind = 'code'
     where s.send_id = r.ref
       and s.state = 'sending'
$$;


create or replace function leadq._gateway_request(g leadq.gateway)
returns jsonb
language sql stable
as $$
    -- How a gateway is called, as the worker takes it.
    select leadq._call_payload(to_jsonb(g))
           || jsonb_strip_nulls(jsonb_build_object('headers', g.headers,
                                                   'answer', g.answer))
$$;


create or replace function leadq._send_values(v leadq.verification,
    g leadq.gateway, s leadq.verification_send)
returns jsonb
language sql stable
as $$
    select leadq._time_values(s.queued_at) || jsonb_build_object(
        'phone', v.phone,
        'digits', ltrim(v.phone, '+'),
        'sender', coalesce(g.sender, ''),
        'send_id', s.send_id,
        'provider_id', coalesce(s.provider_id, ''),
        'validity', greatest(0, floor(extract(epoch from
            v.expires_at - leadq.now())))::integer::text)
$$;


create or replace function leadq._code_payload(p_send uuid)
returns text
language sql stable
as $$
    -- All that the worker needs to send a code: it derives the digits of
    -- seed, with a key that is not here.  Called by claim_jobs.
    select (leadq._gateway_request(g) || jsonb_build_object(
               'postback_id', s.send_id,
               'values', leadq._send_values(v, g, s),
               'code', jsonb_build_object(
                   'id', v.verification_id,
                   'seed', encode(v.seed, 'hex'),
                   'key', v.code_key,
                   'digits', v.digits,
                   'chosen', g.chooses_code,
                   'text', coalesce(t.text ->> v.lang, t.text ->> p.lang)
                           || case when g.channel = 'sms'
                                        and p.host is not null
                              then E'\n\n@' || p.host || ' #{code}'
                              else '' end)))::text
      from leadq.verification_send s
      join leadq.verification v using (verification_id)
      join leadq.profile p using (profile_id)
      join leadq.gateway g using (gateway_id)
      left join leadq.profile_step t
        on t.profile_id = v.profile_id
       and t.step = s.step
     where s.send_id = p_send
       and v.phone is not null
$$;


create or replace function leadq._gateway_question(g leadq.gateway)
returns jsonb
language sql stable
as $$
    -- How a gateway is asked what became of something.  Headers, secret and
    -- ports are those of its requests; what it is sent and how it answers
    -- then is of no use here.
    select (leadq._gateway_request(g) - array['body', 'content_type', 'match',
                'permanent', 'answer'])
           || jsonb_build_object('method', 'GET')
           || jsonb_strip_nulls(g.poll)
           || jsonb_build_object('gateway', g.name, 'receipts', g.poll)
$$;


create or replace function leadq._poll_payload(p_send uuid)
returns text
language sql stable
as $$
    select (leadq._gateway_question(g) || jsonb_build_object(
               'postback_id', s.send_id,
               'values', leadq._send_values(v, g, s)))::text
      from leadq.verification_send s
      join leadq.verification v using (verification_id)
      join leadq.gateway g using (gateway_id)
     where s.send_id = p_send
       and v.phone is not null
$$;


create or replace function leadq._captcha_payload(p_verification uuid)
returns text
language sql stable
as $$
    select (leadq._gateway_request(g) || jsonb_build_object(
               'postback_id', v.verification_id,
               'values', leadq._time_values(v.created_at)
                   || jsonb_build_object(
                       'captcha_token', v.captcha_token,
                       'ip', coalesce(v.ip, ''))))::text
      from leadq.verification v
      join leadq.profile p using (profile_id)
      join leadq.gateway g on g.gateway_id = p.captcha_id
     where v.verification_id = p_verification
       and v.captcha_token is not null
$$;


create or replace function leadq._cascade(p_send uuid, p_again boolean,
    p_doubt boolean)
returns void
language plpgsql
as $$
declare
    c_life constant interval := '60 s';
    c_doubt constant interval := '20 s';
    v_now timestamptz := leadq.now();
    v leadq.verification;
    s leadq.verification_send;
    v_fallbacks integer;
    v_step integer;
begin
    -- What follows when a send has failed, or nothing was heard of it: the
    -- next step, with the same code; without one the same again, if that
    -- makes sense (p_again), later when a gateway may have it (p_doubt).
    -- Never after a delivery, or when a newer send is under way.  The
    -- verification is locked.
    select o.* into s from leadq.verification_send o where o.send_id = p_send;

    select o.* into v
      from leadq.verification o
     where o.verification_id = s.verification_id;

    select p.fallbacks into v_fallbacks
      from leadq.profile p
     where p.profile_id = v.profile_id;

    if v.closed_at is not null or v.state = 'delivered'
       or v.send_id is distinct from p_send then
        return;
    end if;

    if v.fallbacks < v_fallbacks and v.expires_at >= v_now + c_life then
        v_step := leadq._next_step(v.profile_id, s.step, v.phone, null);

        if v_step is not null then
            perform leadq._add_send(v.verification_id, v_step, false,
                                    gen_random_uuid(), v_now);
            return;
        end if;

        if p_again then
            update leadq.verification_send o
               set state = case when p_doubt then 'in_doubt'
                           else 'queued' end
             where o.send_id = p_send;

            update leadq.verification o
               set fallbacks = o.fallbacks + 1
             where o.verification_id = v.verification_id;

            perform leadq._add_jobs('code', 1, 'gateway:' || g.name,
                        array[p_send], array[v_now
                            + case when p_doubt then c_doubt
                              else interval '2 s' end])
               from leadq.gateway g
              where g.gateway_id = s.gateway_id;
            return;
        end if;
    end if;

    update leadq.verification o
       set state = 'failed'
     where o.verification_id = v.verification_id
       and o.state in ('queued', 'sending')
       and not exists (select from leadq.verification_send a
                        where a.verification_id = o.verification_id
                          and a.state in ('sent', 'in_doubt'));
end
$$;


create or replace function leadq._divert_codes(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    v_sends uuid[];
    v_gone uuid[] := '{}';
    v_row record;
begin
    -- Leased codes whose gateway takes nothing now do not wait for it as
    -- others do: those that have a next step take it at once, and what is
    -- over ends.  Returns how many jobs that were.
    select array_agg(r.ref) into v_sends
      from unnest(p_jobs) j (job_id)
      join leadq.job_ready r
        on r.lane = j.job_id % 8
       and r.job_id = j.job_id
       and r.kind = 'code';

    if v_sends is null then
        return 0;
    end if;

    perform leadq._lock_verifications(v_sends);

    for v_row in
        select s.send_id, v.closed_at is not null as over
          from leadq.verification_send s
          join leadq.verification v using (verification_id)
          join leadq.profile p using (profile_id)
         where s.send_id = any (v_sends)
           and s.state = 'queued'
           and (v.closed_at is not null
                or v.fallbacks < p.fallbacks
                   and v.send_id = s.send_id
                   and leadq._next_step(v.profile_id, s.step, v.phone, null)
                       is not null)
         order by v.verification_id
    loop
        update leadq.verification_send s
           set state = case when v_row.over then 'cancelled'
                       else 'failed' end,
               error = 'away',
               ended_at = leadq.now()
         where s.send_id = v_row.send_id;

        v_gone := v_gone || v_row.send_id;
        perform leadq._cascade(v_row.send_id, false, false);
    end loop;

    with gone as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id)
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.ref = any (v_gone)
        returning r.*
    )
    insert into leadq.job_done (done_at, job_id, kind, target, ref, attempt,
            outcome, detail)
    select leadq.now(), g.job_id, g.kind, g.target, g.ref, g.attempt,
           'cancelled', '{"reason": "away"}'
      from gone g;

    if cardinality(v_gone) > 0 then
        perform pg_notify('leadq_ready', '');
    end if;

    return cardinality(v_gone);
end
$$;


create or replace function leadq._lock_verifications(p_sends uuid[])
returns void
language plpgsql
as $$
begin
    perform from leadq.verification v
      where v.verification_id in (select s.verification_id
                                    from leadq.verification_send s
                                   where s.send_id = any (p_sends))
      order by v.verification_id
        for update;
end
$$;


create or replace function leadq._settle_codes(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_row record;
    v_stale boolean;
    v_doubt boolean;
begin
    -- Takes what became of calls to gateways.
    perform leadq._lock_verifications(p_refs);

    for v_row in
        select i.ref, i.state, i.detail, s.state as sent
          from unnest(p_kinds, p_refs, p_states, p_details)
               i (kind, ref, state, detail)
          join leadq.verification_send s on s.send_id = i.ref
         where i.kind = 'code'
           and i.state in ('done', 'dead', 'cancelled')
         order by s.verification_id, s.n
    loop
        if v_row.state = 'done' then
            perform leadq._sent(v_row.ref, v_row.detail);
            continue;
        end if;

        -- stale: it was not armed.  Armed before, by a worker that is gone, it
        -- may have left; otherwise it must not leave.
        v_stale := v_row.detail ->> 'reason' is not distinct from 'stale'
                   and v_row.sent = 'queued';
        v_doubt := coalesce(v_row.detail ->> 'reason'
                            in ('timeout', 'connection-lost', 'lease-lost',
                                'stale') and not v_stale, false);

        update leadq.verification_send s
           set state = case when v_row.state = 'cancelled' or v_stale
                            then 'cancelled'
                            when v_doubt then 'in_doubt'
                            else 'failed' end,
               error = left(coalesce(v_row.detail ->> 'reason', 'cancelled'),
                            40),
               ended_at = case when not v_doubt then v_now end
         where s.send_id = v_row.ref
           and s.state in ('queued', 'sending', 'in_doubt');

        if found and v_row.state = 'dead' and not v_stale then
            perform leadq._cascade(v_row.ref,
                v_doubt or coalesce(
                    v_row.detail ->> 'reason' in ('connect', 'dns', 'tls',
                                                  'protocol', 'memory')
                    or (v_row.detail ->> 'http')::integer
                       in (408, 425, 429)
                    or (v_row.detail ->> 'http')::integer >= 500, false),
                v_doubt);
        end if;
    end loop;
end
$$;


create or replace function leadq._sent(p_send uuid, p_detail jsonb)
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v record;
begin
    -- A gateway has taken a send: it is sent, costs, and may be asked about.
    update leadq.verification_send s
       set state = case when s.state in ('queued', 'sending', 'in_doubt')
                        then 'sent' else s.state end,
           accepted_at = coalesce(s.accepted_at, v_now),
           provider_id = coalesce(left(p_detail ->> 'provider_id', 100),
                                  s.provider_id),
           cost = g.price * greatest(coalesce(s.segments, 1), 1)
      from leadq.gateway g
     where s.send_id = p_send
       and g.gateway_id = s.gateway_id
    returning s.verification_id, s.cost, g.poll, g.name into v;

    update leadq.verification o
       set state = case when o.state in ('queued', 'sending', 'failed')
                        then 'sent' else o.state end,
           chosen_mac = case when o.closed_at is null
                             then coalesce(decode(p_detail ->> 'mac', 'hex'),
                                           o.chosen_mac) end,
           chosen_key = coalesce((p_detail ->> 'check_key')::smallint,
                                 o.chosen_key)
     where o.verification_id = v.verification_id;

    insert into leadq.phone_operator as old (phone, operator, at)
    select o.phone, lower(left(p_detail ->> 'operator', 40)), v_now
      from leadq.verification o
     where o.verification_id = v.verification_id
       and o.phone is not null
       and p_detail ->> 'operator' <> ''
    on conflict (phone) do update
       set operator = excluded.operator,
           at = excluded.at;

    perform leadq._charge(array_agg(l.limit_id),
                array_agg(leadq._limit_subject('spend', '{}')),
                array_agg(v.cost))
       from leadq.verification o
       join leadq.profile_limit l using (profile_id)
      where o.verification_id = v.verification_id
        and l.subject = 'spend'
     having count(*) > 0;

    if v.poll is not null then
        perform leadq._add_jobs('poll', 1, 'gateway:' || v.name,
            array[p_send], array[v_now
                + coalesce((v.poll ->> 'after')::interval, '5 s')]);
    end if;
end
$$;


create or replace function leadq._take_silence(p_sends uuid[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_row record;
begin
    -- The rule of a send's timeout: when nothing was heard of it, the next
    -- step follows.  One that left late has its whole time.
    perform leadq._lock_verifications(p_sends);

    for v_row in
        select s.send_id, s.state, coalesce(s.accepted_at, s.armed_at)
                   + t.timeout as until
          from leadq.verification_send s
          join leadq.verification v using (verification_id)
          left join leadq.profile_step t
            on t.profile_id = v.profile_id
           and t.step = s.step
         where s.send_id = any (p_sends)
           and s.state in ('queued', 'sending', 'sent', 'in_doubt')
         order by s.verification_id, s.n
    loop
        if v_row.until > v_now + interval '1 s' then
            perform leadq._add_jobs('send_silent', 0, 'rule',
                        array[v_row.send_id], array[v_row.until]);
        else
            perform leadq._cascade(v_row.send_id, false, false);
        end if;
    end loop;
end
$$;


create or replace function leadq._settle_captchas(p_kinds text[],
    p_refs uuid[], p_states text[])
returns void
language plpgsql
as $$
declare
    v_row record;
begin
    -- The answer to a captcha was judged: the code goes out, or never will.
    perform from leadq.verification v
      where v.verification_id = any (p_refs)
      order by v.verification_id
        for update;

    for v_row in
        with judged as (
            update leadq.verification v
               set captcha_token = null,
                   blocked_by = case when i.state <> 'done' then 'captcha'
                                else v.blocked_by end
              from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
             where i.kind = 'captcha'
               and i.state in ('done', 'dead', 'cancelled')
               and v.verification_id = i.ref
               and v.captcha_token is not null
            returning v.verification_id, v.step, v.closed_at, i.state
        )
        select j.verification_id, j.step
          from judged j
         where j.state = 'done'
           and j.closed_at is null
         order by j.verification_id
    loop
        perform leadq._add_send(v_row.verification_id, v_row.step, true,
                                gen_random_uuid(), leadq.now());
    end loop;
end
$$;
