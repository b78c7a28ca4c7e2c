create or replace function leadq._event_kinds()
returns text[]
language sql immutable
as $$
    -- The events of the system.  Names that begin as one of them are not
    -- for others: a posted "contact.confirmed" would be a forged consent.
    select array['lead.received', 'lead.approved', 'lead.rejected',
        'lead.expired', 'letter.sent', 'letter.bounced', 'letter.failed',
        'letter.cancelled', 'letter.delivered', 'letter.opened',
        'letter.clicked', 'letter.complaint', 'contact.confirmed',
        'contact.unsubscribed', 'address.invalid', 'postback.done',
        'postback.dead', 'series.finished', 'segment.entered',
        'webhook.done', 'webhook.dead', 'sms.sent', 'sms.delivered',
        'sms.undelivered', 'identity.passed', 'identity.failed',
        'identity.unavailable']
$$;


create or replace function leadq._is_reserved(p_name text)
returns boolean
language plpgsql immutable
as $$
begin
    return (
        select exists (select from unnest(leadq._event_kinds()) k (kind)
                        where split_part(k.kind, '.', 1)
                              = split_part(p_name, '.', 1)));
end
$$;


create or replace function leadq._event_fault(p_name text, p_foreign boolean)
returns text
language plpgsql stable
as $$
declare
    v_names text;
begin
    -- Why a name is not one of an event: null when it is.  p_foreign: it has
    -- to be one that others may post or triggers emit.
    if p_name is null then
        return 'is missing';
    elsif p_name !~ '^[a-z][a-z0-9_]*([.][a-z0-9_]+)+$'
          or length(p_name) > 63
    then
        return format('"%s" is not the name of an event, such as '
                      '"order.placed"', p_name);
    elsif leadq._is_reserved(p_name) then
        select string_agg(k.kind, ', ') into v_names
          from unnest(leadq._event_kinds()) k (kind)
         where split_part(k.kind, '.', 1) = split_part(p_name, '.', 1);

        return case
            when p_foreign
            then format('"%s" is for events of leadq itself', p_name)
            when p_name <> all (leadq._event_kinds())
            then format('there is no event "%s"; there are %s', p_name,
                        v_names)
        end;
    elsif exists (select from leadq.event_name n where n.name = p_name) then
        return null;
    end if;

    select string_agg(n.name, ', ' order by n.name) into v_names
      from leadq.event_name n;

    return format('"%s" is not one of the events that are posted: ', p_name)
           || v_names;
end
$$;


create or replace function leadq._wake_triggers()
returns trigger
language plpgsql
as $$
begin
    -- After every insert into event, once config_import has seen that
    -- something waits: events that a trigger or a series waits for are put
    -- aside, each with a rule.  Runs as the one who inserts: a function of
    -- the owner.
    with due as (
        insert into leadq.event_due
               (event_id, at, kind, contact_id, lead_id, ref, data)
        select f.event_id, f.at, f.kind, f.contact_id, f.lead_id, f.ref,
               f.data
          from fresh f
          join leadq.event_wait w using (kind)
        returning due_id
    )
    insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at)
    select 0, leadq._job_id(0), 'event', 'rule', d.due_id, leadq.now()
      from due d;

    return null;
end
$$;


