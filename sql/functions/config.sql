create or replace function leadq.config_import(p_document jsonb)
returns setof text
language plpgsql
set jit = off  -- see README.md, Plans
as $$
begin
    -- Puts a business document in force: the items of its sections are
    -- added or changed by name, texts of consents added; what the document
    -- does not name stays, and null names nothing.  Returns a line for each
    -- thing that changed.  Raises P0001 "path: reason" and changes nothing
    -- when names do not resolve.  The texts, URLs and macros were checked by
    -- leadqctl, its only caller.
    p_document := jsonb_strip_nulls(p_document);

    return query select * from leadq._import_networks(p_document);
    return query select * from leadq._import_templates(p_document);
    return query select * from leadq._import_limits(p_document);
    return query select * from leadq._import_events(p_document);
    return query select * from leadq._import_segments(p_document);
    return query select * from leadq._import_webhooks(p_document);
    return query select * from leadq._import_series(p_document);
    return query select * from leadq._import_sources(p_document);
    return query select * from leadq._import_consent_texts(p_document);
    return query select * from leadq._import_triggers(p_document);
    return query select * from leadq._import_mail_providers(p_document);
    return query select * from leadq._import_gateways(p_document);
    return query select * from leadq._import_profiles(p_document);
    return query select * from leadq._import_points(p_document);
    return query select * from leadq._import_questions(p_document);
    return query select * from leadq._import_programmes(p_document);
    perform leadq._check_message_windows(p_document);
    return query select * from leadq._import_visit_rules(p_document);
end
$$;


create or replace function leadq._import_networks(p_document jsonb)
returns setof text
language sql volatile
as $$
    with wanted as (
        select n ->> 'name' as name,
               coalesce(n ->> 'method', 'GET') as method,
               n ->> 'url' as url,
               n ->> 'content_type' as content_type,
               n ->> 'body' as body,
               n ->> 'secret' as secret,
               coalesce(nullif(n -> 'match', 'null'), '{"type": "any"}')
                   as match,
               coalesce((select array_agg(s) from
                         jsonb_array_elements_text(
                             nullif(n -> 'statuses', 'null')) s),
                        array['processed', 'approved', 'rejected', 'hold'])
                   as statuses,
               (n ->> 'concurrency')::integer as concurrency,
               (n ->> 'rate')::numeric(9, 3) as rate,
               coalesce((select array_agg(p::integer) from
                         jsonb_array_elements_text(
                             nullif(n -> 'ports', 'null')) p),
                        '{}') as ports,
               n ->> 'sign' as sign,
               nullif(n -> 'permanent', 'null') as permanent
          from jsonb_array_elements(p_document -> 'networks') n
    ), changed as (
        insert into leadq.network as old (name, method, url, content_type,
               body, secret, match, statuses, concurrency, rate, ports, sign,
               permanent)
        select * from wanted
        on conflict (name) do update
           set method = excluded.method,
               url = excluded.url,
               content_type = excluded.content_type,
               body = excluded.body,
               secret = excluded.secret,
               match = excluded.match,
               statuses = excluded.statuses,
               concurrency = excluded.concurrency,
               rate = excluded.rate,
               ports = excluded.ports,
               sign = excluded.sign,
               permanent = excluded.permanent
         where (old.method, old.url, old.content_type, old.body, old.secret,
                old.match, old.statuses, old.concurrency, old.rate,
                old.ports, old.sign, old.permanent)
               is distinct from
               (excluded.method, excluded.url, excluded.content_type,
                excluded.body, excluded.secret, excluded.match,
                excluded.statuses, excluded.concurrency, excluded.rate,
                excluded.ports, excluded.sign, excluded.permanent)
        returning name
    )
    select 'network ' || c.name from changed c order by 1
$$;


create or replace function leadq._import_templates(p_document jsonb)
returns setof text
language sql volatile
as $$
    -- A text that differs from the newest version becomes the next one.
    with wanted as (
        select t ->> 'name' as name, t ->> 'lang' as lang,
               t ->> 'subject' as subject, t ->> 'text' as text,
               t ->> 'html' as html
          from jsonb_array_elements(p_document -> 'templates') t
    ), changed as (
        insert into leadq.template
               (name, lang, version, subject, text, html, created_at)
        select w.name, w.lang, coalesce(o.version, 0) + 1, w.subject, w.text,
               w.html, leadq.now()
          from wanted w
          left join lateral (
            select t.* from leadq.template t
             where t.name = w.name
               and t.lang = w.lang
             order by t.version desc
             limit 1) o on true
         where (o.subject, o.text, o.html)
               is distinct from (w.subject, w.text, w.html)
        returning name, lang, version
    )
    select format('template %s %s, version %s', c.name, c.lang, c.version)
      from changed c order by 1
$$;


