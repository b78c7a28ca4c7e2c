create or replace function leadq._fire_webhooks(p_fired uuid[])
returns void
language plpgsql
as $$
begin
    -- One ready job for each call, aimed at its webhook.
    with act as (
        update leadq.fired f
           set state = 'queued'
          from leadq.trigger t
          join leadq.webhook w using (webhook_id)
         where f.fired_id = any (p_fired)
           and f.state = 'planned'
           and t.trigger_id = f.trigger_id
           and t.action = 'webhook'
        returning f.fired_id, w.name
    )
    insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at)
    select 2, leadq._job_id(2), 'webhook', 'webhook:' || a.name, a.fired_id,
           leadq.now()
      from act a;
end
$$;


create or replace function leadq._webhook_payload(p_fired uuid)
returns text
language plpgsql stable
as $$
begin
    -- All that the worker needs for a call: as for a postback, with the
    -- values of the event and the person.  Members of the event's data are
    -- values "data_NAME".  Called by claim_jobs.
    return (
        select (leadq._call_payload(to_jsonb(w))
                || jsonb_build_object(
                   'webhook', true,
                   'postback_id', f.fired_id,
                   'values', coalesce((
                        select jsonb_object_agg('data_' || d.key, d.value)
                          from jsonb_each_text(
                               case jsonb_typeof(f.data) when 'object'
                                    then f.data end) d), '{}')
                    || jsonb_build_object(
                        'event', t.event,
                        'trigger', t.name,
                        'data', coalesce(f.data, '{}')::text,
                        'contact_id', coalesce(c.document ->> 'id', ''),
                        'lead_id', coalesce(f.lead_id::text, ''),
                        'click_id', coalesce(l.click_id, ''),
                        'source', coalesce(s.name, ''),
                        'name', coalesce(c.document ->> 'name', ''),
                        'email', coalesce(c.document ->> 'email', ''),
                        'phone', coalesce(c.document ->> 'phone', ''),
                        'lang', coalesce(c.document ->> 'lang', ''),
                        'ts', floor(extract(epoch from f.at))::text,
                        'at', to_char(f.at at time zone 'UTC',
                                      'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                        'date', to_char(f.at at time zone 'UTC', 'YYYY-MM-DD'),
                        'time', to_char(f.at at time zone 'UTC',
                                        'HH24:MI:SS'))))::text
          from leadq.fired f
          join leadq.trigger t using (trigger_id)
          join leadq.webhook w using (webhook_id)
          left join leadq.lead l on l.lead_id = f.lead_id
          left join leadq.source s on s.source_id = l.source_id
          left join leadq.contact k on k.contact_id = f.contact_id
         cross join lateral (select leadq._contact_document(
                   coalesce(k.merged_into, f.contact_id))) c (document)
         where f.fired_id = p_fired);
end
$$;


create or replace function leadq._settle_webhooks(p_kinds text[],
    p_refs uuid[], p_states text[])
returns void
language sql volatile
as $$
    -- Takes the calls that ended, well or not; a cancelled one is dead.
    with ended as (
        update leadq.fired f
           set state = case i.state when 'done' then 'done'
                       else 'dead' end,
               ended_at = leadq.now()
          from unnest(p_kinds, p_refs, p_states) i (kind, ref, state),
               leadq.trigger t, leadq.webhook w
         where i.kind = 'webhook'
           and i.state in ('done', 'dead', 'cancelled')
           and f.fired_id = i.ref
           and t.trigger_id = f.trigger_id
           and w.webhook_id = t.webhook_id
        returning f.fired_id, f.contact_id, f.lead_id, f.state, t.name,
                  w.name as webhook
    )
    insert into leadq.event (at, kind, contact_id, lead_id, ref, data)
    select leadq.now(), 'webhook.' || e.state, e.contact_id, e.lead_id,
           e.fired_id, jsonb_build_object('webhook', e.webhook,
                                          'trigger', e.name)
      from ended e
$$;
