create or replace function leadq._flag_visits(p_visits uuid[])
returns void
language plpgsql
set enable_seqscan = off set jit = off  -- see README.md, Plans
as $$
begin
    -- Flags what looks invented in the days of the advisors whose visits
    -- these are, by the rules of visit_rule: so a visit may be flagged by
    -- one that comes after it.  A flag stays, but for those that are a share
    -- of the day, which hold as long as the share does.  A repeat changes
    -- nothing.  It punishes nobody: a day has at most some hundred visits, a
    -- person looks at them.  Called by the rule "visit" when a visit is
    -- over.
    perform leadq._put_flags(array(
        select distinct d.visit_id
          from leadq.visit v
          join leadq.visit d using (advisor_id, day)
         where v.visit_id = any (p_visits)));
end
$$;


create or replace function leadq._put_flags(p_day uuid[])
returns void
language plpgsql
as $$
declare
    v_rules jsonb := (select jsonb_object_agg(r.name, r.max)
                        from leadq.visit_rule r
                       where r.enabled);
begin
    -- The same for all visits of some advisors' days.
    with sign as materialized (
        select * from leadq._signs_of_day(p_day, v_rules)
         union all
        select * from leadq._signs_of_numbers(p_day, v_rules)
         union all
        select * from leadq._signs_of_others(p_day, v_rules)
    ), gone as (
        delete from leadq.visit_flag f
         where f.visit_id = any (p_day)
           and f.rule in ('unproved', 'unverified')
           and not exists (select from sign s
                            where s.visit_id = f.visit_id
                              and s.rule = f.rule)
    )
    insert into leadq.visit_flag (visit_id, rule, day, advisor_id, at)
    select v.visit_id, s.rule, v.day, v.advisor_id, leadq.now()
      from sign s
      join leadq.visit v using (visit_id)
     order by v.visit_id, s.rule
    on conflict do nothing;
end
$$;


create or replace function leadq._flag_late(p_contact bigint, p_visit uuid)
returns void
language plpgsql
set enable_seqscan = off set jit = off  -- see README.md, Plans
as $$
declare
    c_days constant integer := 30;
begin
    -- Something was heard of a person, or of a number, after his visit was
    -- judged: a check of identity that failed, a code that did not arrive.
    -- Flags the visit, or the contact's visits of thirty days; either may be
    -- null.  A repeat changes nothing.  Called when such news are settled.
    insert into leadq.visit_flag (visit_id, rule, day, advisor_id, at)
    select v.visit_id, s.rule, v.day, v.advisor_id, leadq.now()
      from leadq._signs_of_others(array(
               select v.visit_id
                 from leadq.visit v
                where v.visit_id = p_visit
                union
               select v.visit_id
                 from leadq.visit v
                where v.contact_id = p_contact
                  and v.opened_at > leadq.now()
                                    - make_interval(days => c_days)),
               (select jsonb_object_agg(r.name, r.max)
                  from leadq.visit_rule r
                 where r.enabled)) s
      join leadq.visit v using (visit_id)
     where v.ended_at is not null
     order by v.visit_id, s.rule
    on conflict do nothing;
end
$$;


create or replace function leadq._minutes_outside(p_at timestamp,
    p_opens time, p_closes time)
returns numeric
language sql immutable
as $$
    -- How far a time of a clock is from the hours of a point, which may sell
    -- over midnight; 0 within them.
    select case when case when p_opens < p_closes
                     then p_at::time >= p_opens and p_at::time < p_closes
                     else p_at::time >= p_opens or p_at::time < p_closes end
           then 0
           else least(
               mod(1440 + extract(epoch from p_opens) / 60
                   - extract(epoch from p_at::time) / 60, 1440),
               mod(1440 + extract(epoch from p_at::time) / 60
                   - mod(extract(epoch from p_closes) / 60, 1440), 1440))
           end
$$;


