create or replace view leadq.advisor_checks as
select day, profile, advisor, starts, verified, checks, checks - verified as wrong,
       round(100.0 * (checks - verified) / nullif(checks, 0)) as wrong_percent
  from (select (v.created_at at time zone p.time_zone)::date as day,
               p.name as profile, v.advisor, count(*) as starts,
               count(*) filter (where v.state = 'verified') as verified,
               sum(v.checks) as checks
          from leadq.verification v
          join leadq.profile p using (profile_id)
         where v.advisor is not null
         group by 1, 2, 3) c;

comment on view leadq.advisor_checks is
    'What advisors did with codes, by day of the profile''s clock: begun, '
    'proved, typed, and how many of those were wrong. Who guesses codes has '
    'many wrong ones.';
