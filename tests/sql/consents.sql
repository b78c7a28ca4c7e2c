-- Consents: two for a form, with the words that were agreed to, append-only,
-- a chain for each person.
\i tests/sql/setup.sql
\unset ON_ERROR_STOP

select leadq.config_import('{"consent_texts": [
    {"purpose": "pd_processing", "version": "v1", "lang": "ru", "text": "можно"},
    {"purpose": "pd_processing", "version": "v1", "lang": "en", "text": "you may"},
    {"purpose": "ads", "version": "v1", "lang": "ru", "text": "пишите"}]}');
select is((select count(*) from leadq.config_import('{"consent_texts": [{"purpose": "ads", "version": "v1", "lang": "ru", "text": "пишите"}]}')), 0::bigint, 'a text that is in force is no change');
select throws_ok($$select leadq.config_import('{"consent_texts": [{"purpose": "ads", "version": "v2", "lang": "ru", "text": "a"}, {"purpose": "ads", "version": "v1", "lang": "ru", "text": "b"}]}')$$, 'P0001', 'consent_texts[1].text: version "v1" is in force with other words: people agreed to them, give these a new version', 'the words of a version stay');
select is(leadq.config_export() -> 'consent_texts' -> 0 ->> 'text', 'пишите', 'the document has them');

select pg_temp.lead('{"email": "a@x.ru", "consent_pd": true, "consent_ads": false, "text_version": "v1", "lang": "en", "ip": "192.0.2.7", "ua": "test", "page_url": "https://brand.ru/club", "form_version": "f2", "advisor": "ad7", "point": "p3"}');
create temp view c as
    select c.* from leadq.consent c join leadq.address a using (contact_id) where a.value = 'a@x.ru';

select results_eq($$select purpose, action, evidence from c order by n$$, $$values ('pd_processing', 'given', 'checkbox'), ('ads', 'refused', 'checkbox')$$, 'a form gives two consents, each with its own answer');
select is((select text_sha256 from c where purpose = 'pd_processing'), sha256(convert_to('you may', 'UTF8')), 'the hash is of the words in the person''s language');
select is((select text_lang from c where purpose = 'ads'), 'ru', 'or in the source''s, where there are no others');
select is((select concat_ws(' ', text_version, page_url, form_version, advisor_id, point_id, ip, ua) from c where n = 1), 'v1 https://brand.ru/club f2 ad7 p3 192.0.2.7 test', 'what was there when it was given is kept');
select pg_temp.lead('{"email": "old@x.ru", "consent_pd": true, "text_version": "v0", "evidence": "paper", "consent_at": "2019-05-01"}');
select is((select concat_ws(' ', evidence, shown_at::date, encode(text_sha256, 'hex')) from leadq.consent join leadq.address using (contact_id) where value = 'old@x.ru'), 'paper 2019-05-01', 'an older one tells where it is from, and when; words that nobody kept have no hash');

select pg_temp.work();
select pg_temp.confirm('a@x.ru');
select pg_temp.unsubscribe('a@x.ru');
select is((select array_agg(evidence || ' ' || action order by n) from c), array['checkbox given', 'checkbox refused', 'doi_click given', 'unsubscribe withdrawn'], 'a confirmation and a withdrawal are rows too');

-- The chain.
select is((select array_agg(n order by n) from c), array[1, 2, 3, 4], 'they are numbered');
select is((select count(*) from c join c p on p.n = c.n - 1 and p.hash = c.prev_hash), 3::bigint, 'and each has the hash of the one before');
select is_empty('select leadq.consent_breaks(contact_id) from c', 'the chain holds');
select throws_ok('update leadq.consent set action = ''given''', '42501', 'leadq.consent is append-only', 'a consent is not changed');
select throws_ok('update leadq.consent set at = at - interval ''1 day''', '42501', null, 'nor its time');
select throws_ok('update leadq.consent set ip = ''192.0.2.8''', '42501', null, 'nor the place it was given at');
select throws_ok('delete from leadq.consent', '42501', null, 'nor deleted');
select throws_ok('truncate leadq.consent', '42501', null, 'nor are all of them');
select throws_ok('update leadq.consent_text set text = ''x'', sha256 = sha256(''x'')', '42501', 'leadq.consent_text is append-only', 'nor its words');
select throws_ok('delete from leadq.consent_text', '42501', null, 'nor are they deleted');
select throws_ok($$insert into leadq.consent_text values ('ads', 'v9', 'ru', 'a', sha256('b'), now())$$, '23514', null, 'a hash of other words is none');
update leadq.consent set ip = null, ua = null, page_url = null;
select is_empty('select leadq.consent_breaks(contact_id) from c', 'where somebody sat may be erased, and the chain holds');

insert into leadq.consent (contact_id, purpose, channel, action, evidence, at, n, prev_hash, hash)
select contact_id, 'ads', 'email', 'given', 'paper', now(), 77, 'x', 'y' from c where n = 1;
select is_empty('select leadq.consent_breaks(contact_id) from c', 'nobody writes a link of the chain himself');
set local session_replication_role = replica;
update leadq.consent set action = 'given' where consent_id = (select consent_id from c where n = 2);
delete from leadq.consent where consent_id = (select consent_id from c where n = 4);
set local session_replication_role = origin;
select set_eq('select distinct b from c, leadq.consent_breaks(c.contact_id) b', 'select consent_id from c where n in (2, 5)', 'who changes or deletes one all the same is found out');

select * from finish();
rollback;