create or replace function leadq._signs_of_day(p_day uuid[], p_rules jsonb)
returns table (visit_id uuid, rule text)
language sql stable
as $$
    -- What the hours and the outcomes of visits tell.  Nobody is told apart
    -- by who was too young: such a visit is none that could be proved.
    with visit as (
        select v.visit_id, v.advisor_id, v.day, v.opened_at, v.device,
               v.ended_at is not null and v.age <> 'unproved' as counts,
               v.ended_at is not null and v.age <> 'unproved'
               and coalesce(v.verification_id, v.redemption_id) is null
                   as unproved,
               leadq._minutes_outside(v.opened_at at time zone p.time_zone,
                   p.opens, p.closes) as outside,
               (select extract(epoch from o.closed_at - v.opened_at) / 60
                  from leadq.verification o
                 where o.verification_id = v.verification_id) as proof,
               count(*) over (partition by v.advisor_id, v.day
                   order by v.opened_at range between current row
                       and interval '5 min' following) as crowd
          from leadq.visit v
          join leadq.point p using (point_id)
         where v.visit_id = any (p_day)
    ), day as (
        select v.*,
               max(v.crowd) over (partition by v.advisor_id, v.day
                   order by v.opened_at range between interval '5 min'
                       preceding and current row) as burst,
               count(*) over (partition by v.advisor_id, v.day, v.device)
                   as same_device,
               count(*) filter (where v.counts) over of_day as counted,
               count(*) filter (where v.unproved) over of_day as missing
          from visit v
        window of_day as (partition by v.advisor_id, v.day)
    )
    select d.visit_id, s.rule
      from day d
     cross join lateral (values
           ('after-hours', d.outside),
           ('slow-proof', d.proof),
           ('burst', d.burst),
           ('one-device', case when d.device is not null
                          then d.same_device end),
           ('unproved', case when d.unproved and d.counted >= 20
                        then 100.0 * d.missing / d.counted end))
           s (rule, found)
     where s.found > (p_rules ->> s.rule)::numeric
$$;


create or replace function leadq._signs_of_numbers(p_day uuid[],
    p_rules jsonb)
returns table (visit_id uuid, rule text)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    v_near bigint := coalesce((p_rules ->> 'sequential')::bigint, 0);
    v_many integer := (p_rules ->> 'repeated')::integer;
    v_share numeric := (p_rules ->> 'unverified')::numeric;
begin
    -- What the numbers tell that an advisor typed on a day, proved or not.
    -- Two within one visit are a mistake and its mend.  Numbers live for
    -- thirty days.
    return query
        with typed as materialized (
            select t.visit_id, v.advisor_id, v.day, t.phone,
                   substr(t.phone, 2)::bigint as number, t.state,
                   max(t.created_at) over (partition by v.advisor_id, v.day)
                       as until
              from leadq.visit v
              join leadq.verification t using (visit_id)
             where v.visit_id = any (p_day)
               and v.ended_at is not null
               and t.phone is not null
        ), near as (
            select t.visit_id,
                   count(*) over (partition by t.advisor_id, t.day
                       order by t.number range between v_near preceding
                       and v_near following exclude group)
                   > count(*) over (partition by t.advisor_id, t.day,
                         t.visit_id
                         order by t.number range between v_near preceding
                         and v_near following exclude group)
                   or leadq._is_made_up(t.phone) as holds
              from typed t
             where p_rules ? 'sequential'
        )
        select distinct n.visit_id, 'sequential'
          from near n
         where n.holds
         union all
        select distinct t.visit_id, 'repeated'
          from typed t
         where (select count(distinct o.visit_id)
                  from leadq.verification o
                 where o.phone = t.phone
                   and o.created_at between t.until - interval '30 days'
                       and t.until) > v_many
         union all
        select t.visit_id, 'unverified'
          from (select t.*,
                       count(*) over of_day as n,
                       count(*) filter (where not t.proved) over of_day
                           as missing
                  from (select t.visit_id, t.advisor_id, t.day,
                               bool_or(t.state = 'verified') as proved
                          from typed t
                         group by t.visit_id, t.advisor_id, t.day) t
                window of_day as (partition by t.advisor_id, t.day)) t
         where not t.proved
           and t.n >= 20
           and 100.0 * t.missing / t.n > v_share;
end
$$;


create or replace function leadq._is_made_up(p_phone text)
returns boolean
language sql immutable
as $$
    -- Whether the last six digits are one, or count up or down.
    select right(p_phone, 6) ~ '^(.)\1*$'
        or strpos('01234567890', right(p_phone, 6)) > 0
        or strpos('09876543210', right(p_phone, 6)) > 0
$$;


create or replace function leadq._signs_of_others(p_visits uuid[],
    p_rules jsonb)
returns table (visit_id uuid, rule text)
language sql stable
as $$
    -- What others tell: those who check identities, and gateways whose codes
    -- did not reach a number by any way.
    select s.visit_id, s.rule
      from (select v.visit_id, 'identity' as rule, count(*) as found
              from leadq.visit v
              join leadq.identity_check i using (contact_id)
             where v.visit_id = any (p_visits)
               and i.state = 'failed'
             group by v.visit_id
             union all
            select t.visit_id, 'dead-number', count(*)
              from leadq.verification t
              join leadq.verification_send s using (verification_id)
             where t.visit_id = any (p_visits)
               and s.state in ('undelivered', 'expired', 'rejected')
               and t.state <> 'verified'
               and t.delivered_at is null
             group by t.visit_id) s
     where s.found > (p_rules ->> s.rule)::numeric
$$;
