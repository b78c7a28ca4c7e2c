create or replace function leadq.report_desk(p_from date, p_to date,
    p_zone text default 'UTC', p_point text default null,
    p_advisor text default null, p_flags boolean default true)
returns jsonb
language plpgsql stable
security definer set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_period record := leadq.report_period(p_from, p_to, p_zone);
    v_days integer := v_period.day_to - v_period.day_from;
    v_unit text := case when v_days > 730 then 'month'
                        when v_days > 92 then 'week' else 'day' end;
begin
    -- What happened at points in a period, see report_period (the zone says
    -- what today is; days are of the points' clocks), of one of them, of one
    -- advisor, or of all (null): totals, by day (week, month), by point, by
    -- advisor, the days of advisors that look most invented with the visits
    -- behind their flags (unless p_flags is false), and, of all, what
    -- programmes bring and cost.  At most 500 points and advisors, those with
    -- the most visits.  Figures and ids of visits, nothing of visitors.
    -- Raises 22007 when the period ends before it begins.  Changes nothing.
    -- Called by web_desk_report, and for reports of one's own.
    return jsonb_build_object('from', v_period.day_from,
            'to', v_period.day_to, 'zone', v_period.zone, 'unit', v_unit,
            'point', p_point, 'advisor', p_advisor,
            'made_at', to_char(leadq.now() at time zone 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'programmes', case when p_point is null and p_advisor is null
                then leadq._programmes_report(v_period.day_from,
                                              v_period.day_to)
                else '[]' end)
        || leadq._desk_tables(v_period.day_from, v_period.day_to, v_unit,
            case when p_point is not null
            then array(select p.point_id from leadq.point p
                        where p.name = p_point) end,
            case when p_advisor is not null
            then array(select a.advisor_id from leadq.advisor a
                        where a.name = p_advisor) end,
            p_flags);
end
$$;


create or replace function leadq.is_shown(p_visits integer,
    p_suspicion double precision, p_least integer)
returns boolean
language sql immutable
as $$
    -- Whether somebody should look at an advisor's day: five visits at
    -- least, and a score of p_least or more (null: none is).  Called by
    -- report_desk and advisor_score.
    select p_visits >= 5
           and 100 * p_suspicion / nullif(p_visits, 0) >= p_least
$$;


create or replace function leadq._desk_live(p_from date, p_to date)
returns leadq.desk_day[]
language sql stable
as $$
    -- The days of a period that are not over, as they are now.
    select array(
        select d
          from leadq.desk_counted c
         cross join lateral leadq.desk_counts(greatest(p_from, c.through + 1),
                                              p_to) d
         where p_to > c.through)
$$;


create or replace function leadq._desk_tables(p_from date, p_to date,
    p_unit text, p_points integer[], p_advisors integer[], p_flags boolean)
returns jsonb
language plpgsql stable
as $$
declare
    c_rows_max constant integer := 500;
    v_live leadq.desk_day[] := leadq._desk_live(p_from, p_to);
    v_least integer := (select r.max from leadq.visit_rule r
                         where r.name = 'score' and r.enabled);
begin
    -- The tables of report_desk: days that are over as they were counted
    -- once, the others as they are.  null: of all points, of all advisors.
    return (
        with part as (
            select case p_unit
                   when 'day' then d.day
                   when 'week' then d.day - (d.day - date '2001-01-01') % 7
                   else date_trunc('month', d.day::timestamp)::date end
                       as unit,
                   d.point_id, d.advisor_id,
                   sum(d.visits)::integer as visits,
                   sum(d.tests)::integer as tests,
                   sum(d.sales)::integer as sales,
                   sum(d.underage)::integer as underage,
                   sum(d.verified)::integer as verified,
                   sum(d.refused)::integer as refused,
                   sum(d.activations)::integer as activations,
                   sum(d.trials)::integer as trials,
                   sum(d.redemptions)::integer as redemptions,
                   sum(d.rolled_back)::integer as rolled_back,
                   sum(d.rewards)::integer as rewards,
                   sum(d.flagged)::integer as flagged,
                   sum(d.suspicion) as suspicion,
                   count(*) filter (where leadq.is_shown(d.visits,
                       d.suspicion, v_least))::integer as shown
              from leadq._desk_rows(p_from, p_to, v_live) d
             where (p_points is null or d.point_id = any (p_points))
               and (p_advisors is null or d.advisor_id = any (p_advisors))
             group by 1, d.point_id, d.advisor_id
        ), total as materialized (
            select grouping(p.unit, p.point_id, p.advisor_id) as level,
                   p.unit, p.point_id, p.advisor_id, sum(p.visits) as n,
                   leadq._desk_figures(sum(p.visits), sum(p.tests),
                       sum(p.sales), sum(p.underage), sum(p.verified),
                       sum(p.refused), sum(p.activations), sum(p.trials),
                       sum(p.redemptions), sum(p.rolled_back),
                       sum(p.rewards))
                   || case when p_flags then jsonb_build_object(
                       'flagged', coalesce(sum(p.flagged), 0),
                       'shown', coalesce(sum(p.shown), 0),
                       'score', round((100 * sum(p.suspicion)
                           / nullif(sum(p.visits), 0))::numeric, 1))
                      else '{}' end as figures
              from part p
             group by grouping sets ((), (p.unit), (p.point_id),
                                     (p.point_id, p.advisor_id))
        )
        select jsonb_build_object(
            'totals', (select t.figures from total t where t.level = 7),
            'days', (
                select coalesce(jsonb_agg(t.figures || jsonb_build_object(
                           'day', t.unit) order by t.unit), '[]')
                  from total t where t.level = 3),
            'points', (
                select coalesce(jsonb_agg(t.figures || jsonb_build_object(
                           'point', p.name, 'title', p.title)
                           order by t.n desc, p.name), '[]')
                  from (select * from total o where o.level = 5
                         order by o.n desc, o.point_id
                         limit c_rows_max) t
                  join leadq.point p using (point_id)),
            'advisors', (
                select coalesce(jsonb_agg(t.figures || jsonb_build_object(
                           'advisor', a.name, 'title', a.title,
                           'point', p.name, 'point_title', p.title)
                           order by t.n desc, a.name, p.name), '[]')
                  from (select * from total o where o.level = 4
                         order by o.n desc, o.advisor_id
                         limit c_rows_max) t
                  join leadq.point p using (point_id)
                  join leadq.advisor a using (advisor_id)))
            || case when p_flags then jsonb_build_object('suspects',
                   leadq._suspects_report(p_from, p_to, v_live, p_points,
                                          p_advisors, v_least))
               else '{}' end);
end
$$;


create or replace function leadq._desk_rows(p_from date, p_to date,
    p_live leadq.desk_day[])
returns setof leadq.desk_day
language sql stable
as $$
    -- Days that are over and those that are not; inlined by the planner.
    select d.*
      from leadq.desk_day d
     where d.day between p_from and p_to
       and d.day <= (select c.through from leadq.desk_counted c)
     union all
    select l.* from unnest(p_live) l
$$;


create or replace function leadq._desk_figures(p_visits bigint,
    p_tests bigint, p_sales bigint, p_underage bigint, p_verified bigint,
    p_refused bigint, p_activations bigint, p_trials bigint,
    p_redemptions bigint, p_rolled_back bigint, p_rewards bigint)
returns jsonb
language sql stable  -- as jsonb_build_object is: so it is inlined
as $$
    select jsonb_build_object('visits', coalesce(p_visits, 0),
               'tests', coalesce(p_tests, 0),
               'sales', coalesce(p_sales, 0),
               'underage', coalesce(p_underage, 0),
               'verified', coalesce(p_verified, 0),
               'refused', coalesce(p_refused, 0),
               'activations', coalesce(p_activations, 0),
               'trials', coalesce(p_trials, 0),
               'redemptions', coalesce(p_redemptions, 0),
               'rolled_back', coalesce(p_rolled_back, 0),
               'rewards', coalesce(p_rewards, 0))
$$;


create or replace function leadq._suspects_report(p_from date, p_to date,
    p_live leadq.desk_day[], p_points integer[], p_advisors integer[],
    p_least integer)
returns jsonb
language plpgsql stable
as $$
declare
    c_days_max constant integer := 20;
    c_visits_max constant integer := 40;
begin
    -- The days of advisors that look most invented, those that are shown
    -- first, with the visits behind their flags, at most 40 of a day.
    return (
        select coalesce(jsonb_agg(jsonb_build_object('day', s.day,
                   'point', p.name, 'point_title', p.title,
                   'advisor', a.name, 'title', a.title,
                   'visits', s.visits, 'flagged', s.flagged,
                   'score', round(s.score::numeric, 1), 'shown', s.shown,
                   'flags', f.list)
                   order by s.shown desc, s.score desc, s.day desc), '[]')
          from (select d.*, o.score,
                       coalesce(leadq.is_shown(d.visits, d.suspicion,
                                               p_least), false) as shown
                  from leadq._desk_rows(p_from, p_to, p_live) d
                 cross join lateral (
                    select 100 * d.suspicion / d.visits) o (score)
                 where d.flagged > 0
                   and d.visits > 0
                   and (p_points is null or d.point_id = any (p_points))
                   and (p_advisors is null
                        or d.advisor_id = any (p_advisors))
                 order by shown desc, o.score desc, d.day desc
                 limit c_days_max) s
          join leadq.point p using (point_id)
          join leadq.advisor a using (advisor_id)
         cross join lateral (
            select jsonb_agg(jsonb_build_object('visit', g.visit_id,
                       'at', to_char(g.opened_at at time zone p.time_zone,
                                     'HH24:MI'),
                       'outcome', g.outcome, 'rules', g.rules)
                       order by g.opened_at) as list
              from (select v.visit_id, v.opened_at, v.outcome,
                           array_agg(o.rule order by o.rule) as rules
                      from leadq.visit_flag o
                      join leadq.visit v using (visit_id)
                     where o.day = s.day
                       and o.advisor_id = s.advisor_id
                       and v.point_id = s.point_id
                     group by v.visit_id
                     order by count(*) desc, v.opened_at
                     limit c_visits_max) g) f);
end
$$;


create or replace function leadq._programmes_report(p_from date, p_to date)
returns jsonb
language plpgsql stable
as $$
declare
    v_through date := (select c.through from leadq.desk_counted c);
begin
    -- What programmes brought and cost in a period; see programme_effect.
    return (
        select coalesce(jsonb_agg(jsonb_build_object('programme', p.name,
                   'title', p.title, 'kind', p.kind, 'codes', d.codes,
                   'redemptions', d.redemptions,
                   'rolled_back', d.rolled_back, 'buyers', e.buyers,
                   'k_factor', e.k_factor, 'longest_chain', d.longest,
                   'mean_chain', e.mean_chain, 'rewards', d.rewards,
                   'messages', d.messages, 'cost', e.cost,
                   'cost_per_buyer', e.cost_per_buyer)
                   order by p.kind, p.name), '[]')
          from (select o.programme_id, sum(o.codes) as codes,
                       sum(o.redemptions) as redemptions,
                       sum(o.rolled_back) as rolled_back,
                       sum(o.rewards) as rewards, sum(o.links) as links,
                       max(o.longest) as longest,
                       sum(o.messages) as messages,
                       sum(o.sms_cost) as sms_cost
                  from (select * from leadq.programme_day d
                         where d.day between p_from and least(p_to, v_through)
                         union all
                        select * from leadq.programme_counts(
                            greatest(p_from, v_through + 1), p_to)) o
                 group by o.programme_id) d
          join leadq.programme p using (programme_id)
         cross join lateral leadq.effect_of(p.kind, p.discount_cost,
             p.reward_cost, d.codes, d.redemptions, d.rolled_back, d.rewards,
             d.links, d.sms_cost) e);
end
$$;


create or replace function leadq.effect_of(p_kind text, p_discount numeric,
    p_reward numeric, p_codes bigint, p_redemptions bigint,
    p_rolled_back bigint, p_rewards bigint, p_links bigint, p_sms numeric,
    out buyers bigint, out k_factor numeric, out mean_chain numeric,
    out cost numeric, out cost_per_buyer numeric)
language sql immutable
as $$
    -- What a programme's counts come to.  buyers: sales by its codes less
    -- those that were rolled back; k_factor: buyers brought per buyer who
    -- joined; costs in roubles.  Called by reports and programme_effect.
    select b.n,
           case when p_kind = 'referral'
                then round(b.n / nullif(p_codes, 0)::numeric, 2) end,
           round(p_links / nullif(p_redemptions, 0)::numeric, 2), b.cost,
           case when b.n > 0 then round(b.cost / b.n, 2) end
      from (select p_redemptions - p_rolled_back as n,
                   (p_redemptions - p_rolled_back) * p_discount
                   + p_rewards * p_reward + p_sms as cost) b
$$;


create or replace function leadq.web_desk_report(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
    v_who leadq.advisor;
    v_own text;
begin
    -- The report of points for the page of conf/html.  Request: from, to
    -- (days, both may be left out), zone, point, of (an advisor), advisor
    -- (trusted: who asks).  The brand sees all, a supervisor his point, or
    -- all if he has none, an advisor himself, without flags: he is not taught
    -- what looks invented.  200 with report_desk and who
    -- asks; 403 for who is nobody here; 422 when the period ends before it
    -- begins.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        v_who := leadq._advisor(v_row.request,
                     array['advisor', 'supervisor', 'brand']);
        v_own := (select p.name from leadq.point p
                   where p.point_id = v_who.point_id
                     and v_who.role <> 'brand');

        if v_who is null then
            status := 403;
            body := leadq._forbidden_problem();
            return next;
            continue;
        end if;

        begin
            body := (leadq.report_desk((v_row.request ->> 'from')::date,
                        (v_row.request ->> 'to')::date,
                        v_row.request ->> 'zone',
                        case when v_who.role <> 'advisor'
                        then coalesce(v_own, v_row.request ->> 'point') end,
                        case when v_who.role = 'advisor' then v_who.name
                        else v_row.request ->> 'of' end,
                        v_who.role <> 'advisor')
                || jsonb_build_object('who', jsonb_build_object(
                    'name', v_who.name, 'title', v_who.title,
                    'role', v_who.role, 'point', v_own)))::text;
            status := 200;
        exception when invalid_datetime_format then
            body := leadq._problem('validation',
                'The period ends before it begins', 422, null);
            status := 422;
        end;
        return next;
    end loop;
end
$$;
