create or replace function leadq._settle_letters(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_enrolments uuid[];
    v_tried uuid[];
    v_classes text[];
begin
    -- Takes the letters that left, failed for good or were cancelled.  A
    -- hard bounce, or as many soft ones in a row as the source allows, makes
    -- the address invalid and rejects its leads; after anything else the
    -- series goes on.
    select array_agg(m.enrolment_id order by m.enrolment_id)
      into v_enrolments
      from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
      join leadq.message m on m.message_id = i.ref
     where i.kind = 'letter'
       and i.state in ('done', 'dead', 'cancelled');

    if v_enrolments is not null then
        perform leadq._lock_enrolments(v_enrolments);

        with outcome as (
            update leadq.message m
               set state = case when i.state = 'done' then 'sent'
                                when i.state = 'cancelled' then 'cancelled'
                                when i.class in ('hard', 'soft')
                                then 'bounced'
                                else 'failed' end,
                   class = i.class,
                   ended_at = v_now
              from (select u.ref, u.state,
                           case when u.state = 'dead' then
                                case u.detail ->> 'class'
                                     when 'greylist' then 'soft'
                                     else u.detail ->> 'class' end
                           end as class
                      from unnest(p_kinds, p_refs, p_states, p_details)
                           u (kind, ref, state, detail)
                     where u.kind = 'letter'
                       and u.state in ('done', 'dead', 'cancelled')) i
             where m.message_id = i.ref
            returning m.message_id, m.contact_id, m.step, m.state, m.class
        )
        insert into leadq.event (at, kind, contact_id, ref, data)
        select v_now, 'letter.' || o.state, o.contact_id, o.message_id,
               jsonb_build_object('step', o.step, 'class', o.class)
          from outcome o;

        perform leadq._count_bounces(array_agg(m.message_id),
                array_agg(case i.detail ->> 'reason' when 'bad-domain'
                          then 'bad_domain' end))
           from unnest(p_refs, p_states, p_details) i (ref, state, detail)
           join leadq.message m on m.message_id = i.ref
          where i.state = 'dead'
            and m.state = 'bounced'
         having count(*) > 0;

        perform leadq._advance(v_enrolments);
    end if;

    select array_agg(i.ref), array_agg(i.detail ->> 'class')
      into v_tried, v_classes
      from unnest(p_kinds, p_refs, p_states, p_details)
           i (kind, ref, state, detail)
     where i.kind = 'letter'
       and (i.state = 'done' or i.detail ->> 'smtp' is not null);

    perform leadq._count_letters(v_tried, v_classes, false);
end
$$;


create or replace function leadq._lock_enrolments(p_enrolments uuid[])
returns void
language plpgsql
as $$
begin
    -- Locks all enrolments of the contacts that these are of: a bounce may
    -- end each of them.
    perform from leadq.enrolment e
      where e.contact_id in (select o.contact_id from leadq.enrolment o
                              where o.enrolment_id = any (p_enrolments))
      order by e.enrolment_id
        for update;
end
$$;


create or replace function leadq._count_bounces(p_messages uuid[],
    p_reasons text[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_emails text[];
begin
    -- What letters that came back mean for their addresses, once a letter:
    -- one hard bounce, or as many soft ones in a row as the source allows,
    -- makes an address invalid.  Then every series that writes to it ends,
    -- and leads that waited for it are rejected with the reason: of
    -- p_reasons, else hard_bounce or soft_x3.  The caller has locked the
    -- enrolments and set the letters' state and class.
    with bounced as (
        select distinct on (e.email)
               e.email, m.class, s.soft_limit, i.reason
          from unnest(p_messages, p_reasons) i (message_id, reason)
          join leadq.message m using (message_id)
          join leadq.enrolment e using (enrolment_id)
          join leadq.source s on s.source_id = e.source_id
         order by e.email, m.class  -- hard before soft
    ), target as (
        select b.*
          from bounced b
          join leadq.address a
            on a.channel = 'email'
           and a.value = b.email
         order by a.value
           for update of a
    ), counted as (
        update leadq.address a
           set soft_bounces = a.soft_bounces + (b.class = 'soft')::integer,
               state = case when b.class = 'hard'
                                 or a.soft_bounces + 1 >= b.soft_limit
                            then 'invalid' else a.state end,
               reason = case when b.class = 'hard'
                             then coalesce(b.reason, 'hard_bounce')
                             when a.soft_bounces + 1 >= b.soft_limit
                             then 'soft_x3' else a.reason end
          from target b
         where a.channel = 'email'
           and a.value = b.email
           and a.state <> 'invalid'
        returning a.value, a.contact_id, a.state, a.reason
    ), events as (
        insert into leadq.event (at, kind, contact_id, data)
        select v_now, 'address.invalid', c.contact_id,
               jsonb_build_object('reason', c.reason)
          from counted c
         where c.state = 'invalid'
    )
    select array_agg(b.email) into v_emails
      from bounced b;

    perform leadq._stop_unreachable(v_emails);
end
$$;


create or replace function leadq._stop_unreachable(p_emails text[])
returns void
language plpgsql
as $$
declare
    v_stopped uuid[];
begin
    -- Ends every series that writes to addresses which are invalid, and
    -- rejects the leads that waited there.
    with stopped as (
        update leadq.enrolment e
           set state = 'stopped',
               ended_at = leadq.now()
          from leadq.address a
         where a.channel = 'email'
           and a.value = any (p_emails)
           and a.state = 'invalid'
           and e.contact_id = a.contact_id
           and e.email = a.value
           and e.state = 'running'
        returning e.enrolment_id
    )
    select array_agg(s.enrolment_id) into v_stopped from stopped s;

    perform leadq._finish_leads(array_agg(l.lead_id order by l.lead_id),
            array_agg('rejected'::text),
            array_agg(a.reason order by l.lead_id))
       from leadq.enrolment e
       join leadq.address a
         on a.channel = 'email'
        and a.value = e.email
       join leadq.lead l
         on l.contact_id = e.contact_id
        and l.series_id = e.series_id
        and l.state = 'pending'
      where e.enrolment_id = any (v_stopped)
     having count(*) > 0;
end
$$;


create or replace function leadq._address_alive(p_email text)
returns void
language plpgsql
as $$
begin
    -- Somebody is there: a letter was delivered, opened or clicked, so the
    -- soft bounces in a row begin anew.  A repeat changes nothing.
    update leadq.address a
       set soft_bounces = 0
     where a.channel = 'email'
       and a.value = p_email
       and a.soft_bounces > 0
       and a.state <> 'invalid';
end
$$;


create or replace function leadq._was_written_to(p_contact bigint,
    p_series integer)
returns boolean
language sql stable
as $$
    -- Whether any letter of the series has got out of the house.  When all
    -- of them were refused for our own sake, nobody has failed to answer.
    select exists (
        select from leadq.message m
         where m.contact_id = p_contact
           and m.series_id = p_series
           and m.state in ('sent', 'bounced'))
        or not exists (
        select from leadq.message m
         where m.contact_id = p_contact
           and m.series_id = p_series
           and m.state = 'failed')
$$;


create or replace function leadq._letters_failed(p_messages uuid[],
    p_classes text[], p_codes text[])
returns integer
language plpgsql
as $$
declare
    v_enrolments uuid[];
    v_failed uuid[];
    v_classes text[];
begin
    -- Takes what came back after the relay had taken it: of each letter that
    -- left, once; a second report of it changes nothing.  Class block speaks
    -- of us: the letter has failed, and the address is as good as before.
    -- Returns how many letters it was news for.
    select array_agg(m.enrolment_id) into v_enrolments
      from leadq.message m
     where m.message_id = any (p_messages);

    if v_enrolments is null then
        return 0;
    end if;

    perform leadq._lock_enrolments(v_enrolments);

    with outcome as (
        update leadq.message m
           set state = case i.class when 'block' then 'failed'
                       else 'bounced' end,
               class = i.class
          from (select distinct on (u.message_id) u.*
                  from unnest(p_messages, p_classes, p_codes)
                       u (message_id, class, code)
                 order by u.message_id, u.class desc) i
         where m.message_id = i.message_id
           and m.state = 'sent'
        returning m.message_id, m.contact_id, m.step, m.state, m.class,
                  i.code
    ), events as (
        insert into leadq.event (at, kind, contact_id, ref, data)
        select leadq.now(), 'letter.' || o.state, o.contact_id, o.message_id,
               jsonb_strip_nulls(jsonb_build_object('step', o.step,
                   'class', o.class, 'code', o.code))
          from outcome o
    )
    select array_agg(o.message_id), array_agg(o.class)
      into v_failed, v_classes
      from outcome o;

    if v_failed is null then
        return 0;
    end if;

    perform leadq._count_bounces(array_agg(f.message_id), null)
       from unnest(v_failed, v_classes) f (message_id, class)
      where f.class <> 'block'
     having count(*) > 0;

    perform leadq._count_letters(v_failed, v_classes, true);
    perform pg_notify('leadq_ready', '');
    return cardinality(v_failed);
end
$$;


create or replace function leadq._complain(p_message uuid)
returns boolean
language plpgsql
as $$
declare
    v_who record;
begin
    -- The person called a letter of ours spam: the address gets nothing
    -- more, at once and for ever; leads that waited are rejected.  Returns
    -- whether that was news.
    v_who := leadq._lock_contact(p_message);

    if v_who.contact_id is null then
        return false;
    end if;

    insert into leadq.suppression (channel, address_sha256, reason, at)
    values ('email', leadq._address_hash(v_who.email), 'complaint',
            leadq.now())
    on conflict do nothing;

    if not found then
        return false;
    end if;

    insert into leadq.consent (contact_id, message_id, purpose, channel,
           action, evidence, at)
    values (v_who.contact_id, p_message, 'ads', 'email', 'withdrawn',
            'unsubscribe', leadq.now());

    insert into leadq.event (at, kind, contact_id, ref)
    values (leadq.now(), 'letter.complaint', v_who.contact_id, p_message);

    perform leadq._close_series(v_who.contact_id, 'stopped', 'rejected',
                                'complaint');
    perform pg_notify('leadq_ready', '');
    return true;
end
$$;


create or replace function leadq._letter_delivered(p_message uuid)
returns void
language plpgsql
as $$
begin
    -- The mailbox has taken the letter: said once, and the address is alive.
    insert into leadq.event (at, kind, contact_id, ref)
    select leadq.now(), 'letter.delivered', m.contact_id, m.message_id
      from leadq.message m
     where m.message_id = p_message
       and m.state = 'sent';

    perform leadq._address_alive(e.email)
       from leadq.message m
       join leadq.enrolment e using (enrolment_id)
      where m.message_id = p_message;
end
$$;


create or replace function leadq._find_letter(p_verp uuid, p_envid uuid,
    p_message_id uuid, p_recipient text)
returns uuid
language sql stable
as $$
    -- The letter that a report is about: by the return path, the envelope
    -- id, its Message-ID, and at last the latest one of ten days to the
    -- address.  Null: none of ours.
    select coalesce(
        (select m.message_id from leadq.message m
          where m.message_id = p_verp),
        (select m.message_id from leadq.message m
          where m.message_id = p_envid),
        (select m.message_id from leadq.message m
          where m.message_id = p_message_id),
        (select m.message_id
           from leadq.address a
           join leadq.enrolment e
             on e.contact_id = a.contact_id
            and e.email = a.value
           join leadq.message m using (enrolment_id)
          where a.channel = 'email'
            and a.value in (p_recipient,
                            substring(p_recipient from '^.*@')
                            || leadq._domain(p_recipient))
            and m.state in ('sent', 'bounced', 'failed')
            and m.ended_at > leadq.now() - interval '10 days'
          order by m.ended_at desc
          limit 1))
$$;


create or replace function leadq.lease_mailbox(p_worker text,
    p_lease_s integer)
returns boolean
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- Makes p_worker the one who reads the mailbox of bounces, for
    -- p_lease_s seconds from now; a repeat extends that.  False: another one
    -- does.  Called by the worker before each batch.
    update leadq.mailbox_lease l
       set worker = p_worker,
           lease_until = pg_catalog.now() + make_interval(secs => p_lease_s)
     where l.worker is null
        or l.worker = p_worker
        or l.lease_until < pg_catalog.now();
    return found;
end
$$;


create or replace function leadq.take_reports(p_reports text[])
returns integer
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_kinds text[];
    v_messages uuid[];
    v_classes text[];
    v_codes text[];
begin
    -- Takes what a mailbox of bounces holds: kind (failed, delayed,
    -- delivered, complaint), what names the letter (verp, envid, message_id,
    -- recipient), and of a failure class and code.  Returns how many reports
    -- have changed something: those of letters that are not ours do not,
    -- repeats neither, and a delay is no failure.  Called by the worker,
    -- which moves the messages away when this is committed.
    select array_agg(r.kind order by r.message_id),
           array_agg(r.message_id order by r.message_id),
           array_agg(r.class order by r.message_id),
           array_agg(r.code order by r.message_id)
      into v_kinds, v_messages, v_classes, v_codes
      from (select i.report ->> 'kind' as kind,
                   leadq._find_letter((i.report ->> 'verp')::uuid,
                       (i.report ->> 'envid')::uuid,
                       (i.report ->> 'message_id')::uuid,
                       i.report ->> 'recipient') as message_id,
                   coalesce(i.report ->> 'class', 'soft') as class,
                   i.report ->> 'code' as code
              from unnest(p_reports::jsonb[]) i (report)) r
     where r.message_id is not null;

    return leadq._take_outcomes(v_kinds, v_messages, v_classes, v_codes);
end
$$;


create or replace function leadq._take_outcomes(p_kinds text[],
    p_messages uuid[], p_classes text[], p_codes text[])
returns integer
language plpgsql
as $$
declare
    v_count integer;
    v_i integer;
begin
    -- What others report of letters that have left, by kind; returns how
    -- many it was news for.
    select leadq._letters_failed(array_agg(i.message_id),
               array_agg(i.class), array_agg(i.code)) into v_count
      from unnest(p_kinds, p_messages, p_classes, p_codes)
           i (kind, message_id, class, code)
     where i.kind = 'failed';
    v_count := coalesce(v_count, 0);

    for v_i in 1 .. coalesce(cardinality(p_kinds), 0) loop
        if p_kinds[v_i] in ('complaint', 'unsubscribed') then
            v_count := v_count + case p_kinds[v_i]
                when 'complaint' then leadq._complain(p_messages[v_i])
                else leadq._unsubscribe(p_messages[v_i], null, null)
                end::integer;
        elsif p_kinds[v_i] = 'delivered' then
            perform leadq._letter_delivered(p_messages[v_i]);
        elsif p_kinds[v_i] in ('opened', 'clicked') then
            insert into leadq.event (at, kind, contact_id, ref)
            select leadq.now(), 'letter.' || p_kinds[v_i], m.contact_id,
                   m.message_id
              from leadq.message m
             where m.message_id = p_messages[v_i];
            perform leadq._address_alive(e.email)
               from leadq.message m
               join leadq.enrolment e using (enrolment_id)
              where m.message_id = p_messages[v_i];
        end if;
    end loop;

    return v_count;
end
$$;
