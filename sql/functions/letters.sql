create or replace function leadq._letter_payload(p_message uuid)
returns text
language plpgsql
as $$
declare
    v_payload jsonb;
    v_template integer;
begin
    -- All that the worker needs to write and send a letter.  The newest
    -- version of the template in the person's language is used, else in the
    -- source's, else in any; the message remembers which.  The headers of
    -- marketing say that it is.
    select t.template_id,
           jsonb_build_object(
               'message_id', m.message_id,
               'to', e.email,
               'from_email', s.from_email,
               'from_name', s.from_name,
               'reply_to', null,
               'subject', t.subject,
               'text', t.text,
               'html', case when s.track_opens or s.track_clicks
                            then leadq._tracked_html(t.html, s.track_opens,
                                                     s.track_clicks)
                            else t.html end,
               'lang', t.lang,
               'bulk', k.bulk,
               'feedback_id', case when k.bulk
                   then concat_ws(':', p.template, s.name, r.name,
                        replace(substring(s.from_email from '@(.*)'),
                                '.', '-')) end,
               'vars', jsonb_build_object(
                   'name', coalesce(c.name, ''),
                   'email', e.email,
                   'source', s.name,
                   'lang', t.lang),
               'links', jsonb_strip_nulls(jsonb_build_object(
                   'confirm_url', leadq._link(s.base_url || '/c/', 'confirm',
                       m.message_id, r.link_life),
                   'unsubscribe_url', leadq._link(s.base_url || '/u/',
                       'unsubscribe', m.message_id, interval '1 year'),
                   'open_url', case when s.track_opens
                       then leadq._link(s.base_url || '/o/', 'open',
                                m.message_id, interval '1 year') end,
                   'click_url', case when s.track_clicks
                       then leadq._link(s.base_url || '/r/', 'click',
                                m.message_id, interval '1 year') end)),
               'list_unsubscribe', 'unsubscribe_url',
               'list_id', r.name || '.'
                   || substring(s.base_url from '^https?://([^/:]+)'))
      into v_template, v_payload
      from leadq.message m
      join leadq.enrolment e using (enrolment_id)
      join leadq.contact c on c.contact_id = m.contact_id
      join leadq.source s on s.source_id = e.source_id
      join leadq.series r on r.series_id = m.series_id
     cross join lateral (
        select coalesce((to_jsonb(r) ->> 'marketing')::boolean,
                        false)) k (bulk)
      join leadq.step p
        on p.series_id = m.series_id
       and p.step = m.step
     cross join lateral (
        select t.* from leadq.template t
         where t.name = p.template
         order by t.lang = e.lang desc, t.lang = s.lang desc, t.lang,
                  t.version desc
         limit 1) t
     where m.message_id = p_message;

    update leadq.message m
       set template_id = v_template
     where m.message_id = p_message
       and m.template_id is distinct from v_template;

    return v_payload::text;
end
$$;


create or replace function leadq._link(p_base text, p_purpose text,
    p_subject uuid, p_life interval)
returns jsonb
language sql stable
as $$
    -- A link for the worker to sign.  It ends by real time, as the web
    -- tier's clock knows it, and never sooner than rules may expect it.
    select jsonb_build_object('base', p_base, 'purpose', p_purpose,
        'subject', p_subject,
        'expires', floor(extract(epoch from
            greatest(leadq.now(), pg_catalog.now()) + p_life))::bigint)
$$;


create or replace function leadq._settle_letters(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    v_messages uuid[];
    v_enrolments uuid[];
    v_stopped uuid[];
begin
    -- Takes the letters that left, failed for good or were cancelled.  A
    -- hard bounce, or as many soft ones in a row as the source allows, makes
    -- the address invalid and rejects its leads; after anything else the
    -- series goes on.
    select array_agg(m.message_id order by m.enrolment_id),
           array_agg(m.enrolment_id order by m.enrolment_id)
      into v_messages, v_enrolments
      from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
      join leadq.message m on m.message_id = i.ref
     where i.kind = 'letter'
       and i.state in ('done', 'dead', 'cancelled');

    if v_messages is null then
        return;
    end if;

    perform from leadq.enrolment e
      where e.enrolment_id = any (v_enrolments)
      order by e.enrolment_id
        for update;

    with outcome as (
        update leadq.message m
           set state = case when i.state = 'done' then 'sent'
                            when i.state = 'cancelled' then 'cancelled'
                            when i.class in ('hard', 'soft') then 'bounced'
                            else 'failed' end,
               class = i.class,
               ended_at = leadq.now()
          from (select u.ref, u.state,
                       case when u.state = 'dead' then
                            case u.detail ->> 'class'
                                 when 'greylist' then 'soft'
                                 else u.detail ->> 'class' end
                       end as class
                  from unnest(p_refs, p_states, p_details)
                       u (ref, state, detail)) i
         where m.message_id = any (v_messages)
           and i.ref = m.message_id
        returning m.message_id, m.contact_id, m.enrolment_id, m.step,
                  m.state, m.class
    ), events as (
        insert into leadq.event (at, kind, contact_id, ref, data)
        select leadq.now(), 'letter.' || o.state, o.contact_id, o.message_id,
               jsonb_build_object('step', o.step, 'class', o.class)
          from outcome o
    ), bounced as (
        select distinct on (e.email)
               e.email, o.class, s.soft_limit, e.enrolment_id
          from outcome o
          join leadq.enrolment e using (enrolment_id)
          join leadq.source s on s.source_id = e.source_id
         where o.state = 'bounced'
         order by e.email, o.class
    )
    update leadq.address a
       set soft_bounces = a.soft_bounces + (b.class = 'soft')::integer,
           state = case when b.class = 'hard'
                             or a.soft_bounces + 1 >= b.soft_limit
                        then 'invalid' else a.state end,
           reason = case when b.class = 'hard' then 'hard_bounce'
                         when a.soft_bounces + 1 >= b.soft_limit
                         then 'soft_x3' else a.reason end
      from bounced b
     where a.channel = 'email'
       and a.value = b.email
       and a.state <> 'invalid';

    with stopped as (
        update leadq.enrolment e
           set state = 'stopped',
               ended_at = leadq.now()
          from leadq.address a
         where e.enrolment_id = any (v_enrolments)
           and e.state = 'running'
           and a.channel = 'email'
           and a.value = e.email
           and a.state = 'invalid'
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

    perform leadq._advance(v_enrolments);
end
$$;
