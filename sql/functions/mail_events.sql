create or replace function leadq.web_mail_event(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
    v_events integer;
begin
    -- A provider of mail reports what became of letters.  Request: provider
    -- and secret (from the URL), events (one, or a list).  202 with how many
    -- of them are new, as rule jobs; 404 for a provider that is not there or
    -- another secret, which is compared by its hash alone.  Repeats are
    -- known by the event's id.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request, p.name,
               coalesce(p.mapping, leadq._mail_preset(p.name)) as mapping
          from unnest(p_requests) with ordinality r (request, n)
          left join leadq.mail_provider p
            on p.name = r.request::jsonb ->> 'provider'
           and p.secret_sha256 = encode(sha256(convert_to(
                   coalesce(r.request::jsonb ->> 'secret', ''), 'UTF8')),
                   'hex')
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        if v_row.name is null then
            status := 404;
            body := '{"type":"urn:leadq:problem:no-such-provider",'
                 || '"title":"There is nothing here","status":404}';
        else
            v_events := leadq._add_mail_events(v_row.name, v_row.mapping,
                            v_row.request -> 'events');
            status := 202;
            body := '{"new":' || v_events || '}';
        end if;
        return next;
    end loop;
end
$$;


create or replace function leadq._mail_preset(p_name text)
returns jsonb
language sql immutable
as $$
    -- Where known providers have what in their events.  kind is the values
    -- of its paths with a blank between them, looked up in kinds, then the
    -- first of them alone; what is not there is of no interest.
    select case p_name
        when 'mailgun' then '{
            "id": "$.id",
            "kind": ["$.event", "$.severity"],
            "kinds": {"failed permanent": "failed",
                      "delivered": "delivered", "complained": "complaint",
                      "unsubscribed": "unsubscribed", "opened": "opened",
                      "clicked": "clicked"},
            "message": ["$.message.headers.\"message-id\""],
            "email": ["$.recipient"],
            "status": ["$.\"delivery-status\".\"enhanced-code\""],
            "reply": ["$.\"delivery-status\".code",
                      "$.\"delivery-status\".message"]}'
        when 'sendgrid' then '{
            "id": "$.sg_event_id",
            "kind": ["$.event"],
            "kinds": {"bounce": "failed", "delivered": "delivered",
                      "spamreport": "complaint",
                      "unsubscribe": "unsubscribed",
                      "group_unsubscribe": "unsubscribed",
                      "open": "opened", "click": "clicked"},
            "message": ["$.\"smtp-id\""],
            "email": ["$.email"],
            "status": ["$.status"],
            "reply": ["$.reason"]}'
        when 'generic' then '{
            "id": "$.id",
            "kind": ["$.event"],
            "kinds": {"failed": "failed", "bounce": "failed",
                      "delivered": "delivered", "complaint": "complaint",
                      "unsubscribed": "unsubscribed", "opened": "opened",
                      "clicked": "clicked"},
            "message": ["$.message_id"],
            "email": ["$.email"],
            "status": ["$.status"],
            "reply": ["$.reply"]}'
        end::jsonb
$$;


