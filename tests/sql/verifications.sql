-- One-time codes: what is sent, when, how often, and what counts as right.
\i tests/sql/setup.sql

select leadq.config_import(('{"gateways": [
    {"name": "flash", "channel": "call", "url": "https://flash/?to={digits}", "chooses_code": true, "price": 0.8},
    {"name": "sms", "channel": "sms", "method": "POST", "url": "https://sms/", "sender": "BRAND", "price": 2.5,
     "receipts": {"secret_sha256": "' || encode(sha256('hush'), 'hex') || '", "id": "id"}},
    {"name": "vk", "channel": "messenger", "url": "https://vk/?to={digits}", "poll": {"url": "https://vk/state", "after": "5 s", "every": "7 s"}},
    {"name": "robots", "channel": "captcha", "url": "https://captcha/?t={captcha_token}"}],
  "verifications": [
    {"name": "landing", "host": "brand.ru", "limits": [], "steps": [
      {"gateway": "flash", "timeout": "20 s", "unless_operator": ["MTS"], "window": {"from": "00:00", "to": "23:59:59"}},
      {"gateway": "sms", "text": {"ru": "Код {code}", "en": "Code {code}"}},
      {"gateway": "vk", "text": {"ru": "Код {code}"}}]},
    {"name": "plain", "limits": [], "fallbacks": 1, "steps": [{"gateway": "sms", "text": {"ru": "Код {code}"}}]},
    {"name": "desk", "kind": "desk", "limits": [], "steps": [{"gateway": "sms", "text": {"ru": "Код {code}"}}]}]}')::jsonb);

-- A start as the web tier sends it; status and body.
create function pg_temp.start(p_id uuid, p_phone text, p_more jsonb default '{}')
returns table (status integer, body jsonb) language sql as $$
    select status, body::jsonb from leadq.web_otp_start(array[p_id], array[(
        '{"profile": "landing", "$session": "me", "consent_pd": true, "ip": "10.0.0.1"}'::jsonb
        || jsonb_build_object('phone', p_phone) || p_more)::text])
$$;
create function pg_temp.mac(p_id uuid, p_code text) returns text language sql as $$
    select encode(sha256(convert_to(p_id || ':' || p_code, 'UTF8')), 'hex') $$;
create function pg_temp.check(p_id uuid, p_code text, p_session text default 'me', p_request uuid default gen_random_uuid(), p_key text default '7')
returns text language sql as $$
    select status || coalesce(' ' || (body::jsonb ->> 'checks_left'), '')
      from leadq.web_otp_check(array[p_request], array[jsonb_build_object('id', p_id, '$session', p_session,
           'code', jsonb_build_object(p_key, pg_temp.mac(p_id, p_code)))::text])
$$;
create function pg_temp.resend(p_id uuid, p_more jsonb default '{}') returns integer language sql as $$
    select status from leadq.web_otp_resend(array[gen_random_uuid()],
        array[(jsonb_build_object('id', p_id, '$session', 'me') || p_more)::text]) $$;
create function pg_temp.show(p_id uuid, p_key text) returns text language sql as $$
    select body::jsonb ->> p_key from leadq.web_otp(array[p_id], array[jsonb_build_object('id', p_id, 'method', 'GET', '$session', 'me')::text]) $$;
-- Claims what is due of codes and arms it with a code; which gateways.
create temp table leased (job_id bigint, token uuid, target text, payload jsonb);
create function pg_temp.claim() returns text language plpgsql as $$
begin
    perform leadq.promote_jobs(100);
    perform leadq.run_rules(100);
    delete from leased;
    insert into leased select c.job_id, c.token, c.target, c.payload::jsonb
      from leadq.claim_jobs('t', '{realtime}', '{100}', '{0}', 60, '{}', '{}') c;
    return (select string_agg(target, ' ' order by job_id) from leased);
