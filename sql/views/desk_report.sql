-- Days that are over as they were counted, the others as they are.
create or replace view leadq.desk_row as
select d.*
  from leadq.desk_day d
 where d.day <= (select c.through from leadq.desk_counted c)
union all
select d.*
  from leadq.desk_counted c
 cross join lateral leadq.desk_counts(c.through + 1, 'infinity') d;

comment on view leadq.desk_row is
    'desk_report with ids, for the views that name them.';


create or replace view leadq.desk_report as
select d.day, p.name as point, a.name as advisor, d.visits, d.tests, d.sales,
       d.underage, d.verified, d.refused, d.activations, d.trials,
       d.redemptions, d.rolled_back, d.rewards, d.flagged
  from leadq.desk_row d
  join leadq.point p using (point_id)
  join leadq.advisor a using (advisor_id);

comment on view leadq.desk_report is
    'What happened at points, by day of their clock, point and advisor; each '
    'thing on the day of its own event, so that days that are over do not '
    'change.';
comment on column leadq.desk_report.verified is
    'Visits whose number was proved.';
comment on column leadq.desk_report.refused is
    'Visits without a proved number, and a reason why.';
comment on column leadq.desk_report.underage is
    'Who could not prove his age: neither test nor purchase.';
comment on column leadq.desk_report.activations is
    'Referral codes that were issued: who joined the programme.';
comment on column leadq.desk_report.trials is 'Trial codes that were issued.';
comment on column leadq.desk_report.redemptions is
    'Sales by codes, also those that were rolled back since.';
comment on column leadq.desk_report.rewards is
    'Gifts that were earned by sales here.';
comment on column leadq.desk_report.flagged is
    'Visits that look invented, by some rule; see visit_flag_list.';


create or replace view leadq.advisor_score as
select d.day, p.name as point, a.name as advisor, d.visits, d.flagged,
       round((100 * d.suspicion / d.visits)::numeric, 1) as score,
       leadq.is_shown(d.visits, d.suspicion, (
           select r.max from leadq.visit_rule r
            where r.name = 'score' and r.enabled)) as shown
  from leadq.desk_row d
  join leadq.point p using (point_id)
  join leadq.advisor a using (advisor_id)
 where d.visits > 0;

comment on view leadq.advisor_score is
    'How invented the visits of an advisor''s day look. A visit is as '
    'suspicious as it is unlikely that all of its flags are wrong, 1 - (1 - '
    'weight) (1 - weight) ..., of the weights of visit_rule in percent; one '
    'without flags is 0. The score is the mean over all visits of the day, '
    '0 to 100. shown: it is that of the rule "score" or more, of five visits '
    'at least. It punishes nobody: somebody looks at the visits.';


create or replace view leadq.visit_flag_list as
select f.day, p.name as point, a.name as advisor, f.visit_id, v.opened_at,
       v.outcome, f.rule, r.weight, f.at as flagged_at
  from leadq.visit_flag f
  join leadq.visit v using (visit_id)
  join leadq.point p using (point_id)
  join leadq.advisor a on a.advisor_id = f.advisor_id
  join leadq.visit_rule r on r.name = f.rule;

comment on view leadq.visit_flag_list is
    'The visits behind each flag; nothing of the visitors.';


create or replace view leadq.visit_list as
select v.visit_id, v.day, p.name as point, a.name as advisor, v.opened_at,
       v.ended_at, v.age, v.consent_pd, v.consent_ads, v.text_version,
       v.lang, v.outcome, v.refusal,
       coalesce(v.verification_id, v.redemption_id) is not null as verified,
       v.redemption_id is not null as redeemed,
       array(select f.rule from leadq.visit_flag f
              where f.visit_id = v.visit_id
              order by f.rule) as flags
  from leadq.visit v
  join leadq.point p using (point_id)
  join leadq.advisor a using (advisor_id);

comment on view leadq.visit_list is
    'Visits and what became of them; nothing of the visitors.';


create or replace view leadq.redemption_list as
select r.redemption_id,
       (r.created_at at time zone p.time_zone)::date as day,
       p.name as point, a.name as advisor, g.name as programme,
       c.code_id, r.state, r.created_at, r.redeemed_at, r.closed_at,
       r.chain, r.uses_left, r.receipt, r.reason,
       w.reward_id is not null as rewarded
  from leadq.redemption r
  join leadq.promo_code c using (code_id)
  join leadq.programme g using (programme_id)
  join leadq.point p on p.point_id = r.point_id
  join leadq.advisor a on a.advisor_id = r.advisor_id
  left join leadq.reward w using (redemption_id);

comment on view leadq.redemption_list is
    'Uses of codes; day: on which it was taken, by the point''s clock. '
    'Nothing of the customers.';


create or replace view leadq.code_list as
select c.code_id, left(c.code, 4) || '********' as code,
       g.name as programme, g.kind,
       (c.starts_at at time zone coalesce(p.time_zone, 'UTC'))::date as day,
       p.name as point, a.name as advisor, c.visit_id, c.batch_id,
       c.owner_id is not null as owned, c.max_uses, c.used, c.reserved,
       c.disabled, c.starts_at, c.expires_at
  from leadq.promo_code c
  join leadq.programme g using (programme_id)
  left join leadq.point p on p.point_id = c.issue_point_id
  left join leadq.advisor a on a.advisor_id = c.issue_advisor_id;

comment on view leadq.code_list is
    'Codes and how much of them is gone; who reads this cannot spend them. '
    'point, advisor: who issued it for a visit, and day, when it was.';
