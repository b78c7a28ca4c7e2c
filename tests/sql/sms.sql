-- Messages with codes: when they leave, to whom, what becomes of them.
\i tests/sql/setup.sql

select leadq.config_import(('{"gateways": [
    {"name": "sms", "channel": "sms", "method": "POST", "url": "https://sms/", "body": "{\"to\":\"{digits}\",\"text\":\"{text}\"}", "sender": "BRAND", "price": 2.5, "answer": {"id": "id"},
     "receipts": {"secret_sha256": "' || encode(sha256('hush'), 'hex') || '", "id": "id", "send": "our"}},
    {"name": "slow", "channel": "sms", "url": "https://slow/?to={digits}&text={text}", "poll": {"url": "https://slow/state?id={provider_id}", "status": "s", "states": {"1": "delivered"}, "after": "5 s", "every": "10 s"}}],
  "points": [{"name": "omsk", "time_zone": "Asia/Omsk"}],
  "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %"}, {"name": "trial", "kind": "trial", "discount": "10 %"}]}')::jsonb);
update leadq.programme set gateway_id = (select gateway_id from leadq.gateway where gateway.name = 'sms'), send_days = 1,
    texts = '{"ru": "Код {code}: {discount} до {until}", "en": "{code} until {until}"}' where name = 'friends';

-- It is noon in Omsk on the first of May.
select leadq.shift_time(timestamptz '2027-05-01 12:00 Asia/Omsk' - leadq.now());
create function pg_temp.person(p_n integer, p_ads text default 'sms') returns bigint language plpgsql as $$
declare v_id bigint;
begin
    insert into leadq.contact (name, created_at) values ('x', leadq.now()) returning contact_id into v_id;
    insert into leadq.address (channel, value, contact_id, state, confirmed_at, created_at)
    values ('phone', '+7916000' || lpad(p_n::text, 4, '0'), v_id, 'confirmed', leadq.now(), leadq.now());
    insert into leadq.consent (contact_id, purpose, channel, action, evidence, at) values (v_id, 'ads', p_ads, 'given', 'otp', leadq.now());
    return v_id;
end $$;
create function pg_temp.plan(p_n integer, p_lang text default 'ru', p_ads text default 'sms', p_programme text default 'friends') returns bigint language plpgsql as $$
declare v_contact bigint := pg_temp.person(p_n, p_ads); v_code bigint;
begin
    insert into leadq.promo_code (programme_id, code, owner_id, max_uses, starts_at, expires_at)
    select programme_id, '222222' || translate(lpad(p_n::text, 6, '0'), '0123456789', 'ACEHKMPTX9'), v_contact, 3, leadq.now(), leadq.now() + interval '90 days' from leadq.programme where name = p_programme returning code_id into v_code;
    perform leadq._plan_sms(v_contact, v_code, (select point_id from leadq.point), p_lang, leadq.now());
    perform leadq._plan_sms(v_contact, v_code, (select point_id from leadq.point), p_lang, leadq.now());
    return v_contact;
end $$;
create temp table leased (job_id bigint, token uuid, kind text, target text, payload jsonb);
create function pg_temp.claim(p_avoid text[] default '{}') returns text language plpgsql as $$
begin
    perform leadq.promote_jobs(1000);
    truncate leased;
    insert into leased select job_id, token, kind, target, payload::jsonb from leadq.claim_jobs('t', '{realtime,service,bulk}', '{100,100,100}', '{0,0,0}', 60, p_avoid, array_fill(30, array[cardinality(p_avoid)]));
    return (select string_agg(kind || ' ' || target, ', ' order by kind) from leased);
end $$;
create function pg_temp.settle(p_outcome text, p_detail text default '{}') returns text language sql as $$
    select string_agg(s.state, ' ') from (select array_agg(job_id) j, array_agg(token) t, array_agg(p_outcome) o, array_agg(p_detail) d from leased) a, leadq.settle_jobs(a.j, a.t, a.o, a.d) s $$;
create function pg_temp.sms(p_contact bigint) returns text language sql as $$ select concat_ws(' ', state, reason) from leadq.sms where contact_id = p_contact $$;
create function pg_temp.events(p_contact bigint) returns text language sql as $$ select string_agg(kind, ' ' order by event_id) from leadq.event where contact_id = p_contact and kind like 'sms.%' $$;
create function pg_temp.omsk() returns text language sql as $$ select to_char(leadq.now() at time zone 'Asia/Omsk', 'DD HH24:MI') $$;
create function pg_temp.at(p_day integer, p_time text) returns void language sql as $$
    select leadq.shift_time((date '2027-05-01' + p_day - 1 + p_time::time) at time zone 'Asia/Omsk' - leadq.now()) $$;

