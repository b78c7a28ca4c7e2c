create or replace function leadq.code_figures()
returns table (figure text, label1 text, label2 text, label3 text,
    label4 text, value double precision)
language sql stable
security definer set search_path = pg_catalog, pg_temp
as $$
    -- How codes, limits and programmes do, for the worker's metrics; changes
    -- nothing.  Codes are those of an hour that ended five minutes ago, so
    -- that each had its time to be typed: what nobody reports to have
    -- arrived, because the gateway has no receipts, has arrived when it was
    -- accepted.  Refusals and flags are today's, by UTC; uses of codes are
    -- those of the last day.  Cheap: an hour by brin, and days by index.
    with recent as materialized (
        select v.*
          from leadq.verification v
         where v.created_at > leadq.now() - interval '65 min'
           and v.created_at <= leadq.now() - interval '5 min'
    ), sent as (
        select g.name as gateway, coalesce(o.operator, '') as operator,
               count(*) as sent, sum(s.cost) as cost,
               count(distinct s.verification_id) filter (where a.arrived)
                   as arrived,
               count(distinct s.verification_id) filter (
                   where a.arrived and r.state = 'verified') as proved
          from recent r
          join leadq.verification_send s using (verification_id)
          join leadq.gateway g using (gateway_id)
         cross join lateral (
            select s.state in ('delivered', 'read', 'clicked')
                   or s.state = 'sent' and g.receipts is null
                      and g.poll is null) a (arrived)
          left join leadq.phone_operator o on o.phone = r.phone
         where s.state <> 'cancelled'
         group by 1, 2
    ), checked as (
        select p.name, sum(r.checks) as checks,
               count(*) filter (where r.state = 'verified') as proved
          from recent r
          join leadq.profile p using (profile_id)
         group by p.name
    )
    select f.figure, s.gateway, s.operator, null, null, f.value
      from sent s
     cross join lateral (values
        ('codes_sent', s.sent::double precision),
        ('codes_arrived', s.arrived),
        ('codes_proved', s.proved),
        ('codes_cost', s.cost)) f (figure, value)
    union all
    select 'verifications', p.name,
           case when r.blocked_by is not null then 'blocked'
                when r.closed_at is null and r.expires_at <= leadq.now()
                then 'expired' else r.state end, null, null, count(*)
      from recent r
      join leadq.profile p using (profile_id)
     group by 2, 3
    union all
    select 'checks', c.name, f.result, null, null, f.n
      from checked c
     cross join lateral (values ('right', c.proved),
                                ('wrong', c.checks - c.proved)) f (result, n)
    union all
    select 'limit_denied', p.name, l.name, l.subject, l.mode, d.n
      from leadq.limit_denied d
      join leadq.profile_limit l using (limit_id)
      join leadq.profile p using (profile_id)
     where d.day = (leadq.now() at time zone 'UTC')::date
    union all
    select 'promo_uses', p.name, r.state, null, null, count(*)
      from leadq.advisor a
     cross join lateral (
        select o.code_id, o.state
          from leadq.redemption o
         where o.advisor_id = a.advisor_id
           and o.created_at > leadq.now() - interval '1 day') r
      join leadq.promo_code c using (code_id)
      join leadq.programme p using (programme_id)
     group by 2, 3
    union all
    select 'promo_denied', d.reason, null, null, null, d.n
      from leadq.promo_denied d
     where d.day = (leadq.now() at time zone 'UTC')::date
    union all
    select 'rewards', p.name, r.state, null, null, count(*)
      from leadq.reward r
      join leadq.programme p using (programme_id)
     group by 2, 3
    union all
    select 'flags', 'visit', f.rule, null, null, count(*)
      from leadq.visit_flag f
     where f.day >= (leadq.now() at time zone 'UTC')::date
     group by 3
    union all
    select 'flags', 'code', f.rule, null, null, count(*)
      from leadq.promo_flag f
     where f.at >= date_trunc('day', leadq.now() at time zone 'UTC')
                   at time zone 'UTC'
     group by 3
$$;
