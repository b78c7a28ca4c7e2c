create or replace view leadq.promo_report as
select (r.created_at at time zone o.time_zone)::date as day,
       p.name as programme, o.name as point, a.name as advisor,
       count(*) as taken,
       count(*) filter (where r.state = 'redeemed') as redeemed,
       count(*) filter (where r.state = 'released') as released,
       count(*) filter (where r.state = 'rolled_back') as rolled_back,
       count(*) filter (where exists (
           select from leadq.promo_flag f
            where f.redemption_id = r.redemption_id)) as flagged
  from leadq.redemption r
  join leadq.promo_code c using (code_id)
  join leadq.programme p using (programme_id)
  join leadq.point o using (point_id)
  join leadq.advisor a using (advisor_id)
 group by 1, 2, 3, 4;

comment on view leadq.promo_report is
    'Uses of codes by day of the point''s clock, programme, point and '
    'advisor.';
