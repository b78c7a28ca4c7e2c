create or replace view leadq.limit_report as
select d.day, p.name as profile, l.name, l.subject, l.max, l.per, l.mode,
       d.n as denied
  from leadq.limit_denied d
  join leadq.profile_limit l using (limit_id)
  join leadq.profile p using (profile_id);

comment on view leadq.limit_report is
    'How often limits of verifications have refused, or would have (record), '
    'by day in UTC.';
