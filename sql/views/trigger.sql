create or replace view leadq.trigger_list as
select t.trigger_id, t.name, t.event, t.enabled,
       concat_ws(' ', t.action,
           case t.action when 'message'
                then (select s.template from leadq.step s
                       where s.series_id = t.series_id)
           else r.name end,
           w.name, g.name, t.emits, c.name) as action
  from leadq.trigger t
  left join leadq.series r using (series_id)
  left join leadq.webhook w using (webhook_id)
  left join leadq.segment g using (segment_id)
  left join leadq.trigger c on c.trigger_id = t.cancels_id;

comment on view leadq.trigger_list is
    'Triggers: the event that each waits for, and what it does.';


create or replace view leadq.trigger_activity as
select t.name, t.event, t.action, t.enabled,
       f.planned, f.done, f.skipped, f.cancelled, f.dead, f.last_at
  from leadq.trigger_list t
 cross join lateral (
        select count(*) filter (where r.state in ('planned', 'queued'))
                   as planned,
               count(*) filter (where r.state = 'done') as done,
               count(*) filter (where r.state = 'skipped') as skipped,
               count(*) filter (where r.state = 'cancelled') as cancelled,
               count(*) filter (where r.state = 'dead') as dead,
               max(r.at) as last_at
          from leadq.fired r
         where r.trigger_id = t.trigger_id
           and r.at > now() - interval '30 days') f;

comment on view leadq.trigger_activity is
    'Triggers, and how often each fired for an event of the last thirty '
    'days, by what became of it.';
