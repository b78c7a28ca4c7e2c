-- What the report of points counts, on which day, and who may see it.
\i tests/sql/setup.sql

select leadq.config_import('{
  "points": [{"name": "mega", "title": "Mega"}, {"name": "far", "time_zone": "Asia/Vladivostok"}],
  "advisors": [{"name": "anna", "title": "Anna", "point": "mega"}, {"name": "boris", "point": "mega"}, {"name": "gleb", "point": "far"},
               {"name": "olga", "role": "supervisor", "point": "mega"}, {"name": "lev", "role": "supervisor"}, {"name": "brand", "role": "brand"}],
  "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %"}, {"name": "trial", "kind": "trial", "discount": "10 %"}]}'::jsonb);
update leadq.programme set discount_cost = 100, reward_cost = 500 where name = 'friends';

-- Noon of Moscow so many days from the day on which the test begins.
create temp table began as select (leadq.now() at time zone 'Europe/Moscow')::date as d;
select leadq.shift_time((d::timestamp + interval '12 hours') at time zone 'Europe/Moscow' - leadq.now()) from began;
create function pg_temp.visit(p_advisor text, p_outcome text, p_proved boolean default true, p_at timestamptz default leadq.now()) returns uuid language sql as $$
    insert into leadq.visit (visit_id, point_id, advisor_id, day, opened_at, age, consent_pd, consent_ads, lang, ended_at, outcome, verification_id, refusal)
    select gen_random_uuid(), point_id, advisor_id, (p_at at time zone time_zone)::date, p_at, case when p_outcome is null then 'unproved' else 'sure' end, false, false, 'ru',
           p_at + interval '5 min', coalesce(p_outcome, 'left'), case when p_proved then gen_random_uuid() end, case when not p_proved then 'phone' end
      from leadq.advisor a join leadq.point p using (point_id) where a.name = p_advisor
    returning visit_id $$;
create function pg_temp.contact() returns bigint language sql as $$ insert into leadq.contact (created_at) values (leadq.now()) returning contact_id $$;
create function pg_temp.code(p_visit uuid, p_programme text, p_owner bigint, p_code text) returns bigint language sql as $$
    insert into leadq.promo_code (programme_id, code, owner_id, max_uses, starts_at, expires_at, visit_id, issue_point_id, issue_advisor_id)
    select programme_id, p_code, p_owner, max_uses, leadq.now(), leadq.now() + life, visit_id, point_id, advisor_id from leadq.programme, leadq.visit where visit_id = p_visit and name = p_programme returning code_id $$;
-- A sale by a code, as a till makes it; its redemption.
create function pg_temp.sale(p_code bigint, p_contact bigint, p_advisor text) returns uuid language plpgsql as $$
declare r leadq.redemption; c leadq.promo_code; g leadq.programme;
begin
    insert into leadq.redemption (redemption_id, code_id, contact_id, point_id, advisor_id, state, created_at, redeemed_at, chain)
    select gen_random_uuid(), p_code, p_contact, a.point_id, a.advisor_id, 'redeemed', leadq.now(), leadq.now(), leadq._chain_of(o.owner_id)
      from leadq.advisor a, leadq.promo_code o where a.name = p_advisor and o.code_id = p_code returning * into r;
    update leadq.promo_code set used = used + 1 where code_id = p_code returning * into c;
    select * into g from leadq.programme where programme_id = c.programme_id;
    perform leadq._redeemed(r, c, g);
    return r.redemption_id;
end $$;
create function pg_temp.figures(p jsonb) returns text language sql as $$
    select concat_ws(' ', p ->> 'visits', p ->> 'tests', p ->> 'sales', p ->> 'underage', p ->> 'verified', p ->> 'refused', p ->> 'activations', p ->> 'trials',
        p ->> 'redemptions', p ->> 'rolled_back', p ->> 'rewards') $$;
create function pg_temp.day(p_day integer, p_point text default null, p_advisor text default null) returns text language sql as $$
    select pg_temp.figures(leadq.report_desk(d + p_day, d + p_day, 'UTC', p_point, p_advisor) -> 'totals') from began $$;

-- Day 0: a buyer joins, somebody tries, one refuses, one is too young.
create temp table t as select pg_temp.visit('anna', 'purchase') buyer, pg_temp.visit('anna', 'test') trier, pg_temp.visit('boris', 'left', false) shy,
    pg_temp.visit('boris', null, false) child, pg_temp.contact() owner, pg_temp.contact() friend, pg_temp.contact() other;
