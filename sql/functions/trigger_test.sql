create or replace function leadq.test_triggers(p_event text,
    p_address text, p_lead uuid, p_data jsonb)
returns table (trigger text, verdict text, reason text, action text,
    act_at timestamptz)
language plpgsql stable
as $$
declare
    v_event record;
begin
    -- What every trigger would do with an event: one that happened (its id),
    -- or one of that name, data and person.  verdict: fires; skips, it fires
    -- but may not act; no.  Changes nothing.  Raises P0001 for an event or a
    -- person that is not there.  Called by the operator.
    v_event := leadq._find_event(p_event, p_address, p_lead, p_data);

    return query
        select t.name,
               case when not f.fires then 'no'
                    when k.reason is not null then 'skips'
                    else 'fires' end,
               coalesce(f.reason, k.reason,
                        case when h.open_at > f.act_at
                             then 'waits for the hours until '
                                  || to_char(h.open_at,
                                             'YYYY-MM-DD HH24:MI') end),
               n.action,
               f.act_at
          from leadq.trigger t
          join leadq.trigger_list n using (trigger_id)
          left join leadq.series r using (series_id)
         cross join lateral (
                select leadq._why_not(t, v_event.event_id, v_event.at,
                           v_event.kind, v_event.document)) w (reason)
         cross join lateral (
                select w.reason is null, w.reason,
                       case when w.reason is null
                            then leadq._trigger_time(t, v_event.at,
                                 v_event.contact_id, v_event.lead_id) end)
               f (fires, reason, act_at)
          left join lateral leadq._recipient(v_event.contact_id,
                       v_event.lead_id, t.source_id, r.marketing) k
            on f.fires and t.action in ('message', 'series')
          left join lateral (
                select leadq._letter_time(f.act_at,
                           leadq._zone(v_event.contact_id, v_event.lead_id),
                           r.marketing, r.window_from, r.window_to))
               h (open_at)
            on f.fires and t.action in ('message', 'series')
         order by f.fires desc, t.event <> v_event.kind, t.name;
end
$$;


create or replace function leadq._find_event(p_event text, p_address text,
    p_lead uuid, p_data jsonb, out event_id bigint, out at timestamptz,
    out kind text, out contact_id bigint, out lead_id uuid,
    out document jsonb)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    if p_event ~ '^[0-9]{1,18}$' then
        select e.event_id, e.at, e.kind, e.contact_id, e.lead_id, e.data
          into event_id, at, kind, contact_id, lead_id, document
          from leadq.event e
         where e.event_id = p_event::bigint;

        if kind is null then
            raise exception 'there is no event %', p_event;
        end if;
    else
        at := leadq.now();
        kind := p_event;
        document := p_data;
        if leadq._event_fault(p_event, false) is not null then
            raise exception 'the event %', leadq._event_fault(p_event, false);
        end if;

        select l.contact_id, l.lead_id into contact_id, lead_id
          from leadq.lead l
         where l.lead_id = p_lead;
        if p_lead is not null and lead_id is null then
            raise exception 'there is no lead %', p_lead;
        end if;

        if p_address is not null then
            select a.contact_id into contact_id
              from leadq.address a
             where a.value = p_address;
            if contact_id is null then
                raise exception 'nobody has this address';
            end if;
        end if;
    end if;

    document := leadq._event_document(event_id, at, kind, contact_id,
                                      lead_id, document);
end
$$;


create or replace function leadq._why_not(p_trigger leadq.trigger,
    p_event_id bigint, p_at timestamptz, p_kind text, p_document jsonb)
returns text
language plpgsql stable
as $$
declare
    v_before leadq.fired;
begin
    -- Why a trigger does not fire for an event; null: it does.
    if p_trigger.event <> p_kind then
        return 'waits for ' || p_trigger.event;
    elsif not p_trigger.enabled then
        return 'is switched off';
    end if;

    select f.* into v_before
      from leadq.fired f
     where f.trigger_id = p_trigger.trigger_id
       and f.event_id = p_event_id
       and f.at = p_at;
    if found then
        return concat_ws(' ', 'has fired for it:', v_before.state,
                         v_before.reason);
    elsif not leadq._holds(p_trigger.condition, p_document) then
        return 'condition is false: ' || p_trigger.condition::text;
    end if;

    return null;
end
$$;
