-- Providers of mail that report by webhook.
\i tests/sql/setup.sql

select leadq.config_import(jsonb_build_object('mail_providers', jsonb_build_array(
    jsonb_build_object('name', n, 'secret_sha256', encode(sha256('hush'), 'hex')))))
  from unnest(array['mailgun', 'sendgrid', 'generic']) n;

create function pg_temp.post(p_provider text, p_events jsonb, p_secret text default 'hush')
returns text language sql as $$
    select status || ' ' || body from leadq.web_mail_event(array[gen_random_uuid()],
        array[jsonb_build_object('provider', p_provider, 'secret', p_secret, 'events', p_events)::text])
$$;
create function pg_temp.letter(p_name text) returns text language sql as $$
    select m.message_id::text from leadq.message m join leadq.enrolment e using (enrolment_id)
     where e.email = p_name || '@x.ru' and m.step = 1
$$;
-- The rules, and a worker whose table says "hard" of 5.1.1 and "block" of else.
create function pg_temp.act() returns void language sql as $$
    select leadq.run_rules(100);
    select leadq.settle_jobs(array[c.job_id], array[c.token], array['done'], array[
               case when c.kind <> 'bounce' then '{}' when c.payload ~ '5\.1\.1' then '{"class": "hard", "code": "5.1.1"}' else '{"class": "block"}' end])
      from leadq.claim_jobs('w', '{service}', '{100}', '{0}', 60) c
$$;
create temp table t as select n as name, pg_temp.lead(jsonb_build_object('email', n || '@x.ru', 'click_id', n)) as id
  from unnest(array['gun', 'grid', 'own', 'block', 'spam', 'leave', 'open']) n;
select pg_temp.work();
create function pg_temp.state(p_name text) returns text language sql as $$
    select pg_temp.state(id) from t where name = p_name $$;

select is(pg_temp.post('mailgun', '[]', 'guess') ~ '^404 ', true, 'another secret is 404');
select is(pg_temp.post('nobody', '[]') ~ '^404 ', true, 'and so is a provider that is not there');

-- Mailgun: one event, in its own words
select is(pg_temp.post('mailgun', jsonb_build_object('id', 'e1', 'event', 'failed', 'severity', 'permanent', 'recipient', 'gun@x.ru',
    'delivery-status', '{"code": 550, "message": "5.1.1 The account does not exist"}'::jsonb,
    'message', jsonb_build_object('headers', jsonb_build_object('message-id', pg_temp.letter('gun') || '@brand.ru')))), '202 {"new":1}', 'an event is taken');
select is(pg_temp.post('mailgun', '{"id": "e1", "event": "failed", "severity": "permanent", "recipient": "gun@x.ru"}'), '202 {"new":0}', 'once');
select is(pg_temp.post('mailgun', '{"id": "e2", "event": "failed", "severity": "temporary", "recipient": "gun@x.ru"}'), '202 {"new":0}', 'what may pass is of no interest');
select is(pg_temp.state('gun'), 'pending', 'nothing has been decided yet');
select pg_temp.act();
select is(pg_temp.state('gun'), 'rejected hard_bounce', 'the worker''s table decides');

-- SendGrid: a list
select is(pg_temp.post('sendgrid', jsonb_build_array(
    jsonb_build_object('sg_event_id', 'a', 'event', 'bounce', 'type', 'bounce', 'status', '5.1.1', 'reason', '550 5.1.1 unknown', 'email', 'grid@x.ru', 'smtp-id', '<' || pg_temp.letter('grid') || '@brand.ru>'),
    '{"sg_event_id": "b", "event": "processed", "email": "grid@x.ru"}'::jsonb,
    jsonb_build_object('sg_event_id', 'c', 'event', 'bounce', 'type', 'blocked', 'reason', '554 5.7.1 blocked', 'email', 'block@x.ru'),
    '{"sg_event_id": "d", "event": "spamreport", "email": "spam@x.ru"}'::jsonb)), '202 {"new":3}', 'a list of them; some are of no interest');
select pg_temp.act();
select is(pg_temp.state('grid'), 'rejected hard_bounce', 'by Message-ID');
select is(pg_temp.state('block') || ' ' || pg_temp.letters('block@x.ru'), 'pending 1 failed, 2 planned', 'a block is ours');
select is(pg_temp.state('spam'), 'rejected complaint', 'a complaint suppresses');

-- our own form
update leadq.address set soft_bounces = 2 where value = 'open@x.ru';
select is(pg_temp.post('generic', '[{"id": 1, "event": "opened", "email": "open@x.ru"}, {"id": 2, "event": "unsubscribed", "email": "leave@x.ru"}, {"id": 3, "event": "delivered", "email": "own@x.ru"}]'), '202 {"new":3}', 'the generic form');
select pg_temp.act();
select is((select soft_bounces from leadq.address where value = 'open@x.ru'), 0, 'who opens is there');
select is(pg_temp.state('leave'), 'rejected unsubscribed', 'who leaves is left alone');
select is((select string_agg(kind, ' ' order by kind) from leadq.event where kind ~ 'letter.(opened|delivered)'), 'letter.delivered letter.opened', 'all are events');
select is(pg_temp.post('generic', '7'), '202 {"new":0}', 'nonsense is taken and means nothing');
select is(pg_temp.post('generic', null), '202 {"new":0}', 'and so is nothing');
select is(pg_temp.post('generic', '[{"event": {"a": 1}, "message_id": "no uuid"}, {"event": "opened", "email": "stranger@x.ru"}]'), '202 {"new":1}', 'a stranger''s event is kept');
select pg_temp.act();

-- the document
select is(leadq.config_export() #> '{mail_providers,0}', jsonb_build_object('name', 'generic', 'secret_sha256', encode(sha256('hush'), 'hex')), 'the document has the providers');
select throws_ok($$ select leadq.config_import('{"mail_providers": [{"name": "own", "secret_sha256": "00"}]}') $$, 'P0001', null, 'one that is not known says where its events have what');
select throws_like($$ select leadq.config_import(jsonb_build_object('mail_providers', jsonb_build_array(jsonb_build_object('name', 'own', 'secret_sha256', repeat('0', 64), 'mapping', '{"kind": "$..[", "kinds": {}, "message": "$.m"}'::jsonb)))) $$, 'mail_providers[0].mapping: "$..[" is no JSON path', 'a path that is none is refused');

select * from finish();
rollback;
