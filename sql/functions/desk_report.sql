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
    v_tables jsonb;
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
    v_tables := leadq._desk_tables(v_period.day_from, v_period.day_to, v_unit,
        case when p_point is not null
        then array(select p.point_id from leadq.point p
                    where p.name = p_point) end,
        case when p_advisor is not null
        then array(select a.advisor_id from leadq.advisor a
                    where a.name = p_advisor) end,
        p_flags);

    return jsonb_build_object('from', v_period.day_from,
            'to', v_period.day_to, 'zone', v_period.zone, 'unit', v_unit,
            'point', p_point, 'advisor', p_advisor,
            'made_at', to_char(leadq.now() at time zone 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'programmes', case when p_point is null and p_advisor is null
                then leadq._programmes_report(v_period.day_from,
                                              v_period.day_to)
                else '[]' end)
        || v_tables - 'suspects'
        || case when p_flags
           then jsonb_build_object('suspects',
                    leadq._suspects_report(v_tables -> 'suspects'))
           else '{}' end;
end
$$;


create or replace function leadq._desk_rows(p_from date, p_to date)
returns setof leadq.desk_day
language plpgsql stable
as $$
declare
    v_through date := (select c.through from leadq.desk_counted c);
begin
    -- Days that are over as they were counted once, the others as they are.
    return query
        select d.*
          from leadq.desk_day d
         where d.day between p_from and least(p_to, v_through);

    if p_to > v_through then
        return query
            select d.*
              from leadq.desk_counts(greatest(p_from, v_through + 1),
                                     p_to) d;
    end if;
end
$$;


create or replace function leadq._desk_tables(p_from date, p_to date,
    p_unit text, p_points integer[], p_advisors integer[], p_flags boolean)
returns jsonb
language plpgsql stable
as $$
declare
    c_rows_max constant integer := 500;
    c_suspects_max constant integer := 20;
    v_least integer := (select r.max from leadq.visit_rule r
                         where r.name = 'score' and r.enabled);
    v_result jsonb;
begin
    -- The tables of report_desk from one reading of the days.  null: of all
    -- points, of all advisors.
    with counted as materialized (
        select d.*, date_trunc(p_unit, d.day)::date as unit,
               d.visits >= 5
               and 100 * d.suspicion / d.visits >= v_least as shown
          from leadq._desk_rows(p_from, p_to) d
         where (p_points is null or d.point_id = any (p_points))
           and (p_advisors is null or d.advisor_id = any (p_advisors))
    ), part as (
        select d.unit, d.point_id, d.advisor_id, sum(d.visits) as visits,
               sum(d.tests) as tests, sum(d.sales) as sales,
               sum(d.underage) as underage, sum(d.verified) as verified,
               sum(d.refused) as refused, sum(d.activations) as activations,
               sum(d.trials) as trials, sum(d.redemptions) as redemptions,
               sum(d.rolled_back) as rolled_back, sum(d.rewards) as rewards,
               sum(d.flagged) as flagged, sum(d.suspicion) as suspicion,
               count(*) filter (where d.shown) as shown
          from counted d
         group by d.unit, d.point_id, d.advisor_id
    ), total as materialized (
        select grouping(p.unit, p.point_id, p.advisor_id) as level, p.unit,
               p.point_id, p.advisor_id, sum(p.visits) as n,
               jsonb_build_object('visits', coalesce(sum(p.visits), 0),
                   'tests', coalesce(sum(p.tests), 0),
                   'sales', coalesce(sum(p.sales), 0),
                   'underage', coalesce(sum(p.underage), 0),
                   'verified', coalesce(sum(p.verified), 0),
                   'refused', coalesce(sum(p.refused), 0),
                   'activations', coalesce(sum(p.activations), 0),
                   'trials', coalesce(sum(p.trials), 0),
                   'redemptions', coalesce(sum(p.redemptions), 0),
                   'rolled_back', coalesce(sum(p.rolled_back), 0),
                   'rewards', coalesce(sum(p.rewards), 0))
               || case when p_flags then jsonb_build_object(
                   'flagged', coalesce(sum(p.flagged), 0),
                   'shown', coalesce(sum(p.shown), 0),
                   'score', round((100 * sum(p.suspicion)
                       / nullif(sum(p.visits), 0))::numeric, 1))
                  else '{}' end as figures
          from part p
         group by grouping sets ((), (p.unit), (p.point_id),
                                 (p.point_id, p.advisor_id))
    ), suspect as (
        select d.*, 100 * d.suspicion / d.visits as score
          from counted d
         where p_flags
           and d.flagged > 0
           and d.visits > 0
         order by d.shown desc nulls last, d.suspicion / d.visits desc,
                  d.day desc
         limit c_suspects_max
    )
    select jsonb_build_object(
        'totals', (select t.figures from total t where t.level = 7),
        'days', (
            select coalesce(jsonb_agg(t.figures || jsonb_build_object('day',
                       t.unit) order by t.unit), '[]')
              from total t where t.level = 3),
        'points', (
            select coalesce(jsonb_agg(t.figures || jsonb_build_object(
                       'point', p.name, 'title', p.title)
                       order by t.n desc, p.name), '[]')
              from (select * from total o where o.level = 5
                     order by o.n desc, o.point_id limit c_rows_max) t
              join leadq.point p using (point_id)),
        'advisors', (
            select coalesce(jsonb_agg(t.figures || jsonb_build_object(
                       'advisor', a.name, 'title', a.title, 'point', p.name)
                       order by t.n desc, a.name, p.name), '[]')
              from (select * from total o where o.level = 4
                     order by o.n desc, o.advisor_id limit c_rows_max) t
              join leadq.point p using (point_id)
              join leadq.advisor a using (advisor_id)),
        'suspects', (
            select coalesce(jsonb_agg(jsonb_build_object('day', s.day,
                       'point_id', s.point_id, 'advisor_id', s.advisor_id,
                       'visits', s.visits, 'flagged', s.flagged,
                       'score', round(s.score::numeric, 1),
                       'shown', coalesce(s.shown, false))
                       order by s.shown desc nulls last, s.score desc,
                                s.day desc), '[]')
              from suspect s)) into v_result;

    return v_result;
end
$$;


create or replace function leadq._suspects_report(p_suspects jsonb)
returns jsonb
language plpgsql stable
as $$
declare
    c_visits_max constant integer := 40;
begin
    -- Names, and the visits behind the flags, at most 40 of a day, to the
    -- days of advisors.
    return (
        select coalesce(jsonb_agg(s.item - array['point_id', 'advisor_id']
                   || jsonb_build_object('point', p.name,
                      'advisor', a.name, 'title', a.title, 'flags', f.list)
                   order by s.n), '[]')
          from jsonb_array_elements(p_suspects) with ordinality s (item, n)
          join leadq.point p on p.point_id = (s.item ->> 'point_id')::integer
          join leadq.advisor a
            on a.advisor_id = (s.item ->> 'advisor_id')::integer
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
                     where o.day = (s.item ->> 'day')::date
                       and o.advisor_id = a.advisor_id
                       and v.point_id = p.point_id
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
            body := leadq._promo_forbidden();
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
