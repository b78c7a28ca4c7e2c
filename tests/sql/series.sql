-- Letters in time, what ends them, and what a lead is worth then
-- (M-19, M-21, M-22, A-1, A-2, A-3).
\i tests/sql/setup.sql

create temp table t (name text primary key, id uuid);
create function pg_temp.id(p_name text) returns uuid language sql as $$
    select id from t where name = p_name $$;

insert into t
select s || '-' || n, pg_temp.lead(jsonb_build_object('source', s, 'email',
           n || '@' || s || '.ru', 'click_id', n))
  from unnest(array['cpa', 'reach', 'lenient', 'generous']) s,
       unnest(array['never', 'late', 'leaves']) n;

select pg_temp.work();
select is(pg_temp.letters('never@cpa.ru'), '1 sent, 2 planned', 'the first letter leaves at once');
select is((select due_at - leadq.now() from leadq.message join leadq.enrolment using (enrolment_id) where email = 'never@cpa.ru' and message.state = 'planned'), interval '2 days', 'A-1: the second two days later');
select leadq.shift_time('47 hours');
select is(pg_temp.work(), 0, 'nothing leaves before its time');
select leadq.shift_time('1 hour');
select pg_temp.work();
select is(pg_temp.letters('never@cpa.ru'), '1 sent, 2 sent, 3 planned', 'after two days the second leaves');
select is((select due_at - leadq.now() from leadq.message join leadq.enrolment using (enrolment_id) where email = 'never@cpa.ru' and message.state = 'planned'), interval '5 days', 'A-1: and the third five days after it');

select is(pg_temp.confirm('late@cpa.ru', 2), 200, 'M-22: the link of a reminder confirms');
select is(pg_temp.state(pg_temp.id('cpa-late')), 'approved', 'M-21: and approves the lead');
select is(pg_temp.letters('late@cpa.ru'), '1 sent, 2 sent, 3 cancelled', 'its pending reminder is cancelled');
select is((select count(*) from leadq.job where ref in (select message_id from leadq.message join leadq.enrolment using (enrolment_id) where email = 'late@cpa.ru')), 0::bigint, 'with its job');
select is((select evidence || ' ' || ip from leadq.consent join leadq.address using (contact_id) where value = 'late@cpa.ru' and purpose = 'ads'), 'doi_click 192.0.2.1', 'the consent is on record');
select is(pg_temp.confirm('late@cpa.ru', 1), 200, 'a second press, of any letter, is a success');
select is((select count(*) from leadq.consent join leadq.address using (contact_id) where value = 'late@cpa.ru'), 1::bigint, 'and adds nothing');

select is(pg_temp.unsubscribe('leaves@cpa.ru'), 200, 'this was not me');
select is(pg_temp.state(pg_temp.id('cpa-leaves')), 'rejected unsubscribed', 'rejects the lead');
select is(pg_temp.unsubscribe('leaves@cpa.ru'), 200, 'twice is once');
select is(pg_temp.confirm('leaves@cpa.ru'), 410, 'and the confirmation link is closed');
select is(pg_temp.state(pg_temp.lead('{"source": "other", "email": "leaves@cpa.ru", "click_id": "77"}')), 'rejected blocked', 'no new letter is sent to who left');

select leadq.shift_time('5 days');
select pg_temp.work();
select is(pg_temp.letters('never@cpa.ru'), '1 sent, 2 sent, 3 sent', 'the third letter leaves');
select is(pg_temp.state(pg_temp.id('cpa-never')), 'pending', 'and the lead has its grace');
select leadq.shift_time('2 days');
select pg_temp.work();
select is(pg_temp.state(pg_temp.id('cpa-never')), 'expired not_confirmed', 'A-3: then it expires');
select is(pg_temp.told(pg_temp.id('cpa-never')), 'processed done, rejected done', 'which the network hears as rejected');
select is(pg_temp.told(pg_temp.id('lenient-never')), 'processed done', 'or not at all');
select is(pg_temp.told(pg_temp.id('generous-never')), 'processed done, approved done', 'or as approved, as the source says');
select is(pg_temp.state(pg_temp.id('reach-never')), 'approved', 'A-2: deliverable is enough where the source says so');
select is(pg_temp.confirm('never@cpa.ru', 3), 200, 'a late confirmation still counts for the contact');
select is(pg_temp.state(pg_temp.id('cpa-never')), 'expired not_confirmed', 'A-15: and changes no money');
select is(pg_temp.told(pg_temp.id('cpa-never')), 'processed done, rejected done', 'the network hears nothing more');

-- People who come again.
select is(pg_temp.state(pg_temp.lead('{"email": "late@cpa.ru", "click_id": "80", "source": "reach"}')), 'rejected duplicate', 'who has confirmed before is a duplicate elsewhere');
select is(pg_temp.state(pg_temp.lead('{"email": "late@cpa.ru", "click_id": "81", "source": "other"}')), 'approved', 'or shares the outcome, as the source says');
select is(pg_temp.state(pg_temp.lead('{"email": "never@lenient.ru", "click_id": "82", "source": "other"}')), 'expired not_confirmed', 'a series is not begun twice');

-- Language.
select pg_temp.lead('{"email": "en@x.ru", "lang": "en"}');
select leadq.promote_jobs(10);
select is((select payload::json ->> 'subject' from leadq.claim_jobs('w', '{service}', '{10}', '{0}', 60) where kind = 'letter'), 'doi-1en', 'a letter is in the language of the person');

select throws_ok($$insert into leadq.message (enrolment_id, contact_id, series_id, step, due_at) select enrolment_id, contact_id, series_id, step, now() from leadq.message limit 1$$, '23505', null, 'no letter of a series twice');
select throws_ok($$insert into leadq.postback (lead_id, network_id, status, state, created_at) select lead_id, network_id, 'approved', 'queued', now() from leadq.postback where status = 'rejected' limit 1$$, '23505', null, 'A-15: no second final status, by constraint');

select * from finish();
rollback;
