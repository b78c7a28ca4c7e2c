create or replace function leadq._import_limits(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_before text := leadq._limits_document()::text;
begin
    -- Quiet hours and caps: each list that is there replaces the one in
    -- force.
    if jsonb_typeof(p_document #> '{limits,quiet}') = 'array' then
        delete from leadq.quiet;
        insert into leadq.quiet (channel, begins, ends)
        select coalesce(q ->> 'channel', 'any'), (q ->> 'from')::time,
               (q ->> 'to')::time
          from jsonb_array_elements(p_document #> '{limits,quiet}') q;
    end if;

    if jsonb_typeof(p_document #> '{limits,caps}') = 'array' then
        delete from leadq.cap;
        insert into leadq.cap (channel, count, per)
        select coalesce(c ->> 'channel', 'any'), (c ->> 'count')::integer,
               (c ->> 'per')::interval
          from jsonb_array_elements(p_document #> '{limits,caps}') c;
    end if;

    if not leadq._is_possible('email', null, null)
       or not leadq._is_possible('sms', null, null) then
        perform leadq._refuse('limits.quiet', 'leaves no hour of the day');
    end if;

    if v_before is distinct from leadq._limits_document()::text then
        return next 'limits';
    end if;
end
$$;


create or replace function leadq._is_possible(p_channel text,
    p_from time, p_to time)
returns boolean
language sql stable
as $$
    -- Whether what sells, of this window, ever finds an hour to leave at.
    select leadq._message_time(f.at, 'UTC', p_channel, p_from, p_to) = f.at
      from (select leadq._message_time('2026-01-01 00:00+00', 'UTC',
                       p_channel, p_from, p_to)) f (at)
$$;


create or replace function leadq._import_events(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
begin
    -- The events that may be posted; the list replaces the one in force.
    if jsonb_typeof(p_document -> 'events') is distinct from 'array' then
        return;
    end if;

    delete from leadq.event_name n
     where not p_document -> 'events' ? n.name;

    if found then
        return next 'events';
    end if;

    for v_row in
        select e.name, (e.n - 1)::text as i
          from jsonb_array_elements_text(p_document -> 'events')
               with ordinality e (name, n)
         where not exists (select from leadq.event_name o
                            where o.name = e.name)
    loop
        insert into leadq.event_name (name) values (v_row.name);
        perform leadq._refuse_if(format('events[%s]', v_row.i),
            leadq._event_fault(v_row.name, true));
        return next 'event ' || v_row.name;
    end loop;
end
$$;


create or replace function leadq._refuse_if(p_path text, p_fault text)
returns void
language plpgsql
as $$
begin
    if p_fault is not null then
        perform leadq._refuse(p_path, p_fault);
    end if;
end
$$;


create or replace function leadq._import_segments(p_document jsonb)
returns setof text
language sql volatile
as $$
    with changed as (
        insert into leadq.segment as old (name, title)
        select s ->> 'name', s ->> 'title'
          from jsonb_array_elements(p_document -> 'segments') s
        on conflict (name) do update
           set title = excluded.title
         where old.title is distinct from excluded.title
        returning name
    )
    select 'segment ' || c.name from changed c order by 1
$$;


create or replace function leadq._import_webhooks(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_before text;
begin
    -- A POST without a body tells the event as JSON.
    for v_row in
        select w.item, w.item ->> 'name' as name,
               coalesce(w.item ->> 'method', 'POST') as method,
               w.item ->> 'body' as body
          from jsonb_array_elements(p_document -> 'webhooks') w (item)
    loop
        v_before := leadq._webhook_document(v_row.name)::text;

        insert into leadq.webhook (name, method, url, content_type, body,
               secret, sign, match, permanent, concurrency, rate, ports)
        values (v_row.name, v_row.method, v_row.item ->> 'url',
                case when v_row.body is null and v_row.method = 'POST'
                     then 'application/json'
                     else v_row.item ->> 'content_type' end,
                case when v_row.body is null and v_row.method = 'POST'
                     then '{"type":"{event}","timestamp":"{at}",'
                          || '"data":{_data},"contact_id":"{contact_id}",'
                          || '"lead_id":"{lead_id}"}'
                     else v_row.body end,
                v_row.item ->> 'secret', v_row.item ->> 'sign',
                coalesce(nullif(v_row.item -> 'match', 'null'),
                         '{"type": "any"}'),
                nullif(v_row.item -> 'permanent', 'null'),
                (v_row.item ->> 'concurrency')::integer,
                (v_row.item ->> 'rate')::numeric(9, 3),
                array(select p::integer from jsonb_array_elements_text(
                          nullif(v_row.item -> 'ports', 'null')) p))
        on conflict (name) do update
           set method = excluded.method,
               url = excluded.url,
               content_type = excluded.content_type,
               body = excluded.body,
               secret = excluded.secret,
               sign = excluded.sign,
               match = excluded.match,
               permanent = excluded.permanent,
               concurrency = excluded.concurrency,
               rate = excluded.rate,
               ports = excluded.ports;

        if v_before
           is distinct from leadq._webhook_document(v_row.name)::text then
            return next 'webhook ' || v_row.name;
        end if;
    end loop;
end
$$;


create or replace function leadq._condition_fault(p_text text)
returns text
language plpgsql stable
as $$
declare
    c_event constant text[] := array['id', 'name', 'at', 'data', 'lead'];
    c_contact constant text[] := array['id', 'name', 'lang', 'time_zone',
        'email', 'phone', 'confirmed', 'unsubscribed', 'ads', 'since',
        'sources', 'segments', 'series'];
    v_path jsonpath;
    v_word text[];
begin
    -- Why a condition would never hold: it is no jsonpath, compares nothing,
    -- or asks for what no document of _event_document has.  Null: it is good.
    begin
        v_path := p_text::jsonpath;
    exception when others then
        return 'is not a jsonpath: ' || sqlerrm;
    end;

    -- As the server spells it: every name in quotes.
    for v_word in
        select regexp_matches(v_path::text, '\$\."([^"]+)"(?:\."([^"]+)")?',
                              'g')
    loop
        if v_word[1] not in ('event', 'contact') then
            return format('there is no $.%s; there are $.event and '
                          '$.contact', v_word[1]);
        elsif v_word[2] <> all (case v_word[1] when 'event' then c_event
                                else c_contact end) then
            return format('there is no $.%s.%s; there are %s', v_word[1],
                v_word[2], array_to_string(case v_word[1] when 'event'
                               then c_event else c_contact end, ', '));
        end if;
    end loop;

    perform jsonb_path_match_tz(
        '{"event": {"data": {}}, "contact": {"segments": []}}', v_path, '{}',
        false);
    return null;
exception
    when singleton_sql_json_item_required then
        return 'compares nothing: write $.event.data.sum > 1000, or '
               'exists($.event.data.sum)';
    when others then
        return sqlerrm;
end
$$;


create or replace function leadq._check_circles(p_document jsonb)
returns void
language plpgsql
as $$
declare
    v_row record;
begin
    -- Refuses triggers that would set one another off for ever, whatever
    -- their conditions are.  A series begins once for a person, and a
    -- segment is entered once: they end every circle, as do people.
    with recursive edge as (
        select t.name, t.event as cause, e.effect
          from leadq.trigger t
         cross join lateral unnest(case t.action
               when 'event' then array[t.emits]
               when 'message' then array['letter.sent', 'letter.bounced',
                    'letter.failed', 'letter.cancelled', 'letter.delivered']
               when 'webhook' then array['webhook.done', 'webhook.dead']
               end) e (effect)
         where t.enabled
    ), reach as (
        select e.cause, e.effect from edge e
        union
        select r.cause, e.effect
          from reach r
          join edge e on e.cause = r.effect
    )
    select d.n - 1 as i,
           (select string_agg(distinct o.name, ', ')
              from edge o
             where exists (select from reach r
                            where r.cause = e.effect
                              and r.effect = o.cause)
               and exists (select from reach r
                            where r.cause = o.effect
                              and r.effect = e.cause)
                or o.effect = e.cause and o.cause = e.effect
                or o.name = e.name) as names
      into v_row
      from jsonb_array_elements(p_document -> 'triggers')
           with ordinality d (item, n)
      join edge e on e.name = d.item ->> 'name'
     where e.effect = e.cause
        or exists (select from reach r
                    where r.cause = e.effect
                      and r.effect = e.cause)
     order by d.n
     limit 1;

    if found then
        perform leadq._refuse(format('triggers[%s].event', v_row.i),
            format('sets itself off again, without end, by way of %s',
                   v_row.names));
    end if;
end
$$;


create or replace function leadq._check_windows(p_document jsonb)
returns void
language plpgsql
as $$
begin
    -- Refuses windows that lie wholly within the quiet hours.  When the
    -- quiet hours are what the document changes, they are to blame.
    perform leadq._refuse(
        case when d.n is null then 'limits.quiet'
             else format('%s[%s].window', d.section, d.n - 1) end,
        format('%s may never leave: its window %s-%s is in the quiet hours',
               r.name, to_char(r.window_from, 'HH24:MI'),
               to_char(r.window_to, 'HH24:MI')))
       from leadq.series r
       left join (
            select x.section, i.n,
                   case x.section when 'triggers' then 'trigger.' else '' end
                   || (i.item ->> 'name')
              from unnest(array['series', 'triggers']) x (section)
             cross join lateral jsonb_array_elements(
                   p_document -> x.section) with ordinality i (item, n))
            d (section, n, name) using (name)
      where r.marketing
        and r.window_from is not null
        and not leadq._is_possible('email', r.window_from, r.window_to);
end
$$;


create or replace function leadq._check_message_windows(p_document jsonb)
returns void
language plpgsql
as $$
begin
    -- The same of messages with codes, once programmes are in force.
    perform leadq._refuse(
        case when d.n is null then 'limits.quiet'
             else format('programmes[%s].message.window', d.n - 1) end,
        format('messages of %s may never leave: %s-%s is in the quiet hours',
               p.name, to_char(p.window_from, 'HH24:MI'),
               to_char(p.window_to, 'HH24:MI')))
       from leadq.programme p
       left join jsonb_array_elements(p_document -> 'programmes')
                 with ordinality d (item, n)
         on d.item ->> 'name' = p.name
        and d.item ? 'message'
      where p.gateway_id is not null
        and not leadq._is_possible('sms', p.window_from, p.window_to);
end
$$;


create or replace function leadq._link_series(p_document jsonb)
returns void
language plpgsql
as $$
declare
    v_row record;
begin
    -- Which series follows which, once all of them are there.
    for v_row in
        select s.item ->> 'name' as name, s.item ->> 'next' as next,
               format('series[%s].next', s.n - 1) as path
          from jsonb_array_elements(p_document -> 'series')
               with ordinality s (item, n)
    loop
        update leadq.series r
           set next_id = (select o.series_id from leadq.series o
                           where o.name = v_row.next
                             and o.kind in ('welcome', 'promo'))
         where r.name = v_row.name;

        perform leadq._refuse_if(v_row.path, case
            when v_row.next is null then null
            when not exists (select from leadq.series o
                              where o.name = v_row.next)
            then format('there is no series "%s"', v_row.next)
            when not exists (select from leadq.series o
                              where o.name = v_row.next
                                and o.kind in ('welcome', 'promo'))
            then format('series "%s" waits for a confirmation: it follows '
                        'none', v_row.next)
            end);
    end loop;

    for v_row in
        with recursive chain as (
            select r.name as first, r.next_id, r.name as names, 1 as depth
              from leadq.series r
             where r.next_id is not null
            union all
            select c.first, r.next_id, c.names || ', ' || r.name, c.depth + 1
              from chain c
              join leadq.series r on r.series_id = c.next_id
             where r.name <> c.first
               and c.depth < 1000
        )
        select format('series[%s].next', s.n - 1) as path, c.names
          from jsonb_array_elements(p_document -> 'series')
               with ordinality s (item, n)
          join chain c on c.first = s.item ->> 'name'
          join leadq.series r on r.series_id = c.next_id
         where r.name = c.first
         order by s.n
         limit 1
    loop
        perform leadq._refuse(v_row.path,
            format('goes round for ever: %s, and again', v_row.names));
    end loop;
end
$$;


create or replace function leadq._await_events()
returns void
language plpgsql
as $$
declare
    v_any boolean;
begin
    -- Writes down which events somebody waits for.  What ends a series
    -- anyway is nothing to wait for.  As long as there are none, an insert
    -- into event sets nothing off and costs nothing; the change locks out
    -- those who insert, for this moment.
    delete from leadq.event_wait;
    insert into leadq.event_wait (kind)
    select t.event from leadq.trigger t
     where t.enabled
    union
    select k.kind
      from leadq.series r
     cross join lateral unnest(r.stop_on) k (kind)
     where k.kind not in ('contact.unsubscribed', 'address.invalid')
       and (r.kind <> 'doi' or k.kind <> 'contact.confirmed');

    v_any := found;
    if v_any <> (select t.tgenabled = 'O' from pg_trigger t
                  where t.tgrelid = 'leadq.event'::regclass
                    and t.tgname = 'event_wake') then
        execute format('alter table leadq.event %s trigger event_wake',
                       case when v_any then 'enable' else 'disable' end);
    end if;
end
$$;
