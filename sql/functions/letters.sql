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
               'bulk', r.marketing,
               'feedback_id', case when r.marketing
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
