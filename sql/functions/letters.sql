create or replace function leadq._enrol(p_leads uuid[])
returns void
language plpgsql
as $$
declare
    v_fresh uuid[];
begin
    -- Puts the contacts of leads into the series of their source, once each,
    -- and plans the first letter.
    with fresh as (
        insert into leadq.enrolment (contact_id, series_id, source_id, email,
               lang, started_at)
        select distinct on (l.contact_id, l.series_id)
               l.contact_id, l.series_id, l.source_id, l.email,
               coalesce(l.request ->> 'lang', s.lang), leadq.now()
          from leadq.lead l
          join leadq.source s using (source_id)
         where l.lead_id = any (p_leads)
         order by l.contact_id, l.series_id, l.lead_id
        on conflict do nothing
        returning enrolment_id
    )
    select array_agg(f.enrolment_id) into v_fresh from fresh f;

    perform leadq._advance(v_fresh);
end
$$;


create or replace function leadq._advance(p_enrolments uuid[])
returns void
language plpgsql
as $$
declare
    v_letters uuid[];
    v_due_at timestamptz[];
    v_ends uuid[];
    v_end_at timestamptz[];
begin
    -- Plans the next letter of running enrolments, counted from now; after
    -- the last one, the end of the series.  Does nothing while a letter is
    -- planned: that one, once it ends, is followed by the next.
    with place as (
        select e.enrolment_id, e.contact_id, e.series_id,
               1 + coalesce((select max(m.step) from leadq.message m
                              where m.enrolment_id = e.enrolment_id), 0)
                   as step
          from leadq.enrolment e
         where e.enrolment_id = any (p_enrolments)
           and e.state = 'running'
           and not exists (select from leadq.message m
                            where m.enrolment_id = e.enrolment_id
                              and m.state = 'planned')
    ), planned as (
        insert into leadq.message
               (enrolment_id, contact_id, series_id, step, due_at)
        select p.enrolment_id, p.contact_id, p.series_id, p.step,
               leadq.now() + s.delay
          from place p
          join leadq.step s using (series_id, step)
         order by p.contact_id, p.series_id
        on conflict do nothing
        returning message_id, enrolment_id, due_at
    ), ended as (
        select p.enrolment_id, leadq.now() + s.grace as end_at
          from place p
          join leadq.series s using (series_id)
         where not exists (select from leadq.step t
                            where t.series_id = p.series_id
                              and t.step = p.step)
    )
    select (select array_agg(p.message_id order by p.message_id)
              from planned p),
           (select array_agg(p.due_at order by p.message_id)
              from planned p),
           (select array_agg(e.enrolment_id order by e.enrolment_id)
              from ended e),
           (select array_agg(e.end_at order by e.enrolment_id)
              from ended e)
      into v_letters, v_due_at, v_ends, v_end_at;

    perform leadq._add_jobs('letter', 2, 'smtp', v_letters, v_due_at);
    perform leadq._add_jobs('series_end', 0, 'rule', v_ends, v_end_at);
end
$$;


create or replace function leadq._delivered(p_contact bigint,
    p_series integer)
returns boolean
language sql stable
as $$
    -- Whether every letter of the series left the house for this contact
    -- and none was refused for good.
    select not exists (
        select from leadq.step s
          left join leadq.message m
            on m.contact_id = p_contact
           and m.series_id = s.series_id
           and m.step = s.step
         where s.series_id = p_series
           and (m.state is null
                or m.state not in ('sent', 'bounced')
                or m.class = 'hard'))
$$;


create or replace function leadq._end_series(p_enrolments uuid[])
returns void
language plpgsql
as $$
declare
    v_leads uuid[];
    v_states text[];
begin
    -- The grace after the last letter is over: leads that only had to be
    -- deliverable are approved, the others expire.  Leads to whom not one
    -- letter got out, for our own sake, stay pending.
    perform from leadq.enrolment e
      where e.enrolment_id = any (p_enrolments)
      order by e.enrolment_id
        for update;

    with over as (
        update leadq.enrolment e
           set state = 'expired',
               ended_at = leadq.now()
         where e.enrolment_id = any (p_enrolments)
           and e.state = 'running'
        returning e.contact_id, e.series_id
    )
    select array_agg(l.lead_id order by l.lead_id),
           array_agg(case when s.approve_on = 'deliverable'
                               and leadq._delivered(o.contact_id, o.series_id)
                     then 'approved' else 'expired' end order by l.lead_id)
      into v_leads, v_states
      from over o
      join leadq.lead l
        on l.contact_id = o.contact_id
       and l.series_id = o.series_id
       and l.state = 'pending'
      join leadq.source s
        on s.source_id = l.source_id
     where leadq._was_written_to(o.contact_id, o.series_id);

    if v_leads is not null then
        perform leadq._finish_leads(v_leads, v_states,
            (select array_agg(case v.state when 'expired'
                              then 'not_confirmed' end order by v.n)
               from unnest(v_states) with ordinality v (state, n)));
    end if;
end
$$;


create or replace function leadq._drop_stale_letters(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Cancels the letters among leased jobs that may no longer be sent: the
    -- person has confirmed, left or become unreachable since.  Returns how
    -- many.
    with stale as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id), leadq.message m, leadq.enrolment e,
               leadq.address a
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.kind = 'letter'
           and m.message_id = r.ref
           and e.enrolment_id = m.enrolment_id
           and a.channel = 'email'
           and a.value = e.email
           and (m.state <> 'planned'
                or e.state <> 'running'
                or a.state = 'invalid'
                or exists (select from leadq.suppression u
                            where u.channel = 'email'
                              and u.address_sha256
                                  = leadq._address_hash(e.email)))
        returning r.*
    ), cancelled as (
        update leadq.message m
           set state = 'cancelled',
               ended_at = leadq.now()
          from stale s
         where m.message_id = s.ref
           and m.state = 'planned'
    )
    insert into leadq.job_done
           (done_at, job_id, kind, target, ref, attempt, outcome)
    select leadq.now(), s.job_id, s.kind, s.target, s.ref, s.attempt,
           'cancelled'
      from stale s;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;


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
