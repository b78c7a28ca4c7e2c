-- Quiet hours, windows and caps: planned by them, asked again when the
-- letter is handed out, put off and never lost (V-9, A-8).
\i tests/sql/setup.sql

create function pg_temp.open(p_at text, p_from time, p_to time,
    p_zone text default 'Europe/Moscow')
returns text language sql as $$
    select to_char(leadq._open(p_at::timestamptz, p_zone, p_from, p_to)
                   at time zone p_zone, 'DD HH24:MI')
$$;

select is(pg_temp.open('2026-11-10 12:00+03', '10:00', '20:00'), '10 12:00', 'within a window it is now');
select is(pg_temp.open('2026-11-10 09:59+03', '10:00', '20:00'), '10 10:00', 'before it the same day');
select is(pg_temp.open('2026-11-10 20:00+03', '10:00', '20:00'), '11 10:00', 'its end is not in it');
select is(pg_temp.open('2026-11-10 23:00+03', '22:00', '06:00'), '10 23:00', 'a window may go over midnight');
select is(pg_temp.open('2026-11-10 12:00+03', '22:00', '06:00'), '10 22:00', 'and begins in the evening');
select is(pg_temp.open('2026-11-10 12:00+03', '10:00', '20:00', 'Asia/Vladivostok'), '10 19:00', 'by the clock of the zone');
select is(pg_temp.open('2026-03-29 00:30+01', '02:30', '03:30', 'Europe/Berlin'), '29 03:30', 'an hour that summer time skips is the next one');
select is(leadq._open('2026-11-10 12:00+00', 'Nowhere/At_All', '10:00', '20:00'), '2026-11-10 12:00+00', 'a zone that is gone is UTC');

-- Sets the clock of the test to a moment of tomorrow, Moscow's clock.
create function pg_temp.clock(p_time time) returns void language sql as $$
    select leadq.shift_time(
        (((leadq.now() at time zone 'Europe/Moscow')::date + 1 + p_time)
         at time zone 'Europe/Moscow') - leadq.now())
$$;

select leadq.config_import('{
  "limits": {"quiet": [{"channel": "any", "from": "21:00", "to": "09:00"}],
             "caps": [{"channel": "email", "count": 2, "per": "1 day"}, {"channel": "any", "count": 3, "per": "7 days"}]},
  "series": [{"name": "day", "kind": "promo", "window": {"from": "10:00", "to": "20:00"}, "steps": [{"template": "doi-1"}]}],
  "triggers": [
    {"name": "now", "event": "shop.now", "action": {"message": "doi-1"}},
    {"name": "info", "event": "shop.info", "class": "service", "action": {"message": "doi-2"}},
    {"name": "day", "event": "shop.day", "action": {"series": "day"}},
    {"name": "next", "event": "shop.next", "window": {"from": "10:00", "to": "20:00", "days": 1}, "class": "service", "action": {"message": "doi-3"}}]}');

create function pg_temp.post(p_event text, p_email text default 'a@x.ru')
returns void language plpgsql as $$
begin
    perform leadq.web_event(array[gen_random_uuid()],
        array[jsonb_build_object('event', p_event, 'email', p_email)::text]);
    perform pg_temp.work();
end
$$;

create function pg_temp.sent(p_trigger text, p_state text default 'sent')
returns bigint language sql as $$
    select count(*) from leadq.message m join leadq.series r using (series_id)
     where r.name in ('trigger.' || p_trigger, p_trigger)
       and m.state = p_state
$$;

create function pg_temp.due(p_trigger text)
returns text language sql as $$
    select to_char(max(m.due_at) at time zone 'Europe/Moscow', 'HH24:MI')
      from leadq.message m join leadq.series r using (series_id)
     where r.name in ('trigger.' || p_trigger, p_trigger)
       and m.state = 'planned'
$$;

select pg_temp.clock('12:00');
select pg_temp.lead('{"email": "a@x.ru", "time_zone": "Not/A Zone"}'), pg_temp.lead('{"email": "b@x.ru", "time_zone": "Asia/Vladivostok"}');
select pg_temp.work();
select pg_temp.confirm('a@x.ru'), pg_temp.confirm('b@x.ru');
select is((select string_agg(coalesce(time_zone, '-'), ' ' order by contact_id) from leadq.contact), '- Asia/Vladivostok', 'a lead brings the time zone of its person, if it is one');

-- Quiet hours.
select pg_temp.clock('22:00');
select pg_temp.post('shop.now'), pg_temp.post('shop.info');
select is(pg_temp.sent('now'), 0::bigint, 'no marketing leaves in the quiet hours');
select is(pg_temp.due('now'), '09:00', 'it waits for the morning');
select is(pg_temp.sent('info'), 1::bigint, 'a service letter leaves');
select pg_temp.post('shop.now', 'b@x.ru');
select is((select due_at at time zone 'Asia/Vladivostok' = date_trunc('day', due_at at time zone 'Asia/Vladivostok') + interval '9 hours' from leadq.message m join leadq.enrolment using (enrolment_id) where email = 'b@x.ru' and m.state = 'planned' and m.occasion > 0), true, 'in the morning of the person');
select pg_temp.clock('09:00');
select pg_temp.work();
select is(pg_temp.sent('now'), 2::bigint, 'and leaves then');