create or replace function leadq._mail_value(p_event jsonb, p_paths jsonb)
returns text
language sql immutable
as $$
    -- What an event has at some paths, with a blank between them; null:
    -- nothing at any.
    select string_agg(v.value #>> '{}', ' ' order by p.n)
      from jsonb_array_elements_text(
               case jsonb_typeof(p_paths) when 'array' then p_paths
               else jsonb_build_array(p_paths) end)
           with ordinality p (path, n)
     cross join lateral jsonb_path_query_first(p_event, p.path::jsonpath,
               '{}', true) v (value)
     where jsonb_typeof(v.value) in ('string', 'number', 'boolean')
$$;


create or replace function leadq._add_mail_events(p_provider text,
    p_mapping jsonb, p_events jsonb)
returns integer
language plpgsql
as $$
declare
    v_refs uuid[];
begin
    -- Keeps the events that are of interest and new, and plans a rule for
    -- each; how many.
    with event as (
        select e.event,
               leadq._mail_value(e.event, p_mapping -> 'kind') as kind,
               coalesce(leadq._mail_value(e.event, p_mapping -> 'id'),
                        e.event::text) as key
          from jsonb_path_query(p_events, 'lax $[*]') e (event)
    ), fresh as (
        insert into leadq.mail_event (provider, key_sha256, kind, message_id,
               email, status, reply, received_at)
        select p_provider, sha256(convert_to(e.key, 'UTF8')), k.kind,
               substring(lower(leadq._mail_value(e.event,
                   p_mapping -> 'message')) from '[0-9a-f]{8}-[0-9a-f]{4}-'
                   || '[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')::uuid,
               left(leadq._mail_value(e.event, p_mapping -> 'email'), 320),
               left(leadq._mail_value(e.event, p_mapping -> 'status'), 100),
               left(leadq._mail_value(e.event, p_mapping -> 'reply'), 500),
               leadq.now()
          from event e
         cross join lateral (
            select coalesce(p_mapping -> 'kinds' ->> e.kind,
                            p_mapping -> 'kinds'
                            ->> split_part(e.kind, ' ', 1))) k (kind)
         where k.kind is not null
        on conflict do nothing
        returning mail_event_id
    )
    select array_agg(f.mail_event_id) into v_refs from fresh f;

    if v_refs is null then
        return 0;
    end if;

    perform leadq._add_jobs('mail_event', 0, 'rule', v_refs,
                array_fill(leadq.now(), array[cardinality(v_refs)]));
    perform pg_notify('leadq_ready', '');
    return cardinality(v_refs);
end
$$;


create or replace function leadq._take_mail_events(p_events uuid[])
returns void
language plpgsql
as $$
begin
    -- What providers have reported: of a failure the worker is asked first,
    -- whose table knows what it means; all else takes effect at once.
    perform leadq._add_jobs('bounce', 2, 'dns',
                array_agg(v.mail_event_id), array_agg(leadq.now()))
       from leadq.mail_event v
      where v.mail_event_id = any (p_events)
        and v.kind = 'failed'
     having count(*) > 0;

    perform leadq._take_outcomes(array_agg(v.kind order by v.message),
                array_agg(v.message order by v.message), null, null)
       from (select e.kind, leadq._find_letter(null, null, e.message_id,
                        e.email) as message
               from leadq.mail_event e
              where e.mail_event_id = any (p_events)
                and e.kind <> 'failed') v
      where v.message is not null
     having count(*) > 0;
end
$$;


create or replace function leadq._mail_event_payload(p_event uuid)
returns text
language sql stable
as $$
    select json_build_object('status', e.status, 'text', e.reply)::text
      from leadq.mail_event e
     where e.mail_event_id = p_event
$$;


create or replace function leadq._settle_mail_events(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
begin
    -- Takes the classes of reported failures, and then the failures.
    perform leadq._letters_failed(array_agg(v.message), array_agg(v.class),
                array_agg(v.code))
       from (select leadq._find_letter(null, null, e.message_id, e.email)
                        as message,
                    coalesce(i.detail ->> 'class', 'soft') as class,
                    i.detail ->> 'code' as code
               from unnest(p_kinds, p_refs, p_states, p_details)
                    i (kind, ref, state, detail)
               join leadq.mail_event e on e.mail_event_id = i.ref
              where i.kind = 'bounce'
                and i.state = 'done') v
      where v.message is not null
     having count(*) > 0;
end
$$;


create or replace function leadq._import_mail_providers(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_path text;
begin
    for v_row in
        select p.value as item, (p.n - 1)::text as i,
               p.value ->> 'name' as name,
               nullif(p.value -> 'mapping', 'null') as mapping
          from jsonb_array_elements(p_document -> 'mail_providers')
               with ordinality p (value, n)
    loop
        if v_row.mapping is null and leadq._mail_preset(v_row.name) is null
        then
            perform leadq._refuse(
                format('mail_providers[%s].mapping', v_row.i),
                format('"%s" is not mailgun, sendgrid or generic: say where '
                       'its events have what', v_row.name));
        end if;

        for v_path in
            select x #>> '{}' from jsonb_path_query(v_row.mapping,
                'lax $.*[*] ? (@.type() == "string")', '{}', true) x
        loop
            begin
                perform v_path::jsonpath;
            exception when others then
                perform leadq._refuse(
                    format('mail_providers[%s].mapping', v_row.i),
                    format('"%s" is no JSON path', v_path));
            end;
        end loop;

        insert into leadq.mail_provider as old (name, secret_sha256, mapping)
        values (v_row.name, v_row.item ->> 'secret_sha256', v_row.mapping)
        on conflict (name) do update
           set secret_sha256 = excluded.secret_sha256,
               mapping = excluded.mapping
         where (old.secret_sha256, old.mapping)
               is distinct from (excluded.secret_sha256, excluded.mapping);

        if found then
            return next 'mail provider ' || v_row.name;
        end if;
    end loop;
end
$$;


create or replace function leadq._mail_providers_document()
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'name', p.name, 'secret_sha256', p.secret_sha256,
               'mapping', p.mapping)) order by p.name), '[]')
      from leadq.mail_provider p
$$;
