-- Visits at a desk: the form, the consents, the proof of a number, the end.
\i tests/sql/setup.sql

select leadq.config_import('{
  "consent_texts": [{"purpose": "pd_processing", "version": "v1", "lang": "ru", "text": "Согласен на обработку"}, {"purpose": "ads", "version": "v1", "lang": "ru", "text": "Согласен на рассылку"}],
  "gateways": [{"name": "sms", "channel": "sms", "url": "https://sms/"}],
  "verifications": [{"name": "advisor", "kind": "desk", "limits": [], "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}],
  "points": [{"name": "mega", "title": "Mega", "opens": "00:00", "closes": "24:00"}, {"name": "gum"}],
  "advisors": [{"name": "anna", "title": "Anna", "point": "mega"}, {"name": "boris", "point": "mega"}, {"name": "olga", "role": "supervisor", "point": "mega"},
               {"name": "gleb", "point": "gum"}, {"name": "brand", "role": "brand"}],
  "questions": [{"name": "taste", "title": {"ru": "Вкус"}, "type": "choice", "choices": [{"value": "mint", "title": {"ru": "Мята"}}]},
                {"name": "name", "required": false}, {"name": "since", "type": "date", "required": false}, {"name": "cups", "type": "int", "required": false}, {"name": "home", "type": "bool", "required": false}],
  "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %", "title": "Друзья"}]}'::jsonb);
select is((select count(*) from leadq.config_import(leadq.config_export())), 0::bigint, 'what is exported is in force');
select is((select string_agg(c, ',') from leadq.config_import('{"questions": [{"name": "taste", "title": {"ru": "Вкус"}, "type": "choice", "choices": [{"value": "mint", "title": {"ru": "Мята"}}]}]}') c), 'questions', 'the list of questions replaces the one in force');
select leadq.config_import('{"questions": [{"name": "taste", "title": {"ru": "Вкус"}, "type": "choice", "choices": [{"value": "mint", "title": {"ru": "Мята"}}]}, {"name": "name", "required": false}, {"name": "since", "type": "date", "required": false}, {"name": "cups", "type": "int", "required": false}, {"name": "home", "type": "bool", "required": false}]}');

create function pg_temp.said(p_status integer, p_body text, variadic p_keys text[]) returns text language sql as $$
    select concat_ws(' ', p_status, replace(p_body::jsonb ->> 'type', 'urn:leadq:problem:', ''),
        (select string_agg(coalesce(p_body::jsonb ->> k, '-'), ' ' order by n) from unnest(p_keys) with ordinality k (k, n) where not p_body::jsonb ? 'type'),
        (select string_agg(e ->> 'field' || ':' || (e ->> 'code'), ' ') from jsonb_array_elements(p_body::jsonb -> 'errors') e)) $$;
create function pg_temp.open(p_id uuid, p_more jsonb, p_advisor text default 'anna') returns text language sql as $$
    select pg_temp.said(status, body, 'state') from leadq.web_visit_open(array[p_id], array[(jsonb_build_object('$session', 'till', 'advisor', p_advisor, 'age', 'sure', 'consent_pd', true,
        'consent_ads', true, 'text_version', 'v1', 'answers', '{"taste": "mint"}'::jsonb) || p_more)::text]) $$;
create function pg_temp.end(p_id uuid, p_visit uuid, p_more jsonb, p_advisor text default 'anna') returns text language sql as $$
    select pg_temp.said(status, body, 'outcome', 'verified', 'follows') from leadq.web_visit_end(array[p_id], array[(jsonb_build_object('$session', 'till', 'advisor', p_advisor, 'id', p_visit) || p_more)::text]) $$;
create function pg_temp.proved(p_phone text, p_visit uuid, p_session text default 'till', p_ads boolean default true) returns uuid language plpgsql as $$
declare v_id uuid := gen_random_uuid();
begin
    perform leadq.web_otp_start(array[v_id], array[jsonb_build_object('profile', 'advisor', 'phone', p_phone, '$session', p_session, 'advisor', 'anna', 'point', 'mega', 'consent_pd', true, 'consent_ads', p_ads,
        'text_version', 'v1', 'visit', p_visit)::text]);
    update leadq.verification set state = 'verified', closed_at = leadq.now(), result_until = leadq.now() + interval '30 min' where verification_id = v_id;
    perform leadq._add_jobs('verified', 0, 'rule', array[v_id], array[leadq.now()]);
    return v_id;
