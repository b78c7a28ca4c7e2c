create or replace function leadq.web_confirm(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'  -- longer than hundreds of letters take to settle
as $$
declare
    v_row record;
begin
    -- The person pressed the button of a confirmation letter.  Request:
    -- message (from the signed link), ip, ua.  Confirms the address, ends
    -- the reminders and approves what waited for it.  A repeat is a success
    -- and changes nothing; a letter that is gone, or an address that was
    -- told to leave alone, is 410.  Called by the nginx module.
    perform leadq._lock_letters(p_requests);

    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.request::jsonb ->> 'message'
    loop
        n := v_row.n;
        headers := null;
        body := leadq._confirm((v_row.request ->> 'message')::uuid,
            v_row.request ->> 'ip', v_row.request ->> 'ua');
        status := case when body is null then 410 else 200 end;
        body := coalesce(body, leadq._link_closed());
        return next;
    end loop;
end
$$;


create or replace function leadq._lock_letters(p_requests text[])
returns void
language plpgsql
as $$
begin
    -- Locks the enrolments of all people of a batch at once, by key, as those
    -- do who settle their letters meanwhile.  One after another, in the order
    -- of the requests, they would stand in deadlocks.
    perform leadq._lock_enrolments(array(
        select m.enrolment_id
          from unnest(p_requests) r (request)
          join leadq.message m
            on m.message_id = (r.request::jsonb ->> 'message')::uuid));
end
$$;


create or replace function leadq._link_closed()
returns text
language sql immutable
as $$
    select '{"type":"urn:leadq:problem:link-closed",'
        || '"title":"This link is no longer valid","status":410}'
$$;


create or replace function leadq._address_hash(p_value text)
returns bytea
language sql stable
as $$
    -- What suppression keeps of an address: it outlives the address itself.
    select sha256(convert_to(p_value, 'UTF8'))
$$;


create or replace function leadq._lock_contact(p_message uuid,
    out contact_id bigint, out email text, out series_id integer,
    out step integer)
language plpgsql
as $$
#variable_conflict use_column
begin
    -- The contact that a letter went to, with its enrolments locked; nulls
    -- when there is no such letter.
    select m.contact_id, e.email, m.series_id, m.step
      into contact_id, email, series_id, step
      from leadq.message m
      join leadq.enrolment e using (enrolment_id)
     where m.message_id = p_message;

    perform from leadq.enrolment e
      where e.contact_id = _lock_contact.contact_id
      order by e.enrolment_id
        for update;
end
$$;


create or replace function leadq._confirm(p_message uuid, p_ip text,
    p_ua text)
returns text
language plpgsql
as $$
declare
    v_who record;
begin
    -- Confirms the address that a letter went to; null when it cannot be.
    v_who := leadq._lock_contact(p_message);

    if v_who.email is null
       or exists (select from leadq.suppression u
                   where u.channel = 'email'
                     and u.address_sha256
                         = leadq._address_hash(v_who.email))
    then
        return null;
    end if;

    update leadq.address a
       set state = 'confirmed',
           reason = null,
           soft_bounces = 0,
           confirmed_at = leadq.now()
     where a.channel = 'email'
       and a.value = v_who.email
       and a.state <> 'confirmed';

    if not found then
        return '{"state":"confirmed","repeated":true}';
    end if;

    update leadq.message m
       set confirmed_at = leadq.now()
     where m.message_id = p_message;

    insert into leadq.consent (contact_id, message_id, purpose, channel,
           action, evidence, ip, ua, at)
    values (v_who.contact_id, p_message, 'ads', 'email', 'given',
            'doi_click', p_ip, p_ua, leadq.now());

    insert into leadq.event (at, kind, contact_id, ref, data)
    values (leadq.now(), 'contact.confirmed', v_who.contact_id, p_message,
            jsonb_build_object('step', v_who.step));

    perform leadq._close_series(v_who.contact_id, 'confirmed', 'approved',
                                null);
    perform pg_notify('leadq_ready', '');
    return '{"state":"confirmed"}';
end
$$;


create or replace function leadq._close_series(p_contact bigint,
    p_enrolment_state text, p_lead_state text, p_reason text)
returns void
language plpgsql
as $$
begin
    -- Ends the series of a contact that wait for a confirmation, and all of
    -- them unless it is one: letters that have not left are cancelled, with
    -- their jobs, and leads that waited get their state.
    update leadq.enrolment e
       set state = p_enrolment_state,
           ended_at = coalesce(e.ended_at, leadq.now())
      from leadq.series r
     where e.contact_id = p_contact
       and r.series_id = e.series_id
       and (r.kind = 'doi'
            and e.state in ('running', 'expired', 'stopped')
            or r.kind <> 'doi'
            and e.state = 'running'
            and p_enrolment_state <> 'confirmed');

    with cancelled as (
        update leadq.message m
           set state = 'cancelled',
               ended_at = leadq.now()
          from leadq.enrolment e
         where m.contact_id = p_contact
           and m.state = 'planned'
           and e.enrolment_id = m.enrolment_id
           and e.state <> 'running'
        returning m.message_id, m.due_at
    )
    delete from leadq.job_scheduled j
     using cancelled c
     where j.run_at = c.due_at
       and j.ref = c.message_id;

    perform leadq._finish_leads(array_agg(l.lead_id order by l.lead_id),
            array_agg(p_lead_state), array_agg(p_reason))
       from leadq.lead l
      where l.contact_id = p_contact
        and l.series_id is not null
        and l.state = 'pending'
     having count(*) > 0;
end
$$;


create or replace function leadq.web_unsubscribe(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'  -- longer than hundreds of letters take to settle
as $$
declare
    v_row record;
begin
    -- The person, or the mail program by RFC 8058, asks for no more
    -- letters.  Request: message (from the signed link), ip, ua.  Takes
    -- effect at once and for every series; leads that waited are rejected.
    -- A repeat is a success.  Called by the nginx module.
    perform leadq._lock_letters(p_requests);

    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.request::jsonb ->> 'message'
    loop
        n := v_row.n;
        headers := null;
        if leadq._unsubscribe((v_row.request ->> 'message')::uuid,
               v_row.request ->> 'ip', v_row.request ->> 'ua')
        then
            status := 200;
            body := '{"state":"unsubscribed"}';
        else
            status := 410;
            body := leadq._link_closed();
        end if;
        return next;
    end loop;
end
$$;


create or replace function leadq._unsubscribe(p_message uuid, p_ip text,
    p_ua text)
returns boolean
language plpgsql
as $$
declare
    v_who record;
begin
    -- Suppresses the address that a letter went to; false when there is no
    -- such letter, or the person was erased.
    v_who := leadq._lock_contact(p_message);

    if v_who.email is null then
        return false;
    end if;

    insert into leadq.suppression (channel, address_sha256, reason, at)
    values ('email', leadq._address_hash(v_who.email),
            'unsubscribed', leadq.now())
    on conflict do nothing;

    if not found then
        return true;
    end if;

    insert into leadq.consent (contact_id, message_id, purpose, channel,
           action, evidence, ip, ua, at)
    values (v_who.contact_id, p_message, 'ads', 'email', 'withdrawn',
            'unsubscribe', p_ip, p_ua, leadq.now());

    insert into leadq.event (at, kind, contact_id, ref)
    values (leadq.now(), 'contact.unsubscribed', v_who.contact_id,
            p_message);

    perform leadq._close_series(v_who.contact_id, 'stopped', 'rejected',
                                'unsubscribed');
    perform pg_notify('leadq_ready', '');
    return true;
end
$$;
