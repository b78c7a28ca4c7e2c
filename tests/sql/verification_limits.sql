-- What a verification may cost: the limits that a profile has by itself, each
-- at its number (threats 1 to 11), and what a client learns of them.
\i tests/sql/setup.sql

select leadq.config_import('{"gateways": [
    {"name": "sms", "channel": "sms", "url": "https://sms/", "price": 2.5},
    {"name": "robots", "channel": "captcha", "url": "https://captcha/"}],
  "verifications": [
    {"name": "landing", "captcha": "robots", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]},
    {"name": "bare", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]},
    {"name": "four", "digits": 4, "captcha": "robots", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]},
    {"name": "desk", "kind": "desk", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]},
    {"name": "dear", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}],
     "limits": [{"name": "money", "by": "spend", "max": 10, "per": "1 day"},
                {"name": "trial", "by": "session", "max": 1, "per": "1 day", "mode": "record"}]}]}'::jsonb);

create temp table run (id uuid, status integer, type text, blocked text);
-- n starts at once; n of them, "%s" in a value is the number of it.
create function pg_temp.start(p_profile text, p_n integer, p_phone text, p_session text, p_ip text, p_more jsonb default '{}')
returns text language plpgsql as $$
begin
    delete from run;
    with sent as (
        select r.n, gen_random_uuid() as id, (jsonb_build_object('profile', p_profile, 'consent_pd', true,
                  'phone', format(p_phone, lpad(r.n::text, 4, '0')), '$session', format(p_session, r.n), 'ip', format(p_ip, r.n % 250)) || p_more)::text as request
          from generate_series(1, p_n) r (n)
    )
    insert into run select s.id, a.status, replace(a.body::jsonb ->> 'type', 'urn:leadq:problem:', '')
      from (select array_agg(id order by n) i, array_agg(request order by n) r from sent) x, leadq.web_otp_start(i, r) a
      join sent s using (n);
    update run set blocked = v.blocked_by from leadq.verification v where v.verification_id = run.id;
    return (select string_agg(concat_ws(' ', n, status, type, blocked), ', ' order by status, n desc, type)
              from (select count(*) n, status, type, blocked from run group by 2, 3, 4) g);
end $$;
create function pg_temp.wrong(p_times integer) returns text language sql as $$
    select string_agg(status::text, ' ' order by status) from (
        select distinct c.status from run cross join generate_series(1, p_times)
         cross join lateral leadq.web_otp_check(array[gen_random_uuid()], array[jsonb_build_object('id', run.id, '$session', 's', 'code', '{}'::jsonb)::text]) c) d
$$;
create function pg_temp.codes() returns bigint language sql as $$ select count(*) from leadq.verification_send where state <> 'cancelled' $$;
create temp table before (n bigint);

-- 7: a victim's phone.
select is(pg_temp.start('landing', 100, '+79160000001', 's%s', '10.0.0.%s'), '98 202 open, 2 202', '7: of a hundred starts at once two send, and all look alike');
select leadq.shift_time('6 min');
select is(pg_temp.start('landing', 100, '+79160000001', 's%s', '10.0.1.%s'), '99 202 phone-hour, 1 202', 'a third within the hour');
select leadq.shift_time('53 min');
select is(pg_temp.start('landing', 1, '+79160000001', 'z', '10.0.2.1'), '1 202 phone-hour', 'and no more, whenever');
select leadq.shift_time('2 min');
select is(pg_temp.start('landing', 3, '+79160000001', 'y%s', '10.0.2.1'), '2 202, 1 202 phone-hour', 'and two when the first two are an hour old');
select leadq.shift_time('2 hours');
select is(pg_temp.start('landing', 1, '+79160000001', 'z', '10.0.2.1'), '1 202 phone-day', 'five a day');
select is((select count(distinct (leadq._verification_document(v)::jsonb - 'id' - 'phone_masked' - 'state')) from leadq.verification v join run on id = verification_id), 1::bigint);

-- 10: who asks learns nothing.
select pg_temp.start('bare', 1, '+79160000001', 'q1', '10.5.0.1');
create temp table open_one as select leadq._verification_document(v)::jsonb - 'id' as d from leadq.verification v join run on id = verification_id;
update leadq.verification v set blocked_by = 'test' from run where id = verification_id;
select is(leadq._verification_document(v)::jsonb - 'id' - 'state', d - 'state', '10: blocked and not blocked are the same') from leadq.verification v join run on id = verification_id, open_one;

-- 5, 6: pumping.
select is(pg_temp.start('landing', 9, '+7%s100001', 'p%s', '10.1.0.1'), '5 202, 4 429 captcha-required', '5: an address has five in ten minutes, then a captcha');
select leadq.shift_time('50 min');
select is(pg_temp.start('landing', 3, '+7%s101001', 'p%s', '10.1.0.1'), '3 202', 'and eight numbers an hour');
select is(pg_temp.start('landing', 1, '+79161029999', 'p', '10.1.0.1'), '1 429 captcha-required', '5: the ninth number is one too many');
truncate before; insert into before select pg_temp.codes();
select pg_temp.start('bare', 1000, '+7916120%s', 'p%s', '10.2.%s.1');
select is(pg_temp.codes() - n, 5::bigint, '6: a thousand addresses, one prefix: five codes an hour') from before;
select leadq.shift_time('1 day');
truncate before; insert into before select pg_temp.codes();
select pg_temp.start('bare', 1, '+79161300001', 'p1', '10.2.1.1');
update leadq.verification v set code_mac = sha256('x'), check_key = 1, state = 'sent' from run where id = verification_id;
select is((select c.status from run, leadq.web_otp_check(array[gen_random_uuid()], array[jsonb_build_object('id', id, '$session', 'p1', 'code', jsonb_build_object('1', encode(sha256('x'), 'hex')))::text]) c), 200);
select pg_temp.start('bare', 20, '+7916130%s', 'p%s', '10.3.%s.1') from generate_series(1, 1);
select is(pg_temp.codes() - n, 6::bigint, 'a number that was verified gives back what it took') from before;

