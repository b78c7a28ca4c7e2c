create or replace function leadq._erase_leads(p_leads uuid[])
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Takes everything personal out of leads; what they were worth stays,
    -- and the click id, which says nothing to anybody but the network.  What
    -- peers said of them goes as well, as it may quote an address.  Returns
    -- how many there were.
    update leadq.lead l
       set email = null,
           phone = null,
           request = '{}',
           erased_at = leadq.now()
     where l.lead_id = any (p_leads)
       and l.erased_at is null;

    get diagnostics v_count = row_count;

    update leadq.consent c
       set ip = null,
           ua = null,
           page_url = null
      from leadq.lead l
     where l.lead_id = any (p_leads)
       and c.contact_id = l.contact_id
       and c.lead_id = l.lead_id
       and (c.ip is not null or c.ua is not null or c.page_url is not null);

    update leadq.job_done d
       set detail = d.detail - array['reply', 'url', 'body']
      from leadq.postback p
     where p.lead_id = any (p_leads)
       and d.ref = p.postback_id
       and d.detail ?| array['reply', 'url', 'body'];

    return v_count;
end
$$;


create or replace function leadq._erase_contacts(p_contacts bigint[])
returns void
language plpgsql
as $$
declare
    v_persons bigint[];
    v_calls uuid[];
begin
    -- Takes everything personal out of contacts, whose series are over: the
    -- addresses, the name, what was posted about them, their numbers in
    -- verifications, messages to them that are planned, and what triggers
    -- have not done with it yet, calls of webhooks too.  Consents stay, by
    -- number, without the place that they were given at; so do letters and
    -- events, to be counted.
    select array_agg(c.contact_id) into v_persons
      from leadq.contact c
     where c.contact_id = any (p_contacts)
        or c.merged_into = any (p_contacts);

    update leadq.enrolment e
       set email = null
     where e.contact_id = any (v_persons);

    perform leadq._erase_numbers(array(
        select a.value from leadq.address a
         where a.contact_id = any (v_persons)
           and a.channel = 'phone'));

    perform leadq._erase_sms(v_persons);
    perform leadq._erase_identity(v_persons);
    perform leadq._erase_visits(v_persons);

    delete from leadq.address a
     where a.contact_id = any (v_persons);

    update leadq.consent c
       set ip = null,
           ua = null,
           page_url = null
     where c.contact_id = any (v_persons)
       and (c.ip is not null or c.ua is not null or c.page_url is not null);

    update leadq.event v
       set data = null
     where v.contact_id = any (v_persons)
       and v.kind !~ '^(lead|letter|contact|address|postback)[.]';

    delete from leadq.event_due d where d.contact_id = any (v_persons);

    select array_agg(o.fired_id) filter (where o.state = 'queued')
      into v_calls
      from (select f.fired_id, f.state
              from leadq.fired f
             where f.contact_id = any (v_persons)
               and f.ended_at is null
             order by f.fired_id
               for update) o;

    with ended as (
        update leadq.fired f
           set data = null,
               state = case when f.ended_at is null then 'cancelled'
                       else f.state end,
               ended_at = coalesce(f.ended_at, leadq.now())
         where f.contact_id = any (v_persons)
        returning f.fired_id, f.run_at
    )
    delete from leadq.job_scheduled j
     using ended e
     where j.run_at = e.run_at
       and j.ref = e.fired_id;

    if v_calls is not null then
        delete from leadq.job_ready j
         where j.kind = 'webhook'
           and j.ref = any (v_calls);

        delete from leadq.job_scheduled j
         where j.kind = 'webhook'
           and j.ref = any (v_calls);
    end if;

    delete from leadq.segment_member g where g.contact_id = any (v_persons);

    update leadq.job_done d
       set detail = d.detail - array['reply', 'url', 'body']
      from leadq.message m
     where m.contact_id = any (v_persons)
       and d.ref = m.message_id
       and d.detail ?| array['reply', 'url', 'body'];

    update leadq.contact c
       set name = null,
           lang = null,
           erased_at = leadq.now()
     where c.contact_id = any (v_persons);

    insert into leadq.event (at, kind, contact_id)
    select leadq.now(), 'contact.erased', c
      from unnest(p_contacts) c;
