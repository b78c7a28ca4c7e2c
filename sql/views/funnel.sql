create or replace view leadq.funnel as
select f.source, f.series, f.step, f.template, f.waiting, f.sent,
       f.delivered, f.bounced, f.hard, f.failed, f.opened, f.clicked,
       f.confirmed, f.share
  from leadq.report_letters('-infinity', 'infinity') f;

comment on view leadq.funnel is
    'By source and letter, of all times: sent, delivered, bounced, opened and '
    'clicked where the source asks, confirmed, and the share of all '
    'confirmations. report_letters() is the same for a period.';
