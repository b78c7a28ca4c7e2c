-- What a lead becomes when it arrives (M-12, M-18, M-20, A-5, W-19).
\i tests/sql/setup.sql

create temp table t (name text primary key, id uuid);
insert into t values
    ('good', pg_temp.lead('{"email": "a@x.ru", "phone": "+79160000001",
        "name": "Anna", "click_id": "1", "consent_pd": true,
        "consent_ads": false, "text_version": "v1", "ip": "192.0.2.7"}')),
    ('malformed', pg_temp.lead('{"click_id": "2",
        "$invalid": {"email": "email-no-domain"}}')),
    ('empty', pg_temp.lead('{"click_id": "3",
        "$invalid": {"email": "required"}}')),
    ('again', pg_temp.lead('{"email": "a@x.ru", "click_id": "4"}')),
    ('click', pg_temp.lead('{"email": "b@x.ru", "click_id": "1"}')),
    ('unclicked', pg_temp.lead('{"email": "c@x.ru"}')),
    ('quiet', pg_temp.lead('{"email": "d@x.ru", "click_id": "1",
        "source": "quiet"}')),
    ('phone', pg_temp.lead('{"email": "e@x.ru", "phone": "+79160000001",
        "click_id": "5"}'));

create function pg_temp.id(p_name text) returns uuid language sql as $$
    select id from t where name = p_name $$;

select is(pg_temp.state(pg_temp.id('good')), 'pending', 'a good lead waits for its confirmation');
select is(pg_temp.told(pg_temp.id('good')), 'processed queued', 'M-18: its network is told processed');
select is(pg_temp.letters('a@x.ru'), '1 planned', 'M-19: its first letter is planned');
select is((select count(*) from leadq.job_ready where kind = 'letter' and ref in (select message_id from leadq.message m join leadq.enrolment using (enrolment_id) where email = 'a@x.ru')), 1::bigint, 'and is due at once');
select is((select string_agg(purpose || ' ' || action || ' ' || text_version, ', ' order by purpose) from leadq.consent where lead_id = pg_temp.id('good')), 'ads refused v1, pd_processing given v1', 'two consents are written down, given and refused');

select is(pg_temp.state(pg_temp.id('malformed')), 'rejected bad_format', 'A-5: a malformed e-mail with a click id is kept and rejected');
select is(pg_temp.told(pg_temp.id('malformed')), 'processed queued, rejected waiting', 'processed first, rejected waits for it');
select is((select contact_id from leadq.lead where lead_id = pg_temp.id('malformed')), null, 'M-12: the bad address enters no contact');
select is(pg_temp.state(pg_temp.id('empty')), 'rejected empty_email', 'M-20: an empty e-mail is rejected by that name');

select leadq.web_lead((select array_agg(gen_random_uuid()) from generate_series(1, 2)), array['{"source": "bare", "click_id": "6"}', '{"source": "bare", "click_id": "7"}']);
select leadq.run_rules(100);
select is((select array_agg(pg_temp.state(lead_id)) from leadq.lead where click_id in ('6', '7')), array['rejected empty_email', 'rejected empty_email'], 'leads without any address are that too, and not each other''s duplicates');

select is(pg_temp.state(pg_temp.id('again')), 'rejected duplicate', 'the same person in the same source is a duplicate');
select is((select count(*) from leadq.address where value = 'a@x.ru'), 1::bigint, 'W-19: one contact an e-mail');
select is((select contact_id from leadq.lead where lead_id = pg_temp.id('again')), (select contact_id from leadq.lead where lead_id = pg_temp.id('good')), 'and both leads belong to it');
select is(pg_temp.told(pg_temp.id('click')), null, 'a second lead of a click id tells the network nothing');
select is(pg_temp.state(pg_temp.id('click')), 'pending', 'but its person gets the letters');
select is(pg_temp.told(pg_temp.id('unclicked')), null, 'without a click id there is nothing to tell');
select is(pg_temp.told(pg_temp.id('quiet')), null, 'a network hears only the statuses that it wants');
select is((select contact_id from leadq.address where channel = 'phone' and value = '+79160000001'), (select contact_id from leadq.lead where lead_id = pg_temp.id('good')), 'W-19: a phone stays with its first contact');

-- Repeats.
create temp table before as select * from leadq.lead;
select results_eq(
    $$select n, status, body::json ->> 'id' from leadq.web_lead(array[pg_temp.id('good')], array['{"source": "cpa", "email": "evil@x.ru"}'])$$,
    $$select 1, 202, pg_temp.id('good')::text$$, 'a repeated id gets the same answer');
select leadq.run_rules(100);
select set_eq('select * from leadq.lead', 'select * from before', 'and changes nothing');
select results_eq(
    $$select n from leadq.web_lead((select array_agg(gen_random_uuid()) from generate_series(1, 3)), array['{"source": "cpa", "email": "r1@x.ru"}', '{"source": "cpa", "email": "r2@x.ru"}', '{"source": "cpa", "email": "r1@x.ru"}'])$$,
    'values (1), (2), (3)', 'a batch is answered row by row');
select is(leadq.run_rules(100), 3, 'and its rules run together');
select set_eq($$select state, count(*) from leadq.lead where email like 'r_@x.ru' group by 1$$, $$values ('pending', 2::bigint), ('rejected', 1)$$, 'a duplicate inside the batch is seen');

-- Idempotency keys: the id is derived from the key, the fingerprint tells.
select results_eq(
    $$select n, status from leadq.web_lead(array['00000000-0000-8000-8000-000000000001', '00000000-0000-8000-8000-000000000001', '00000000-0000-8000-8000-000000000002']::uuid[], array['{"source": "cpa", "email": "k@x.ru", "$fingerprint": "aa"}', '{"source": "cpa", "email": "l@x.ru", "$fingerprint": "bb"}', '{"source": "cpa", "email": "m@x.ru", "$fingerprint": "cc"}']) order by n$$,
    'values (1, 202), (2, 422), (3, 202)', 'a key used with another request is refused');
select results_eq(
    $$select n, status from leadq.web_lead(array['00000000-0000-8000-8000-000000000001']::uuid[], array['{"source": "cpa", "email": "k@x.ru", "$fingerprint": "aa"}'])$$,
    'values (1, 202)', 'and with the same one is the same lead');
update leadq.lead set request = request || jsonb_build_object('$fingerprint', repeat('ab', 32)) where lead_id = '00000000-0000-8000-8000-000000000001';
select results_eq(
    $$select n, status from leadq.web_lead(array_fill('00000000-0000-8000-8000-000000000001'::uuid, array[3]), array['{"source": "cpa", "$fingerprint": "abababababababababababababababab"}', '{"source": "cpa", "$fingerprint": "abababababababababababababababac"}', '{"source": "cpa"}']) order by n$$,
    'values (1, 202), (2, 422), (3, 422)', 'the longer fingerprint of an earlier version is known by its first half');
select leadq.run_rules(100);
select is((select count(*) from leadq.lead where lead_id = '00000000-0000-8000-8000-000000000001'), 1::bigint, 'once');

-- Robots.
insert into t values ('robot', pg_temp.lead('{"email": "robot@x.ru", "phone": "+79160009999", "click_id": "r0", "consent_pd": true, "$trap": "honeypot"}'));
select is(pg_temp.state(pg_temp.id('robot')), 'rejected spam', 'what tripped a trap is spam');
select is((select count(*) from leadq.address where value in ('robot@x.ru', '+79160009999')), 0::bigint, 'and enters no contact');
select is(pg_temp.told(pg_temp.id('robot')), 'processed queued, rejected waiting', 'its network is told the truth');

-- A source that nobody has described.
insert into t values ('early', pg_temp.lead('{"source": "spring", "email": "f@x.ru"}'));
select is(pg_temp.state(pg_temp.id('early')), 'received', 'a lead of an unknown source is kept');
select is((select state from leadq.job where ref = pg_temp.id('early')), 'scheduled', 'and waits');
select leadq.config_import('{"sources": [{"name": "spring", "series": "three", "from_email": "a@brand.ru", "base_url": "https://brand.ru"}]}');
select leadq.shift_time('2 min');
select pg_temp.work();
select is(pg_temp.letters('f@x.ru'), '1 sent, 2 planned', 'until the source is described');

-- A rule that fails hurts nobody else.
insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at) values (0, leadq._job_id(0), 'nonsense', 'rule', gen_random_uuid(), now());
insert into t values ('beside', pg_temp.lead('{"email": "g@x.ru", "click_id": "9"}'));
select is(pg_temp.state(pg_temp.id('beside')), 'pending', 'a broken rule job does not hold its neighbours');
select is((select outcome from leadq.job_done where kind = 'nonsense'), 'dead', 'and is set aside');

select * from finish();
rollback;
