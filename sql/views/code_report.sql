create or replace view leadq.code_report as
select (s.queued_at at time zone p.time_zone)::date as day,
       p.name as profile, g.name as gateway, g.channel,
       coalesce(o.operator, '') as operator,
       count(*) as sends,
       count(*) filter (where s.accepted_at is not null) as accepted,
       count(*) filter (where s.state in ('delivered', 'read', 'clicked'))
           as delivered,
       count(*) filter (where s.state in ('failed', 'undelivered', 'expired',
                                          'rejected')) as failed,
       count(distinct s.verification_id) filter (where v.state = 'verified')
           as verified,
       sum(s.cost) as cost
  from leadq.verification_send s
  join leadq.verification v using (verification_id)
  join leadq.profile p using (profile_id)
  join leadq.gateway g using (gateway_id)
  left join leadq.phone_operator o on o.phone = v.phone
 where s.state <> 'cancelled'
 group by 1, 2, 3, 4, 5;

comment on view leadq.code_report is
    'What gateways do with codes, by day, profile, gateway and operator: sent '
    'means little, verified is what counts. cost in roubles.';
