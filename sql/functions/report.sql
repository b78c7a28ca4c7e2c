create or replace function leadq.report_letters(p_from timestamptz,
    p_to timestamptz)
returns table (source text, series text, step integer, template text,
    waiting bigint, sent bigint, delivered bigint, bounced bigint,
    hard bigint, failed bigint, opened bigint, clicked bigint,
    confirmed bigint, share numeric)
language sql stable
security definer set search_path = pg_catalog, pg_temp
as $$
    -- The funnel by source and letter, of the people whose series began in
    -- [p_from, p_to), whenever a letter left.  sent: a mail server took it
    -- or bounced it; delivered: nothing came back; failed: it could not be
    -- handed over.  opened and clicked are null where the source does not
    -- ask.  confirmed: by the link of this letter; share: of all that were
    -- confirmed by the series, in percent.  Changes nothing.  For
    -- "leadqctl report" and for reports of one's own.
    select s.name, r.name, m.step, p.template,
           count(*) filter (where m.state = 'planned'),
           count(*) filter (where m.left_house),
           count(*) filter (where m.left_house and m.state <> 'bounced'),
           count(*) filter (where m.state = 'bounced'),
           count(*) filter (where m.state = 'bounced' and m.class = 'hard'),
           count(*) filter (where m.state = 'failed'),
           case when s.track_opens or count(m.opened_at) > 0
                then count(m.opened_at) end,
           case when s.track_clicks or bool_or(m.clicked <> '{}')
                then count(*) filter (where m.clicked <> '{}') end,
           count(m.confirmed_at),
           round(100.0 * count(m.confirmed_at)
                 / nullif(sum(count(m.confirmed_at))
                          over (partition by s.name, r.name), 0), 1)
      from leadq.enrolment e
      join (select l.*, l.state not in ('planned', 'failed', 'cancelled')
                        as left_house
              from leadq.message l) m using (enrolment_id)
      join leadq.source s on s.source_id = e.source_id
      join leadq.series r on r.series_id = m.series_id
      left join leadq.step p
        on p.series_id = m.series_id
       and p.step = m.step
     where e.started_at >= p_from
       and e.started_at < p_to
     group by s.name, s.track_opens, s.track_clicks, r.name, m.step,
              p.template
     order by s.name, r.name, m.step
$$;


create or replace function leadq.report_leads(p_from timestamptz,
    p_to timestamptz)
returns table (source text, leads bigint, pending bigint, approved bigint,
    rejected bigint, expired bigint, payable bigint, money numeric,
    currency text)
language sql stable
security definer set search_path = pg_catalog, pg_temp
as $$
    -- What became of the leads that came in [p_from, p_to), by source;
    -- payable are the approved ones that a network is told of, money is
    -- what they cost; null when they are paid in several currencies, which
    -- partner_report keeps apart.  Changes nothing.
    select s.name, count(*),
           count(*) filter (where l.final_at is null),
           count(*) filter (where l.state = 'approved'),
           count(*) filter (where l.state = 'rejected'),
           count(*) filter (where l.state = 'expired'),
           count(*) filter (where l.state = 'approved' and l.reports),
           case when count(distinct l.currency)
                     filter (where l.state = 'approved' and l.reports) <= 1
                then coalesce(sum(l.payout) filter (
                         where l.state = 'approved' and l.reports), 0) end,
           min(l.currency) filter (where l.state = 'approved' and l.reports)
      from leadq.lead l
      join leadq.source s using (source_id)
     where l.received_at >= p_from
       and l.received_at < p_to
     group by s.name
     order by s.name
$$;


create or replace function leadq.report_reasons(p_from timestamptz,
    p_to timestamptz)
returns table (source text, reason text, leads bigint)
language sql stable
security definer set search_path = pg_catalog, pg_temp
as $$
    -- Why leads that came in [p_from, p_to) were rejected or expired, by
    -- source, the most frequent reason first.  Changes nothing.
    select s.name, coalesce(l.reason, 'unknown'), count(*)
      from leadq.lead l
      join leadq.source s using (source_id)
     where l.received_at >= p_from
       and l.received_at < p_to
       and l.state in ('rejected', 'expired')
     group by s.name, 2
     order by s.name, 3 desc, 2
$$;


create or replace function leadq._report_days(p_from timestamptz,
    p_to timestamptz, p_unit text, p_zone text)