alter table t add code bigint; alter table t add code2 bigint; alter table t add sale uuid;
update t set code = pg_temp.code(buyer, 'friends', owner, '22222222222A');
select pg_temp.code(trier, 'trial', friend, '33333333333A') from t;
select is(pg_temp.day(0), '4 1 1 1 2 2 1 1 0 0 0', 'visits, tests, sales, underage, verified, refused, activations, trials');
select is(pg_temp.day(0, 'mega', 'boris'), '2 0 0 1 0 2 0 0 0 0 0', 'of an advisor');
select is(pg_temp.day(0, 'far'), '0 0 0 0 0 0 0 0 0 0 0', 'of another point');
select is(pg_temp.day(0, 'nowhere'), '0 0 0 0 0 0 0 0 0 0 0', 'of none that there is');

-- In Vladivostok it is another day already when it is evening in Moscow.
select pg_temp.visit('gleb', 'test', true, leadq.now() + interval '8 hours');
select is(pg_temp.day(0, 'far') || ', ' || pg_temp.day(1, 'far'), '0 0 0 0 0 0 0 0 0 0 0, 1 1 0 0 1 0 0 0 0 0 0', 'a day is that of the point''s clock');

-- Day 1: friends come; the third earns the gift; one sale is taken back on day 2.
select leadq.shift_time('1 day');
update t set sale = pg_temp.sale(code, friend, 'anna');
select pg_temp.sale(code, other, 'anna') from t;
update t set code2 = pg_temp.code(pg_temp.visit('anna', 'purchase'), 'friends', friend, '44444444444A');
select pg_temp.sale(code2, pg_temp.contact(), 'gleb') from t;
select pg_temp.sale(code, pg_temp.contact(), 'boris') from t;
select leadq.shift_time('1 day');
select leadq._roll_back(gen_random_uuid(), jsonb_build_object('id', sale, 'advisor', 'olga', 'reason', 'refund')) from t;
select is(pg_temp.day(1, 'mega'), '1 0 1 0 1 0 1 0 3 0 1', 'a sale and the gift that it earned count where and when it was made');
select is(pg_temp.day(1, null, 'boris'), '0 0 0 0 0 0 0 0 1 0 1', 'the gift is the third one''s');
select is(pg_temp.day(2), '0 0 0 0 0 0 0 0 0 1 0', 'a roll-back is of its own day');

-- Days that are over are counted once and for all.
create temp table before as select leadq.report_desk(d, d + 10) - 'made_at' as report, (select sum(visits + redemptions * 10 + rewards * 100) from leadq.desk_report) as of_view from began;
select is((select count(*) from leadq.desk_day), 0::bigint, 'nothing is over yet');
select leadq.shift_time('3 days 12 hours');
select leadq.maintain();
select is((select string_agg((x.day - d) || ' ' || p.name || ' ' || a.name || ' ' || visits || ' ' || redemptions, ', ' order by day, a.name)
             from leadq.desk_day x join leadq.point p using (point_id) join leadq.advisor a using (advisor_id), began),
    '0 mega anna 2 0, 0 mega boris 2 0, 1 mega anna 1 2, 1 mega boris 0 1, 1 far gleb 1 1, 2 mega anna 0 0', 'they are, three days later');
select is((select leadq.report_desk(d, d + 10) - 'made_at' from began), report, 'the report says the same as before') from before;
select is((select sum(visits + redemptions * 10 + rewards * 100) from leadq.desk_report), of_view, 'and so does the view') from before;
select pg_temp.visit('anna', 'test', true, d::timestamptz) from began;
select leadq.maintain();
select is((select leadq.report_desk(d, d + 10) - 'made_at' from began), report, 'a day that is over does not change') from before;
select is((select through - d from leadq.desk_counted, began), 2, 'counted through the third day before today');

-- Programmes.
select is((select string_agg(concat_ws(' ', programme, codes, redemptions, buyers, longest, rewards, cost), ', ' order by programme)
             from (select programme, sum(codes) codes, sum(redemptions) redemptions, sum(buyers) buyers, max(longest_chain) longest, sum(rewards) rewards, sum(cost) cost from leadq.programme_effect group by 1) e),
    'friends 2 4 3 2 1 800.0000, trial 1 0 0 0 0 0.0000', 'programmes by month: chains, gifts, costs');
select is((select concat_ws(' ', p ->> 'k_factor', p ->> 'longest_chain', p ->> 'mean_chain', p ->> 'cost', p ->> 'cost_per_buyer') from began, jsonb_array_elements(leadq.report_desk(d, d + 5) -> 'programmes') p where p ->> 'programme' = 'friends'),
    '1.50 2 1.25 800.0000 266.67', 'in the report with the k-factor and what a buyer costs');

-- Who sees what.
create function pg_temp.ask(p_who text, p_more jsonb default '{}') returns jsonb language sql as $$
    select coalesce(body::jsonb, '{}') || jsonb_build_object('status', status) from began, leadq.web_desk_report(array[gen_random_uuid()],
        array[(jsonb_build_object('advisor', p_who, 'from', d, 'to', d + 3) || p_more)::text]) $$;
create function pg_temp.seen(p jsonb) returns text language sql as $$
    select (p ->> 'status') || ' ' || coalesce((select string_agg(a ->> 'advisor', ',' order by a ->> 'advisor') from jsonb_array_elements(p -> 'advisors') a), '') $$;
