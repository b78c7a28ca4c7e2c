create or replace function leadq._holds(p_condition jsonpath,
    p_document jsonb)
returns boolean
language sql stable
as $$
    -- Whether a condition is true of a document: what it cannot say of one
    -- that lacks a value is no.
    select p_condition is null
           or coalesce(jsonb_path_match_tz(p_document, p_condition, '{}',
                                           true), false)
$$;


create or replace function leadq._trigger_time(p_trigger leadq.trigger,
    p_at timestamptz, p_contact bigint, p_lead uuid)
returns timestamptz
language plpgsql stable
as $$
begin
    -- When a trigger acts on an event of p_at: after its delay, so many
    -- midnights later by the person's clock, in its window, and not in the
    -- past.
    return (
        select leadq._open(
                   greatest(leadq.now(),
                       case p_trigger.days when 0 then w.at
                       else ((w.at at time zone w.zone)::date + p_trigger.days
                             )::timestamp at time zone w.zone end),
                   w.zone, p_trigger.window_from, p_trigger.window_to)
          from (select p_at + p_trigger.delay, leadq._zone(p_contact, p_lead))
               w (at, zone));
end
$$;


create or replace function leadq._zone(p_contact bigint, p_lead uuid)
returns text
language plpgsql stable
as $$
begin
    -- The time zone of a person: its own, else the one of the source of the
    -- lead, else of its latest lead.
    return (
        select coalesce(
            (select c.time_zone from leadq.contact c
              where c.contact_id = p_contact),
            (select s.time_zone from leadq.lead l
               join leadq.source s using (source_id)
              where l.lead_id = p_lead),
            (select s.time_zone from leadq.lead l
               join leadq.source s using (source_id)
              where l.contact_id = p_contact
              order by l.received_at desc
              limit 1),
            'UTC'));
end
$$;


