-- What comes back after the relay has taken a letter (M-13, M-14, A-4).
\i tests/sql/setup.sql

create function pg_temp.letter(p_email text) returns uuid language sql as $$
    select m.message_id from leadq.message m
      join leadq.enrolment e using (enrolment_id)
     where e.email = p_email and m.state <> 'planned' order by m.step desc
     limit 1
$$;
create function pg_temp.report(p_what jsonb) returns integer
language sql as $$
    select leadq.take_reports(array[p_what::text])
$$;
-- A lead whose first letter has left.
create function pg_temp.sent(p_name text) returns uuid language plpgsql as $$
declare v_id uuid;
begin
    v_id := pg_temp.lead(jsonb_build_object('email', p_name || '@x.ru', 'click_id', p_name));
    perform pg_temp.work();
    return v_id;
end
$$;
create temp table t as select n as name, pg_temp.sent(n) as id
  from unnest(array['verp', 'envid', 'msgid', 'rcpt', 'order', 'soft', 'block', 'delay', 'spam', 'two']) n;
create function pg_temp.state(p_name text) returns text language sql as $$
    select pg_temp.state(id) from t where name = p_name $$;

-- which letter is meant
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'hard', 'code', '5.1.1', 'verp', pg_temp.letter('verp@x.ru'))), 1, 'a hard bounce, known by its return path');
select is(pg_temp.state('verp'), 'rejected hard_bounce', 'rejects the lead');
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'hard', 'verp', pg_temp.letter('verp@x.ru'))), 0, 'a second report changes nothing');
select is((select count(*) from leadq.event where kind = 'letter.bounced' and ref = pg_temp.letter('verp@x.ru')), 1::bigint, 'and is no event');
select is((select data ->> 'code' from leadq.event where kind = 'letter.bounced'), '5.1.1', 'the event has the code');
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'hard', 'envid', pg_temp.letter('envid@x.ru'))), 1, 'by its envelope id');
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'hard', 'message_id', pg_temp.letter('msgid@x.ru'))), 1, 'by its Message-ID');
select is(pg_temp.report('{"kind": "failed", "class": "hard", "recipient": "rcpt@X.ru"}'), 1, 'by the address, at last');
select is(pg_temp.state('rcpt'), 'rejected hard_bounce', 'which rejects as well');
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'hard', 'verp', pg_temp.letter('order@x.ru'), 'message_id', pg_temp.letter('two@x.ru'), 'recipient', 'two@x.ru')), 1, 'the return path comes first');
select is(pg_temp.state('order') || ', ' || pg_temp.state('two'), 'rejected hard_bounce, pending', 'and nobody else is meant');
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'hard', 'verp', gen_random_uuid(), 'recipient', 'nobody@x.ru')), 0, 'a letter that is not ours changes nothing');

-- classes
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'block', 'verp', pg_temp.letter('block@x.ru'))), 1, 'a refusal for our own sake');
select is(pg_temp.state('block') || ' ' || pg_temp.letters('block@x.ru'), 'pending 1 failed, 2 planned', 'is no word about the lead, and the series goes on');
select is(pg_temp.report(jsonb_build_object('kind', 'delayed', 'verp', pg_temp.letter('delay@x.ru'))), 0, 'a delay is no failure');
select is(pg_temp.letters('delay@x.ru'), '1 sent, 2 planned', 'nothing has changed');

-- three soft ones in a row, with a delivery in between
select pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'soft', 'verp', pg_temp.letter('soft@x.ru')));
select is((select soft_bounces || ' ' || state from leadq.address where value = 'soft@x.ru'), '1 new', 'a soft bounce is counted');
select leadq.shift_time('2 days');
select pg_temp.work();
select pg_temp.report(jsonb_build_object('kind', 'delivered', 'verp', m.message_id)) from leadq.message m join leadq.enrolment e using (enrolment_id) where e.email = 'soft@x.ru' and m.step = 2;
select is((select soft_bounces from leadq.address where value = 'soft@x.ru'), 0, 'a delivery resets the count');
select is((select count(*) from leadq.event where kind = 'letter.delivered'), 1::bigint, 'and is an event');
update leadq.address set soft_bounces = 2 where value = 'soft@x.ru';
select is(pg_temp.report(jsonb_build_object('kind', 'failed', 'class', 'soft', 'verp', m.message_id)), 1, 'the third in a row') from leadq.message m join leadq.enrolment e using (enrolment_id) where e.email = 'soft@x.ru' and m.step = 2;
select is(pg_temp.state('soft'), 'rejected soft_x3', 'rejects the lead');
select is((select e.state from leadq.enrolment e where e.email = 'soft@x.ru'), 'stopped', 'and ends the series');

-- complaints
select is(pg_temp.report(jsonb_build_object('kind', 'complaint', 'verp', pg_temp.letter('spam@x.ru'))), 1, 'somebody calls it spam');
select is(pg_temp.state('spam'), 'rejected complaint', 'the lead is not paid for');
select is((select reason from leadq.suppression where address_sha256 = leadq._address_hash('spam@x.ru')), 'complaint', 'the address gets nothing more');
select is((select action from leadq.consent c join leadq.address a using (contact_id) where a.value = 'spam@x.ru' order by consent_id desc limit 1), 'withdrawn', 'the consent is withdrawn');
select is(pg_temp.report(jsonb_build_object('kind', 'complaint', 'verp', pg_temp.letter('spam@x.ru'))), 0, 'once');
select leadq.shift_time('6 days');
select pg_temp.work();
select is((select count(*) from leadq.message m join leadq.enrolment e using (enrolment_id) where e.email = 'spam@x.ru' and m.state = 'sent'), 2::bigint, 'no letter follows');

-- many at once, and who reads
select is(leadq.take_reports('{}'), 0, 'no reports, no change');
select ok(leadq.lease_mailbox('one', 60), 'a worker may read the mailbox');
select ok(leadq.lease_mailbox('one', 60), 'and go on');
select ok(not leadq.lease_mailbox('two', 60), 'another one may not');
update leadq.mailbox_lease set lease_until = now() - interval '1 s';
select ok(leadq.lease_mailbox('two', 60), 'until the lease has run out');

select * from finish();
rollback;