create or replace function leadq._import_series(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_id integer;
    v_before jsonb := (select jsonb_object_agg(r.name,
                                  leadq._series_document(r.name))
                         from leadq.series r);
begin
    for v_row in
        select s.value as item, (s.n - 1)::text as i,
               s.value ->> 'name' as name,
               coalesce(s.value ->> 'kind', 'doi') as kind
          from jsonb_array_elements(p_document -> 'series')
               with ordinality s (value, n)
    loop
        -- Its leads and letters go by what it was when they came.
        perform leadq._refuse(format('series[%s].kind', v_row.i),
                format('"%s" is %s: a series keeps its kind', v_row.name,
                       r.kind))
           from leadq.series r
          where r.name = v_row.name
            and r.kind <> v_row.kind;

        insert into leadq.series (name, grace, link_life, kind, marketing,
               stop_on, window_from, window_to)
        values (v_row.name,
                coalesce(v_row.item ->> 'grace', '2 days')::interval,
                coalesce(v_row.item ->> 'link_life', '14 days')::interval,
                v_row.kind, v_row.kind <> 'doi',
                array(select e from jsonb_array_elements_text(
                          nullif(v_row.item -> 'stop_on', 'null')) e),
                (v_row.item #>> '{window,from}')::time,
                (v_row.item #>> '{window,to}')::time)
        on conflict (name) do update
           set grace = excluded.grace,
               link_life = excluded.link_life,
               kind = excluded.kind,
               marketing = excluded.marketing,
               stop_on = excluded.stop_on,
               window_from = excluded.window_from,
               window_to = excluded.window_to
        returning series_id into v_id;

        perform leadq._refuse_if(format('series[%s].stop_on[%s]', v_row.i,
                    e.n - 1), leadq._event_fault(e.name, false))
           from jsonb_array_elements_text(
                    nullif(v_row.item -> 'stop_on', 'null'))
                with ordinality e (name, n);

        delete from leadq.step s where s.series_id = v_id;

        insert into leadq.step (series_id, step, template, delay)
        select v_id, s.n, s.value ->> 'template',
               coalesce(s.value ->> 'delay', '0')::interval
          from jsonb_array_elements(v_row.item -> 'steps')
               with ordinality s (value, n);

        perform leadq._refuse(format('series[%s].steps[%s].template',
                    v_row.i, s.step - 1),
                format('there is no template "%s"', s.template))
           from leadq.step s
          where s.series_id = v_id
            and not exists (select from leadq.template t
                             where t.name = s.template);
    end loop;

    perform leadq._link_series(p_document);

    return query
        select 'series ' || (s.value ->> 'name')
          from jsonb_array_elements(p_document -> 'series')
               with ordinality s (value, n)
         where v_before -> (s.value ->> 'name')
               is distinct from leadq._series_document(s.value ->> 'name')
         order by s.n;
end
$$;


create or replace function leadq._refuse(p_path text, p_reason text)
returns void
language plpgsql
as $$
begin
    raise exception '%: %', p_path, p_reason using errcode = 'P0001';
end
$$;


create or replace function leadq._import_sources(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_source integer;
    v_series integer;
    v_before text;
begin
    for v_row in
        select s.value as item, (s.n - 1)::text as i,
               s.value ->> 'name' as name,
               s.value ->> 'series' as series,
               s.value ->> 'time_zone' as zone
          from jsonb_array_elements(p_document -> 'sources')
               with ordinality s (value, n)
    loop
        v_before := leadq._source_document(v_row.name)::text;

        select r.series_id into v_series
          from leadq.series r
         where r.name = v_row.series
           and r.kind = 'doi';

        if v_row.series is not null and v_series is null then
            perform leadq._refuse(format('sources[%s].series', v_row.i),
                format('there is no series "%s" that asks for a '
                       'confirmation', v_row.series));
        elsif v_row.zone is not null
              and not leadq._is_zone(v_row.zone) then
            perform leadq._refuse(format('sources[%s].time_zone', v_row.i),
                format('there is no time zone "%s"', v_row.zone));
        end if;

        insert into leadq.source as old (name, configured, series_id,
               approve_on, expired_as, on_duplicate, soft_limit, lang,
               time_zone, from_email, from_name, base_url, retention_days,
               track_opens, track_clicks)
        values (v_row.name, true, v_series,
                coalesce(v_row.item ->> 'approve_on', 'confirm'),
                coalesce(v_row.item ->> 'expired_as', 'rejected'),
                coalesce(v_row.item ->> 'on_duplicate', 'reject'),
                coalesce((v_row.item ->> 'soft_limit')::integer, 3),
                coalesce(v_row.item ->> 'lang', 'ru'),
                coalesce(v_row.item ->> 'time_zone', 'Europe/Moscow'),
                v_row.item ->> 'from_email', v_row.item ->> 'from_name',
                v_row.item ->> 'base_url',
                (v_row.item ->> 'retention_days')::integer,
                coalesce((v_row.item ->> 'track_opens')::boolean, false),
                coalesce((v_row.item ->> 'track_clicks')::boolean, false))
        on conflict (name) do update
           set configured = true,
               series_id = excluded.series_id,
               approve_on = excluded.approve_on,
               expired_as = excluded.expired_as,
               on_duplicate = excluded.on_duplicate,
               soft_limit = excluded.soft_limit,
               lang = excluded.lang,
               time_zone = excluded.time_zone,
               from_email = excluded.from_email,
               from_name = excluded.from_name,
               base_url = excluded.base_url,
               retention_days = excluded.retention_days,
               track_opens = excluded.track_opens,
               track_clicks = excluded.track_clicks
        returning source_id into v_source;

        perform leadq._import_partners(v_source, v_row.item, v_row.i);

        if v_before
           is distinct from leadq._source_document(v_row.name)::text then
            return next 'source ' || v_row.name;
        end if;
    end loop;

    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._series_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', r.name, 'grace', r.grace::text,
        'link_life', r.link_life::text,
        'kind', r.kind, 'stop_on', r.stop_on,
        'window', leadq._window_document(r.window_from, r.window_to, 0),
        'next', (select n.name from leadq.series n
                  where n.series_id = r.next_id),
        'steps', (select jsonb_agg(jsonb_build_object(
                             'template', s.template,
                             'delay', s.delay::text) order by s.step)
                    from leadq.step s
                   where s.series_id = r.series_id))
      from leadq.series r
     where r.name = p_name
$$;


create or replace function leadq._source_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', s.name, 'series', r.name,
        'approve_on', s.approve_on, 'expired_as', s.expired_as,
        'on_duplicate', s.on_duplicate,
        'soft_limit', s.soft_limit, 'lang', s.lang,
        'time_zone', s.time_zone,
        'from_email', s.from_email, 'from_name', s.from_name,
        'base_url', s.base_url, 'retention_days', s.retention_days,
        'track_opens', s.track_opens, 'track_clicks', s.track_clicks)
        || leadq._partners_document(s.source_id)
      from leadq.source s
      left join leadq.series r using (series_id)
     where s.name = p_name
       and s.configured
$$;


create or replace function leadq.config_export()
returns jsonb
language sql stable
as $$
    -- The business document as it is in force; config_import takes it back.
    select jsonb_build_object(
        'templates', coalesce((
            select jsonb_agg(jsonb_build_object('name', t.name,
                       'lang', t.lang, 'subject', t.subject, 'text', t.text,
                       'html', t.html) order by t.name, t.lang)
              from (select distinct on (t.name, t.lang) t.*
                      from leadq.template t
                     order by t.name, t.lang, t.version desc) t), '[]'),
        'series', coalesce((
            select jsonb_agg(leadq._series_document(r.name) order by r.name)
              from leadq.series r
             where r.kind <> 'trigger'), '[]'),
        'networks', coalesce((
            select jsonb_agg(jsonb_build_object('name', w.name,
                       'method', w.method, 'url', w.url,
                       'content_type', w.content_type, 'body', w.body,
                       'secret', w.secret, 'match', w.match,
                       'statuses', w.statuses,
                       'concurrency', w.concurrency,
                       'rate', trim_scale(w.rate), 'ports', w.ports,
                       'sign', w.sign, 'permanent', w.permanent)
                       order by w.name)
              from leadq.network w), '[]'),
        'sources', coalesce((
            select jsonb_agg(leadq._source_document(s.name) order by s.name)
              from leadq.source s
             where s.configured), '[]'),
        'consent_texts', leadq._consent_texts_document(),
        'limits', leadq._limits_document(),
        'events', coalesce((
            select jsonb_agg(n.name order by n.name)
              from leadq.event_name n), '[]'),
        'segments', coalesce((
            select jsonb_agg(jsonb_build_object('name', g.name,
                       'title', g.title) order by g.name)
              from leadq.segment g), '[]'),
        'webhooks', coalesce((
            select jsonb_agg(leadq._webhook_document(h.name) order by h.name)
              from leadq.webhook h), '[]'),
        'triggers', coalesce((
            select jsonb_agg(leadq._trigger_document(t.name) order by t.name)
              from leadq.trigger t), '[]'),
        'mail_providers', leadq._mail_providers_document(),
        'gateways', coalesce((
            select jsonb_agg(leadq._gateway_document(g.name) order by g.name)
              from leadq.gateway g), '[]'),
        'verifications', coalesce((
            select jsonb_agg(leadq._profile_document(p.name) order by p.name)
              from leadq.profile p), '[]'),
        'points', coalesce((
            select jsonb_agg(leadq._point_document(p.name) order by p.name)
              from leadq.point p), '[]'),
        'advisors', coalesce((
            select jsonb_agg(leadq._advisor_document(a.name) order by a.name)
              from leadq.advisor a), '[]'),
        'staff', coalesce((
            select jsonb_agg(s.phone order by s.phone)
              from leadq.staff_phone s), '[]'),
        'questions', leadq._questions_document(),
        'programmes', coalesce((
            select jsonb_agg(leadq._programme_document(p.name)
                             order by p.name)
              from leadq.programme p), '[]'),
        'visit_rules', leadq._visit_rule_documents())
$$;
