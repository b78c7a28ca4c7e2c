-- The funnel: what the report says of letters, leads and money is what was
-- put in (M-24, M-25), and it says it of the period that was asked for.
\i tests/sql/setup.sql

-- Ten people of source cpa: 5 confirm by letter 1, 2 by letter 2, 1 by
-- letter 3, one never, one address does not exist; a duplicate besides.
create temp table person (n integer primary key, email text, lead uuid);

insert into person
select n, 'p' || n || '@cpa.ru', pg_temp.lead(jsonb_build_object(
           'email', 'p' || n || '@cpa.ru', 'click_id', 'c' || n))
  from generate_series(1, 9) n;
select pg_temp.work();
insert into person values (10, 'gone@cpa.ru', pg_temp.lead('{"email": "gone@cpa.ru", "click_id": "c10"}'));
select pg_temp.work('dead', '{"smtp": 550, "class": "hard"}');
select pg_temp.lead('{"email": "p1@cpa.ru", "click_id": "c11"}');
select pg_temp.confirm('p' || n || '@cpa.ru', 1) from generate_series(1, 5) n;
select leadq.shift_time('2 days');
select pg_temp.work();
select pg_temp.confirm('p' || n || '@cpa.ru', 2) from generate_series(6, 7) n;
select leadq.shift_time('5 days');
select pg_temp.work();
select pg_temp.confirm('p8@cpa.ru', 3);
select leadq.shift_time('2 days');
select pg_temp.work();

select is(f.*::text, e.line, 'letter ' || e.step || ' of the funnel')
  from (values (1, '(cpa,three,1,doi-1,0,10,9,1,1,0,,,5,62.5)'),
               (2, '(cpa,three,2,doi-2,0,4,4,0,0,0,,,2,25.0)'),
               (3, '(cpa,three,3,doi-3,0,2,2,0,0,0,,,1,12.5)')) e (step, line)
  left join leadq.funnel f using (step);
select is((select sum(share) from leadq.funnel), 100.0, 'shares are shares of one whole');
select is((select d::text from leadq.report_leads('-infinity', 'infinity') d), '(cpa,11,0,8,2,1,8,1200.00,)', 'leads by what became of them, and the money');
select is((select string_agg(reason || ' ' || leads, ', ') from leadq.report_reasons('-infinity', 'infinity')), 'duplicate 1, hard_bounce 1, not_confirmed 1', 'rejections by reason');

-- Periods and time zones.
select is((select count(*) from leadq.report_letters('-infinity', leadq.now() - interval '10 days')), 0::bigint, 'nobody came before');
select is((select sum(confirmed)::integer from leadq.report_letters(leadq.now() - interval '10 days', leadq.now() - interval '8 days')), 8, 'people count when they came, not when they confirmed');
select is(leadq.report_funnel(null, null, 'Europe/Moscow') ->> 'zone', 'Europe/Moscow', 'days are those of a time zone');
select is(leadq.report_funnel(null, null, 'Mars/Olympus') ->> 'zone', 'UTC', 'an unknown one is UTC');
select is((leadq.report_funnel(null, null) ->> 'to')::date - (leadq.report_funnel(null, null) ->> 'from')::date, 29, 'thirty days when nobody says');
select is(leadq.report_funnel('2026-01-01', '2026-12-31') ->> 'unit', 'week', 'a year is shown by weeks');
select is((select sum((d ->> 'approved')::integer + (d ->> 'rejected')::integer + (d ->> 'expired')::integer + (d ->> 'pending')::integer)::integer from jsonb_array_elements(leadq.report_funnel(null, null) -> 'days') d), 11, 'every lead is in its day');
select is(jsonb_path_query_array(leadq.report_funnel(null, null), '$.sources[*].letters[*].confirmed'), '[5, 2, 1]', 'the document has the letters of each source');

-- What the page asks.
create function pg_temp.ask(p_request jsonb) returns text language sql as $$
    select status || ' ' || coalesce(body::jsonb #>> '{sources,0,approved}', body::jsonb ->> 'title', '') from leadq.web_report_funnel(array[gen_random_uuid()], array[p_request::text]) $$;
select is(pg_temp.ask('{}'), '200 8', 'the page gets the report');
select is(pg_temp.ask('{"from": "2026-02-02", "to": "2026-02-01"}'), '422 The period ends before it begins', 'a period needs an order');
select is(strpos(leadq.report_funnel(null, null)::text, '@'), 0, 'no address is in it');

set local role leadq_read;
select count(*) as read from leadq.funnel \gset
reset role;
select is(:read, 3, 'readers may read it');

select * from finish();
rollback;