end $$;
create function pg_temp.arm(p_code text) returns text language sql as $$
    select string_agg(a.armed::text, ' ' order by a.job_id)
      from (select array_agg(job_id) j, array_agg(token) t, array_agg(3::smallint) k, array_agg(7::smallint) c,
                   array_agg(case when not (payload #>> '{code,chosen}')::boolean then pg_temp.mac((payload #>> '{code,id}')::uuid, p_code) end) m,
                   array_agg(1::smallint) s from leased) l, leadq.arm_codes(j, t, k, c, m, s) a
$$;
create function pg_temp.settle(p_outcome text, p_detail jsonb default '{}') returns text language sql as $$
    select string_agg(s.state, ' ') from (select array_agg(job_id) j, array_agg(token) t, array_agg(p_outcome) o, array_agg(p_detail::text) d from leased) l,
        leadq.settle_jobs(j, t, o, d) s
$$;
create function pg_temp.go(p_code text, p_outcome text, p_detail jsonb default '{}') returns text language plpgsql as $$
declare v text := pg_temp.claim();
begin
    perform pg_temp.arm(p_code);
    perform pg_temp.settle(p_outcome, p_detail);
    return v;
end $$;
create function pg_temp.sends(p_id uuid) returns text language sql as $$
    select string_agg(concat_ws(':', g.name, s.state), ' ' order by s.n) from leadq.verification_send s join leadq.gateway g using (gateway_id) where verification_id = p_id $$;

create temp table t as select '00000000-0000-7000-8000-000000000001'::uuid a, '00000000-0000-7000-8000-000000000002'::uuid b,
    '00000000-0000-7000-8000-000000000003'::uuid c, '00000000-0000-7000-8000-000000000004'::uuid d, '00000000-0000-7000-8000-000000000005'::uuid e;

-- The document.
select is((select count(*) from leadq.config_import(leadq.config_export())), 0::bigint, 'what is exported is in force');
select throws_ok($$select leadq.config_import('{"verifications": [{"name": "x", "steps": [{"gateway": "none"}]}]}')$$, 'P0001', 'verifications[0].steps[0].gateway: there is no gateway "none" that sends codes');
select throws_ok($$select leadq.config_import('{"verifications": [{"name": "x", "steps": [{"gateway": "sms", "text": {"en": "{code}"}}]}]}')$$, 'P0001', 'verifications[0].steps[0].text: gateway "sms" sends a text: it needs one');

-- Starting.
select is((select status from t, pg_temp.start(a, '+79160000001', '{"consent_pd": false}')), 422, 'W-9: without the consent nothing is sent');
select is((select status from t, pg_temp.start(a, '+79401234567')), 422, 'a number that is not served is refused');
select is((select status from t, pg_temp.start(a, '+79160000001', '{"profile": "none"}')), 404, 'so is a profile that is not there');
select is((select count(*) from leadq.verification), 0::bigint, 'and nothing is kept');
select is((select status from t, pg_temp.start(a, '+79160000001')), 202, 'a start is taken');
select is((select status from t, pg_temp.start(a, '+79160000001')), 202, 'its repeat has the same answer');
select is((select (status, body ->> 'id')::text from t, pg_temp.start(b, '+79160000001')), (select '(200,' || a || ')' from t), 'a double click gets the one that is open');
select is((select status from t, pg_temp.start(b, '+79160000001', '{"$session": "other"}')), 202, 'another session gets its own: nobody blocks a number');
select is((select body - 'id' from t, pg_temp.start(a, '+79160000001')), '{"state": "queued", "phone_masked": "+7 916 ***-**-01", "code_length": 4, "expires_in": 300, "resend_after": 30, "checks_left": 5, "channel": "call"}', 'it says what there is to know');
select is((select count(*) from leadq.job_ready where kind = 'code'), 2::bigint, 'each is sent once');
select is((select status from t, leadq.web_otp(array[b], array[jsonb_build_object('id', b, 'method', 'DELETE', '$session', 'other')::text])), 204, 'it can be taken back');
select is((select status from t, leadq.web_otp(array[b], array[jsonb_build_object('id', b, 'method', 'DELETE', '$session', 'other')::text])), 204, 'twice');
select is((select status from t, leadq.web_otp(array[a], array[jsonb_build_object('id', a, 'method', 'GET', '$session', 'other')::text])), 404, 'another session sees nothing');

-- Sending.
select is(pg_temp.claim(), 'gateway:flash gateway:flash', 'a worker gets both');
select is((select (payload -> 'code') - 'seed' from leased, t where payload #>> '{code,id}' = a::text), (select jsonb_build_object('id', a, 'key', null, 'text', null, 'chosen', true, 'digits', 6) from t), 'with what it needs for the code');
select is(pg_temp.arm('1'), 'true false', 'what was taken back does not leave');
select is(pg_temp.arm('1'), 'false false', 'nothing is armed twice within a while');
select is(pg_temp.show(a, 'state'), 'sending', 'it is on its way') from t;
select is((select leadq.release_jobs(array_agg(job_id), array_agg(token), array_agg(0)) from leased), 2, 'given back unsent');
select is(pg_temp.claim(), 'gateway:flash gateway:flash', 'it is there again');
select is(pg_temp.arm('1'), 'true false', 'and may leave');
select is((select pg_temp.settle('done', jsonb_build_object('provider_id', 'f1', 'mac', pg_temp.mac(a, '4321'), 'check_key', 7, 'operator', 'Beeline')) from t), 'done done', 'the gateway takes it');
select is(pg_temp.sends(a), 'flash:sent', 'it is sent') from t;
select is((select operator from leadq.phone_operator), 'beeline', 'and the operator is known');

-- Silence, the cascade, the same code.
select leadq.shift_time('21 s');
select is(pg_temp.claim(), 'gateway:sms', 'after the timeout the next step follows');
select is((select payload #>> '{code,text}' from leased), E'Код {code}\n\n@brand.ru #{code}', 'with its text, for Web OTP too');
select is((select payload #>> '{values,sender}' || ' ' || (payload #>> '{values,digits}') || ' ' || (payload #>> '{values,validity}') from leased), 'BRAND 79160000001 279', 'and its values');
select is(pg_temp.arm('123456'), 'true');
select pg_temp.settle('done', '{"provider_id": "s1"}');
select is(pg_temp.show(a, 'code_length') || ' ' || pg_temp.show(a, 'channel'), '6 sms', 'a text has more digits than a call') from t;
select is(pg_temp.resend(a), 429, 'another is too early') from t;
select leadq.shift_time('10 s');
select is(pg_temp.resend(a, '{"channel": "sms"}'), 202, 'then it is not') from t;
select is(pg_temp.claim(), 'gateway:sms');
select is((select payload #>> '{code,key}' from leased), '3', 'W-9: the same code, made of the same key');
select pg_temp.arm('123456'), pg_temp.settle('done', '{"provider_id": "s2"}');

-- Checking.
select is(pg_temp.check(a, '123456', 'other'), '410', 'another session has no code to check') from t;
select is(pg_temp.check(a, '000000'), '422 4', 'a wrong one is counted') from t;
select is((select pg_temp.check(a, '000001', 'me', b) || ', ' || pg_temp.check(a, '000001', 'me', b) from t), '422 3, 422 3', 'a repeat of the request is not');
select is(pg_temp.check(a, '123456', p_key => '8'), '422 2', 'under another key it is wrong') from t;
select is((select pg_temp.check(a, '4321', 'me', c) || ', ' || pg_temp.check(a, '4321', 'me', c) from t), '200, 200', 'the digits of the call are as right, and stay so for the same request');
select is(pg_temp.check(a, '123456'), '410', 'once') from t;
select is((select state || ' ' || (code_mac is null and chosen_mac is null) from leadq.verification, t where verification_id = a), 'verified true', 'its hashes are gone');
select leadq.run_rules(10);
select is((select a.state || ' ' || string_agg(c.purpose || ' ' || c.action || ' ' || c.evidence, ',') from leadq.address a join leadq.consent c using (contact_id) where value = '+79160000001' group by a.state), 'confirmed pd_processing given otp', 'the number is somebody''s, with his consent');
select is((select data - 'seconds' from leadq.event where kind = 'phone.verified'), '{"profile": "landing"}', 'and rules can tell');

-- The result is good once.
create function pg_temp.claim_lead(p_id uuid, p_verification uuid, p_phone text, p_session text default 'me') returns text language sql as $$
    select status || coalesce(' ' || (body::jsonb ->> 'type'), '') from leadq.web_lead(array[p_id], array[jsonb_build_object('source', 'bare', 'phone', p_phone,
        'verification', p_verification, '$session', p_session, 'consent_pd', true)::text]) $$;
select is(pg_temp.claim_lead(b, a, '+79160000002'), '409 urn:leadq:problem:verification-unknown', 'for its number alone') from t;
select is(pg_temp.claim_lead(b, a, '+79160000001', 'other'), '409 urn:leadq:problem:verification-unknown', 'in its session alone') from t;
select is(pg_temp.claim_lead(b, a, '+79160000001'), '202', 'a lead takes it') from t;
select is(pg_temp.claim_lead(b, a, '+79160000001'), '202', 'the same lead again') from t;
select is(pg_temp.claim_lead(c, a, '+79160000001'), '409 urn:leadq:problem:verification-used', 'no second one') from t;
select leadq.run_rules(10);
select is((select state || ' ' || (request ? '$session') from leadq.lead, t where lead_id = b), 'approved false', 'a lead with a verified phone is worth it at once');

-- Wrong to the end; life.
select is((select status from t, pg_temp.start(c, '+79160000003', '{"profile": "desk"}')), 202);
select is(pg_temp.go('1234', 'done'), 'gateway:sms');
select is((select pg_temp.check(c, '1') || ' ' || pg_temp.check(c, '2') || ' ' || pg_temp.check(c, '3', 'me', d) || ' ' || pg_temp.check(c, '3', 'me', d) || ' ' || pg_temp.check(c, '1234') from t), '422 2 422 1 410 410 410', 'three wrong ones lock it, and the right one comes too late');
select is((select status from t, pg_temp.start(d, '+79160000004', '{"profile": "plain"}')), 202);
select is(pg_temp.claim(), 'gateway:sms');
select leadq.shift_time('4 min 1 s');
select is(pg_temp.arm('123456'), 'false', 'a code with less than a minute to live is not sent');
select is(pg_temp.settle('dead', '{"reason": "stale"}'), 'dead');
select is(pg_temp.sends(d), 'sms:cancelled') from t;
select leadq.shift_time('1 min');
select is(pg_temp.check(d, '123456'), '410', 'nor checked when its time is over') from t;
select is(pg_temp.show(d, 'state'), 'expired') from t;
select leadq.maintain();
select is((select state from leadq.verification, t where verification_id = d), 'expired', 'which is written down');

-- Failures.
select is((select status from t, pg_temp.start(d, '+79160000004', '{"profile": "plain", "$session": "x"}')), 202, 'a repeat of an old id is no new one');
select pg_temp.start(e, '+79160000005') from t;
select is(pg_temp.go('123456', 'dead', '{"reason": "status", "http": 403}'), 'gateway:flash');
select is(pg_temp.go('123456', 'retry', '{"reason": "timeout"}'), 'gateway:sms', 'a refusal: the next step at once');
select is(pg_temp.go('123456', 'done', '{"provider_id": "v1"}'), 'gateway:vk', 'nobody knows: the next channel, too');
select is(pg_temp.sends(e), 'flash:failed sms:in_doubt vk:sent') from t;
select leadq.shift_time('26 s');
select is(pg_temp.claim(), 'gateway:vk', 'where there are no receipts, one asks');
select is((select payload #>> '{values,provider_id}' from leased), 'v1');
select pg_temp.settle('done', '{"receipts": [{"state": "sent"}]}');
select leadq.shift_time('8 s');
select is(pg_temp.claim(), 'gateway:vk', 'again');
select pg_temp.settle('done', '{"receipts": [{"state": "undelivered", "error": "unreachable"}]}');
select is(pg_temp.show(e, 'state'), 'sent', 'the doubtful one may have come') from t;
select is(pg_temp.claim(), null, 'two fallbacks are enough');
select pg_temp.start('00000000-0000-7000-8000-000000000006', '+79160000006', '{"profile": "plain"}');
select is(pg_temp.go('123456', 'retry', '{"reason": "timeout"}'), 'gateway:sms');
select is(pg_temp.claim(), null, 'without another channel it waits a while,');
select leadq.shift_time('21 s');
select is(pg_temp.go('123456', 'dead', '{"reason": "status", "http": 400}'), 'gateway:sms', 'then the same again, under the same id');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000006'), 'sms:failed');
select is(pg_temp.show('00000000-0000-7000-8000-000000000006', 'state'), 'failed', 'and that was it');
select leadq.shift_time('10 s');
select is(pg_temp.resend('00000000-0000-7000-8000-000000000006'), 202, 'people may still ask for another');
select is(pg_temp.go('123456', 'done', '{"provider_id": "p1"}'), 'gateway:sms');

-- A worker that dies between the arming and the settling.
select pg_temp.start('00000000-0000-7000-8000-000000000007', '+79160000007');
select is(pg_temp.claim(), 'gateway:flash');
select is(pg_temp.arm('123456'), 'true');
update leadq.job_ready set lease_until = now() - interval '1 s' where kind = 'code';
select is(pg_temp.claim(), 'gateway:flash', 'its lease is taken over');
select is(pg_temp.arm('123456'), 'false', 'but the call may have gone out');
select pg_temp.settle('dead', '{"reason": "stale"}');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000007'), 'flash:in_doubt sms:queued', 'so the next channel is used');
select pg_temp.go('123456', 'done', '{"provider_id": "s7"}');
select is(pg_temp.check('00000000-0000-7000-8000-000000000007', '123456'), '200');
select pg_temp.start('00000000-0000-7000-8000-000000000008', '+79160000008', '{"profile": "desk"}');
select is(pg_temp.claim() || pg_temp.arm('123456'), 'gateway:smstrue');
update leadq.job_ready set lease_until = now() - interval '1 s' where kind = 'code';
select is(pg_temp.claim() || pg_temp.arm('123456'), 'gateway:smsfalse');
select pg_temp.settle('dead', '{"reason": "stale"}');
select is(pg_temp.claim(), null, 'without one');
select leadq.shift_time('21 s');
select is(pg_temp.go('123456', 'done', '{"provider_id": "s8"}'), 'gateway:sms', 'the same goes out again after a while');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000008'), 'sms:sent');

-- A gateway that takes nothing now.
select pg_temp.start('00000000-0000-7000-8000-000000000009', '+79160000009');
select is((select count(*) from leadq.claim_jobs('t', '{realtime}', '{100}', '{0}', 60, '{gateway:flash}', '{30}')), 0::bigint, 'a gateway that is down is avoided');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000009'), 'flash:failed sms:queued', 'and a code does not wait for it');
select is(pg_temp.claim() || ' ' || pg_temp.arm('123456'), 'gateway:sms true');
select is((select leadq.release_jobs(array_agg(job_id), array_agg(token), array_agg(30)) from leased), 1, 'given back for a while');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000009'), 'flash:failed sms:failed vk:queued', 'it goes on as well');
select is((select count(*) from leadq.claim_jobs('t', '{realtime}', '{100}', '{0}', 60, '{gateway:vk}', '{30}')), 0::bigint);
select is(pg_temp.sends('00000000-0000-7000-8000-000000000009'), 'flash:failed sms:failed vk:queued', 'without another way it waits');
select leadq.shift_time('46 s');
select is(pg_temp.go('123456', 'done', '{"provider_id": "v9"}'), 'gateway:vk');
select is(pg_temp.check('00000000-0000-7000-8000-000000000009', '123456'), '200');
select leadq.shift_time('6 s');
select is(pg_temp.go('', 'done', '{"receipts": [{"state": "sent"}]}'), 'gateway:vk', 'what is over is asked about once at most');

-- Receipts.
create function pg_temp.receipt(p_secret text, p_gateway text default 'sms') returns integer language sql as $$
    select status from leadq.web_receipt(array[gen_random_uuid()], array[jsonb_build_object('gateway', p_gateway, 'secret', p_secret, 'receipt', '{"id": "p1"}'::jsonb)::text]) $$;
select is(pg_temp.receipt('wrong') || ' ' || pg_temp.receipt('hush', 'none') || ' ' || pg_temp.receipt('hush', 'vk'), '403 403 403', 'a receipt needs the secret of its gateway');
select is((select count(*) from leadq.receipt), 0::bigint);
select is(pg_temp.receipt('hush'), 200);
select is(pg_temp.claim(), 'receipt');
select pg_temp.settle('done', '{"receipts": [{"id": "p9", "state": "delivered"}]}');
select is(pg_temp.claim(), null, 'one of a send that is not known yet');
select leadq.shift_time('3 s');
select is(pg_temp.claim(), 'receipt', 'is looked at again');
select pg_temp.settle('done', '{"receipts": [{"id": "p1", "state": "delivered"}]}');
select is(pg_temp.show('00000000-0000-7000-8000-000000000006', 'state') || ' ' || (select count(*) from leadq.receipt), 'delivered 0', 'and takes effect');
select is(pg_temp.receipt('hush'), 200);
select pg_temp.claim(), pg_temp.settle('done', '{"receipts": [{"id": "p1", "state": "undelivered"}]}');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000006'), 'sms:failed sms:delivered', 'what is final stays');
select leadq.shift_time('61 s');
select is(pg_temp.claim(), null, 'after a delivery nothing follows by itself');

-- Captchas.
select leadq.config_import('{"verifications": [{"name": "guarded", "captcha": "robots", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}],
  "limits": [{"name": "burst", "by": "ip", "max": 1, "per": "1 hour", "mode": "captcha"}]}]}');
select is((select status from pg_temp.start('00000000-0000-7000-8000-000000000011', '+79160000011', '{"profile": "guarded"}')), 202);
select is(pg_temp.go('1', 'done'), 'gateway:sms');
select is((select status || ' ' || (body ->> 'type') from pg_temp.start('00000000-0000-7000-8000-000000000012', '+79160000012', '{"profile": "guarded"}')), '429 urn:leadq:problem:captcha-required', 'above a soft limit a captcha is wanted');
select is((select status from pg_temp.start('00000000-0000-7000-8000-000000000012', '+79160000012', '{"profile": "guarded", "captcha_token": "x"}')), 202);
select is(pg_temp.claim(), 'gateway:robots', 'which is judged before anything is spent');
select is((select payload #>> '{values,captcha_token}' from leased), 'x');
select pg_temp.settle('done');
select is(pg_temp.go('1', 'done'), 'gateway:sms', 'then the code goes');
select is((select status from pg_temp.start('00000000-0000-7000-8000-000000000013', '+79160000013', '{"profile": "guarded", "captcha_token": "x"}')), 429, 'an answer is good once');
select is((select status from pg_temp.start('00000000-0000-7000-8000-000000000013', '+79160000013', '{"profile": "guarded", "captcha_token": "y"}')), 202);
select is(pg_temp.go('1', 'dead', '{"reason": "no-match"}'), 'gateway:robots');
select is(pg_temp.claim(), null, 'for a wrong one nothing is sent');
select leadq.shift_time('2 s');
select is(pg_temp.show('00000000-0000-7000-8000-000000000013', 'state') || pg_temp.check('00000000-0000-7000-8000-000000000013', '1'), 'sent422 4', 'and nobody can tell');

-- Routes: by operator, by hour.
insert into leadq.phone_operator values ('+79160000021', 'mts', leadq.now());
select pg_temp.start('00000000-0000-7000-8000-000000000021', '+79160000021');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000021'), 'sms:queued', 'no call to an operator where calls do not arrive');
update leadq.profile_step set window_from = (leadq.now() at time zone 'Europe/Moscow')::time + interval '2 hours', window_to = (leadq.now() at time zone 'Europe/Moscow')::time + interval '3 hours' where window_from is not null;
select pg_temp.start('00000000-0000-7000-8000-000000000022', '+79160000022');
select is(pg_temp.sends('00000000-0000-7000-8000-000000000022'), 'sms:queued', 'nor out of its hours');
select pg_temp.go('123456', 'done');

select is((select count(*) from leadq.job_done where kind in ('code', 'captcha') and outcome = 'dead') > 3, true, 'calls have failed,');
select is((select count(*) from leadq.job_dead), 0::bigint, 'of which none is a dead letter');
-- Forms, each good for one verification.
create function pg_temp.form(p_n integer, p_form text, p_more jsonb default '{}', p_phone integer default null) returns text language sql as $$
    select concat_ws(' ', status, body ->> 'type', body #>> '{errors,0,field}', body #>> '{errors,0,code}')
      from pg_temp.start(('00000000-0000-7000-8000-0000000000' || p_n)::uuid, '+791600000' || coalesce(p_phone, p_n),
           jsonb_build_object('profile', 'plain', '$form', repeat(p_form, 16)) || p_more) $$;
select is(pg_temp.form(31, 'f0'), '202', 'a form begins a verification');
select is(pg_temp.form(31, 'f0'), '202', 'the repeat of its request has the same answer');
select is(pg_temp.form(32, 'f0', p_phone => 31), '200', 'a double click gets the one that is open');
select is(pg_temp.form(32, 'f0'), '422 urn:leadq:problem:form-token form_token used', 'for another number it is used up');
select is(pg_temp.form(32, 'f0', '{"$session": "other"}', 31), '422 urn:leadq:problem:form-token form_token used', 'and for another session');
select is(pg_temp.form(32, 'f0', '{"$trap": "honeypot"}'), '422 urn:leadq:problem:form-token form_token used', 'and for a robot');
select is((select string_agg(phone, ' ') from leadq.verification where phone in ('+79160000031', '+79160000032')), '+79160000031', 'nothing of it is kept');
select is(pg_temp.claim(), 'gateway:sms', 'or sent');
select is(pg_temp.form(32, 'f1') || ' ' || (select status from pg_temp.start('00000000-0000-7000-8000-000000000033', '+79160000033', '{"profile": "plain"}')), '202 202', 'another form is another matter, and who has none starts as ever');
select is(pg_temp.form(34, 'f2', '{"profile": "guarded"}'), '429 urn:leadq:problem:captcha-required');
select is(pg_temp.form(34, 'f2', '{"profile": "guarded", "captcha_token": "z"}'), '202', 'what a limit refused may be sent again');
select is(pg_temp.claim(), 'gateway:sms gateway:sms gateway:robots');
update leadq.form_used set at = at - interval '1 day 1 s' where form_sha = decode(repeat('f0', 16), 'hex');
select leadq.maintain();
select is((select string_agg(left(encode(form_sha, 'hex'), 2) || ' ' || right(verification_id::text, 2), ', ' order by form_sha) from leadq.form_used), 'f1 32, f2 34', 'forms are remembered for a day');

-- Erasure.
select leadq.contact_erase('phone', '+79160000001');
select is((select count(*) from leadq.verification where phone = '+79160000001') + (select count(*) from leadq.phone_operator where phone = '+79160000001'), 0::bigint, 'who is erased leaves no number behind');
select pg_temp.start('00000000-0000-7000-8000-000000000014', '+79160000014', '{"profile": "plain"}');
select leadq.contact_erase('phone', '+79160000014');
select is(pg_temp.claim(), null, 'and is sent nothing more');
select leadq.contact_erase('phone', '+79160000006');
select is((select state from leadq.verification where verification_id = '00000000-0000-7000-8000-000000000006'), 'cancelled', 'what was under way ends');
select leadq.shift_time('31 days');
select leadq.maintain();
select is((select count(*) from leadq.verification where phone is not null), 0::bigint, 'numbers go after thirty days');
select leadq.shift_time('150 days');
select leadq.maintain();
select is((select count(*) from leadq.verification) + (select count(*) from leadq.verification_send), 0::bigint, 'all of it after half a year');

select * from finish();
rollback;
