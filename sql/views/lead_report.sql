create or replace view leadq.lead_report as
select s.name as source, l.state, coalesce(l.reason, '') as reason,
       count(*) as leads,
       count(*) filter (where l.reports) as reporting,
       sum(l.payout) filter (where l.reports and l.state = 'approved')
           as payout
  from leadq.lead l
  join leadq.source s using (source_id)
 group by s.name, l.state, l.reason;

comment on view leadq.lead_report is
    'Leads by source, state and reason, with what is owed for them.';