-- Planned for the day after, in the programme's window.
create temp table p as select pg_temp.plan(1) a, pg_temp.plan(2, 'en') b, pg_temp.plan(3, 'tt', 'any') c, pg_temp.plan(4, 'ru', 'sms', 'trial') none;
select is((select count(*) from leadq.sms), 3::bigint, 'a code has one message, of a programme that sends any');
select is((select to_char(due_at at time zone 'Asia/Omsk', 'DD HH24:MI') from leadq.sms, p where contact_id = a), '02 10:00', 'on the morning after, by the clock of the point');
select pg_temp.at(2, '09:59');
select is(pg_temp.claim(), null, 'not before');
select pg_temp.at(2, '10:00');
select is(pg_temp.claim(), 'sms gateway:sms, sms gateway:sms, sms gateway:sms', 'then they are handed out');
select is((select payload -> 'values' ->> 'text' from leased where payload #>> '{values,digits}' = '79160000001'), 'Код 2222-22AA-AAAC: 20 % до 30.07.2027', 'with the code as people read it, the discount and the last day');
select is((select payload -> 'values' ->> 'text' from leased where payload #>> '{values,digits}' = '79160000002'), '2222-22AA-AAAE until 30.07.2027', 'in their language');
select is((select payload -> 'values' ->> 'text' from leased where payload #>> '{values,digits}' = '79160000003'), 'Код 2222-22AA-AAAH: 20 % до 30.07.2027', 'or in Russian');
select is((select payload #>> '{values,phone}' || ' ' || (payload #>> '{values,sender}') || ' ' || (payload #>> '{values,validity}') || ' ' || (payload ->> 'postback_id' = payload #>> '{values,send_id}') || (payload ? 'secret')
    from leased where payload #>> '{values,digits}' = '79160000001'), '+79160000001 BRAND 86400 truefalse', 'and all that the call takes');
select is(pg_temp.settle('done', '{"provider_id": "m-1", "segments": 2}'), 'done done done');
select is((select concat_ws(' ', state, provider_id, segments, cost) from leadq.sms, p where contact_id = a), 'sent m-1 2 5.0000', 'what the gateway took is sent, and costs');
select is(pg_temp.events(a), 'sms.sent', 'which is an event') from p;

-- Receipts.
update leadq.sms set provider_id = 'm-' || right((select value from leadq.address a where a.contact_id = sms.contact_id), 1);
create function pg_temp.receipt(p_receipt text) returns text language plpgsql as $$
begin
    perform leadq.web_receipt(array[gen_random_uuid()], array['{"gateway": "sms", "secret": "hush", "receipt": {}}']);
    perform pg_temp.claim();
    return pg_temp.settle('done', jsonb_build_object('receipts', array[p_receipt::jsonb])::text);
end $$;
select pg_temp.receipt('{"id": "m-1", "state": "queued"}');
select is(pg_temp.sms(a), 'sent', 'a message on its way stays sent') from p;
select pg_temp.receipt('{"id": "m-1", "state": "read"}');
select is(pg_temp.sms(a) || ' ' || pg_temp.events(a), 'delivered sms.sent sms.delivered', 'a receipt says that it has arrived') from p;
select pg_temp.receipt('{"id": "m-1", "state": "undelivered", "error": "blocked"}');
select is(pg_temp.sms(a) || ' ' || pg_temp.events(a), 'delivered sms.sent sms.delivered', 'a later one changes nothing') from p;
select pg_temp.receipt(jsonb_build_object('send', upper(sms_id::text), 'state', 'expired', 'error', 'bad_number')::text) from leadq.sms, p where contact_id = b;
select is(pg_temp.sms(b) || ' ' || pg_temp.events(b), 'undelivered bad_number sms.sent sms.undelivered', 'a dead number is remembered, by our id as well') from p;
select pg_temp.receipt('{"id": "m-99", "send": "no uuid", "state": "delivered"}');
select is((select tries from leadq.receipt), 1::smallint, 'one of nothing that is known waits a while');
delete from leadq.receipt; delete from leadq.job_scheduled where kind = 'receipt';

-- Who may not be sent one any more.
create temp table q as select pg_temp.plan(11) used, pg_temp.plan(12) expired, pg_temp.plan(13) disabled, pg_temp.plan(14) suppressed, pg_temp.plan(15) withdrawn, pg_temp.plan(16) mails,
    pg_temp.plan(17) unproved, pg_temp.plan(18, 'ru', 'email') email, pg_temp.plan(19) erased, pg_temp.plan(20) cancelled, pg_temp.plan(21) merged, pg_temp.person(22) survivor, pg_temp.plan(23) off;
update leadq.promo_code set used = 3 where owner_id = (select used from q);
update leadq.promo_code set expires_at = leadq.now() + interval '5 hours' where owner_id = (select expired from q);
update leadq.promo_code set disabled = true where owner_id = (select disabled from q);
insert into leadq.suppression values ('phone', leadq._address_hash('+79160000014'), 'manual', leadq.now());
insert into leadq.consent (contact_id, purpose, channel, action, evidence, at) select withdrawn, 'ads', 'any', 'withdrawn', 'operator', leadq.now() + interval '1 s' from q;
insert into leadq.consent (contact_id, purpose, channel, action, evidence, at) select mails, 'ads', 'email', 'withdrawn', 'operator', leadq.now() + interval '1 s' from q;
update leadq.address set state = 'new', confirmed_at = null where contact_id = (select unproved from q);
select leadq.contact_erase('phone', '+79160000019');
select is(pg_temp.sms(erased) || ' ' || (select count(*) from leadq.job_scheduled j join leadq.sms s on s.sms_id = j.ref where s.contact_id = q.erased), 'dropped erased 0', 'for who is erased nothing is planned') from q;
select is((select string_agg(c.result, ' ') from q, leadq.cancel_jobs(array(select j.job_id from leadq.job_scheduled j join leadq.sms s on s.sms_id = j.ref where s.contact_id = q.cancelled)) c), 'cancelled');
select is(pg_temp.sms(cancelled), 'dropped cancelled', 'a cancelled one is not sent') from q;
select leadq.contact_merge('phone', '+79160000022', 'phone', '+79160000021');
select pg_temp.at(3, '10:00');
select is(pg_temp.claim(), 'sms gateway:sms, sms gateway:sms, sms gateway:sms', 'the rest is dropped when it is handed out');
select is((select string_agg(pg_temp.sms(c), ', ' order by n) from q, unnest(array[used, expired, disabled, suppressed, withdrawn, unproved, email]) with ordinality x (c, n)),
    'dropped code-used, dropped code-expired, dropped code-disabled, dropped suppressed, dropped no-consent, dropped no-number, dropped no-consent', 'with the reason');
select is((select string_agg(payload #>> '{values,digits}', ' ' order by payload #>> '{values,digits}') from leased), '79160000016 79160000021 79160000023', 'a letter''s unsubscription is no message''s, and a merged person is himself');
select is((select count(*) from leadq.job_done where kind = 'sms' and outcome = 'cancelled' and detail ? 'reason'), 7::bigint);
select is((select leadq.release_jobs(array_agg(job_id), array_agg(token), array_agg(0)) from leased), 3, 'what a worker gives back');
select is(pg_temp.claim(), 'sms gateway:sms, sms gateway:sms, sms gateway:sms', 'is handed out again');
select is(pg_temp.settle('retry', '{"reason": "status", "http": 503}'), 'scheduled scheduled scheduled', 'what a gateway refused for now');
select is(pg_temp.claim(), null);
select leadq.shift_time('80 s');
select is(pg_temp.claim(), 'sms gateway:sms, sms gateway:sms, sms gateway:sms', 'is sent again');
select pg_temp.settle('done');

-- Hours.
select pg_temp.plan(31);
select leadq.config_import('{"limits": {"quiet": [{"channel": "sms", "from": "20:00", "to": "12:30"}]}}');
select throws_ok($$select leadq.config_import('{"limits": {"quiet": [{"channel": "sms", "from": "10:00", "to": "20:00"}]}}')$$, 'P0001', 'limits.quiet: messages of friends may never leave: 10:00-20:00 is in the quiet hours');
select pg_temp.at(4, '10:00');
select is(pg_temp.claim(), null, 'in quiet hours nothing leaves');
select is((select to_char(due_at at time zone 'Asia/Omsk', 'DD HH24:MI') from leadq.sms where contact_id = (select max(contact_id) from leadq.contact)), '04 12:30', 'but after them');
select pg_temp.at(4, '20:30');
select is(pg_temp.claim(), null, 'nor out of the window');
select pg_temp.at(5, '12:30');
select is(pg_temp.claim('{gateway:sms}'), null, 'nor over a gateway that is down');
select leadq.shift_time('60 s');
select is(pg_temp.claim(), 'sms gateway:sms', 'until it is up');
select is((select attempt::integer from leadq.job_ready where kind = 'sms'), 1, 'waiting is no attempt');

-- What nobody knows is never sent again.
select is(pg_temp.settle('retry', '{"reason": "timeout"}'), 'dead', 'a timeout is the end');
select is(pg_temp.sms((select max(contact_id) from leadq.contact)), 'in_doubt timeout');
select is((select count(*) from leadq.job_dead where kind = 'sms'), 0::bigint, 'no dead letter, since nobody can mend it');
select is((select string_agg(result, ' ') from leadq.retry_jobs(array(select job_id from leadq.job_done where kind = 'sms' and outcome = 'dead'))), 'over', 'not even by hand');
select pg_temp.receipt(jsonb_build_object('send', sms_id, 'state', 'delivered')::text) from leadq.sms where state = 'in_doubt';
select is(pg_temp.sms((select max(contact_id) from leadq.contact)), 'delivered', 'a receipt may tell');
create temp table d as select pg_temp.plan(40) lost, pg_temp.plan(41) cut, pg_temp.plan(42) bad, pg_temp.plan(43) refused;
select pg_temp.at(6, '13:00');
select is(pg_temp.claim() is null, false);
update leadq.job_ready set lease_until = now() - interval '1 s' where ref = (select sms_id from leadq.sms, d where contact_id = lost);
create temp table rest as select * from leased;
select is(pg_temp.claim(), null, 'a lease that ran out is taken over by nobody');
select is(pg_temp.sms(lost), 'in_doubt lease-lost', 'since the message may have left') from d;
create function pg_temp.one(p_n integer, p_outcome text, p_detail text) returns text language sql as $$
    select s.state from rest l, leadq.settle_jobs(array[l.job_id], array[l.token], array[p_outcome], array[p_detail]) s where l.payload #>> '{values,digits}' = '791600000' || p_n $$;
select is(pg_temp.one(41, 'retry', '{"reason": "connection-lost"}') || pg_temp.one(42, 'retry', '{"reason": "status", "http": 502}') || pg_temp.one(43, 'dead', '{"reason": "status", "http": 403, "reply": "79160000043"}'), 'deaddeaddead');
select is(pg_temp.sms(cut) || ', ' || pg_temp.sms(bad) || ', ' || pg_temp.sms(refused), 'in_doubt connection-lost, in_doubt status, failed status', 'so may one after which the line was cut, or a gateway has stumbled') from d;
select is((select count(*) from leadq.job_dead where kind = 'sms'), 1::bigint, 'a refusal is a dead letter');
select is((select string_agg(result, ' ' order by result) from leadq.retry_jobs(array(select job_id from leadq.job_done where kind = 'sms' and outcome = 'dead'))), 'over over over over ready', 'which may be sent again');
select is(pg_temp.claim(), 'sms gateway:sms');
select is(pg_temp.settle('dead', '{"reason": "status", "http": 403, "reply": "79160000043", "url": "u", "body": "b"}'), 'dead');
select leadq.contact_erase('phone', '+79160000043');
select is((select count(*) from leadq.job_done d join leadq.sms s on s.sms_id = d.ref where d.detail ?| array['reply', 'url', 'body']), 0::bigint, 'erasure takes what a gateway said of it');

-- Polls.
update leadq.programme set gateway_id = (select gateway_id from leadq.gateway g where g.name = 'slow'), send_days = 0 where name = 'friends';
create temp table s as select pg_temp.plan(51) a, pg_temp.plan(52) b;
select is(pg_temp.claim(), 'sms gateway:slow, sms gateway:slow', 'without days between it leaves at once');
select is(pg_temp.settle('done', '{"provider_id": "x"}'), 'done done');
select leadq.shift_time('5 s');
select is(pg_temp.claim(), 'poll gateway:slow, poll gateway:slow', 'a gateway without receipts is asked');
select is((select count(*) from leased where payload #>> '{values,provider_id}' = 'x' and payload ->> 'url' like '%state%'), 2::bigint);
select pg_temp.settle('done', '{"receipts": [{"state": "sent"}]}');
select leadq.shift_time('1 hour');
select is(pg_temp.claim(), 'poll gateway:slow, poll gateway:slow', 'again');
select is(pg_temp.settle('retry', '{"reason": "timeout"}'), 'scheduled scheduled');
select is((select count(*) from leadq.job_scheduled where kind = 'poll'), 2::bigint, 'a question that failed is asked once more, not twice');
select leadq.shift_time('30 s');
select is(pg_temp.claim(), 'poll gateway:slow, poll gateway:slow');
select pg_temp.settle('done', '{"receipts": [{"state": "sent"}]}');
select leadq.shift_time('29 min');
select is(pg_temp.claim(), null, 'ever less often');
select leadq.shift_time('2 min');
select is(pg_temp.claim(), 'poll gateway:slow, poll gateway:slow');
select pg_temp.settle('done', '{"receipts": [{"state": "undelivered", "error": "unreachable"}]}');
select is(pg_temp.sms(a), 'undelivered unreachable') from s;
select leadq.shift_time('1 day');
select is(pg_temp.claim(), null, 'until there is an end');

select * from finish();
rollback;
