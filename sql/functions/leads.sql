create or replace function leadq.web_lead(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := leadq.now();
    v_idle boolean;
    v_new integer;
    v_reused bigint[] := '{}';
    v_refused text[] := '{}';
    v_ids uuid[] := p_ids;
    v_requests text[] := p_requests;
begin
    -- Takes leads: each becomes a row and a rule job, and is answered 202.
    -- An id that is there already changes nothing and gets the same answer.
    -- Request: source (trusted), email, phone, name, click_id, lang,
    -- time_zone, consent_pd, consent_ads, text_version, ip, ua, sub1 ...
    -- sub30, partner and offer (who pays for it, see _claim_clicks), promo
    -- (the code of a friend, see _judge_referrals),
    -- verification (of the phone, with "$session": 409 when it is not there
    -- or used), and what the web tier has to say: "$invalid" names the fields it refused,
    -- "$trap" the trap for robots that was tripped, "$fingerprint" is the
    -- hash of the request behind an idempotency key: the same id with
    -- another one is 422 (older web tiers sent twice as many digits of the
    -- same hash).  Never raises for data.  Called by the nginx
    -- module with one batch.
    -- A commit that notifies waits for every other one that does: the worker
    -- is called only when it may be asleep, and looks by itself besides.
    v_idle := not exists (select from leadq.job_ready r where r.lane = 0);

    if array_to_string(p_requests, '') like '%"verification"%' then
        v_refused := leadq._verify_leads(p_ids, p_requests);
        v_ids := array(select i.id from unnest(p_ids, v_refused)
                           with ordinality i (id, refused, n)
                        where i.refused is null order by i.n);
        v_requests := array(select i.request from unnest(p_requests,
                                v_refused) with ordinality
                                i (request, refused, n)
                             where i.refused is null order by i.n);
    end if;

    v_new := leadq._take_leads(v_ids, v_requests, v_now);

    if v_new < cardinality(v_ids) then
        -- Repeats, or a source that nobody has described: keep its leads.
        insert into leadq.source (name, configured)
        select distinct coalesce(r.request::jsonb ->> 'source', 'default'),
               false
          from unnest(v_requests) r (request)
        on conflict do nothing;

        v_new := v_new + leadq._take_leads(v_ids, v_requests, v_now);

        select coalesce(array_agg(i.n), '{}') into v_reused
          from unnest(p_ids, p_requests) with ordinality i (id, request, n)
          join leadq.lead l on l.lead_id = i.id
         where left(l.request ->> '$fingerprint', 32)
               is distinct from left(i.request::jsonb ->> '$fingerprint', 32);
    end if;

    if v_new > 0 and v_idle then
        perform pg_notify('leadq_ready', '');
    end if;

    return query
        select i.n::integer,
               case when v_refused[i.n] is not null then 409
                    when i.n = any (v_reused) then 422 else 202 end,
               null::text,
               case when v_refused[i.n] is not null
                    then leadq._problem(v_refused[i.n],
                             'This verification cannot be used', 409, null)
                    when i.n = any (v_reused)
                    then leadq._reused_problem()
                    else '{"id":"' || i.id || '","state":"received"}'
               end
          from unnest(p_ids) with ordinality i (id, n);
end
$$;


create or replace function leadq._verify_leads(p_ids uuid[],
    p_requests text[])
returns text[]
language plpgsql
as $$
declare
    v_refused text[] := array_fill(null::text, array[cardinality(p_ids)]);
    v_row record;
begin
    -- Attaches the verifications that leads name; why not, for each that
    -- cannot be, null for all others.
    for v_row in
        select r.n, r.id, r.request
          from unnest(p_ids, p_requests::jsonb[])
               with ordinality r (id, request, n)
         where r.request ? 'verification'
         order by r.request ->> 'verification', r.n
    loop
        v_refused[v_row.n] := leadq._use_verification(
            (v_row.request ->> 'verification')::uuid,
            leadq._session_hash(v_row.request), v_row.request ->> 'phone',
            v_row.id);
    end loop;

    return v_refused;
end
$$;


create or replace function leadq._take_leads(p_ids uuid[],
    p_requests text[], p_now timestamptz)
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Inserts the leads that are new and whose source exists, with their
    -- rule jobs; returns how many.  In plpgsql for its cached plan.
    insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at)
    select 0, leadq._job_id(0), 'lead', 'rule', f.lead_id, p_now
      from leadq._insert_leads(p_ids, p_requests, p_now) f (lead_id);

    get diagnostics v_count = row_count;
    return v_count;
end
$$;


create or replace function leadq._insert_leads(p_ids uuid[],
    p_requests text[], p_now timestamptz)
