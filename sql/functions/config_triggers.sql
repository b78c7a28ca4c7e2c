create or replace function leadq._import_triggers(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_before text;
begin
    -- Those that cancel come last: what they cancel may stand after them.
    for v_row in
        select t.item, t.item ->> 'name' as name,
               format('triggers[%s]', t.n - 1) as path
          from jsonb_array_elements(p_document -> 'triggers')
               with ordinality t (item, n)
         order by t.item -> 'action' ? 'cancel', t.n
    loop
        v_before := leadq._trigger_document(v_row.name)::text;

        perform leadq._refuse_if(v_row.path || '.event',
            leadq._event_fault(v_row.item ->> 'event', false));
        if v_row.item ->> 'condition' is not null then
            perform leadq._refuse_if(v_row.path || '.condition',
                leadq._condition_fault(v_row.item ->> 'condition'));
        end if;

        perform leadq._put_trigger(v_row.path, v_row.name, v_row.item);

        if v_before
           is distinct from leadq._trigger_document(v_row.name)::text then
            return next 'trigger ' || v_row.name;
        end if;
    end loop;

    perform leadq._check_names(p_document);
    perform leadq._check_circles(p_document);
    perform leadq._check_windows(p_document);
    perform leadq._await_events();
end
$$;


create or replace function leadq._put_trigger(p_path text, p_name text,
    p_item jsonb)
returns void
language plpgsql
as $$
declare
    v_action jsonb := p_item -> 'action';
    v_word text := (select k from jsonb_object_keys(p_item -> 'action') k);
    v_series integer;
    v_webhook integer;
    v_segment integer;
    v_cancels integer;
    v_source integer;
begin
    -- One trigger, with the series of its letter if that is what it does.
    case v_word
    when 'message' then
        v_series := leadq._put_trigger_series(p_path, p_name, p_item);
    when 'series' then
        select r.series_id into v_series from leadq.series r
         where r.name = v_action ->> 'series';
        perform leadq._refuse_if(p_path || '.action.series',
            case when v_series is null
            then format('there is no series "%s"', v_action ->> 'series')
            end);
    when 'webhook' then
        select w.webhook_id into v_webhook from leadq.webhook w
         where w.name = v_action ->> 'webhook';
        perform leadq._refuse_if(p_path || '.action.webhook',
            case when v_webhook is null
            then format('there is no webhook "%s"', v_action ->> 'webhook')
            end);
    when 'segment' then
        select s.segment_id into v_segment from leadq.segment s
         where s.name = v_action ->> 'segment';
        perform leadq._refuse_if(p_path || '.action.segment',
            case when v_segment is null
            then format('there is no segment "%s"', v_action ->> 'segment')
            end);
    when 'event' then
        perform leadq._refuse_if(p_path || '.action.event',
            leadq._event_fault(v_action ->> 'event', true));
    when 'cancel' then
        select c.series_id, c.trigger_id into v_series, v_cancels
          from leadq._find_cancelled(p_path, v_action -> 'cancel') c;
    end case;

    select s.source_id into v_source from leadq.source s
     where s.name = p_item ->> 'source' and s.configured;
    perform leadq._refuse_if(p_path || '.source',
        case when v_source is null and p_item ->> 'source' is not null
        then format('there is no source "%s"', p_item ->> 'source') end);

    insert into leadq.trigger (name, enabled, event, condition, delay, days,
           window_from, window_to, action, series_id, source_id, webhook_id,
           segment_id, emits, cancels_id)
    values (p_name, coalesce((p_item ->> 'enabled')::boolean, true),
            p_item ->> 'event', (p_item ->> 'condition')::jsonpath,
            coalesce(p_item ->> 'delay', '0')::interval,
            coalesce((p_item #>> '{window,days}')::integer, 0),
            (p_item #>> '{window,from}')::time,
            (p_item #>> '{window,to}')::time,
            v_word, v_series, v_source, v_webhook, v_segment,
            v_action ->> 'event', v_cancels)
    on conflict (name) do update
       set enabled = excluded.enabled,
           event = excluded.event,
           condition = excluded.condition,
           delay = excluded.delay,
           days = excluded.days,
           window_from = excluded.window_from,
           window_to = excluded.window_to,
           action = excluded.action,
           series_id = excluded.series_id,
           source_id = excluded.source_id,
           webhook_id = excluded.webhook_id,
           segment_id = excluded.segment_id,
           emits = excluded.emits,
           cancels_id = excluded.cancels_id;
end
$$;


create or replace function leadq._put_trigger_series(p_path text,
    p_name text, p_item jsonb)
returns integer
language plpgsql
as $$
declare
    v_template text := p_item #>> '{action,message}';
    v_id integer;
begin
    -- The letter of a trigger is a series of one step, so that all that
    -- holds for letters holds for it.  No name of a series has a dot.
    perform leadq._refuse_if(p_path || '.action.message',
        case when not exists (select from leadq.template t
                               where t.name = v_template)
        then format('there is no template "%s"', v_template) end);

    insert into leadq.series (name, kind, marketing, grace, link_life,
           window_from, window_to)
    values ('trigger.' || p_name, 'trigger',
            coalesce(p_item ->> 'class', 'marketing') = 'marketing',
            '0', '14 days', (p_item #>> '{window,from}')::time,
            (p_item #>> '{window,to}')::time)
    on conflict (name) do update
       set marketing = excluded.marketing,
           window_from = excluded.window_from,
           window_to = excluded.window_to
    returning series_id into v_id;

    insert into leadq.step (series_id, step, template, delay)
    values (v_id, 1, v_template, '0')
    on conflict on constraint step_pk do update
       set template = excluded.template;

    return v_id;
end
$$;


create or replace function leadq._find_cancelled(p_path text, p_what jsonb,
    out series_id integer, out trigger_id integer)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    v_action text;
begin
    -- What a trigger cancels: a series, or what another trigger has planned.
    if p_what ->> 'series' is not null then
        select r.series_id into series_id from leadq.series r
         where r.name = p_what ->> 'series';
        perform leadq._refuse_if(p_path || '.action.cancel.series',
            case when series_id is null
            then format('there is no series "%s"', p_what ->> 'series')
            end);
        return;
    end if;

    select t.trigger_id, t.action into trigger_id, v_action
      from leadq.trigger t
     where t.name = p_what ->> 'trigger';
    perform leadq._refuse_if(p_path || '.action.cancel.trigger',
        case when v_action is null
             then format('there is no trigger "%s"', p_what ->> 'trigger')
             when v_action = 'cancel'
             then format('trigger "%s" cancels itself something',
                         p_what ->> 'trigger')
        end);
end
$$;


create or replace function leadq._check_names(p_document jsonb)
returns void
language plpgsql
as $$
begin
    -- An event that somebody waits for or makes does not leave the list.
    if jsonb_typeof(p_document -> 'events') is distinct from 'array' then
        return;
    end if;

    perform leadq._refuse('events',
                format('%s is missing: %s', u.event, u.why))
       from (select t.event, format('trigger %s waits for it', t.name)
               from leadq.trigger t
              where t.enabled
             union all
             select t.emits, format('trigger %s makes it', t.name)
               from leadq.trigger t
              where t.enabled
             union all
             select k.kind, format('it stops series %s', r.name)
               from leadq.series r, unnest(r.stop_on) k (kind)) u (event, why)
      where u.event is not null
        and leadq._event_fault(u.event, false) is not null
      order by u.event, u.why
      limit 1;
end
$$;


create or replace function leadq._window_document(p_from time, p_to time,
    p_days integer)
returns jsonb
language sql stable
as $$
    select case when p_from is not null or p_days > 0
           then jsonb_strip_nulls(jsonb_build_object(
                    'from', left(p_from::text, 5), 'to', left(p_to::text, 5),
                    'days', nullif(p_days, 0))) end
$$;


create or replace function leadq._trigger_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', t.name, 'enabled', t.enabled,
        'event', t.event, 'condition', t.condition::text,
        'delay', t.delay::text,
        'window', leadq._window_document(t.window_from, t.window_to, t.days),
        'source', o.name,
        'class', case when t.action = 'message'
                      then case when r.marketing then 'marketing'
                                else 'service' end end,
        'action', case t.action
            when 'message' then jsonb_build_object('message',
                (select s.template from leadq.step s
                  where s.series_id = t.series_id))
            when 'series' then jsonb_build_object('series', r.name)
            when 'event' then jsonb_build_object('event', t.emits)
            when 'webhook' then jsonb_build_object('webhook', w.name)
            when 'segment' then jsonb_build_object('segment', g.name)
            when 'cancel' then jsonb_build_object('cancel',
                jsonb_strip_nulls(jsonb_build_object('series', r.name,
                                                     'trigger', c.name)))
            end)
      from leadq.trigger t
      left join leadq.series r using (series_id)
      left join leadq.source o on o.source_id = t.source_id
      left join leadq.webhook w using (webhook_id)
      left join leadq.segment g using (segment_id)
      left join leadq.trigger c on c.trigger_id = t.cancels_id
     where t.name = p_name
$$;


create or replace function leadq._webhook_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', w.name, 'method', w.method,
        'url', w.url, 'content_type', w.content_type, 'body', w.body,
        'secret', w.secret, 'sign', w.sign, 'match', w.match,
        'permanent', w.permanent, 'concurrency', w.concurrency,
        'rate', trim_scale(w.rate), 'ports', w.ports)
      from leadq.webhook w
     where w.name = p_name
$$;


create or replace function leadq._limits_document()
returns jsonb
language sql stable
as $$
    select jsonb_build_object(
        'quiet', coalesce((
            select jsonb_agg(jsonb_build_object('channel', q.channel,
                       'from', left(q.begins::text, 5),
                       'to', left(q.ends::text, 5)) order by q.channel)
              from leadq.quiet q), '[]'),
        'caps', coalesce((
            select jsonb_agg(jsonb_build_object('channel', c.channel,
                       'count', c.count, 'per', c.per::text)
                       order by c.channel, c.per)
              from leadq.cap c), '[]'))
$$;