end $$;
create temp table t as select gen_random_uuid() a, gen_random_uuid() b, gen_random_uuid() c, gen_random_uuid() d, gen_random_uuid() e, null::uuid v;

-- W-6: age first; nothing is kept of who cannot prove it.
select is(pg_temp.open(a, '{"age": "unproved", "consent_pd": true, "answers": {"taste": "mint"}}'), '201 ended', 'W-6: without a proved age the talk is over') from t;
select is((select outcome || ' ' || (answers is null) || ' ' || consent_pd from leadq.visit), 'left true false', 'and nothing of the person is kept');
select is(pg_temp.end(b, a, '{"outcome": "test", "refusal": "phone"}'), '409 visit-ended', 'neither a test nor a purchase follows') from t;
select throws_ok($$insert into leadq.visit (visit_id, point_id, advisor_id, day, opened_at, age, consent_pd, consent_ads, lang, ended_at, outcome) select gen_random_uuid(), point_id, advisor_id, day, opened_at, age, false, false, 'ru', ended_at, 'purchase' from leadq.visit$$, '23514', null, 'not even by hand');

-- W-7: the questionnaire and the two consents.
update t set a = gen_random_uuid();
select is(pg_temp.open(a, '{}', 'brand'), '403 not-allowed', 'the brand opens no visits') from t;
select is(pg_temp.open(a, '{"answers": {"taste": "", "cups": "many", "since": "yesterday", "home": 1, "shoe": 44}}'), '422 validation answers.taste:required answers.since:bad-value answers.cups:bad-value answers.home:bad-value answers.shoe:unknown', 'W-23: what is empty or wrong is named') from t;
select is(pg_temp.open(a, '{"answers": {"taste": "rum"}}'), '422 validation answers.taste:bad-value', 'a choice is one of those') from t;
select is(pg_temp.open(a, '{"answers": [1]}'), '422 validation answers:bad-value') from t;
select is(pg_temp.open(a, '{"consent_pd": false}'), '422 validation consent_pd:required', 'W-7: no answers without the consent') from t;
select is(pg_temp.open(b, '{"consent_pd": false, "answers": {}}'), '201 open', 'but a visit') from t;
select is(pg_temp.open(a, '{"$fingerprint": "00112233445566778899aabbccddeeff"}'), '201 open', 'a form is opened') from t;
select is(pg_temp.open(a, '{"$fingerprint": "00112233445566778899aabbccddeeff"}'), '201 open', 'once') from t;
select is(pg_temp.open(a, '{"$fingerprint": "ff112233445566778899aabbccddeeff"}'), '422 idempotency-key-reused', 'not for another form') from t;
select is((select count(*) from leadq.visit), 3::bigint);
select is((select body::jsonb ->> 'visit' from leadq.web_desk(array[gen_random_uuid()], array['{"advisor": "anna", "$session": "till"}'])), a::text, 'a page that is loaded anew finds it') from t;
select is((select body::jsonb -> 'point' ->> 'open' || ' ' || (body::jsonb -> 'advisor' ->> 'role') || ' ' || jsonb_array_length(body::jsonb -> 'questions') || ' ' || (body::jsonb #>> '{consents,ads,ru}') from leadq.web_desk(array[gen_random_uuid()], array['{"advisor": "anna"}'])),
    'true advisor 5 Согласен на рассылку', 'with all that the page needs');
select is((select status from leadq.web_desk(array[gen_random_uuid()], array['{"advisor": "nobody"}'])), 403);
select is((select body::jsonb -> 'point' from leadq.web_desk(array[gen_random_uuid()], array['{"advisor": "brand"}'])), 'null', 'the brand has no point');

-- The end.
select is(pg_temp.end(c, a, '{"outcome": "purchase"}'), '422 proof-required verification:required', 'W-11: a proof, or why there is none') from t;
select is(pg_temp.end(c, a, '{"outcome": "purchase", "refusal": "phone"}', 'gleb'), '404 no-such-visit', 'a visit of another point is none') from t;
update t set v = pg_temp.proved('+79160000001', a, 'other till');
select is((select visit_id from leadq.verification), a, 'a number belongs to the visit that it was typed in') from t;
select is(pg_temp.end(c, a, jsonb_build_object('outcome', 'purchase', 'verification', v)), '409 verification-unknown', 'another till''s proof is none') from t;
update t set v = pg_temp.proved('+79160000001', a);
select is(pg_temp.end(c, a, jsonb_build_object('outcome', 'purchase', 'verification', v)), '200 purchase true -', 'W-12: a purchase with a proved number; nothing follows where nobody sends it') from t;
select is(pg_temp.end(c, a, jsonb_build_object('outcome', 'purchase', 'verification', v)), '200 purchase true -', 'once') from t;
select is(pg_temp.end(c, a, '{"outcome": "test", "refusal": "phone"}'), '422 idempotency-key-reused') from t;
select is(pg_temp.end(d, a, jsonb_build_object('outcome', 'test', 'verification', v)), '409 visit-ended') from t;
select is(pg_temp.end(d, b, jsonb_build_object('outcome', 'test', 'verification', v)), '409 verification-used', 'a proof is good once') from t;
select is(pg_temp.end(d, b, '{"outcome": "test", "refusal": "phone"}'), '200 test false -', 'W-11: nobody has to give a number') from t;
select leadq.run_rules(100);
select is((select c.contact_id from leadq.visit c where visit_id = a), (select contact_id from leadq.address where value = '+79160000001'), 'W-19: the visit is of the person with the number') from t;
select is((select string_agg(purpose || ' ' || channel || ' ' || action || ' ' || evidence || ' ' || advisor_id || ' ' || (text_sha256 is not null), ', ' order by n) from leadq.consent where n > 2),
    'pd_processing any given otp anna true, ads sms given otp anna true, pd_processing any given checkbox anna true, ads any given checkbox anna true', 'W-7, W-8: consents are asked for twice, and both are kept');
select is((select count(*) from leadq.event where kind = 'visit.ended'), 1::bigint);
select is((select string_agg(x ->> 'outcome' || ' ' || (x ->> 'verified') || ' ' || coalesce(x ->> 'phone_masked', '-'), ', ' order by x ->> 'outcome') from leadq.web_desk(array[gen_random_uuid()], array['{"advisor": "anna"}']), jsonb_array_elements(body::jsonb -> 'last') x),
    'left false -, purchase true +7 916 ***-**-01, test false -', 'his last visits are on the page, numbers masked');

-- Threat 20: the advisor's own phone.
update t set a = gen_random_uuid(), b = gen_random_uuid();
select pg_temp.open(a, '{}') from t;
update t set v = pg_temp.proved('+79160000001', a);
select is(pg_temp.end(b, a, jsonb_build_object('outcome', 'purchase', 'verification', v)), '409 phone-used', 'threat 20: the second purchase of a number with one advisor is refused') from t;
select is(pg_temp.end(b, a, '{"outcome": "purchase", "refusal": "repeat"}'), '200 purchase false -', 'the sale is not') from t;
select pg_temp.open(c, '{}', 'boris') from t;
update t set e = gen_random_uuid(), c = gen_random_uuid() ;
select pg_temp.open(c, '{}', 'boris') from t;
select is(pg_temp.end(e, c, jsonb_build_object('outcome', 'purchase', 'verification', v), 'boris'), '200 purchase true -', 'nor is the number with another advisor') from t;
select leadq.shift_time('31 days');
update t set a = gen_random_uuid(), b = gen_random_uuid();
select pg_temp.open(a, '{}') from t;
update t set v = pg_temp.proved('+79160000001', a);
select is(pg_temp.end(b, a, jsonb_build_object('outcome', 'purchase', 'verification', v)), '200 purchase true -', 'nor after thirty days') from t;

-- Visits that nobody ends; persons that are erased.
select leadq.run_rules(100);
update t set a = gen_random_uuid(), b = gen_random_uuid();
select pg_temp.open(a, '{}') from t;
select leadq.shift_time('13 hours');
select leadq.maintain();
select is((select outcome from leadq.visit where visit_id = a), 'left', 'who was never said to have left has left') from t;
select is(pg_temp.end(b, a, '{"outcome": "test", "refusal": "phone"}'), '409 visit-ended') from t;
select ok(exists (select from leadq.visit where answers ->> 'taste' = 'mint' and contact_id is not null));
select leadq.contact_erase('phone', '+79160000001');
select ok(not exists (select from leadq.visit where answers is not null and contact_id is not null), 'an erased person has answered nothing');

select * from finish();
rollback;
