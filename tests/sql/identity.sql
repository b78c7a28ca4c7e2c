-- Checks of identity: asked for once, asked about ever less often, and what a
-- verdict does to messages.
\i tests/sql/setup.sql

select leadq.config_import(('{"gateways": [
    {"name": "sms", "channel": "sms", "url": "https://sms/?to={digits}&text={text}"},
    {"name": "idx", "channel": "identity", "method": "POST", "url": "https://idx/check", "content_type": "application/json", "body": "{\"phone\":\"{digits}\",\"key\":\"{token}\"}", "secret": "idx",
     "answer": {"id": "operationToken", "state": "code", "states": {"-100": "failed"}}, "receipts": {"secret_sha256": "' || encode(sha256('hush'), 'hex') || '", "id": "op.token"},
     "poll": {"method": "POST", "url": "https://idx/state", "content_type": "application/json", "body": "{\"id\":\"{provider_id}\"}", "status": "code", "states": {"0": "passed", "*": "failed"}}},
    {"name": "other", "channel": "identity", "url": "https://other/?p={digits}", "answer": {"state": "s", "states": {"ok": "passed"}}}],
  "points": [{"name": "mega"}], "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %"}]}')::jsonb);
select is((select leadq._gateway_document('idx') #>> '{answer,states,-100}'), 'failed', 'the words of a gateway are kept');
select leadq.shift_time(timestamptz '2027-05-01 12:00 Europe/Moscow' - leadq.now());
create function pg_temp.gateway(p_name text) returns integer language sql as $$ select gateway_id from leadq.gateway where name = p_name $$;
create function pg_temp.person(p_n integer) returns bigint language plpgsql as $$
declare v_id bigint;
begin
    insert into leadq.contact (name, created_at) values ('x', leadq.now()) returning contact_id into v_id;
    insert into leadq.address (channel, value, contact_id, state, confirmed_at, created_at)
    values ('phone', '+7916000' || lpad(p_n::text, 4, '0'), v_id, 'confirmed', leadq.now(), leadq.now());
    insert into leadq.consent (contact_id, purpose, channel, action, evidence, at) values (v_id, 'ads', 'any', 'given', 'otp', leadq.now());
    return v_id;
end $$;
create function pg_temp.plan(p_contact bigint, p_gateway text default 'idx') returns uuid language sql as $$ select leadq._plan_identity(p_contact, pg_temp.gateway(p_gateway), gen_random_uuid()) $$;
create temp table leased (job_id bigint, token uuid, kind text, target text, payload jsonb);
create function pg_temp.claim() returns text language plpgsql as $$
begin
    perform leadq.promote_jobs(1000);
    truncate leased;
    insert into leased select job_id, token, kind, target, payload::jsonb from leadq.claim_jobs('t', '{realtime,service,bulk}', '{100,100,100}', '{0,0,0}', 60);
    return (select string_agg(kind || ' ' || (payload ->> 'url'), ', ' order by kind) from leased);
end $$;
create function pg_temp.settle(p_outcome text, p_detail text default '{}') returns text language sql as $$
    select string_agg(s.state, ' ') from (select array_agg(job_id) j, array_agg(token) t, array_agg(p_outcome) o, array_agg(p_detail) d from leased) a, leadq.settle_jobs(a.j, a.t, a.o, a.d) s $$;
create function pg_temp.is(p_check uuid) returns text language sql as $$ select concat_ws(' ', state, reason, provider_id) from leadq.identity_check where check_id = p_check $$;
create function pg_temp.events(p_check uuid) returns text language sql as $$ select string_agg(kind, ' ' order by event_id) from leadq.event where ref = p_check $$;
create function pg_temp.call(p_secret text, p_more jsonb, p_gateway text default 'idx') returns text language sql as $$
    select string_agg(status::text, ' ') from leadq.web_identity(array[gen_random_uuid()], array[(jsonb_build_object('gateway', p_gateway, 'secret', p_secret) || p_more)::text]) $$;

-- The way of a check.
create temp table t as select pg_temp.person(1) a, pg_temp.person(2) b, pg_temp.person(3) c, pg_temp.person(4) d, pg_temp.person(5) e, pg_temp.person(6) f;
create temp table k as select pg_temp.plan(a) a from t;
select is(pg_temp.plan(t.a), k.a, 'a person is checked once') from t, k;
select is(pg_temp.claim(), 'identity https://idx/check', 'at once');
select is((select (payload -> 'verdict')::text || (payload -> 'values' ->> 'digits') || (payload ? 'answer') || (payload ? 'receipts') || (payload ->> 'postback_id' = k.a::text) from leased, k),
    '{"id": "operationToken", "state": "code", "states": {"-100": "failed"}}79160000001falsefalsetrue', 'with all that the call takes');
select pg_temp.settle('done', '{"provider_id": "op-1", "verdict": "pending"}');
select is(pg_temp.is(a), 'pending op-1', 'it takes its time') from k;
select is(pg_temp.claim(), null);
select leadq.shift_time('5 s');
select is(pg_temp.claim(), 'identity https://idx/state', 'after five seconds one asks');
select is((select payload #>> '{values,provider_id}' || ' ' || (payload -> 'verdict')::text || (payload ->> 'method') || (payload ->> 'body') from leased),
    'op-1 {"state": "code", "states": {"*": "failed", "0": "passed"}}POST{"id":"{provider_id}"}', 'by the name that they gave it');
select pg_temp.settle('done', '{"verdict": "pending"}');
select is(pg_temp.is(a) || ' ' || (select string_agg(extract(epoch from due_at - leadq.now())::integer::text, ' ') from leadq.identity_check), 'pending op-1 15', 'then after fifteen') from k;
select leadq.shift_time('15 s');
select is(pg_temp.claim(), 'identity https://idx/state');
select pg_temp.settle('done', '{"verdict": "passed"}');
select is(pg_temp.is(a) || ' ' || pg_temp.events(a), 'passed op-1 identity.passed', 'a verdict ends it') from k;
select is((select attempt::text from leadq.job_done where kind = 'identity' order by done_at desc limit 1), '1');
select is(pg_temp.plan(t.a), k.a, 'and is good') from t, k;
select leadq.shift_time('30 days');
select isnt(pg_temp.plan(t.a), k.a, 'for thirty days') from t, k;
select is(pg_temp.claim(), 'identity https://idx/check');
select pg_temp.settle('done', '{"verdict": "failed"}');
select is(leadq._identity_fault(a, pg_temp.gateway('idx')), 'identity-failed', 'the newest counts') from t;

-- Callbacks are hints.
update k set a = pg_temp.plan(b) from t;
select pg_temp.claim(), pg_temp.settle('done', '{"provider_id": "op-2"}');
select is(pg_temp.call('wrong', '{}') || pg_temp.call('hush', '{}', 'none') || pg_temp.call('hush', '{}', 'sms'), '403403403', 'a callback needs the secret of its gateway');
select is(pg_temp.call('hush', '{"receipt": {"op": {"token": "op-9"}, "code": 0}}'), '200');
select is(pg_temp.call('hush', jsonb_build_object('id', gen_random_uuid(), 'receipt', '{"resultCode": 0}'::jsonb)) || pg_temp.call('hush', '{"id": "x''y", "receipt": "garbage"}'), '200200');
select is(pg_temp.claim(), null, 'one of nothing that is known changes nothing');
select is(pg_temp.call('hush', '{"receipt": {"op": {"token": "op-2"}, "code": 0, "verdict": "passed"}}'), '200');
select is(pg_temp.is(a) || ' ' || coalesce(pg_temp.events(a), 'nothing'), 'pending op-2 nothing', 'threat 43: a forged one is no verdict') from k;
select is(pg_temp.call('hush', '{"receipt": {"op": {"token": "op-2"}}}') || ' ' || pg_temp.claim(), '200 identity https://idx/state', 'but a reason to ask at once, once');
select pg_temp.settle('done', '{"verdict": "failed"}');
select is(pg_temp.is(a) || ' ' || pg_temp.events(a), 'failed op-2 identity.failed', 'and what they say then counts') from k;
select is(pg_temp.call('hush', '{"receipt": {"op": {"token": "op-2"}}}') || coalesce(pg_temp.claim(), ' nothing'), '200 nothing', 'what is over is over');
update k set a = pg_temp.plan(c) from t;
select pg_temp.claim(), pg_temp.settle('done');
select is((select pg_temp.call('hush', jsonb_build_object('id', upper(a::text))) from k) || ' ' || pg_temp.claim(), '200 identity https://idx/state', 'our name in the address does as well');

-- Nobody says anything.
select pg_temp.settle('done');
create function pg_temp.polls() returns text language plpgsql as $$
declare v_waits text := ''; v_wait interval;
begin
    loop
        select due_at - leadq.now() into v_wait from leadq.identity_check, k where check_id = a and ended_at is null;
        exit when not found or length(v_waits) > 400;
        v_waits := v_waits || ' ' || extract(epoch from v_wait)::integer;
        perform leadq.shift_time(v_wait), pg_temp.claim(), pg_temp.settle('dead', '{"reason": "status", "http": 404}');
    end loop;
    return v_waits;
end $$;
select is(pg_temp.polls(), ' 15 60 300 1800' || repeat(' 3600', 23) || ' 1425', 'one asks for a day, whatever they answer');
select is(pg_temp.is(a) || ' ' || pg_temp.events(a), 'unavailable no-answer identity.unavailable', 'then there is nobody to say anything') from k;
select isnt(pg_temp.plan(c), k.a, 'and one may try again') from t, k;
select is(pg_temp.claim(), 'identity https://idx/check');
select is(pg_temp.settle('retry', '{"reason": "timeout"}'), 'scheduled', 'who is away for a while is asked again');
update leadq.job_scheduled set attempt = 9, run_at = leadq.now() where kind = 'identity';
select is(pg_temp.claim() || ' ' || pg_temp.settle('retry', '{"reason": "timeout"}'), 'identity https://idx/check dead');
select is((select string_agg(concat_ws(' ', state, reason), ', ' order by created_at) from leadq.identity_check, t where contact_id = c), 'unavailable no-answer, unavailable timeout', 'for an hour and a half');
select is((select count(*) from leadq.job_dead where kind = 'identity'), 0::bigint, 'which is no dead letter');
update k set a = pg_temp.plan(d, 'other') from t;
select pg_temp.claim(), pg_temp.settle('done', '{"verdict": "unavailable"}');
select is(pg_temp.is(a), 'unavailable said', 'who answers at once may also have no verdict') from k;
update k set a = pg_temp.plan(d, 'other') from t;
select pg_temp.claim(), pg_temp.settle('done', '{"verdict": "pending"}');
select is(pg_temp.is(a), 'unavailable no-answer', 'and has none if nobody can ask him later') from k;

-- What a verdict does to messages.
update leadq.programme set gateway_id = pg_temp.gateway('sms'), send_days = 0, window_from = '00:00', window_to = '24:00', identity_id = pg_temp.gateway('idx'), texts = '{"ru": "{code}"}';
create function pg_temp.message(p_contact bigint) returns void language sql as $$
    with code as (insert into leadq.promo_code (programme_id, code, owner_id, max_uses, starts_at, expires_at)
        select programme_id, '22222222222' || substr('ACEHKMPTX', p_contact::integer % 9 + 1, 1), p_contact, 3, leadq.now(), leadq.now() + interval '90 days' from leadq.programme returning code_id)
    select leadq._plan_sms(p_contact, code_id, point_id, 'ru', leadq.now()) from code, leadq.point $$;
create function pg_temp.sms(p_contact bigint) returns text language sql as $$ select concat_ws(' ', state, reason) from leadq.sms where contact_id = p_contact $$;
select pg_temp.message(e) from t;
select is(pg_temp.claim(), null, 'before a verdict no message leaves');
update k set a = pg_temp.plan(e) from t;
select pg_temp.claim(), pg_temp.settle('done', '{"provider_id": "op-5"}');
select leadq.shift_time('6 s');
select pg_temp.claim(), pg_temp.settle('done', '{"verdict": "passed"}');
select is(pg_temp.claim(), 'sms https://sms/?to={digits}&text={text}', 'and with it at once');
select pg_temp.settle('done'), pg_temp.message(b), pg_temp.message(c) from t;
select is(pg_temp.claim(), null);
select is(pg_temp.sms(b) || ', ' || pg_temp.sms(c), 'dropped identity-failed, dropped identity-unavailable', 'who has not passed gets none') from t;

-- Erasure.
update k set a = pg_temp.plan(f) from t;
select leadq.contact_erase('phone', '+79160000006'), leadq.contact_erase('phone', '+79160000005');
select is(pg_temp.is(a) || coalesce(pg_temp.claim(), ' nothing'), 'unavailable erased nothing', 'who is erased is not asked about') from k;
select is((select concat_ws(' ', state, provider_id) from leadq.identity_check, t where contact_id = e), 'passed', 'of others the verdict stays');

select * from finish();
rollback;
