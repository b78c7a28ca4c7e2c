create or replace function leadq._plan_sms(p_contact bigint, p_code bigint,
    p_point integer, p_lang text, p_at timestamptz)
returns void
language plpgsql
as $$
declare
    v record;
begin
    -- Plans the message that brings a code to its owner: so many midnights
    -- of the point's clock after p_at, in the window of the programme.  A
    -- programme without a gateway sends none, and a code has one message,
    -- so a repeat plans nothing.  Called by the rule "visit".
    with fresh as (
        insert into leadq.sms (contact_id, code_id, gateway_id, lang, zone,
               not_before, due_at)
        select p_contact, k.code_id, p.gateway_id, p_lang, o.time_zone, t.at,
               t.at
          from leadq.promo_code k
          join leadq.programme p using (programme_id)
          join leadq.point o on o.point_id = p_point
         cross join lateral leadq._open(
                case when p.send_days = 0 then p_at
                     else ((p_at at time zone o.time_zone)::date
                           + p.send_days)::timestamp
                          at time zone o.time_zone end,
                o.time_zone, p.window_from, p.window_to) t (at)
         where k.code_id = p_code
           and p.gateway_id is not null
        on conflict (code_id) do nothing
        returning sms_id, due_at, gateway_id
    )
    select f.sms_id, f.due_at, g.name into v
      from fresh f
      join leadq.gateway g using (gateway_id);

    if found then
        perform leadq._add_jobs('sms', 3, 'gateway:' || v.name,
                                array[v.sms_id], array[v.due_at]);
    end if;
end
$$;


create or replace function leadq._number_of(p_contact bigint)
returns text
language plpgsql stable
as $$
begin
    -- The number that a person proved last; null: none.
    return (
        select a.value
          from leadq.address a
         where a.contact_id = p_contact
           and a.channel = 'phone'
           and a.state = 'confirmed'
         order by a.confirmed_at desc, a.value
         limit 1);
end
$$;


create or replace function leadq._sms_values(s leadq.sms, g leadq.gateway)
returns jsonb
language plpgsql stable
as $$
begin
    -- Null: the number is gone, and the message with it.
    return (
        select leadq._time_values(s.due_at) || jsonb_build_object(
                   'phone', n.phone,
                   'digits', ltrim(n.phone, '+'),
                   'sender', coalesce(g.sender, ''),
                   'send_id', s.sms_id,
                   'provider_id', coalesce(s.provider_id, ''),
                   'validity', '86400')
          from (select leadq._number_of(s.contact_id)) n (phone)
         where n.phone is not null);
end
$$;


create or replace function leadq._sms_payload(p_sms uuid)
returns text
language plpgsql stable
as $$
begin
    -- All that the worker needs to send a message.  code is the one in the
    -- text, and tells what must not be kept.  Called by claim_jobs.
    return (
        select (leadq._gateway_request(g) || jsonb_build_object(
                   'postback_id', s.sms_id,
                   'values', v.item || jsonb_build_object(
                       'code', c.shown,
                       'text', replace(replace(replace(coalesce(
                                   p.texts ->> s.lang, p.texts ->> 'ru',
                                   (select t.value
                                      from jsonb_each_text(p.texts) t
                                     order by t.key
                                     limit 1)),
                               '{until}', to_char(k.expires_at
                                   at time zone s.zone, 'DD.MM.YYYY')),
                               '{discount}', p.discount),
                               '{code}', c.shown))))::text
          from leadq.sms s
          join leadq.gateway g using (gateway_id)
          join leadq.promo_code k using (code_id)
          join leadq.programme p using (programme_id)
         cross join lateral (select leadq._sms_values(s, g)) v (item)
         cross join lateral (
                select regexp_replace(k.code, '(.{4})(.{4})(.{4})',
                                      '\1-\2-\3')) c (shown)
         where s.sms_id = p_sms
           and v.item is not null);
end
$$;


create or replace function leadq._leased_sms(p_jobs bigint[])
returns table (job_id bigint, lane smallint, sms_id uuid,
    handed_at timestamptz, state text)
language sql stable
as $$
    -- The messages among leased jobs.  Becomes part of the plan of what asks.
    select r.job_id, r.lane, s.sms_id, s.handed_at, s.state
      from unnest(p_jobs) j (job_id)
      join leadq.job_ready r
        on r.lane = j.job_id % 8
       and r.job_id = j.job_id
       and r.kind = 'sms'
      join leadq.sms s on s.sms_id = r.ref
