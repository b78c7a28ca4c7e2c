-- Contacts that turn out to be one (A-16, W-19), and what a person asks for.
\i tests/sql/setup.sql
\unset ON_ERROR_STOP

create function pg_temp.of(p_value text) returns bigint language sql as $$
    select contact_id from leadq.address where value = p_value $$;
create function pg_temp.consents(p_value text) returns text language sql as $$
    select string_agg(purpose || ' ' || action, ', ' order by at, n)
      from leadq.consent where contact_id = pg_temp.of(p_value) $$;

-- A phone first, an e-mail later.
create temp table l as
select pg_temp.lead('{"source": "bare", "phone": "+79160000001", "name": "P", "consent_pd": true}') as first, pg_temp.of('+79160000001') as was, null::uuid as second;
select leadq.shift_time('1 day');
update l set second = pg_temp.lead('{"email": "a@x.ru", "phone": "+79160000001", "name": "A", "click_id": "1", "consent_pd": true, "consent_ads": true}');

select is(pg_temp.of('+79160000001'), pg_temp.of('a@x.ru'), 'who was known by a phone and gives an e-mail is one contact');
select is((select contact_id from leadq.lead join l on lead_id = first), pg_temp.of('a@x.ru'), 'with the lead that came before');
select is((select array_agg(distinct contact_id) from leadq.event join l on lead_id = first and kind = 'lead.received'), array[pg_temp.of('a@x.ru')], 'its events');
select is(pg_temp.consents('a@x.ru'), 'pd_processing given, pd_processing given, ads given', 'and its consents');
select is((select array_agg(consent_id) from leadq.consent join l on contact_id = was), (select array_agg(copied_from) from leadq.consent where contact_id = pg_temp.of('a@x.ru') and copied_from is not null), 'which stay where they were given, too');
select is((select merged_into from leadq.contact join l on contact_id = was), pg_temp.of('a@x.ru'), 'the old number leads to the new one');
select is((select data ->> 'from' from leadq.event where kind = 'contact.merged' and contact_id = pg_temp.of('a@x.ru')), (select was::text from l), 'that it was merged is an event');
select is(pg_temp.state((select second from l)), 'pending', 'the lead is judged as ever');
select is((select name from leadq.contact where contact_id = pg_temp.of('a@x.ru')), 'A', 'a name that somebody gave beside a phone is told to no e-mail');
select is_empty($$select leadq.consent_breaks(pg_temp.of('a@x.ru'))$$, 'and the chain holds');

-- A phone of somebody who has an e-mail stays his.
select pg_temp.lead('{"email": "b@x.ru", "phone": "+79160000001"}');
select isnt(pg_temp.of('b@x.ru'), pg_temp.of('+79160000001'), 'a phone of somebody with an e-mail of his own takes nobody over');
select pg_temp.lead('{"source": "bare", "phone": "+79160000003"}');
update leadq.address set state = 'confirmed', confirmed_at = now() where value = '+79160000003';
select pg_temp.lead('{"email": "thief@x.ru", "phone": "+79160000003"}');
select isnt(pg_temp.of('thief@x.ru'), pg_temp.of('+79160000003'), 'nor does one that its owner has proved');
select pg_temp.lead('{"source": "bare", "phone": "+79160000004"}');
select pg_temp.lead('{"email": "robot@x.ru", "phone": "+79160000004", "$trap": "honeypot"}');
select is((select count(*) from leadq.contact where merged_into is not null), 1::bigint, 'and a robot merges nobody');

-- The operator merges: both had letters of the same series.
select pg_temp.lead('{"email": "c@x.ru", "click_id": "c", "name": "C"}'), pg_temp.lead('{"email": "d@x.ru", "click_id": "d", "consent_ads": true}'), pg_temp.lead('{"source": "reach", "email": "e@x.ru", "click_id": "e"}');
select pg_temp.work();
select is((select leadq.contact_merge('email', 'c@x.ru', 'email', 'd@x.ru') - 'contact' - 'merged'), '{"addresses": 2}'::jsonb, 'the operator makes one contact of two');
select is(pg_temp.of('d@x.ru'), pg_temp.of('c@x.ru'), 'both addresses are its own');
select is(pg_temp.letters('c@x.ru'), '1 sent, 2 planned', 'its series goes on');
select is(pg_temp.letters('d@x.ru'), '1 sent, 2 cancelled', 'the other one, the same, does not');
select is((select count(*) from leadq.job where ref in (select message_id from leadq.message join leadq.enrolment using (enrolment_id) where email = 'd@x.ru')), 0::bigint, 'nor do its jobs');
select is(pg_temp.consents('c@x.ru'), 'ads given', 'the consents are there');
select leadq.contact_merge('email', 'c@x.ru', 'email', 'd@x.ru');
select is(pg_temp.consents('c@x.ru'), 'ads given', 'a repeat adds nothing');
select pg_temp.confirm('c@x.ru');
select is((select array_agg(distinct state) from leadq.lead where click_id in ('c', 'd')), array['approved'], 'what one confirms counts for the leads of both');
select leadq.contact_merge('email', 'c@x.ru', 'email', 'e@x.ru');
select is(pg_temp.state((select lead_id from leadq.lead where click_id = 'e')), 'approved', 'a lead that comes to a series that is over ends as it did');
select is((select count(*) from leadq.contact where merged_into = pg_temp.of('c@x.ru')), 2::bigint, 'two have become it');
select throws_ok($$select leadq.contact_merge('email', 'c@x.ru', 'email', 'nobody@x.ru')$$, 'P0002', 'nobody has the second address', 'there must be somebody');

-- Withdrawal.
select pg_temp.lead('{"email": "w@x.ru", "phone": "+79160000009", "click_id": "w", "consent_pd": true, "consent_ads": true}');
select is(leadq.contact_withdraw('phone', '+79160000009', 'ads') ->> 'withdrawn', '1', 'ads are taken back');
select is(pg_temp.consents('w@x.ru'), 'pd_processing given, ads given, ads withdrawn', 'that is a row');
select is(pg_temp.state((select lead_id from leadq.lead where click_id = 'w')), 'rejected unsubscribed', 'the lead that waited is rejected');
select is(pg_temp.letters('w@x.ru'), '1 cancelled', 'and the letters');
select is(leadq.contact_withdraw('email', 'w@x.ru', 'pd_processing') ->> 'withdrawn', '1', 'the processing of data is the other consent');
select is(leadq.contact_withdraw('email', 'w@x.ru', 'pd_processing') ->> 'withdrawn', '0', 'a repeat is none');
select is(pg_temp.state(pg_temp.lead('{"source": "other", "email": "w@x.ru"}')), 'rejected blocked', 'nothing is sent to him again');

-- Export.
select is(jsonb_path_query_array(leadq.contact_export('email', 'a@x.ru'), '$.leads[*].request.name'), '["P", "A"]', 'an export has every lead');
select is(leadq.contact_export('email', 'a@x.ru') #>> '{addresses,1,value}', '+79160000001', 'and address');
select is(leadq.contact_export('email', 'c@x.ru') #>> '{leads,0,told,0,status}', 'processed', 'what networks were told');
select is((select count(*) from jsonb_object_keys(leadq.contact_export('email', 'a@x.ru'))), 11::bigint, 'letters, visits, codes, events, consents and their chain');
select is(leadq.contact_export('email', 'nobody@x.ru'), null, 'of nobody there is none');

select * from finish();
rollback;
