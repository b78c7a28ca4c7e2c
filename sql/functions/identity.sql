create or replace function leadq._plan_identity(p_contact bigint,
    p_gateway integer, p_visit uuid)
returns uuid
language plpgsql
as $$
declare
    c_good_for constant interval := '30 days';
    v_now timestamptz := leadq.now();
    v_check uuid;
begin
    -- Has a person checked by somebody outside, once in thirty days, unless
    -- there was nobody to say anything.  Returns the check, the new one or
    -- the one that stands.  Called by the rule "visit".
    perform from leadq.contact c
      where c.contact_id = p_contact
        for no key update;

    select i.check_id into v_check
      from (select o.*
              from leadq.identity_check o
             where o.contact_id = p_contact
               and o.gateway_id = p_gateway
             order by o.created_at desc
             limit 1) i
     where i.state in ('queued', 'pending')
        or i.state <> 'unavailable' and i.created_at > v_now - c_good_for;

    if found then
        return v_check;
    end if;

    insert into leadq.identity_check (contact_id, gateway_id, visit_id,
           created_at, due_at)
    values (p_contact, p_gateway, p_visit, v_now, v_now)
    returning check_id into v_check;

    perform leadq._add_jobs('identity', 2, 'gateway:' || g.name,
                            array[v_check], array[v_now])
       from leadq.gateway g
      where g.gateway_id = p_gateway;

    return v_check;
end
$$;


create or replace function leadq._identity_fault(p_contact bigint,
    p_gateway integer)
returns text
language plpgsql stable
as $$
declare
    v_state text;
begin
    -- Why the newest verdict on a person lets no message leave;
    -- "identity-open" as long as there is none.  Null: he has passed.
    select i.state into v_state
      from leadq.identity_check i
     where i.contact_id = p_contact
       and i.gateway_id = p_gateway
     order by i.created_at desc
     limit 1;

    return case when v_state = 'passed' then null
                when v_state in ('failed', 'unavailable')
                then 'identity-' || v_state
                else 'identity-open' end;
end
$$;


create or replace function leadq._identity_payload(p_check uuid)
returns text
language plpgsql stable
as $$
begin
    -- All that the worker needs to have a person checked, or to ask how a
    -- check has ended: the call, and where the answer has the verdict.  Null:
    -- the number is gone.  Called by claim_jobs.
    return (
        select (case when i.state = 'queued'
                then leadq._gateway_request(g) || jsonb_build_object(
                         'verdict', jsonb_build_object(
                             'id', g.answer -> 'id',
                             'state', g.answer -> 'state',
                             'states', g.answer -> 'states'))
                else leadq._gateway_question(g) || jsonb_build_object(
                         'verdict', jsonb_build_object(
                             'state', g.poll -> 'status',
                             'states', g.poll -> 'states')) end
                - array['answer', 'receipts']
                || jsonb_build_object(
                   'postback_id', i.check_id,
                   'values', leadq._time_values(i.created_at)
                       || jsonb_build_object(
                           'phone', n.phone,
                           'digits', ltrim(n.phone, '+'),
                           'send_id', i.check_id,
                           'provider_id', coalesce(i.provider_id, ''))))::text
          from leadq.identity_check i
          join leadq.gateway g using (gateway_id)
         cross join lateral (
                select leadq._number_of(i.contact_id)) n (phone)
         where i.check_id = p_check
           and n.phone is not null);
end
$$;


create or replace function leadq._identity_wait(p_polls integer)
returns interval
language sql immutable
as $$
    -- How long after the p_polls-th question the next one comes.
    select coalesce((array[interval '5 s', '15 s', '1 min', '5 min',
                           '30 min'])[p_polls + 1], '1 hour')
$$;


