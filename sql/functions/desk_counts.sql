create or replace function leadq.desk_counts(p_from date, p_to date)
returns setof leadq.desk_day
language plpgsql stable
security definer set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_since timestamptz;
    v_until timestamptz;
begin
    -- What happened at points on the days from p_from to p_to, by day,
    -- point and advisor, each thing on the day of its own event by the
    -- point's clock: a visit when it began, a code when it was issued, to
    -- the visit's point and advisor, a sale by a code and the gift that it
    -- earned when it was made, its roll-back when that was.  So a day that
    -- is over does not change any more.  Figures alone.  Called by
    -- maintain() for days that are over, and for those that are not by
    -- reports and the views desk_report and advisor_score.
    select b.since, b.until into v_since, v_until
      from leadq._desk_bounds(p_from, p_to) b;

    return query
        select c.day, c.point_id, c.advisor_id, sum(c.visits)::integer,
               sum(c.tests)::integer, sum(c.sales)::integer,
               sum(c.underage)::integer, sum(c.verified)::integer,
               sum(c.refused)::integer, sum(c.activations)::integer,
               sum(c.trials)::integer, sum(c.redemptions)::integer,
               sum(c.rolled_back)::integer, sum(c.rewards)::integer,
               sum(c.flagged)::integer, sum(c.suspicion)
          from (select * from leadq._count_visits(p_from, p_to)
                 union all
                select * from leadq._count_flags(p_from, p_to)
                 union all
                select * from leadq._count_codes(p_from, p_to, v_since,
                                                 v_until)
                 union all
                select * from leadq._count_sales(p_from, p_to, v_since,
                                                 v_until)) c
         group by c.day, c.point_id, c.advisor_id;
end
$$;


create or replace function leadq._desk_bounds(p_from date, p_to date,
    out since timestamptz, out until timestamptz)
language sql stable
as $$
    -- When the first of some days begins at any point, and the last ends.
    select min(p_from::timestamp at time zone p.time_zone),
           max((p_to + 1)::timestamp at time zone p.time_zone)
      from leadq.point p
$$;


create or replace function leadq._count_visits(p_from date, p_to date)
returns setof leadq.desk_day
language plpgsql stable
as $$
begin
    return query
        select v.day, v.point_id, v.advisor_id, count(*)::integer,
               count(*) filter (where v.outcome = 'test')::integer,
               count(*) filter (where v.outcome = 'purchase')::integer,
               count(*) filter (where v.age = 'unproved')::integer,
               count(coalesce(v.verification_id, v.redemption_id))::integer,
               count(v.refusal)::integer,
               0, 0, 0, 0, 0, 0, 0::double precision
          from leadq.visit v
         where v.day between p_from and p_to
         group by v.day, v.point_id, v.advisor_id;
end
$$;


create or replace function leadq._count_flags(p_from date, p_to date)
returns setof leadq.desk_day
language plpgsql stable
as $$
begin
    -- How suspicious a visit is: how sure it is that not all of its flags
    -- are wrong, 1 - (1 - weight) (1 - weight) ...
    return query
        select f.day, v.point_id, f.advisor_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               0, count(*)::integer, sum(f.suspicion)
          from (select g.day, g.advisor_id, g.visit_id,
                       1 - exp(sum(ln(greatest(1 - r.weight / 100.0, 1e-6)
                                      ::double precision))) as suspicion
                  from leadq.visit_flag g
                  join leadq.visit_rule r on r.name = g.rule
                 where g.day between p_from and p_to
                   and r.enabled
                 group by g.day, g.advisor_id, g.visit_id) f
          join leadq.visit v using (visit_id)
         group by f.day, v.point_id, f.advisor_id;
end
$$;


create or replace function leadq._count_codes(p_from date, p_to date,
    p_since timestamptz, p_until timestamptz)
returns setof leadq.desk_day
language plpgsql stable
as $$
begin
    return query
        select d.day, c.issue_point_id, c.issue_advisor_id, 0, 0, 0, 0, 0, 0,
               count(*) filter (where g.kind = 'referral')::integer,
               count(*) filter (where g.kind = 'trial')::integer,
               0, 0, 0, 0, 0::double precision
          from leadq.promo_code c
          join leadq.point p on p.point_id = c.issue_point_id
          join leadq.programme g using (programme_id)
         cross join lateral (
            select (c.starts_at at time zone p.time_zone)::date) d (day)
         where c.visit_id is not null
           and c.starts_at >= p_since
           and c.starts_at < p_until
           and d.day between p_from and p_to
         group by d.day, c.issue_point_id, c.issue_advisor_id;
end
$$;


create or replace function leadq._count_sales(p_from date, p_to date,
    p_since timestamptz, p_until timestamptz)
returns setof leadq.desk_day
language plpgsql stable
as $$
begin
    return query
        select d.day, r.point_id, r.advisor_id, 0, 0, 0, 0, 0, 0, 0, 0,
               count(*)::integer, 0, count(w.reward_id)::integer, 0,
               0::double precision
          from leadq.redemption r
          join leadq.point p using (point_id)
          left join leadq.reward w using (redemption_id)
         cross join lateral (
            select (r.redeemed_at at time zone p.time_zone)::date) d (day)
         where r.redeemed_at >= p_since
           and r.redeemed_at < p_until
           and d.day between p_from and p_to
         group by d.day, r.point_id, r.advisor_id;

    return query
        select d.day, r.point_id, r.advisor_id, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               count(*)::integer, 0, 0, 0::double precision
          from leadq.redemption r
          join leadq.point p using (point_id)
         cross join lateral (
            select (r.closed_at at time zone p.time_zone)::date) d (day)
         where r.state = 'rolled_back'
           and r.closed_at >= p_since
           and r.closed_at < p_until
           and d.day between p_from and p_to
         group by d.day, r.point_id, r.advisor_id;