select is(pg_temp.seen(pg_temp.ask('brand')), '200 anna,boris,gleb', 'the brand sees all');
select is(pg_temp.seen(pg_temp.ask('lev')), '200 anna,boris,gleb', 'a supervisor of all points, too');
select is(pg_temp.seen(pg_temp.ask('olga')), '200 anna,boris', 'one of a point his own');
select is(pg_temp.seen(pg_temp.ask('olga', '{"point": "far"}')), '200 anna,boris', 'whatever he asks for');
select is(pg_temp.seen(pg_temp.ask('olga', '{"of": "boris"}')), '200 boris', 'or one of his people');
select is(pg_temp.seen(pg_temp.ask('anna', '{"of": "boris"}')), '200 anna', 'an advisor himself');
select is(pg_temp.ask('anna') ? 'suspects' or pg_temp.ask('anna') -> 'totals' ? 'score', false, 'who is not told what looks invented');
select is(pg_temp.seen(pg_temp.ask('nobody')), '403 ', 'nobody nothing');
select is(pg_temp.ask('brand', '{"to": "2001-01-01"}') ->> 'status', '422', 'a period has an order');

-- A reader has the views and no table behind them.
set local role leadq_read;
select is((select sum(visits) from leadq.desk_report) || ' ' || (select count(*) from leadq.visit_list) || ' ' || (select count(*) from leadq.advisor_score) || ' ' || (select count(*) from leadq.visit_flag_list)
    || ' ' || (select sum(buyers) from leadq.programme_effect), '6 7 4 0 3', 'views for reports of one''s own');
select throws_ok('select from leadq.visit', '42501');
reset role;

-- Flags that come late; a score.
select leadq.shift_time('36 hours');
create temp table f as select array(select pg_temp.visit('anna', 'test') from generate_series(1, 4)) ids, pg_temp.contact() contact, pg_temp.visit('anna', 'test') id;
update leadq.visit set contact_id = contact from f where visit_id = id;
select leadq._flag_visits(ids || id) from f;
select is((select concat_ws(' ', visits, flagged, score, shown) from leadq.advisor_score where day = (leadq.now() at time zone 'Europe/Moscow')::date and advisor = 'anna'), '5 5 40.0 t', 'five within five minutes are a burst');
select leadq.config_import('{"gateways": [{"name": "idx", "channel": "sms", "url": "https://idx/"}]}'::jsonb);
insert into leadq.identity_check (contact_id, gateway_id, visit_id, state, created_at, due_at) select contact, gateway_id, id, 'queued', leadq.now(), leadq.now() from f, leadq.gateway;
select leadq._end_identity(check_id, 'failed', 'under-age', null) from leadq.identity_check;
select leadq._flag_late(contact, null), leadq._flag_late(contact, id) from f;
select is((select string_agg(rule, ',' order by rule) from leadq.visit_flag_list join f on id = visit_id), 'burst,identity', 'a check that failed afterwards is a flag, once');
select is((select score from leadq.advisor_score where day = (leadq.now() at time zone 'Europe/Moscow')::date), 46.0, 'a visit is as suspicious as its flags are unlikely to be all wrong: (4 * 0.4 + 0.7) / 5');
select is((select s ->> 'score' || ' ' || jsonb_array_length(s -> 'flags') from jsonb_array_elements(leadq.report_desk(null, null, 'Europe/Moscow') -> 'suspects') s), '46.0 5', 'the report shows the visits behind it');
select leadq.config_import('{"visit_rules": [{"name": "burst", "enabled": false}, {"name": "score", "max": 20}]}'::jsonb);
select is((select concat_ws(' ', flagged, score, shown) from leadq.advisor_score where day = (leadq.now() at time zone 'Europe/Moscow')::date), '1 10.0 f', 'a rule that is off weighs nothing');
select is((select array_to_string(flags, ',') from leadq.visit_list join f on id = visit_id), 'burst,identity', 'though what it has found is not forgotten');

-- Hours, over midnight, too.
select is((select string_agg(leadq._minutes_outside(t::timestamp, o, c)::integer::text, ' ' order by n) from (values (1, '2026-01-01 09:50', time '10:00', time '22:00'), (2, '2026-01-01 22:00', '10:00', '22:00'),
    (3, '2026-01-01 22:30', '10:00', '22:00'), (4, '2026-01-01 15:00', '10:00', '22:00'), (5, '2026-01-01 01:00', '18:00', '02:00'), (6, '2026-01-01 02:20', '18:00', '02:00'),
    (7, '2026-01-01 23:59', '09:30', '24:00'), (8, '2026-01-01 00:15', '09:30', '24:00')) h (n, t, o, c)), '10 0 30 0 0 20 0 15', 'minutes outside the hours of a point');

select * from finish();
rollback;
