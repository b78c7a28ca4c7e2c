create or replace function leadq._leased_letters(p_jobs bigint[])
returns table (job_id bigint, lane smallint, lease_token uuid,
    message_id uuid, contact_id bigint, series_id integer, step integer,
    template_id integer, handed_at timestamptz, source_id integer,
    email text, lang text)
language sql stable
as $$
    -- The letters among leased jobs, and whom they are for.  Becomes part of
    -- the plan of what asks.
    select r.job_id, r.lane, r.lease_token, m.message_id, m.contact_id,
           m.series_id, m.step, m.template_id, m.handed_at, e.source_id,
           e.email, e.lang
      from unnest(p_jobs) j (job_id)
      join leadq.job_ready r
        on r.lane = j.job_id % 8
       and r.job_id = j.job_id
       and r.kind = 'letter'
      join leadq.message m on m.message_id = r.ref
      join leadq.enrolment e using (enrolment_id)
$$;


create or replace function leadq._letter_payloads(p_jobs bigint[])
returns table (job_id bigint, payload text)
language plpgsql
as $$
declare
    -- Links end by real time, as the web tier's clock knows it, and never
    -- sooner than rules may expect it.
    v_now timestamptz := greatest(leadq.now(), pg_catalog.now());
begin
    -- All that the worker needs to write and send the letters among leased
    -- jobs: what those of one step, source and language share, written once
    -- for all, and what is each person's own.  The newest version of the
    -- template in the person's language is used, else in the source's, else
    -- in any; the message remembers which.  The headers of marketing say that
    -- it is.  Without a template the payload is null.  Called by claim_jobs.
    return query
        with letter as materialized (
            select l.*, coalesce(c.name, '') as name
              from leadq._leased_letters(p_jobs) l
              join leadq.contact c using (contact_id)
        ), form as materialized (
            select f.series_id, f.step, f.source_id, f.lang, t.template_id,
                   s.name as source, t.lang as written_in, s.base_url,
                   s.track_opens, s.track_clicks, r.link_life,
                   jsonb_build_object(
                       'from_email', s.from_email,
                       'from_name', s.from_name,
                       'reply_to', null,
                       'subject', t.subject,
                       'text', t.text,
                       'html', case when s.track_opens or s.track_clicks
                                    then leadq._tracked_html(t.html,
                                            s.track_opens, s.track_clicks)
                                    else t.html end,
                       'lang', t.lang,
                       'bulk', r.marketing,
                       'feedback_id', case when r.marketing
                           then concat_ws(':', p.template, s.name, r.name,
                                replace(substring(s.from_email from '@(.*)'),
                                        '.', '-')) end,
                       'list_unsubscribe', 'unsubscribe_url',
                       'list_id', r.name || '.'
                           || substring(s.base_url from '^https?://([^/:]+)')
                   )::text as text
              from (select distinct l.series_id, l.step, l.source_id, l.lang
                      from letter l) f
              join leadq.source s on s.source_id = f.source_id
              join leadq.series r on r.series_id = f.series_id
              join leadq.step p
                on p.series_id = f.series_id
               and p.step = f.step
             cross join lateral (
                select t.* from leadq.template t
                 where t.name = p.template
                 order by t.lang = f.lang desc, t.lang = s.lang desc, t.lang,
                          t.version desc
                 limit 1) t
        ), remembered as (
            update leadq.message m
               set template_id = f.template_id
              from letter l
              join form f using (series_id, step, source_id, lang)
             where m.message_id = l.message_id
               and l.template_id is distinct from f.template_id
        )
        select l.job_id,
               left(f.text, -1) || ',' || substr(jsonb_build_object(
                   'message_id', l.message_id,
                   'to', l.email,
                   'vars', jsonb_build_object(
                       'name', l.name,
                       'email', l.email,
                       'source', f.source,
                       'lang', f.written_in),
                   'links', jsonb_strip_nulls(jsonb_build_object(
                       'confirm_url', leadq._link(f.base_url || '/c/',
                           'confirm', l.message_id, v_now + f.link_life),
                       'unsubscribe_url', leadq._link(f.base_url || '/u/',
                           'unsubscribe', l.message_id,
                           v_now + interval '1 year'),
                       'open_url', case when f.track_opens
                           then leadq._link(f.base_url || '/o/', 'open',
                                l.message_id, v_now + interval '1 year') end,
                       'click_url', case when f.track_clicks
                           then leadq._link(f.base_url || '/r/', 'click',
                                l.message_id, v_now + interval '1 year') end))
                   )::text, 2)
          from letter l
          left join form f using (series_id, step, source_id, lang);
end
$$;


create or replace function leadq._link(p_base text, p_purpose text,
    p_subject uuid, p_end timestamptz)
returns jsonb
language sql stable
as $$
    -- A link for the worker to sign.
    select jsonb_build_object('base', p_base, 'purpose', p_purpose,
        'subject', p_subject,
        'expires', floor(extract(epoch from p_end))::bigint)
$$;