-- 3: guessing over many codes.
create function pg_temp.guess(p_profile text, p_starts integer, p_checks integer) returns text language plpgsql as $$
declare v text := '';
begin
    for i in 1 .. p_starts loop
        perform pg_temp.start(p_profile, 1, '+79169000001', 's', '10.9.0.1', '{"advisor": "a"}');
        update leadq.verification w set code_mac = sha256('x'), check_key = 1, state = 'sent' from run where id = verification_id;
        for j in 1 .. p_checks loop v := v || left(pg_temp.wrong(1), 3) || ' '; end loop;
        update leadq.verification w set closed_at = leadq.now(), state = 'cancelled', code_mac = null from run where id = verification_id and closed_at is null;
        perform leadq.shift_time('21 min');
    end loop;
    return rtrim(v);
end $$;
select is(pg_temp.guess('four', 4, 3), '422 422 422 422 422 422 422 422 422 422 410 410', '3: ten wrong checks of a number a day, the eleventh is not looked at');
select is((select count(*) from leadq.verification where cardinality(checked) > 0 and profile_id = (select profile_id from leadq.profile where name = 'four')), 4::bigint);
select is((select sum(checks) from leadq.verification where profile_id = (select profile_id from leadq.profile where name = 'four')), 10::bigint, 'exactly ten were evaluated');
select is(pg_temp.start('four', 1, '+79169000001', 'n', '10.9.9.9'), '1 202 wrong-day', 'and nothing is sent to it for a day');

-- 8: its owner still verifies at the desk.
select is(pg_temp.start('desk', 1, '+79169000001', 'till', '10.9.9.9', '{"advisor": "anna"}'), '1 202', '8: nobody can lock a number''s owner out at the desk');

-- 4: one guess each over many numbers.
do $$
begin
    for i in 1 .. 301 loop
        insert into leadq.verification (verification_id, profile_id, phone, session, lang, digits, max_checks, seed, created_at, expires_at, state)
        select gen_random_uuid(), profile_id, '+7917' || lpad(i::text, 7, '0'), sha256('s'), 'ru', 4, 5, uuid_send(gen_random_uuid()), leadq.now(), leadq.now() + interval '5 min', 'sent'
          from leadq.profile where name = 'four';
    end loop;
end $$;
delete from run; insert into run select verification_id from leadq.verification where phone like '+7917%';
select is(pg_temp.wrong(1), '422', '4: one wrong code each of 301 numbers');
select is(pg_temp.start('four', 1, '+79180000001', 'new', '10.11.0.1'), '1 429 captcha-required', 'and everybody has to show that he is no robot');
select is(pg_temp.start('four', 1, '+79180000001', 'new', '10.11.0.1', '{"captcha_token": "solved"}'), '1 202', 'who does is served');

-- Advisors.
select is(pg_temp.start('desk', 60, '+7919%s000', 's', '10.12.0.1', '{"advisor": "boris"}'), '40 202, 20 429 too-many-requests', 'an advisor has forty an hour, and is told');
select is((select max(headers) ~ '^Retry-After: [0-9]+$' from leadq.web_otp_start(array[gen_random_uuid()], array['{"profile": "desk", "consent_pd": true, "phone": "+79190000001", "$session": "s", "advisor": "boris"}'])), true, 'when to come back');

-- Money, and limits that only look.
select is(pg_temp.start('dear', 1, '+79200000001', 's', '10.13.0.1'), '1 202');
select leadq._sent(send_id, '{}') from leadq.verification_send join run on id = verification_id;
select is(pg_temp.start('dear', 1, '+79200000002', 's', '10.13.0.1'), '1 202', 'a limit that only looks refuses nobody');
select is((select n from leadq.limit_denied join leadq.profile_limit using (limit_id) where name = 'trial'), 1::bigint, 'and is counted');
select leadq._sent(send_id, '{}') from leadq.verification_send join run on id = verification_id;
select pg_temp.start('dear', 1, '+79200000003', 's', '10.13.0.1');
select leadq._sent(send_id, '{}') from leadq.verification_send join run on id = verification_id;
select pg_temp.start('dear', 1, '+79200000004', 's', '10.13.0.1');
select leadq._sent(send_id, '{}') from leadq.verification_send join run on id = verification_id;
select is(pg_temp.start('dear', 1, '+79200000005', 's', '10.13.0.1'), '1 429 too-many-requests', 'ten roubles are four codes of two and a half');

-- IPv6 counts by its /64.
select is(leadq._net('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
select is(leadq._net('10.0.0.1'), '10.0.0.1');
select is(leadq._net('unix:'), null);

select * from finish();
rollback;