end
$$;


create or replace function leadq.programme_counts(p_from date, p_to date)
returns setof leadq.programme_day
language plpgsql stable
security definer set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_since timestamptz;
    v_until timestamptz;
begin
    -- The same by day and programme, of a point's clock where there is a
    -- point, else of UTC.  Called as desk_counts, by the view
    -- programme_effect.
    select b.since, b.until into v_since, v_until
      from leadq._desk_bounds(p_from, p_to) b;

    return query
        select c.day, c.programme_id, sum(c.codes)::integer,
               sum(c.redemptions)::integer, sum(c.rolled_back)::integer,
               sum(c.rewards)::integer, sum(c.links)::integer,
               max(c.longest), sum(c.messages)::integer,
               sum(c.sms_cost)::numeric(12, 4)
          from (select * from leadq._count_issued(p_from, p_to, v_since,
                                                  v_until)
                 union all
                select * from leadq._count_uses(p_from, p_to, v_since,
                                                v_until)) c
         group by c.day, c.programme_id;
end
$$;


create or replace function leadq._count_issued(p_from date, p_to date,
    p_since timestamptz, p_until timestamptz)
returns setof leadq.programme_day
language plpgsql stable
as $$
begin
    -- Codes that visits and batches made, and messages about them.
    return query
        select d.day, c.programme_id, count(*)::integer, 0, 0, 0, 0, 0, 0,
               0::numeric(12, 4)
          from leadq.promo_code c
          join leadq.point p on p.point_id = c.issue_point_id
         cross join lateral (
            select (c.starts_at at time zone p.time_zone)::date) d (day)
         where c.visit_id is not null
           and c.starts_at >= p_since
           and c.starts_at < p_until
           and d.day between p_from and p_to
         group by d.day, c.programme_id;

    return query
        select d.day, b.programme_id, sum(b.codes)::integer, 0, 0, 0, 0, 0,
               0, 0::numeric(12, 4)
          from leadq.promo_batch b
         cross join lateral (
            select (b.created_at at time zone 'UTC')::date) d (day)
         where d.day between p_from and p_to
         group by d.day, b.programme_id;

    return query
        select d.day, c.programme_id, 0, 0, 0, 0, 0, 0, count(*)::integer,
               sum(s.cost)::numeric(12, 4)
          from leadq.sms s
          join leadq.promo_code c using (code_id)
         cross join lateral (
            select (s.handed_at at time zone s.zone)::date) d (day)
         where s.handed_at >= p_since
           and s.handed_at < p_until
           and d.day between p_from and p_to
         group by d.day, c.programme_id;
end
$$;


create or replace function leadq._count_uses(p_from date, p_to date,
    p_since timestamptz, p_until timestamptz)
returns setof leadq.programme_day
language plpgsql stable
as $$
begin
    return query
        select d.day, c.programme_id, 0, count(*)::integer, 0,
               count(w.reward_id)::integer,
               sum(coalesce(r.chain, 1))::integer,
               max(coalesce(r.chain, 1))::integer, 0, 0::numeric(12, 4)
          from leadq.redemption r
          join leadq.promo_code c using (code_id)
          join leadq.point p using (point_id)
          left join leadq.reward w using (redemption_id)
         cross join lateral (
            select (r.redeemed_at at time zone p.time_zone)::date) d (day)
         where r.redeemed_at >= p_since
           and r.redeemed_at < p_until
           and d.day between p_from and p_to
         group by d.day, c.programme_id;

    return query
        select d.day, c.programme_id, 0, 0, count(*)::integer, 0, 0, 0, 0,
               0::numeric(12, 4)
          from leadq.redemption r
          join leadq.promo_code c using (code_id)
          join leadq.point p using (point_id)
         cross join lateral (
            select (r.closed_at at time zone p.time_zone)::date) d (day)
         where r.state = 'rolled_back'
           and r.closed_at >= p_since
           and r.closed_at < p_until
           and d.day between p_from and p_to
         group by d.day, c.programme_id;
end
$$;


create or replace function leadq._roll_desk()
returns void
language plpgsql
as $$
declare
    c_days constant integer := 31;
    v_through date;
    v_over date := (leadq.now() at time zone 'UTC')::date - 3;
    v_to date;
begin
    -- Counts the days that are over everywhere, and whose visits have ended,
    -- once and for all: those before the day before yesterday; a month of
    -- them at a time.  Called by maintain(), one at a time.
    select c.through into v_through from leadq.desk_counted c for update;

    if v_through >= v_over then
        return;
    elsif v_through = '-infinity' then
        select least((select min(v.day) from leadq.visit v),
                     (select min(r.redeemed_at)::date
                        from leadq.redemption r) - 1,
                     (select min(b.created_at)::date
                        from leadq.promo_batch b) - 1,
                     v_over + 1) - 1
          into v_through;
    end if;

    v_to := least(v_through + c_days, v_over);

    insert into leadq.desk_day
    select * from leadq.desk_counts(v_through + 1, v_to)
    on conflict do nothing;

    insert into leadq.programme_day
    select * from leadq.programme_counts(v_through + 1, v_to)
    on conflict do nothing;

    update leadq.desk_counted c set through = greatest(v_to, v_through);
end
$$;