end
$$;


create or replace function leadq.contact_erase(p_channel text, p_value text)
returns jsonb
language plpgsql
as $$
declare
    v_contact bigint := leadq._hold_contact(p_channel, p_value);
    v_addresses text[] := array[p_value];
    v_leads uuid[];
    v_count integer;
begin
    -- Erases the person who has an address, at his request: series end,
    -- letters on their way are taken back, leads that waited are rejected.
    -- The hashes of his addresses stay suppressed, so that no import and no
    -- form brings him letters again; those of an address that nobody has as
    -- well.  Looks for it in every lead, so it takes a while.  A repeat
    -- finds nobody.  Called by the operator.
    if v_contact is not null then
        perform from leadq.enrolment e
          where e.contact_id = v_contact
          order by e.enrolment_id
            for update;

        perform leadq._close_series(v_contact, 'stopped', 'rejected',
                                    'unsubscribed');

        delete from leadq.job_ready j
         using leadq.message m
         where m.contact_id = v_contact
           and j.kind = 'letter'
           and j.ref = m.message_id;

        select v_addresses || array_agg(a.value) into v_addresses
          from leadq.address a
         where a.contact_id = v_contact;
    end if;

    insert into leadq.suppression as old (channel, address_sha256, reason, at)
    select distinct case when a like '%@%' then 'email' else 'phone' end,
           leadq._address_hash(a), 'erased', leadq.now()
      from unnest(v_addresses) a
    on conflict (channel, address_sha256) do update
       set reason = 'erased'
     where old.reason <> 'erased';

    select array_agg(l.lead_id order by l.lead_id) into v_leads
      from leadq.lead l
     where l.contact_id = v_contact
        or l.email = any (v_addresses)
        or l.phone = any (v_addresses);

    v_count := leadq._erase_leads(v_leads);
    perform leadq._erase_numbers(v_addresses);

    if v_contact is not null then
        perform leadq._erase_contacts(array[v_contact]);
        perform pg_notify('leadq_ready', '');
    end if;

    return jsonb_build_object('contact', v_contact, 'leads', v_count);
end
$$;


create or replace function leadq._retain(p_limit integer)
returns integer
language plpgsql
as $$
declare
    v_leads uuid[];
    v_contacts bigint[];
begin
    -- Takes what is personal out of at most p_limit leads of each source
    -- whose time is over.  A lead that is still worth waiting for, or that a
    -- network has yet to hear of, waits.  A person goes with his last lead,
    -- unless he has confirmed an address: then he is ours until he says
    -- otherwise.  Returns how many leads.  Called by maintain().
    select array_agg(d.lead_id order by d.lead_id) into v_leads
      from leadq.source s
     cross join lateral (
        select l.lead_id
          from leadq.lead l
         where l.source_id = s.source_id
           and l.erased_at is null
           and l.received_at
               < leadq.now() - make_interval(days => s.retention_days)
           and (l.final_at is not null
                or (l.state = 'pending' and l.series_id is null))
           and not exists (select from leadq.postback p
                            where p.lead_id = l.lead_id
                              and p.state in ('waiting', 'queued'))
         order by l.received_at
         limit p_limit) d
     where s.retention_days is not null;

    if v_leads is null then
        return 0;
    end if;

    select array_agg(distinct l.contact_id) into v_contacts
      from leadq.lead l
     where l.lead_id = any (v_leads)
       and not exists (select from leadq.address a
                        where a.contact_id = l.contact_id
                          and a.state = 'confirmed')
       and not exists (select from leadq.enrolment e
                        where e.contact_id = l.contact_id
                          and e.state = 'running')
       and not exists (select from leadq.lead o
                        where o.contact_id = l.contact_id
                          and o.erased_at is null
                          and o.lead_id <> all (v_leads));

    perform leadq._erase_leads(v_leads);

    if v_contacts is not null then
        perform leadq._erase_contacts(v_contacts);
    end if;

    return cardinality(v_leads);
end
$$;