create or replace function leadq._run_events(p_dues uuid[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_ready uuid[];
    v_later uuid[];
    v_run_at timestamptz[];
begin
    -- The rule "event": what waits for it ends or begins.  Series that it
    -- stops are stopped first; then each enabled trigger of the event whose
    -- condition holds fires, once for an event, and acts at once or later.
    -- Whose contact was merged meanwhile is the one that it became.
    update leadq.event_due d
       set contact_id = c.merged_into
      from leadq.contact c
     where d.due_id = any (p_dues)
       and c.contact_id = d.contact_id
       and c.merged_into is not null;

    perform leadq._stop_enrolments(array_agg(distinct e.enrolment_id))
       from leadq.event_due d
       join leadq.enrolment e using (contact_id)
       join leadq.series r using (series_id)
      where d.due_id = any (p_dues)
        and e.state = 'running'
        and d.kind = any (r.stop_on)
     having count(*) > 0;

    with gone as (
        delete from leadq.event_due d
         where d.due_id = any (p_dues)
        returning d.*
    ), told as materialized (
        select g.*,
               case when exists (select from leadq.trigger t
                                  where t.event = g.kind
                                    and t.enabled
                                    and t.condition is not null)
                    then leadq._event_document(g.event_id, g.at, g.kind,
                             g.contact_id, g.lead_id, g.data)
               end as document
          from gone g
    ), fresh as (
        insert into leadq.fired (at, event_id, trigger_id, contact_id,
               lead_id, data, run_at)
        select o.at, o.event_id, t.trigger_id, o.contact_id, o.lead_id,
               o.data,
               leadq._trigger_time(t, o.at, o.contact_id, o.lead_id)
          from told o
          join leadq.trigger t
            on t.event = o.kind
           and t.enabled
         where leadq._holds(t.condition, o.document)
         order by t.trigger_id, o.event_id
        on conflict do nothing
        returning fired_id, run_at
    )
    select array_agg(f.fired_id) filter (where f.run_at <= v_now),
           array_agg(f.fired_id order by f.fired_id)
               filter (where f.run_at > v_now),
           array_agg(f.run_at order by f.fired_id)
               filter (where f.run_at > v_now)
      into v_ready, v_later, v_run_at
      from fresh f;

    perform leadq._add_jobs('fired', 0, 'rule', v_later, v_run_at);

    if v_ready is not null then
        perform leadq._run_fired(v_ready);
    end if;
end
$$;


create or replace function leadq._run_fired(p_fired uuid[])
returns void
language plpgsql
as $$
begin
    -- The rule "fired": triggers whose time has come act.  Cancels come
    -- first, so that what one event ends and what it begins do not meet.
    -- One that has acted, or was cancelled meanwhile, does nothing.
    perform from leadq.fired f
      where f.fired_id = any (p_fired)
        and f.state = 'planned'
      order by f.fired_id
        for update;

    -- who was merged while this was being planned
    update leadq.fired f
       set contact_id = c.merged_into
      from leadq.contact c
     where f.fired_id = any (p_fired)
       and f.state = 'planned'
       and c.contact_id = f.contact_id
       and c.merged_into is not null;

    perform leadq._fire_cancels(p_fired);
    perform leadq._fire_segments(p_fired);
    perform leadq._fire_letters(p_fired);
    perform leadq._fire_events(p_fired);
    perform leadq._fire_webhooks(p_fired);
end
$$;


create or replace function leadq._fire_cancels(p_fired uuid[])
returns void
language plpgsql
as $$
declare
    v_enrolments uuid[];
begin
    -- Ends a series of the person, or what another trigger has planned for
    -- it and the letter of that one which has not left.
    with act as (
        update leadq.fired f
           set state = 'done',
               ended_at = leadq.now()
          from leadq.trigger t
         where f.fired_id = any (p_fired)
           and f.state = 'planned'
           and t.trigger_id = f.trigger_id
           and t.action = 'cancel'
        returning f.contact_id, t.series_id, t.cancels_id
    ), cancelled as (
        update leadq.fired f
           set state = 'cancelled',
               ended_at = leadq.now()
          from act a
         where f.contact_id = a.contact_id
           and f.trigger_id = a.cancels_id
           and f.state = 'planned'
           and f.fired_id <> all (p_fired)
        returning f.fired_id, f.run_at
    ), gone as (
        delete from leadq.job_scheduled j
         using cancelled c
         where j.run_at = c.run_at
           and j.ref = c.fired_id
    )
    select array_agg(distinct e.enrolment_id) into v_enrolments
      from act a
      left join leadq.trigger o on o.trigger_id = a.cancels_id
      join leadq.enrolment e
        on e.contact_id = a.contact_id
       and e.series_id = coalesce(a.series_id, o.series_id)
       and e.state = 'running'
      join leadq.series r
        on r.series_id = e.series_id
     where a.series_id is not null
        or r.kind = 'trigger';

    if v_enrolments is not null then
        perform leadq._stop_enrolments(v_enrolments);
    end if;
end
$$;


create or replace function leadq._fire_segments(p_fired uuid[])
returns void
language plpgsql
as $$
begin
    -- Puts people into segments; the first time is the event
    -- segment.entered.
    with act as (
        update leadq.fired f
           set state = case when f.contact_id is null then 'skipped'
                            else 'done' end,
               reason = case when f.contact_id is null then 'no-contact' end,
               ended_at = leadq.now()
          from leadq.trigger t
         where f.fired_id = any (p_fired)
           and f.state = 'planned'
           and t.trigger_id = f.trigger_id
           and t.action = 'segment'
        returning f.contact_id, f.lead_id, t.segment_id
    ), fresh as (
        insert into leadq.segment_member (segment_id, contact_id, added_at)
        select distinct a.segment_id, a.contact_id, leadq.now()
          from act a
         where a.contact_id is not null
         order by 1, 2
        on conflict do nothing
        returning segment_id, contact_id
    )
    insert into leadq.event (at, kind, contact_id, data)
    select leadq.now(), 'segment.entered', f.contact_id,
           jsonb_build_object('segment', s.name)
      from fresh f
      join leadq.segment s using (segment_id);
end
$$;


create or replace function leadq._recipient(p_contact bigint, p_lead uuid,
    p_source integer, p_marketing boolean, out email text, out lang text,
    out source_id integer, out reason text)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    v_state text;
    v_lang text;
    v_source record;
begin
    -- Where and in whose name a trigger writes to a person: to the confirmed
    -- address, else the newest; in the name of the trigger's source, of the
    -- lead's, or of the latest lead's.  reason: why it may not; null when it
    -- may.
    select a.value, a.state into email, v_state
      from leadq.address a
     where a.contact_id = p_contact
       and a.channel = 'email'
       and a.state <> 'invalid'
     order by a.state = 'confirmed' desc, a.created_at desc, a.value
     limit 1;

    select s.source_id, s.lang into v_source
      from (select p_source as source_id, 3 as rank, null as at
             where p_source is not null
            union all
            select l.source_id, (l.lead_id = p_lead)::integer, l.received_at
              from leadq.lead l
             where l.contact_id = p_contact) w
      join leadq.source s using (source_id)
     where s.configured
       and s.from_email is not null
       and s.base_url is not null
     order by w.rank desc nulls last, w.at desc
     limit 1;

    select coalesce(
            (select l.request ->> 'lang' from leadq.lead l
              where l.lead_id = p_lead),
            (select c.lang from leadq.contact c
              where c.contact_id = p_contact),
            v_source.lang)
      into v_lang;

    lang := v_lang;
    source_id := v_source.source_id;
    reason := case
        when p_contact is null then 'no-contact'
        when email is null then 'no-address'
        when exists (select from leadq.suppression u
                      where u.channel = 'email'
                        and u.address_sha256 = leadq._address_hash(email))
        then 'suppressed'
        when p_marketing and v_state <> 'confirmed' then 'not-confirmed'
        when p_marketing and not leadq._agreed_to_ads(p_contact)
        then 'no-consent'
        when source_id is null then 'no-source'
    end;
end
$$;


create or replace function leadq._fire_letters(p_fired uuid[])
returns void
language plpgsql
as $$
declare
    v_fresh uuid[];
begin
    -- Begins a series, or the one letter of the trigger, unless the person
    -- may not be written to; claim_jobs asks again when the letter leaves.
    with act as (
        update leadq.fired f
           set state = case when w.reason is null then 'done'
                            else 'skipped' end,
               reason = w.reason,
               ended_at = leadq.now()
          from (select g.fired_id, g.at, t.series_id, t.action, r.*
                  from leadq.fired g
                  join leadq.trigger t using (trigger_id)
                  join leadq.series s on s.series_id = t.series_id
                 cross join lateral leadq._recipient(g.contact_id, g.lead_id,
                       t.source_id, s.marketing) r
                 where g.fired_id = any (p_fired)
                   and g.state = 'planned'
                   and t.action in ('message', 'series')) w
         where f.fired_id = w.fired_id
           and f.at = w.at
        returning f.contact_id, f.event_id, w.series_id, w.action, w.email,
                  w.lang, w.source_id, w.reason
    ), fresh as (
        insert into leadq.enrolment (contact_id, series_id, source_id, email,
               lang, started_at, occasion)
        select distinct on (a.contact_id, a.series_id, o.occasion)
               a.contact_id, a.series_id, a.source_id, a.email, a.lang,
               leadq.now(), o.occasion
          from act a
         cross join lateral (select case a.action when 'message'
                                    then a.event_id else 0 end) o (occasion)
         where a.reason is null
         order by a.contact_id, a.series_id, o.occasion
        on conflict do nothing
        returning enrolment_id
    )
    select array_agg(f.enrolment_id) into v_fresh from fresh f;

    if v_fresh is not null then
        perform leadq._advance(v_fresh);
    end if;
end
$$;


create or replace function leadq._fire_events(p_fired uuid[])
returns void
language plpgsql
as $$
begin
    -- An event that follows from another one, with its data.
    with act as (
        update leadq.fired f
           set state = 'done',
               ended_at = leadq.now()
          from leadq.trigger t
         where f.fired_id = any (p_fired)
           and f.state = 'planned'
           and t.trigger_id = f.trigger_id
           and t.action = 'event'
        returning f.fired_id, f.contact_id, f.lead_id, f.data, t.emits
    )
    insert into leadq.event (at, kind, contact_id, lead_id, ref, data)
    select leadq.now(), a.emits, a.contact_id, a.lead_id, a.fired_id, a.data
      from act a;
end
$$;
