create or replace function leadq._import_partners(p_source integer,
    p_item jsonb, p_index text)
returns void
language plpgsql
as $$
declare
    v_short boolean := coalesce(p_item -> 'partners', 'null') = 'null';
    v_partners jsonb := case when v_short then jsonb_build_array(p_item)
                        else p_item -> 'partners' end;
begin
    -- The partners of a source: the list "partners", or the one that the
    -- source's own keys name.  A repeat changes nothing.  Raises P0001
    -- "path: reason" when they do not fit.  Called by _import_sources.
    delete from leadq.source_partner sp where sp.source_id = p_source;

    perform leadq._refuse(format(case when v_short then 'sources[%s].network'
                                 else 'sources[%s].partners[%s].network' end,
                                 p_index, p.n - 1),
                format('there is no network "%s"', p.value ->> 'network'))
       from jsonb_array_elements(v_partners) with ordinality p (value, n)
      where p.value ->> 'network' is not null
        and not exists (select from leadq.network w
                         where w.name = p.value ->> 'network');

    perform leadq._refuse(format('sources[%s].partners[%s].offer_id', p_index,
                                 p.n - 1),
                'the source has this network with this offer before')
       from (select p.n, row_number() over (
                        partition by p.value ->> 'network',
                                     p.value ->> 'offer_id'
                        order by p.n) as k
               from jsonb_array_elements(v_partners)
                    with ordinality p (value, n)) p
      where p.k > 1;

    insert into leadq.source_partner
           (source_id, position, network_id, offer_id, payout, currency)
    select p_source, p.n, w.network_id, p.value ->> 'offer_id',
           (p.value ->> 'payout')::numeric(12, 2), p.value ->> 'currency'
      from jsonb_array_elements(v_partners) with ordinality p (value, n)
      join leadq.network w on w.name = p.value ->> 'network';

    perform leadq._refuse(format(case when v_short then 'sources[%s].network'
                                 else 'sources[%s].partners' end, p_index),
                'a network pays for confirmed leads: name a series too')
       from leadq.source s
      where s.source_id = p_source
        and s.series_id is null
        and exists (select from leadq.source_partner sp
                     where sp.source_id = s.source_id);

    perform leadq._refuse(format('sources[%s].expired_as', p_index),
                'no network of the source has "hold" among its statuses')
       from leadq.source s
      where s.source_id = p_source
        and s.expired_as = 'hold'
        and not exists (select from leadq.source_partner sp
                          join leadq.network w using (network_id)
                         where sp.source_id = s.source_id
                           and 'hold' = any (w.statuses));
end
$$;


create or replace function leadq._partners_document(p_source integer)
returns jsonb
language sql stable
as $$
    -- The partners of a source as its keys in the document: one partner as
    -- the source's own keys, several as a list.
    with partner as (
        select sp.position,
               jsonb_build_object('network', w.name,
                   'offer_id', sp.offer_id, 'payout', sp.payout::text,
                   'currency', sp.currency) as document
          from leadq.source_partner sp
          join leadq.network w using (network_id)
         where sp.source_id = p_source
    )
    select case count(*)
           when 0 then '{"network": null}'
           when 1 then jsonb_agg(p.document) -> 0
           else jsonb_build_object('partners',
                    jsonb_agg(p.document order by p.position))
           end
      from partner p
$$;


create or replace function leadq._claim_clicks(p_leads uuid[])
returns uuid[]
language plpgsql
as $$
declare
    v_speaking uuid[];
begin
    -- Gives leads with a click id their partner, and the price of this
    -- moment; returns those that speak to it.  A lead names a network in
    -- "partner" and one of its offers in "offer"; of what fits, the first of
    -- the source is taken.  A network that is not the source's own is told
    -- nothing: a click id means nothing to another one.  A network knows a
    -- lead by its click id, so of each source, network and click id the
    -- first lead speaks, and no other.  A repeat changes nothing.  Called by
    -- _judge_leads.  In plpgsql for its cached plan.
    with wanted as (
        select l.lead_id, l.source_id, l.click_id, p.*
          from leadq.lead l
         cross join lateral (
            select sp.network_id, sp.offer_id, sp.payout, sp.currency
              from leadq.source_partner sp
              join leadq.network w using (network_id)
             where sp.source_id = l.source_id
               and w.name = coalesce(l.request ->> 'partner', w.name)
             order by sp.offer_id = l.request ->> 'offer' desc nulls last,
                      sp.position
             limit 1) p
         where l.lead_id = any (p_leads)
           and l.click_id is not null
           and l.request -> '$invalid' -> 'partner' is null
    ), first as (
        insert into leadq.click (source_id, network_id, click_id, lead_id)
        select distinct on (w.source_id, w.network_id, w.click_id)
               w.source_id, w.network_id, w.click_id, w.lead_id
          from wanted w
         order by w.source_id, w.network_id, w.click_id, w.lead_id
        on conflict do nothing
        returning lead_id
    ), speaking as (
        update leadq.lead l
           set reports = true,
               network_id = w.network_id,
               offer_id = w.offer_id,
               payout = w.payout,
               currency = w.currency
          from first f
          join wanted w using (lead_id)
         where l.lead_id = f.lead_id
        returning l.lead_id
    )
    select array_agg(s.lead_id order by s.lead_id) into v_speaking
      from speaking s;

    return v_speaking;