returns setof uuid
language plpgsql
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
begin
    -- The leads that are new and whose source exists; returns their ids.
    -- Parsed before the statement, which would do it anew for each member.
    return query
        insert into leadq.lead (lead_id, source_id, received_at, click_id,
               email, phone, request)
        select i.id, s.source_id, p_now, i.request ->> 'click_id',
               i.request ->> 'email', i.request ->> 'phone',
               i.request - array['source', 'click_id', 'email', 'phone',
                                 '$session']
          from unnest(p_ids, v_requests)
               with ordinality i (id, request, n)
          join leadq.source s
            on s.name = coalesce(i.request ->> 'source', 'default')
         order by i.id, i.n
        on conflict do nothing
        returning lead_id;
end
$$;


create or replace function leadq._intake(p_leads uuid[], p_bulk boolean)
returns void
language plpgsql
as $$
declare
    v_leads uuid[];
    v_idle uuid[];
begin
    -- The first rule of a lead: find or make its contact, write down the
    -- consents, tell the network "processed", and begin the series or end
    -- the lead.  Leads of a source that nobody has described yet wait.
    -- p_bulk: the letters may come after those of other leads.
    select array_agg(q.lead_id) filter (where q.configured),
           array_agg(q.lead_id) filter (where not q.configured)
      into v_leads, v_idle
      from (select l.lead_id, s.configured
              from leadq.lead l
              join leadq.source s using (source_id)
             where l.lead_id = any (p_leads)
               and l.state = 'received'
             order by l.lead_id
               for update of l) q;

    if v_idle is not null then
        perform leadq._add_jobs('lead', 0, 'rule', v_idle,
            array_fill(leadq.now() + interval '1 min',
                       array[cardinality(v_idle)]));
    end if;

    if v_leads is null then
        return;
    end if;

    perform leadq._find_contacts(v_leads);
    perform leadq._judge_leads(v_leads, p_bulk);
    perform leadq._refer_leads(v_leads);
end
$$;


create or replace function leadq._judge_leads(p_leads uuid[],
    p_bulk boolean)
returns void
language plpgsql
as $$
declare
    v_channels text[];
    v_values text[];
    v_leads uuid[];
    v_verdicts text[];
    v_reasons text[];