create or replace function leadq.web_event(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_faults text[];
    v_reused bigint[];
    v_fresh bigint[];
begin
    -- Takes events that happened elsewhere, an order for example.  Request:
    -- event, data (an object), and of whom: lead_id, email or phone, the
    -- first that is there.  A person who is not known is no mistake: the
    -- event is kept without one.  202; 422 for a name that is no event's, for
    -- data that is no object, and for an id of another request
    -- ("$fingerprint").  An id that was there within a month changes nothing.
    -- Never raises for data.  Called by the nginx module with one batch.
    select array_agg(coalesce(
               leadq._event_problem('event', 'event-unknown',
                   leadq._event_fault(r.request ->> 'event', true)),
               case when jsonb_typeof(r.request -> 'data') <> 'object'
                    then leadq._event_problem('data', 'json-not-object',
                                              'is not a JSON object') end)
               order by r.n)
      into v_faults
      from unnest(v_requests) with ordinality r (request, n);

    with fresh as (
        insert into leadq.posted (post_id, at, fingerprint)
        select distinct on (i.id) i.id, leadq.now(),
               i.request ->> '$fingerprint'
          from unnest(p_ids, v_requests, v_faults)
               with ordinality i (id, request, fault, n)
         where i.fault is null
         order by i.id, i.n
        on conflict do nothing
        returning post_id
    )
    select array_agg(w.n) into v_fresh
      from fresh f
      join (select i.id, min(i.n)
              from unnest(p_ids, v_faults) with ordinality i (id, fault, n)
             where i.fault is null
             group by i.id) w (id, n)
        on w.id = f.post_id;

    -- As a contact of a lead, an e-mail or a phone, in this order.
    insert into leadq.event (at, kind, contact_id, lead_id, data)
    select leadq.now(), i.request ->> 'event',
           coalesce(l.contact_id, e.contact_id, p.contact_id), l.lead_id,
           i.request -> 'data'
      from unnest(v_requests) with ordinality i (request, n)
      left join leadq.lead l
        on l.lead_id = (i.request ->> 'lead_id')::uuid
      left join leadq.address e
        on e.channel = 'email'
       and e.value = i.request ->> 'email'
      left join leadq.address p
        on p.channel = 'phone'
       and p.value = i.request ->> 'phone'
     where i.n = any (v_fresh)
     order by i.n;

    select coalesce(array_agg(i.n), '{}') into v_reused
      from unnest(p_ids, v_requests) with ordinality i (id, request, n)
      join leadq.posted p on p.post_id = i.id
     where p.fingerprint is distinct from i.request ->> '$fingerprint';

    if v_fresh is not null and exists (select from leadq.event_wait) then
        perform pg_notify('leadq_ready', '');
    end if;

    return query
        select i.n::integer,
               case when i.fault is not null or i.n = any (v_reused)
                    then 422 else 202 end,
               null::text,
               case when i.fault is not null then i.fault
                    when i.n = any (v_reused)
                    then leadq._reused_problem()
                    else '{"id":"' || i.id || '","state":"received"}'
               end
          from unnest(p_ids, v_faults) with ordinality i (id, fault, n);
end
$$;


create or replace function leadq._event_problem(p_field text, p_code text,
    p_detail text)
returns text
language sql immutable
as $$
    -- The answer to a field that is wrong, as the module would give it;
    -- null without a detail.
    select case when p_detail is not null
           then json_build_object(
                    'type', 'urn:leadq:problem:invalid',
                    'title', 'Some fields are not valid',
                    'status', 422,
                    'errors', json_build_array(json_build_object(
                        'field', p_field, 'code', p_code,
                        'detail', p_detail)))::text end
$$;


create or replace function leadq._contact_document(p_contact bigint)
returns jsonb
language plpgsql stable
as $$
begin
    -- What conditions know of a person.
    return (
        select jsonb_build_object(
            'id', c.contact_id,
            'name', c.name,
            'lang', c.lang,
            'time_zone', c.time_zone,
            'email', e.value,
            'phone', (select min(p.value) from leadq.address p
                       where p.contact_id = c.contact_id
                         and p.channel = 'phone'),
            'confirmed', coalesce(e.state = 'confirmed', false),
            'unsubscribed', exists (
                select from leadq.suppression u
                 where u.channel = 'email'
                   and u.address_sha256 = leadq._address_hash(e.value)),
            'ads', leadq._agreed_to_ads(c.contact_id),
            'since', c.created_at,
            'sources', coalesce((
                select jsonb_agg(distinct s.name)
                  from leadq.lead l
                  join leadq.source s using (source_id)
                 where l.contact_id = c.contact_id), '[]'),
            'segments', coalesce((
                select jsonb_agg(s.name order by s.name)
                  from leadq.segment_member m
                  join leadq.segment s using (segment_id)
                 where m.contact_id = c.contact_id), '[]'),
            'series', coalesce((
                select jsonb_object_agg(r.name, n.state)
                  from leadq.enrolment n
                  join leadq.series r using (series_id)
                 where n.contact_id = c.contact_id
                   and r.kind <> 'trigger'), '{}'))
          from leadq.contact c
          left join lateral (
                select a.value, a.state
                  from leadq.address a
                 where a.contact_id = c.contact_id
                   and a.channel = 'email'
                 order by a.state = 'confirmed' desc, a.state = 'new' desc,
                          a.created_at desc
                 limit 1) e on true
         where c.contact_id = p_contact);
end
$$;


create or replace function leadq._event_document(p_id bigint,
    p_at timestamptz, p_kind text, p_contact bigint, p_lead uuid,
    p_data jsonb)
returns jsonb
language plpgsql stable
as $$
begin
    -- What conditions are asked of: the event and the person.
    return (
        select jsonb_build_object(
            'event', jsonb_build_object('id', p_id, 'name', p_kind, 'at', p_at,
                'data', coalesce(p_data, '{}'),
                'lead', (select (l.request - array['$invalid', '$trap',
                                    '$fingerprint', '$suggest', 'ip', 'ua'])
                                || jsonb_build_object('id', l.lead_id,
                                       'source', s.name, 'state', l.state,
                                       'reason', l.reason,
                                       'click_id', l.click_id)
                           from leadq.lead l
                           join leadq.source s using (source_id)
                          where l.lead_id = p_lead)),
            'contact', leadq._contact_document(p_contact)));
end
$$;
