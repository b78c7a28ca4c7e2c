create or replace view leadq.lead_story as
select l.lead_id, l.received_at as at, 'lead received' as what,
       concat_ws(' ', 'source=' || s.name, 'click_id=' || l.click_id,
                 'partner=' || (l.request ->> 'partner'),
                 'network=' || case when l.reports then w.name
                               when l.click_id is not null
                                    and l.state <> 'received' then 'none' end,
                 'offer=' || l.offer_id,
                 'payout=' || l.payout || coalesce(' ' || l.currency, ''),
                 'email=' || coalesce(l.email, 'none'),
                 'refused=' || (l.request ->> '$invalid')) as detail
  from leadq.lead l
  join leadq.source s using (source_id)
  left join leadq.network w using (network_id)
union all
select l.lead_id, l.final_at, 'lead ' || l.state, 'reason=' || l.reason
  from leadq.lead l
 where l.final_at is not null
union all
select l.lead_id, coalesce(m.ended_at, m.due_at), 'letter ' || m.state,
       concat_ws(' ', 'step=' || m.step, 'class=' || m.class,
                 'message=' || m.message_id)
  from leadq.lead l
  join leadq.message m using (contact_id, series_id)
union all
select l.lead_id, m.confirmed_at, 'contact confirmed', 'step=' || m.step
  from leadq.lead l
  join leadq.message m using (contact_id)
 where m.confirmed_at is not null
union all
select l.lead_id, e.at, replace(e.kind, '.', ' '),
       concat_ws(' ', 'step=' || m.step,
                 'class=' || (e.data ->> 'class'),
                 'code=' || (e.data ->> 'code'),
                 'reason=' || (e.data ->> 'reason'),
                 'url=' || (e.data ->> 'url'))
  from leadq.lead l
  join leadq.event e
    on e.contact_id = l.contact_id
   and e.lead_id is null
   and e.kind not in ('letter.sent', 'letter.failed', 'contact.confirmed')
  left join leadq.message m
    on m.message_id = e.ref
 where m.series_id is not distinct from l.series_id
    or e.kind not like 'letter.%'
union all
select l.lead_id, coalesce(f.ended_at, f.run_at), 'trigger ' || f.state,
       concat_ws(' ', 'trigger=' || t.name, 'event=' || e.kind,
                 'happened=' || to_char(e.at at time zone 'UTC',
                                        'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                 'planned=' || to_char(f.run_at at time zone 'UTC',
                                       'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                 'action=' || t.action, 'reason=' || f.reason)
  from leadq.lead l
 cross join lateral (
    select v.event_id, v.at, v.kind from leadq.event v
     where v.lead_id = l.lead_id
    union all
    select v.event_id, v.at, v.kind from leadq.event v
     where v.contact_id = l.contact_id
       and v.lead_id is null) e
 cross join leadq.trigger t
 cross join lateral (  -- each by its key: offset keeps it apart
    select * from leadq.fired o
     where o.trigger_id = t.trigger_id
       and o.event_id = e.event_id
       and o.at = e.at
    offset 0) f
union all
select p.lead_id, coalesce(p.ended_at, p.created_at),
       'postback ' || p.state,
       concat_ws(' ', 'status=' || p.status, 'reason=' || p.reason,
                 'network=' || w.name, 'postback=' || p.postback_id)
  from leadq.postback p
  join leadq.network w using (network_id)
union all
select l.lead_id, d.done_at, 'attempt ' || d.outcome,
       concat_ws(' ', 'kind=' || d.kind, 'try=' || d.attempt,
                 'http=' || (d.detail ->> 'http'),
                 'smtp=' || (d.detail ->> 'smtp'),
                 'class=' || (d.detail ->> 'class'),
                 'reason=' || (d.detail ->> 'reason'),
                 'ms=' || (d.detail ->> 'ms'),
                 'url=' || (d.detail ->> 'url'),
                 'body=' || (d.detail ->> 'body'))
  from leadq.lead l
 cross join lateral (
    select p.postback_id as ref from leadq.postback p
     where p.lead_id = l.lead_id
    union all
    select m.message_id from leadq.message m
     where m.contact_id = l.contact_id
       and m.series_id = l.series_id) r
  join leadq.job_done d using (ref);

comment on view leadq.lead_story is
    'All that happened to a lead, for "leadqctl leads show": what arrived, '
    'letters and what came back, opens and clicks, what triggers did or '
    'will do, statuses, and each attempt to tell them, with what was sent '
    'but for its secrets.';