$$;


create or replace function leadq._sms_fault(p_sms uuid)
returns text
language plpgsql stable
as $$
begin
    -- Why a message may not leave; "identity-open" may change within hours,
    -- all others are for good.  Null: it may.
    return (
        select case
               when s.state <> 'planned' then 'over'
               when n.phone is null then 'no-number'
               when exists (select from leadq.suppression u
                             where u.channel = 'phone'
                               and u.address_sha256
                                   = leadq._address_hash(n.phone))
               then 'suppressed'
               when not leadq._agreed_to_ads(s.contact_id, 'sms')
               then 'no-consent'
               when k.disabled or not p.active then 'code-disabled'
               when k.expires_at <= leadq.now() then 'code-expired'
               when k.used >= k.max_uses then 'code-used'
               when p.identity_id is not null
               then leadq._identity_fault(s.contact_id, p.identity_id) end
          from leadq.sms s
          join leadq.promo_code k using (code_id)
          join leadq.programme p using (programme_id)
         cross join lateral (
                select leadq._number_of(s.contact_id)) n (phone)
         where s.sms_id = p_sms);
end
$$;


create or replace function leadq._drop_stale_sms(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_count integer;
begin
    -- Ends the messages among leased jobs that must not be sent: those that a
    -- worker had before, of which nobody knows whether they have left, and
    -- those that may not leave any more.  Returns how many.
    with stale as (
        select l.job_id, l.lane, l.sms_id,
               case when l.state = 'planned' and l.handed_at is not null
                    then 'lease-lost'
                    else leadq._sms_fault(l.sms_id) end as reason
          from leadq._leased_sms(p_jobs) l
    ), gone as (
        delete from leadq.job_ready r
         using stale s
         where r.lane = s.lane
           and r.job_id = s.job_id
           and s.reason <> 'identity-open'
        returning r.*, s.reason
    ), ended as (
        update leadq.sms m
           set state = case when g.reason = 'lease-lost' then 'in_doubt'
                       else 'dropped' end,
               reason = g.reason,
               ended_at = case when g.reason <> 'lease-lost' then v_now end
          from gone g
         where m.sms_id = g.ref
           and m.state = 'planned'
    )
    insert into leadq.job_done
           (done_at, job_id, kind, target, ref, attempt, outcome, detail)
    select v_now, g.job_id, g.kind, g.target, g.ref, g.attempt,
           case when g.reason = 'lease-lost' then 'dead' else 'cancelled' end,
           jsonb_build_object('reason', g.reason)
      from gone g;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;


create or replace function leadq._hold_sms(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    c_verdict constant interval := '1 hour';
    v_now timestamptz := leadq.now();
    v_count integer;
begin
    -- Puts off the messages among leased jobs, of which those that must not
    -- leave are gone, that may not at this hour, or before somebody else has
    -- judged their person: the attempt does not count.  Those that leave are marked: from the commit on nobody
    -- sends them again, unless their worker says that they have not left.
    -- Returns how many were put off.
    with timed as (
        select l.job_id, l.lane, l.sms_id,
               leadq._message_time(case when p.identity_id is not null
                                             and leadq._identity_fault(
                                                 s.contact_id, p.identity_id)
                                                 = 'identity-open'
                                        then v_now + c_verdict
                                        else v_now end,
                   s.zone, 'sms', p.window_from, p.window_to) as free_at
          from leadq._leased_sms(p_jobs) l
          join leadq.sms s on s.sms_id = l.sms_id
          join leadq.promo_code k using (code_id)
          join leadq.programme p using (programme_id)
    ), handed as (
        update leadq.sms s
           set handed_at = case when t.free_at <= v_now then v_now end,
               due_at = case when t.free_at > v_now then t.free_at
                        else s.due_at end
          from timed t
         where s.sms_id = t.sms_id
    ), late as (
        delete from leadq.job_ready r
         using timed t
         where r.lane = t.lane
           and r.job_id = t.job_id
           and t.free_at > v_now
        returning r.*, t.free_at
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select t.free_at, t.lane, t.job_id, t.kind, t.target, t.ref,
           t.attempt - 1, t.created_at
      from late t;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;


create or replace function leadq._wake_sms(p_contact bigint,
    p_gateway integer)
returns void
language plpgsql
as $$
begin
    -- There is a verdict on a person: messages that waited for it are tried
    -- now, if it was time for them.
    perform leadq._hurry_jobs('sms', array_agg(s.sms_id),
                              array_agg(s.due_at))
       from leadq.sms s
       join leadq.promo_code k using (code_id)
       join leadq.programme p using (programme_id)
      where s.contact_id = p_contact
        and s.state = 'planned'
        and s.not_before <= leadq.now()
        and p.identity_id = p_gateway;
end
$$;


create or replace function leadq._take_back_sms(p_jobs bigint[],
    p_tokens uuid[])
returns void
language sql volatile
as $$
    -- Leased messages that were not begun after all.
    update leadq.sms s
       set handed_at = null
      from unnest(p_jobs, p_tokens) i (job_id, token)
      join leadq.job_ready r
        on r.lane = i.job_id % 8
       and r.job_id = i.job_id
       and r.lease_token = i.token
       and r.kind = 'sms'
     where s.sms_id = r.ref
       and s.state = 'planned'
$$;


create or replace function leadq._may_have_left(p_detail jsonb)
returns boolean
language plpgsql immutable
as $$
begin
    -- Whether a gateway may have taken what it did not say that it took.
    return coalesce(p_detail ->> 'reason' in ('timeout', 'connection-lost',
                        'lease-lost', 'protocol', 'memory', 'no-match'),
                    false)
           or coalesce((p_detail ->> 'http')::integer >= 500
                       and (p_detail ->> 'http')::integer <> 503, false);
end
$$;


create or replace function leadq._settle_sms(p_kinds text[], p_refs uuid[],
    p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_polls uuid[];
    v_targets text[];
    v_times timestamptz[];
begin
    -- Takes what became of messages.  One whose outcome nobody knows is
    -- never sent again; a receipt may still tell.
    perform from leadq.sms s
      where s.sms_id = any (p_refs)
      order by s.sms_id
        for update;

    with input as (
        select i.ref, i.state, i.detail,
               leadq._may_have_left(i.detail) as doubt
          from unnest(p_kinds, p_refs, p_states, p_details)
               i (kind, ref, state, detail)
         where i.kind = 'sms'
    ), sent as (
        update leadq.sms s
           set state = case when s.state in ('planned', 'in_doubt')
                            then 'sent' else s.state end,
               reason = case when s.state in ('planned', 'in_doubt')
                             then null else s.reason end,
               provider_id = coalesce(left(i.detail ->> 'provider_id', 100),
                                      s.provider_id),
               segments = (i.detail ->> 'segments')::smallint,
               cost = g.price * greatest(coalesce(
                          (i.detail ->> 'segments')::smallint, 1), 1)
          from input i, leadq.gateway g
         where s.sms_id = i.ref
           and i.state = 'done'
           and g.gateway_id = s.gateway_id
        returning s.sms_id, s.contact_id, s.state, g.name, g.poll
    ), failed as (
        update leadq.sms s
           set handed_at = case when i.state <> 'scheduled'
                                then s.handed_at end,
               state = case when i.state = 'scheduled' then 'planned'
                            when i.state = 'cancelled' then 'dropped'
                            when i.doubt then 'in_doubt'
                            else 'failed' end,
               reason = case when i.state <> 'scheduled' then left(coalesce(
                            i.detail ->> 'reason', 'cancelled'), 40) end,
               ended_at = case when i.state = 'cancelled'
                                    or i.state = 'dead' and not i.doubt
                               then v_now end
          from input i
         where s.sms_id = i.ref
           and i.state <> 'done'
           and s.state = 'planned'
    ), told as (
        insert into leadq.event (at, kind, contact_id, ref)
        select v_now, 'sms.sent', s.contact_id, s.sms_id from sent s
    )
    select array_agg(s.sms_id), array_agg('gateway:' || s.name),
           array_agg(v_now + coalesce((s.poll ->> 'after')::interval, '5 s'))
      into v_polls, v_targets, v_times
      from sent s
     where s.poll is not null
       and s.state = 'sent';

    perform leadq._add_jobs('poll', 3, p.target, array[p.ref], array[p.at])
       from unnest(v_polls, v_targets, v_times) p (ref, target, at);
end
$$;


create or replace function leadq._sms_poll_payload(p_sms uuid)
returns text
language plpgsql stable
as $$
begin
    -- A question to a gateway: what became of a message.
    return (
        select (leadq._gateway_question(g) || jsonb_build_object(
                   'postback_id', s.sms_id,
                   'values', v.item))::text
          from leadq.sms s
          join leadq.gateway g using (gateway_id)
         cross join lateral (select leadq._sms_values(s, g)) v (item)
         where s.sms_id = p_sms
           and v.item is not null);
end
$$;


create or replace function leadq._sms_of(p_gateway integer, p_receipt jsonb)
returns uuid
language plpgsql stable
as $$
begin
    -- The message that a receipt is of, by our id or by the gateway's.
    return (
        select s.sms_id
          from leadq.sms s
         where s.gateway_id = p_gateway
           and (s.sms_id = leadq._as_uuid(p_receipt ->> 'send')
                or s.provider_id = p_receipt ->> 'id')
         order by s.handed_at desc nulls last
         limit 1);
end
$$;


create or replace function leadq._take_sms_receipts(p_receipts jsonb)
returns void
language plpgsql
as $$
declare
    v_sms uuid[] := array(select distinct (x ->> 'send')::uuid
                            from jsonb_array_elements(p_receipts) x);
begin
    -- What gateways say of messages: an array of {"send", "state", "error"}.
    -- The first final word stays.  What is not a message is left alone.
    perform from leadq.sms s
      where s.sms_id = any (v_sms)
      order by s.sms_id
        for update;

    with word as (
        select distinct on (x.item ->> 'send') (x.item ->> 'send')::uuid as ref,
               x.item ->> 'state' in ('delivered', 'read', 'clicked') as came,
               x.item ->> 'error' as error
          from jsonb_array_elements(p_receipts) with ordinality x (item, n)
         where x.item ->> 'state' in ('delivered', 'read', 'clicked',
                                      'undelivered', 'expired', 'rejected')
         order by x.item ->> 'send', x.n
    ), ended as (
        update leadq.sms s
           set state = case when w.came then 'delivered'
                       else 'undelivered' end,
               reason = case when not w.came
                             then left(coalesce(w.error, 'unknown'), 40) end,
               handed_at = coalesce(s.handed_at, leadq.now()),
               ended_at = leadq.now()
          from word w
         where s.sms_id = w.ref
           and (s.state in ('sent', 'in_doubt')
                or s.state = 'planned' and s.handed_at is not null)
        returning s.sms_id, s.contact_id, s.state
    )
    insert into leadq.event (at, kind, contact_id, ref)
    select leadq.now(), 'sms.' || e.state, e.contact_id, e.sms_id
      from ended e;
end
$$;


create or replace function leadq._poll_sms_again(p_kinds text[],
    p_refs uuid[], p_states text[])
returns void
language plpgsql
as $$
begin
    -- A message whose gateway knows no end yet is asked about again, for a
    -- day, ever less often.
    perform leadq._add_jobs('poll', 3, 'gateway:' || g.name,
                array[s.sms_id], array[leadq.now()
                    + greatest(coalesce((g.poll ->> 'every')::interval,
                                        '10 s'),
                               (leadq.now() - s.handed_at) / 2)])
       from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
       join leadq.sms s on s.sms_id = i.ref
       join leadq.gateway g using (gateway_id)
      where i.kind = 'poll'
        and i.state in ('done', 'dead')
        and s.state = 'sent'
        and s.handed_at > leadq.now() - interval '1 day';
end
$$;


create or replace function leadq._erase_sms(p_contacts bigint[])
returns void
language plpgsql
as $$
begin
    -- Messages to persons who are erased: what is planned goes; what
    -- gateways said of them may quote their numbers.
    with ended as (
        update leadq.sms s
           set state = 'dropped',
               reason = 'erased',
               ended_at = leadq.now()
         where s.contact_id = any (p_contacts)
           and s.state = 'planned'
           and s.handed_at is null
        returning s.sms_id, s.due_at
    )
    delete from leadq.job_scheduled j
     using ended e
     where j.run_at = e.due_at
       and j.ref = e.sms_id;

    update leadq.sms s
       set provider_id = null
     where s.contact_id = any (p_contacts)
       and s.provider_id is not null;

    update leadq.job_done d
       set detail = d.detail - array['reply', 'url', 'body']
      from leadq.sms s
     where s.contact_id = any (p_contacts)
       and d.ref = s.sms_id
       and d.detail ?| array['reply', 'url', 'body'];
end
$$;