-- At hand-out: a letter that was due by day and is claimed by night.
update leadq.series set marketing = false where name = 'trigger.now';
select pg_temp.clock('22:30');
select leadq.web_event(array[gen_random_uuid()], array['{"event": "shop.now", "email": "a@x.ru"}']);
select leadq.run_rules(10);
update leadq.series set marketing = true where name = 'trigger.now';
select is((select count(*) from leadq.job_ready where kind = 'letter'), 1::bigint, 'a letter is ready at night');
select is((select count(*) from leadq.claim_jobs('w', '{service,bulk}', '{10,10}', '{0,0}', 60)), 0::bigint, 'and is not handed out');
select is(pg_temp.due('now'), '09:00', 'but put off');
select is((select attempt from leadq.job where kind = 'letter' and state = 'scheduled' and run_at < leadq.now() + interval '12 hours'), 0, 'and no attempt is counted');

-- Caps: two a day, three a week.
select pg_temp.clock('12:00');
select pg_temp.work();
select is(pg_temp.sent('now'), 3::bigint, 'within the caps it leaves');
select leadq.web_event(array[gen_random_uuid(), gen_random_uuid()], array['{"event": "shop.now", "email": "a@x.ru"}', '{"event": "shop.now", "email": "a@x.ru"}']);
select pg_temp.work();
select is(pg_temp.sent('now') || ' ' || pg_temp.sent('now', 'planned'), '4 1', 'of two at a time one fills the day');
select is((select due_at - leadq.now() > interval '4 days' from leadq.message where state = 'planned' and occasion > 0), true, 'the week is full as well: the other waits for it');
select pg_temp.post('shop.info');
select is(pg_temp.sent('info'), 2::bigint, 'caps do not hold service letters');
select leadq.shift_time('7 days');
select pg_temp.work();
select is(pg_temp.sent('now') || ' ' || pg_temp.sent('now', 'planned'), '5 0', 'and leaves later: none is lost');

-- A retry has been counted already.
select leadq.web_event(array[gen_random_uuid(), gen_random_uuid()], array['{"event": "shop.now", "email": "b@x.ru"}', '{"event": "shop.now", "email": "b@x.ru"}']);
select pg_temp.clock('15:00');
select leadq.run_rules(10);
create temp table c as select * from leadq.claim_jobs('w', '{service,bulk}', '{10,10}', '{0,0}', 60);
select is((select count(*) from c), 0::bigint, 'it is night in Vladivostok');
select pg_temp.clock('08:00');
select leadq.promote_jobs(10);
insert into c select * from leadq.claim_jobs('w', '{bulk}', '{10}', '{0}', 60);
select is((select count(*) from c), 2::bigint, 'two letters are handed out by day, in the lane bulk');
select leadq.settle_jobs((select array_agg(job_id) from c), (select array_agg(token) from c), array['retry', 'retry'], array['{}', '{}']);
select leadq.shift_time('3 min');
select pg_temp.work();
select is(pg_temp.sent('now'), 7::bigint, 'repeated they are not counted twice');

-- Windows.
select pg_temp.clock('20:30');
select pg_temp.post('shop.day');
select is(pg_temp.due('day'), '10:00', 'a series has a window');
select pg_temp.clock('11:00');
select pg_temp.work();
select is(pg_temp.sent('day'), 1::bigint, 'in which it leaves');
select pg_temp.post('shop.next');
select is((select to_char(run_at at time zone 'Europe/Moscow', 'HH24:MI') || ' ' || ((run_at at time zone 'Europe/Moscow')::date - (leadq.now() at time zone 'Europe/Moscow')::date) from leadq.fired where state = 'planned'), '10:00 1', 'A-8: next day, within the window');

-- What was allowed when it was planned is asked again.
select pg_temp.post('shop.now');
select leadq.shift_time('10 days');
select pg_temp.clock('23:00');
select pg_temp.post('shop.now');
insert into leadq.consent (contact_id, purpose, channel, action, evidence, at) select contact_id, 'ads', 'email', 'withdrawn', 'unsubscribe', leadq.now() from leadq.address where value = 'a@x.ru';
select leadq.shift_time('11 hours');
select pg_temp.work();
select is((select string_agg(m.state || ' ' || e.state, ',') from leadq.message m join leadq.enrolment e using (enrolment_id) join leadq.series r on r.series_id = e.series_id where m.due_at > leadq.now() - interval '12 hours' and r.name = 'trigger.now'), 'cancelled stopped', 'who took the consent back gets nothing that was planned before');

select * from finish();
rollback;