create or replace function leadq._settle_identity(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    v_row record;
    v_verdict text;
begin
    -- Takes what became of requests and of questions.  A request that failed
    -- for good, and a verdict that does not come, are "unavailable".
    perform from leadq.identity_check i
      where i.check_id = any (p_refs)
      order by i.check_id
        for update;

    for v_row in
        select i.ref, i.state as job, i.detail, c.state,
               g.poll is not null as asked
          from unnest(p_kinds, p_refs, p_states, p_details)
               i (kind, ref, state, detail)
          join leadq.identity_check c on c.check_id = i.ref
          join leadq.gateway g using (gateway_id)
         where i.kind = 'identity'
           and i.state <> 'scheduled'
           and c.ended_at is null
         order by i.ref
    loop
        v_verdict := case
            when v_row.job = 'done'
            then coalesce(v_row.detail ->> 'verdict', 'pending')
            when v_row.job = 'cancelled' or v_row.state = 'queued'
                 or v_row.detail ->> 'reason' in ('bad-payload', 'guard')
            then 'unavailable'
            else 'pending' end;

        if v_verdict = 'pending' and v_row.asked then
            perform leadq._ask_identity(v_row.ref,
                        v_row.detail ->> 'provider_id');
        else
            perform leadq._end_identity(v_row.ref,
                        replace(v_verdict, 'pending', 'unavailable'),
                        case when v_verdict = 'pending' then 'no-answer'
                             when v_verdict = 'unavailable'
                             then coalesce(v_row.detail ->> 'reason',
                                           replace(v_row.job, 'done',
                                                   'said')) end,
                        v_row.detail ->> 'provider_id');
        end if;
    end loop;
end
$$;


create or replace function leadq._ask_identity(p_check uuid,
    p_provider text)
returns void
language plpgsql
as $$
declare
    c_patience constant interval := '1 day';
    v_now timestamptz := leadq.now();
    v record;
begin
    -- No verdict yet: plans the next question, or gives up after a day.  The
    -- check is locked.
    update leadq.identity_check i
       set state = 'pending',
           polls = i.polls + (i.state = 'pending')::integer,
           provider_id = coalesce(left(p_provider, 100), i.provider_id),
           due_at = least(v_now + leadq._identity_wait(
                              i.polls + (i.state = 'pending')::integer),
                          i.created_at + c_patience)
      from leadq.gateway g
     where i.check_id = p_check
       and g.gateway_id = i.gateway_id
    returning i.due_at, g.name into v;

    if v.due_at <= v_now then
        perform leadq._end_identity(p_check, 'unavailable', 'no-answer', null);
    else
        perform leadq._add_jobs('identity', 2, 'gateway:' || v.name,
                                array[p_check], array[v.due_at]);
    end if;
end
$$;


create or replace function leadq._end_identity(p_check uuid, p_verdict text,
    p_reason text, p_provider text)
returns void
language plpgsql
as $$
declare
    v leadq.identity_check;
begin
    -- There is a verdict.  The check is locked.
    update leadq.identity_check i
       set state = p_verdict,
           reason = left(p_reason, 40),
           provider_id = coalesce(left(p_provider, 100), i.provider_id),
           ended_at = leadq.now()
     where i.check_id = p_check
    returning * into v;

    insert into leadq.event (at, kind, contact_id, ref)
    values (leadq.now(), 'identity.' || p_verdict, v.contact_id, p_check);

    perform leadq._wake_sms(v.contact_id, v.gateway_id);

    if p_verdict = 'failed' then
        perform leadq._flag_late(v.contact_id, v.visit_id);
    end if;
end
$$;


create or replace function leadq.web_identity(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_row record;
begin
    -- Somebody says that a check of identity has ended.  Request: gateway,
    -- secret and, if the address has it, id, our name of the check (from the
    -- URL); receipt (its body).  It is a hint and no more: who checks is
    -- asked at once instead of later, and what he says then counts.  200; 403
    -- for a gateway that is not there or another secret.  A check that is not
    -- known, or over, changes nothing.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, g.gateway_id, g.receipts,
               r.request::jsonb as request
          from unnest(p_ids, p_requests) with ordinality r (id, request, n)
          left join leadq.gateway g
            on g.name = r.request::jsonb ->> 'gateway'
           and g.channel = 'identity'
           and g.receipts ->> 'secret_sha256' = encode(sha256(convert_to(
                   coalesce(r.request::jsonb ->> 'secret', ''), 'UTF8')),
                   'hex')
         order by r.n
    loop
        n := v_row.n;
        headers := null;

        if v_row.gateway_id is null then
            status := 403;
            body := leadq._problem('no-such-gateway', 'There is nothing here',
                                   403, null);
        else
            perform leadq._hurry_identity(v_row.gateway_id,
                coalesce(v_row.request ->> 'id', leadq._value_at(
                    v_row.request -> 'receipt', v_row.receipts ->> 'send')),
                leadq._value_at(v_row.request -> 'receipt',
                                v_row.receipts ->> 'id'));
            status := 200;
            body := '{"state":"received"}';
        end if;

        return next;
    end loop;

    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._value_at(p_document jsonb, p_path text)
returns text
language sql immutable
as $$
    -- The text at a path such as "a.0.b"; null: there is none.
    select p_document #>> string_to_array(p_path, '.')
$$;


create or replace function leadq._hurry_identity(p_gateway integer,
    p_check text, p_provider text)
returns void
language plpgsql
as $$
begin
    -- The question that waits for its time, of a check that is known by our
    -- name or by theirs, is due now.
    perform leadq._hurry_jobs('identity', array_agg(i.check_id),
                              array_agg(i.due_at))
       from leadq.identity_check i
      where i.gateway_id = p_gateway
        and i.state = 'pending'
        and (i.check_id = leadq._as_uuid(p_check)
             or i.provider_id = p_provider);
end
$$;


create or replace function leadq._erase_identity(p_contacts bigint[])
returns void
language plpgsql
as $$
begin
    -- Checks of persons who are erased: those under way end, the verdicts of
    -- the others stay, by number.
    with ended as (
        update leadq.identity_check i
           set state = 'unavailable',
               reason = 'erased',
               ended_at = leadq.now()
         where i.contact_id = any (p_contacts)
           and i.ended_at is null
        returning i.check_id, i.due_at
    ), ready as (
        delete from leadq.job_ready j
         using ended e
         where j.lane = 2
           and j.kind = 'identity'
           and j.ref = e.check_id
    )
    delete from leadq.job_scheduled j
     using ended e
     where j.run_at = e.due_at
       and j.ref = e.check_id;

    update leadq.identity_check i
       set provider_id = null
     where i.contact_id = any (p_contacts)
       and i.provider_id is not null;
end
$$;