returns jsonb
language sql stable
as $$
    -- The leads of each day (week, month) by what became of them.
    select coalesce(jsonb_agg(jsonb_build_object('day', d.day::date,
               'approved', d.approved, 'pending', d.pending,
               'expired', d.expired, 'rejected', d.rejected)
               order by d.day), '[]')
      from (select date_trunc(p_unit, l.received_at at time zone p_zone)
                       as day,
                   count(*) filter (where l.state = 'approved') as approved,
                   count(*) filter (where l.final_at is null) as pending,
                   count(*) filter (where l.state = 'expired') as expired,
                   count(*) filter (where l.state = 'rejected') as rejected
              from leadq.lead l
             where l.received_at >= p_from
               and l.received_at < p_to
             group by 1) d
$$;


create or replace function leadq.report_period(p_from date, p_to date,
    p_zone text default 'UTC', out day_from date, out day_to date,
    out zone text, out since timestamptz, out until timestamptz)
language plpgsql stable
security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- The days from p_from to p_to, both included, in a time zone, as the
    -- reports take them; null: to today, from 29 days before.  A zone that
    -- only a browser knows is UTC: no reason to show nothing.  Raises 22007
    -- when the period ends before it begins.
    zone := case when leadq._is_zone(p_zone) then p_zone else 'UTC' end;
    day_to := coalesce(p_to, (leadq.now() at time zone zone)::date);
    day_from := coalesce(p_from, day_to - 29);

    if day_to < day_from then
        raise exception 'the period ends before it begins'
            using errcode = '22007';
    end if;

    since := day_from::timestamp at time zone zone;
    until := (day_to + 1)::timestamp at time zone zone;
end
$$;


create or replace function leadq.report_funnel(p_from date, p_to date,
    p_zone text default 'UTC')
returns jsonb
language plpgsql stable
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    c_sources_max constant integer := 100;
    v_period record := leadq.report_period(p_from, p_to, p_zone);
    v_days integer := v_period.day_to - v_period.day_from;
    v_unit text := case when v_days > 730 then 'month'
                        when v_days > 92 then 'week' else 'day' end;
begin
    -- The whole funnel report of a period, see report_period.  At most 100
    -- sources, those with the most leads.  Changes nothing.  Called by
    -- leadqctl and web_report_funnel.
    return jsonb_build_object('from', v_period.day_from,
        'to', v_period.day_to, 'zone', v_period.zone, 'unit', v_unit,
        'made_at', to_char(leadq.now() at time zone 'UTC',
                           'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'days', leadq._report_days(v_period.since, v_period.until, v_unit,
                                   v_period.zone),
        'sources', (
            with letters as materialized (
                select l.source, jsonb_agg(to_jsonb(l) - 'source'
                           order by l.series, l.step) as list
                  from leadq.report_letters(v_period.since, v_period.until) l
                 group by l.source
            ), reasons as materialized (
                select r.source, jsonb_agg(to_jsonb(r) - 'source'
                           order by r.leads desc, r.reason) as list
                  from leadq.report_reasons(v_period.since, v_period.until) r
                 group by r.source
            ), sources as (
                select *
                  from leadq.report_leads(v_period.since, v_period.until) d
                 order by d.leads desc, d.source
                 limit c_sources_max
            )
            select coalesce(jsonb_agg(to_jsonb(d) || jsonb_build_object(
                       'letters', coalesce(l.list, '[]'),
                       'reasons', coalesce(r.list, '[]'))
                       order by d.leads desc, d.source), '[]')
              from sources d
              left join letters l using (source)
              left join reasons r using (source)));
end
$$;


create or replace function leadq.web_report_funnel(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
begin
    -- The funnel report for the page of conf/html.  Request: from, to (days,
    -- both may be left out), zone.  Figures alone, no contact: 200, or 422
    -- when the period ends before it begins.  Who may ask is nginx's matter.
    -- Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
    loop
        n := v_row.n;
        headers := null;
        begin
            body := leadq.report_funnel((v_row.request ->> 'from')::date,
                (v_row.request ->> 'to')::date,
                v_row.request ->> 'zone')::text;
            status := 200;
        exception when invalid_datetime_format then
            body := '{"type":"urn:leadq:problem:validation","title":'
                '"The period ends before it begins","status":422}';
            status := 422;
        end;
        return next;
    end loop;
end
$$;