begin
    -- What a lead that has its contact is worth at once: rejected, approved
    -- or expired, or it enters the series (enrol) or waits (wait).  Locks
    -- the contact's enrolments, then its address, as every rule does, so
    -- that nobody confirms, bounces or comes twice between look and write.
    -- Value by value: a join, or "any", reads the whole table as long as it
    -- was planned when that was small.
    select array_agg(w.channel order by w.channel, w.value),
           array_agg(w.value order by w.channel, w.value)
      into v_channels, v_values
      from (select distinct case when l.email is null then 'phone'
                            else 'email' end as channel,
                   coalesce(l.email, l.phone) as value
              from leadq.lead l
             where l.lead_id = any (p_leads)
               and coalesce(l.email, l.phone) is not null) w;

    perform from leadq.enrolment e
      where e.contact_id = any (array(
                select a.contact_id
                  from unnest(v_channels, v_values) w (channel, value)
                 cross join lateral (
                    select o.contact_id from leadq.address o
                     where o.channel = w.channel
                       and o.value = w.value
                     limit 1) a))
      order by e.enrolment_id
        for share;

    perform from unnest(v_channels, v_values) w (channel, value)
      cross join lateral (
        select from leadq.address a
         where a.channel = w.channel
           and a.value = w.value
           for no key update) a;

    with facts as (
        select l.lead_id, l.email, l.phone, s.series_id, s.on_duplicate,
               s.approve_on,
               l.request -> '$invalid' ->> 'email' as refused,
               l.request ? '$trap' as trapped,
               a.contact_id,
               case when l.email is null and l.request ? 'verification'
                    then 'confirmed' else a.state end as address_state,
               l.request ? 'verification' as verified,
               a.reason as address_reason, e.state as enrolment_state,
               exists (select from leadq.suppression u
                        where u.channel = 'email'
                          and u.address_sha256
                              = leadq._address_hash(l.email))
                   as suppressed,
               a.contact_id is not null
               and row_number() over (partition by l.source_id, a.contact_id
                                      order by l.received_at, l.lead_id) > 1
               or exists (select from leadq.lead o
                           where o.contact_id = a.contact_id
                             and o.source_id = l.source_id)
                   as known
          from leadq.lead l
          join leadq.source s using (source_id)
          left join leadq.address a
            on a.channel = case when l.email is null then 'phone'
                                else 'email' end
           and a.value = coalesce(l.email, l.phone)
           and not l.request ? '$trap'
          left join leadq.enrolment e
            on e.contact_id = a.contact_id
           and e.series_id = s.series_id
         where l.lead_id = any (p_leads)
    ), judged as (
        select f.*,
               case when f.trapped then 'spam'
                    when f.email is null
                         and (f.refused is not null or f.phone is null
                              or f.series_id is not null)
                    then case when coalesce(f.refused, 'required')
                                   = 'required'
                              then 'empty_email' else 'bad_format' end
                    when f.suppressed then 'blocked'
                    when f.address_state = 'invalid' then f.address_reason
                    when f.on_duplicate = 'reject'
                         and (f.known or f.address_state = 'confirmed'
                                         and not f.verified)
                    then 'duplicate'
               end as reason
          from facts f
    ), verdicts as (
        select j.lead_id, j.contact_id, j.series_id, j.reason,
               case when j.reason is not null then 'rejected'
                    when j.address_state = 'confirmed'
                         or j.enrolment_state = 'confirmed'
                    then 'approved'
                    when j.series_id is null then 'wait'
                    when coalesce(j.enrolment_state, 'running') = 'running'
                    then 'enrol'
                    when j.approve_on = 'deliverable'
                         and j.enrolment_state = 'expired'
                         and leadq._delivered(j.contact_id, j.series_id)
                    then 'approved'
                    else 'expired'
               end as verdict
          from judged j
    ), placed as (
        update leadq.lead l
           set contact_id = v.contact_id,
               series_id = v.series_id,
               state = 'pending'
          from verdicts v
         where l.lead_id = v.lead_id
    )
    select array_agg(v.lead_id order by v.lead_id),
           array_agg(v.verdict order by v.lead_id),
           array_agg(case v.verdict when 'expired' then 'not_confirmed'
                     else v.reason end order by v.lead_id)
      into v_leads, v_verdicts, v_reasons
      from verdicts v;

    -- What a page tells of the clock of its visitor, once.
    update leadq.contact c
       set time_zone = l.zone
      from (select distinct on (o.contact_id) o.contact_id,
                   o.request ->> 'time_zone' as zone
              from leadq.lead o
             where o.lead_id = any (v_leads)
               and o.request ? 'time_zone'
             order by o.contact_id, o.lead_id) l
     where c.contact_id = l.contact_id
       and c.time_zone is null
       and leadq._is_zone(l.zone);

    insert into leadq.event (at, kind, contact_id, lead_id)
    select l.received_at, 'lead.received', l.contact_id, l.lead_id
      from leadq.lead l
     where l.lead_id = any (v_leads);

    perform leadq._take_consents(v_leads);

    perform leadq._plan_postbacks(leadq._claim_clicks(v_leads), 'processed');

    perform leadq._enrol(array_agg(v.lead_id order by v.lead_id), p_bulk)
       from unnest(v_leads, v_verdicts) v (lead_id, verdict)
      where v.verdict = 'enrol'
     having count(*) > 0;

    perform leadq._finish_leads(array_agg(v.lead_id order by v.lead_id),
            array_agg(v.verdict order by v.lead_id),
            array_agg(v.reason order by v.lead_id))
       from unnest(v_leads, v_verdicts, v_reasons)
            v (lead_id, verdict, reason)
      where v.verdict in ('rejected', 'approved', 'expired')
     having count(*) > 0;
end
$$;


create or replace function leadq._finish_leads(p_leads uuid[],
    p_states text[], p_reasons text[])
returns void
language plpgsql
as $$
declare
    v_leads uuid[];
    v_statuses text[];
begin
    -- Gives leads their one final state; one that has it keeps it.  What
    -- the network hears of "expired" is the source's choice.
    perform from leadq.lead l
      where l.lead_id = any (p_leads)
      order by l.lead_id
        for update;

    with final as (
        update leadq.lead l
           set state = f.state,
               reason = f.reason,
               final_at = leadq.now()
          from unnest(p_leads, p_states, p_reasons)
               f (lead_id, state, reason)
         where l.lead_id = f.lead_id
           and l.final_at is null
        returning l.lead_id, l.source_id, l.contact_id, l.reports, l.state,
                  l.reason
    ), events as (
        insert into leadq.event (at, kind, contact_id, lead_id, data)
        select leadq.now(), 'lead.' || f.state, f.contact_id, f.lead_id,
               case when f.reason is not null
                    then jsonb_build_object('reason', f.reason) end
          from final f
    )
    select array_agg(f.lead_id order by f.lead_id),
           array_agg(case f.state when 'expired'
                     then s.expired_as else f.state end order by f.lead_id)
      into v_leads, v_statuses
      from final f
      join leadq.source s using (source_id)
     where f.reports;

    perform leadq._plan_postbacks(array_agg(v.lead_id), v.status)
       from unnest(v_leads, v_statuses) v (lead_id, status)
      where v.status <> 'none'
      group by v.status;
end
$$;