end
$$;


create or replace function leadq.resend_lead(p_lead uuid,
    p_network text default null)
returns table (network text, status text, result text)
language plpgsql
as $$
declare
    v_lead record;
    v_dead uuid[];
begin
    -- Tells the network of a lead again what it has not acknowledged: dead
    -- postbacks come back, scheduled ones come forward, statuses that it
    -- has never been told are planned.  Money stays one-way: what was
    -- acknowledged is not sent again, "processed" is not sent once a final
    -- status is under way or told, a final one waits for it, and there is
    -- one.  A repeat changes nothing while postbacks are under way.  A line
    -- for each status.  Raises P0001 for a lead that is not there, speaks to
    -- no network, or not to p_network.  Called by the operator.
    select l.lead_id, l.reports, l.network_id, l.final_at, w.name,
           case l.state when 'expired' then s.expired_as else l.state end
               as final
      into v_lead
      from leadq.lead l
      join leadq.source s using (source_id)
      left join leadq.network w using (network_id)
     where l.lead_id = p_lead
       for update of l;

    if not found then
        raise exception 'there is no lead %', p_lead using errcode = 'P0001';
    elsif not v_lead.reports or v_lead.network_id is null then
        raise exception 'lead % speaks to no network', p_lead
            using errcode = 'P0001';
    elsif v_lead.name <> p_network then
        raise exception 'lead % speaks to the network %, not to %', p_lead,
            v_lead.name, p_network using errcode = 'P0001';
    end if;

    perform from leadq.postback p
      where p.lead_id = p_lead
      order by p.postback_id
        for update;

    select array_agg(p.postback_id) into v_dead
      from leadq.postback p
     where p.lead_id = p_lead
       and p.state = 'dead';

    if not exists (select from leadq.postback p where p.lead_id = p_lead) then
        perform leadq._plan_postbacks(array[p_lead], 'processed');
    end if;

    if v_lead.final_at is not null and v_lead.final <> 'none' then
        perform leadq._plan_postbacks(array[p_lead], v_lead.final);
    end if;

    perform leadq.retry_jobs(array(
        select distinct d.job_id
          from leadq.job_done d
          join leadq.postback p
            on p.postback_id = d.ref
         where p.lead_id = p_lead
           and p.state in ('queued', 'dead')));

    -- Those whose jobs are history no more get new ones.
    perform leadq._queue_postbacks(array(
        select r.postback_id
          from leadq._reopen_postbacks(v_dead) r
         where r.state = 'queued'));

    return query
        select v_lead.name, p.status,
               case p.state when 'done' then 'acknowledged before'
                    when 'dead' then 'not sent: a final status came first'
                    when 'waiting' then 'waits for processed'
                    else case when p.postback_id = any (v_dead)
                              then 'sent again' else 'under way' end
               end
          from leadq.postback p
         where p.lead_id = p_lead
         order by p.status <> 'processed', p.created_at;
end
$$;


create or replace function leadq.network_sample(p_network text,
    p_values jsonb)
returns text
language plpgsql stable
as $$
declare
    v_payload jsonb;
begin
    -- What the worker is handed for a postback of the network, with made-up
    -- values, or p_values in their place: for a test fire.  The offer and
    -- the price are those of its first source.  Null: there is no such
    -- network.  Changes nothing.  Called by the operator.
    select leadq._call_payload(to_jsonb(w)) || jsonb_build_object(
               'postback_id', gen_random_uuid(),
               'values', jsonb_build_object(
                    'click_id', 'test-click',
                    'lead_id', '00000000-0000-7000-8000-000000000000',
                    'status', 'approved',
                    'reason', case p_values ->> 'status'
                              when 'rejected' then 'hard_bounce'
                              else '' end,
                    'payout', coalesce(p.payout, 1)::text,
                    'currency', coalesce(p.currency, 'USD'),
                    'offer_id', coalesce(p.offer_id, '1'),
                    'goal', coalesce(p.name, 'test'),
                    'ip', '192.0.2.1',
                    'ua', 'leadq',
                    'sub1', 'test') || leadq._time_values(leadq.now())
               || jsonb_strip_nulls(p_values))
      into v_payload
      from leadq.network w
      left join lateral (
        select sp.*, s.name
          from leadq.source_partner sp
          join leadq.source s using (source_id)
         where sp.network_id = w.network_id
         order by s.name, sp.position
         limit 1) p on true
     where w.name = p_network;

    return v_payload::text;
end
$$;
