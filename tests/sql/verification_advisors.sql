-- Advisors who invent numbers and guess codes (threats 20 and 21): the share
-- of wrong codes among those that they typed, and one number again and again.
\i tests/sql/setup.sql

select leadq.config_import('{"gateways": [{"name": "sms", "channel": "sms", "url": "https://sms/"}],
  "verifications": [
    {"name": "desk", "kind": "desk", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}]}'::jsonb);

create function pg_temp.start(p_advisor text, p_phone text) returns text language sql as $$
    select a.status || coalesce(' ' || replace(a.body::jsonb ->> 'type', 'urn:leadq:problem:', ''), '')
      from leadq.web_otp_start(array[gen_random_uuid()], array[jsonb_build_object('profile', 'desk', 'consent_pd', true, 'phone', p_phone,
             '$session', p_advisor || p_phone, 'ip', '10.0.0.1', 'advisor', p_advisor)::text]) a
$$;
-- Types codes for a number that was begun, and ends it: p_wrong wrong ones, then perhaps the right one.
create function pg_temp.typed(p_advisor text, p_phone text, p_wrong integer, p_right boolean) returns text language plpgsql as $$
declare
    v_id uuid;
    v_mac jsonb;
    v_status text := '';
begin
    select verification_id into v_id from leadq.verification where advisor = p_advisor and phone = p_phone and closed_at is null;
    update leadq.verification set code_mac = sha256('x'), check_key = 1, state = 'sent' where verification_id = v_id;
    for i in 1 .. p_wrong + p_right::integer loop
        v_mac := case when i > p_wrong then jsonb_build_object('1', encode(sha256('x'), 'hex')) else '{}' end;
        v_status := v_status || ' ' || c.status from leadq.web_otp_check(array[gen_random_uuid()], array[jsonb_build_object('id', v_id,
                        '$session', p_advisor || p_phone, 'code', v_mac)::text]) c;
    end loop;
    update leadq.verification set closed_at = leadq.now(), state = 'cancelled', code_mac = null where verification_id = v_id and closed_at is null;
    return trim(v_status);
end $$;
-- As many visitors as there are digits, each with so many wrong codes; upper case: and no right one.
create function pg_temp.visitors(p_advisor text, p_from integer, p_wrong text, p_right boolean) returns void language plpgsql as $$
declare
    v_phone text;
begin
    for i in 1 .. length(p_wrong) loop
        v_phone := '+79' || lpad(((p_from + i) * 10007)::text, 9, '0');
        perform pg_temp.start(p_advisor, v_phone);
        perform pg_temp.typed(p_advisor, v_phone, substr(p_wrong, i, 1)::integer, p_right);
    end loop;
end $$;
create function pg_temp.denied() returns text language sql as $$
    select coalesce(string_agg(name || ' ' || mode || ' ' || denied, ', ' order by name), '') from leadq.limit_report where subject in ('wrong_ratio', 'advisor_phone')
$$;

-- 21: wrong codes.
select pg_temp.visitors('anna', 100, '00000000000000', true), pg_temp.visitors('anna', 200, '222', false);
select is((select checks || ' ' || wrong || ' ' || wrong_percent from leadq.advisor_checks where advisor = 'anna'), '20 6 30', 'six wrong codes of twenty');
select is(pg_temp.start('anna', '+79270000001'), '202', 'are 30 percent, which is nobody''s business');
select is(pg_temp.denied(), '');
select is(pg_temp.typed('anna', '+79270000001', 1, false), '422');
select is(pg_temp.start('anna', '+79270000002'), '202', '21: one more, and she goes on');
select is(pg_temp.denied(), 'wrong-ratio record 1', 'but it is told');

select pg_temp.visitors('boris', 300, '0000000', true), pg_temp.visitors('boris', 400, '333', false);
select is((select checks || ' ' || wrong from leadq.advisor_checks where advisor = 'boris'), '16 9');
select pg_temp.visitors('boris', 500, '12', false);
select is(pg_temp.start('boris', '+79270000003'), '202', 'twelve of nineteen are 63 percent, and too few to tell');
select is(pg_temp.typed('boris', '+79270000003', 0, true), '200');
select is((select checks || ' ' || wrong from leadq.advisor_checks where advisor = 'boris'), '20 12', 'with twelve of twenty');
select is(pg_temp.start('boris', '+79270000004'), '202', 'he is told of, but works: 60 percent');
select is(pg_temp.typed('boris', '+79270000004', 1, false), '422');
select is((select wrong_percent from leadq.advisor_checks where advisor = 'boris'), 62::numeric);
select is(pg_temp.start('boris', '+79270000005'), '429 too-many-requests', '21: over 60 percent he is suspended');
select is(pg_temp.start('anna', '+79270000006'), '202', 'and nobody else');
select is(pg_temp.denied(), 'wrong-ratio record 4, wrong-ratio-stop enforce 1', 'each time is counted');
select matches((select headers from leadq.web_otp_start(array[gen_random_uuid()], array['{"profile": "desk", "consent_pd": true, "phone": "+79270000007", "$session": "s", "advisor": "boris"}'])),
    '^Retry-After: 8[0-9]{4}$', 'for a day');

select is(leadq.lift_advisor('boris'), 2, 'somebody has looked, and lifts it');
select is(leadq.lift_advisor('nobody'), 0);
select is(pg_temp.start('boris', '+79270000008'), '202', 'he goes on');
select leadq.shift_time('1 min');
select leadq.maintain();
select pg_temp.visitors('boris', 600, '3333333', false);
select is(pg_temp.start('boris', '+79270000009'), '429 too-many-requests', 'what he typed since counts');
select leadq.shift_time('25 hours');
select leadq.maintain();
select is(pg_temp.start('boris', '+79270000009'), '202', 'the next day is a new one');

-- 20: whose number it is.
select is(pg_temp.start('anna', '+79280000001'), '202');
select is(pg_temp.typed('anna', '+79280000001', 0, true), '200');
select leadq.shift_time('2 days');
select is(pg_temp.start('boris', '+79280000001'), '202', 'a number with another advisor');
select is((select count(*) from leadq.limit_report where name = 'advisor-phone'), 0::bigint, 'is nothing to tell');
select pg_temp.typed('boris', '+79280000001', 0, false);
select is(pg_temp.start('anna', '+79280000001'), '202', '20: with the same one twice within thirty days');
select is((select denied from leadq.limit_report where name = 'advisor-phone'), 1::bigint, 'is told');
select pg_temp.typed('anna', '+79280000001', 0, false);
select leadq.shift_time('29 days');
select pg_temp.start('anna', '+79280000001');
select is((select sum(denied) from leadq.limit_report where name = 'advisor-phone'), 1::numeric, 'and a month later no more');

select * from finish();
rollback;
