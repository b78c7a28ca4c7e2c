-- Codes that are worth a discount: who may use them, how often, what they earn.
\i tests/sql/setup.sql

select leadq.config_import('{
  "points": [{"name": "mega", "opens": "10:00", "closes": "22:00"}, {"name": "gum"}],
  "advisors": [{"name": "anna", "point": "mega"}, {"name": "boris", "point": "mega"}, {"name": "olga", "role": "supervisor", "point": "mega"},
               {"name": "gleb", "point": "gum"}, {"name": "gone", "point": "mega", "active": false}, {"name": "brand", "role": "brand"}],
  "staff": ["+79169999999"],
  "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %", "title": "Друзья"}, {"name": "trial", "kind": "trial", "discount": "10 %"},
                 {"name": "sale", "discount": "5 %", "max_uses": 1000, "new_customer_only": false}]}'::jsonb);
select is((select count(*) from leadq.config_import(leadq.config_export())), 0::bigint, 'what is exported is in force');
select throws_ok($$select leadq.config_import('{"advisors": [{"name": "x"}]}')$$, 'P0001', 'advisors[0].point: an advisor works at a point: name it');
select throws_ok($$select leadq.config_import('{"programmes": [{"name": "friends", "kind": "promo", "discount": "1"}]}')$$, 'P0001', 'programmes[0].kind: "friends" is referral: a programme keeps its kind');

-- A customer with a number that was just proved; the verification.
create function pg_temp.customer(p_phone text, p_rule boolean default true) returns uuid language plpgsql as $$
declare v_id uuid := gen_random_uuid();
begin
    insert into leadq.verification (verification_id, profile_id, phone, session, lang, digits, max_checks, seed, created_at, expires_at, state, closed_at, result_until, consent_pd)
    select v_id, profile_id, p_phone, sha256('till'), 'ru', 4, 3, uuid_send(gen_random_uuid()), leadq.now(), leadq.now() + interval '5 min', 'verified', leadq.now(), leadq.now() + interval '30 min', true
      from leadq.profile limit 1;
    if p_rule then perform leadq._take_verified(array[v_id]); end if;
    return v_id;
end $$;
select leadq.config_import('{"gateways": [{"name": "sms", "channel": "sms", "url": "https://sms/"}], "verifications": [{"name": "desk", "kind": "desk", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}]}'::jsonb);
create function pg_temp.contact(p_phone text) returns bigint language sql as $$ select contact_id from leadq.address where value = p_phone $$;
create function pg_temp.short(p_status integer, p_body text) returns text language sql as $$
    select concat_ws(' ', p_status, coalesce(replace(p_body::jsonb ->> 'type', 'urn:leadq:problem:', ''), p_body::jsonb ->> 'state'), p_body::jsonb ->> 'uses_left') $$;
create function pg_temp.check(p_code text, p_phone text default null) returns text language sql as $$
    select concat_ws(' ', status, coalesce(body::jsonb ->> 'reason', body::jsonb ->> 'valid'), body::jsonb ->> 'uses_left') from leadq.web_promo_check(array[gen_random_uuid()],
        array[jsonb_strip_nulls(jsonb_build_object('code', p_code, 'phone', p_phone, 'advisor', 'anna'))::text]) $$;
create function pg_temp.reserve(p_id uuid, p_code text, p_verification uuid, p_advisor text default 'anna') returns text language sql as $$
    select pg_temp.short(status, body) from leadq.web_promo_reserve(array[p_id], array[jsonb_build_object('code', p_code, 'verification', p_verification, '$session', 'till', 'advisor', p_advisor)::text]) $$;
create function pg_temp.redeem(p_id uuid, p_more jsonb, p_advisor text default 'anna') returns text language sql as $$
    select pg_temp.short(status, body) from leadq.web_promo_redeem(array[p_id], array[(jsonb_build_object('$session', 'till', 'advisor', p_advisor, '$fingerprint', md5(p_more::text)) || p_more)::text]) $$;
create function pg_temp.buy(p_code text, p_phone text, p_advisor text default 'anna') returns text language sql as $$
    select pg_temp.redeem(gen_random_uuid(), jsonb_build_object('code', p_code, 'verification', pg_temp.customer(p_phone)), p_advisor) $$;
create function pg_temp.release(p_id uuid, p_advisor text default 'anna') returns text language sql as $$
    select pg_temp.short(status, body) from leadq.web_promo_release(array[gen_random_uuid()], array[jsonb_build_object('id', p_id, 'advisor', p_advisor)::text]) $$;
create function pg_temp.roll_back(p_id uuid, p_redemption uuid, p_advisor text default 'olga') returns text language sql as $$
    select pg_temp.short(status, body) from leadq.web_promo_rollback(array[p_id], array[jsonb_build_object('id', p_redemption, 'advisor', p_advisor, 'reason', 'refund')::text]) $$;

create function pg_temp.of(p_redeem uuid) returns uuid language sql as $$ select redemption_id from leadq.redemption where redeem_id = p_redeem $$;

-- Codes.
select is(leadq.add_codes('friends', '00000000-0000-7000-8000-0000000000b1', array['22222222222A', '22222222223A', '22222222222A', '2222222222HA']), 3, 'a code is added once');
select is(leadq.add_codes('friends', '00000000-0000-7000-8000-0000000000b1', array['22222222222A', '2222222222AA']), 1, 'in any batch');
select is((select codes from leadq.promo_batch), 4);
select leadq.add_codes('sale', '00000000-0000-7000-8000-0000000000b2', array['333333333333', '33333333333A']);
select throws_ok($$select leadq.add_codes('none', gen_random_uuid(), '{}')$$, 'P0001', 'there is no programme "none"');
select throws_ok($$select leadq.add_codes('sale', '00000000-0000-7000-8000-0000000000b1', '{}')$$, 'P0001', 'the batch is of another programme than "sale"');
select is(leadq.begin_batch('sale', '00000000-0000-7000-8000-0000000000b3'), 0, 'a batch begins empty');
select is(leadq.begin_batch('friends', '00000000-0000-7000-8000-0000000000b1'), 4, 'and goes on with what it has');
select is((select string_agg(code, ' ') from leadq.batch_codes('00000000-0000-7000-8000-0000000000b1', (select code_id from leadq.promo_code where code = '22222222222A'), 2)),
    '22222222223A 2222222222HA', 'its codes are read in their order, some at a time');
select is((select string_agg(right(batch::text, 2) || ' ' || codes || ' ' || used, ',' order by batch) from leadq.batches('sale')), 'b2 2 0,b3 0 0', 'batches are told');
select pg_temp.customer('+79160000001');
update leadq.promo_code set owner_id = pg_temp.contact('+79160000001') where code = '22222222222A';

-- Checking changes nothing (A-9).
select is(pg_temp.check('22222222222A'), '200 true 3', 'a code is good for three');
select is(pg_temp.check('99999999999A'), '200 not-found', 'one that is not there is not');
select is(pg_temp.check('22222222222A', '+79160000001'), '200 self-referral 3', 'nor its owner''s');
select is((select count(*) from leadq.redemption), 0::bigint, 'A-9: a check changes nothing');
select is((select status from leadq.web_promo_check(array[gen_random_uuid()], array['{"code": "22222222222A", "advisor": "gone"}'])), 403, 'who works here no more asks in vain');

-- Reserving, releasing, redeeming.
create temp table t as select gen_random_uuid() a, gen_random_uuid() b, gen_random_uuid() c, gen_random_uuid() d, pg_temp.customer('+79160000002') v;
select is(pg_temp.reserve(a, '22222222222A', gen_random_uuid()), '409 verification-unknown', 'without a proved number nothing is reserved') from t;
select is(pg_temp.reserve(a, '22222222222A', v, 'brand'), '403 not-allowed', 'the brand sells nothing') from t;
select is(pg_temp.reserve(a, '22222222222A', v), '201 reserved 2', 'a use is reserved') from t;
select is(pg_temp.reserve(a, '22222222222A', v), '201 reserved 2', 'once') from t;
select is(pg_temp.check('22222222222A'), '200 true 2', 'nobody else gets it');
select is(pg_temp.release(a, 'gleb'), '410 reservation-closed', 'another point cannot release it') from t;
select is(pg_temp.release(a) || pg_temp.release(a), '204204', 'its own can, twice') from t;
select is(pg_temp.check('22222222222A'), '200 true 3', 'and it is free again');
select is((select used_by from leadq.verification where verification_id = v), a, 'the proof of the number was attached to it') from t;
select is(pg_temp.reserve(b, '22222222222A', v), '201 reserved 2') from t;
select is(pg_temp.redeem(c, jsonb_build_object('reservation', b), 'gleb'), '409 reservation-closed', 'it is redeemed at its point') from t;
select is(pg_temp.redeem(c, jsonb_build_object('reservation', b, 'receipt', '17')), '201 redeemed 2', 'a sale') from t;
select is(pg_temp.redeem(c, jsonb_build_object('reservation', b, 'receipt', '17')), '201 redeemed 2', 'a till that asks again gets the same') from t;
select is(pg_temp.redeem(c, jsonb_build_object('reservation', b, 'receipt', '18')), '422 idempotency-key-reused', 'not for another sale') from t;
select is(pg_temp.buy('22222222222A', '+79160000002'), '409 promo-already-used', 'a customer uses a code once');
select is(pg_temp.buy('22222222223A', '+79160000002'), '409 promo-enough', 'and one of a programme');
select is(pg_temp.buy('333333333333', '+79160000002'), '201 redeemed 999', 'but may use another one');
select is(pg_temp.buy('22222222223A', '+79160000001'), '201 redeemed 2', 'a code of somebody else');
select is(pg_temp.buy('2222222222HA', '+79169999999'), '409 promo-staff', 'staff has no discount');
select is(pg_temp.buy('22222222222A', '+79160000001'), '409 promo-self-referral', 'nobody is his own friend');

-- His own reservation is not in his way; one that is over is in nobody's.
update t set v = pg_temp.customer('+79160000003'), a = gen_random_uuid();
select is(pg_temp.reserve(a, '22222222222A', v), '201 reserved 1') from t;
select is(pg_temp.redeem(d, jsonb_build_object('code', '22222222222A', 'verification', v)), '201 redeemed 1', 'who holds a use uses that one') from t;
select is((select count(*) from leadq.redemption r join leadq.promo_code using (code_id) where code = '22222222222A'), 3::bigint);
update t set v = pg_temp.customer('+79160000004'), a = gen_random_uuid();
select is(pg_temp.reserve(a, '22222222222A', v), '201 reserved 0') from t;
select is(pg_temp.buy('22222222222A', '+79160000005', 'boris'), '409 promo-exhausted', 'W-25: three are three, a reserved one too');
select leadq.shift_time('16 min');
select is(pg_temp.check('22222222222A'), '200 true 1', 'after a quarter of an hour it is free');
select is(pg_temp.buy('22222222222A', '+79160000005', 'boris'), '201 redeemed 0', 'A-10: the third friend');
select is(pg_temp.redeem(gen_random_uuid(), jsonb_build_object('reservation', a)), '409 reservation-closed', 'the first one comes too late') from t;
select is(pg_temp.buy('22222222222A', '+79160000006'), '409 promo-exhausted', 'W-25: the fourth cannot get the discount');
select is((select used || ' ' || reserved from leadq.promo_code where code = '22222222222A'), '3 0');

-- The gift.
select is((select string_agg(state, ',') from leadq.reward), 'pending', 'W-14: the owner has earned a gift');
select is((select count(*) from leadq.event where kind = 'reward.earned'), 1::bigint, 'once');
select is((select string_agg(distinct rule, ',' order by rule) from leadq.promo_flag join leadq.promo_code using (code_id) where code = '22222222222A'), 'one-advisor,too-soon', 'what looks odd is marked');
select is(pg_temp.roll_back(a, c, 'anna'), '403 not-allowed', 'an advisor takes nothing back') from t;
select is(pg_temp.roll_back(a, pg_temp.of(d)), '200 rolled_back 1', 'a supervisor does') from t;
select is(pg_temp.roll_back(a, pg_temp.of(d)), '200 rolled_back 1', 'once') from t;
select is(pg_temp.roll_back(gen_random_uuid(), pg_temp.of(d)), '409 already-closed') from t;

-- What a supervisor may take back.
create function pg_temp.sales(p_advisor text) returns jsonb language sql as $$ select body::jsonb -> 'redemptions' from leadq.web_redemptions(array[gen_random_uuid()], array[jsonb_build_object('advisor', p_advisor)::text]) $$;
select is((select string_agg(s ->> 'state' || ' ' || (s ->> 'code') || coalesce(' ' || (s ->> 'reason'), ''), ', ' order by s ->> 'state', s ->> 'code') from jsonb_array_elements(pg_temp.sales('olga')) s),
    'redeemed …222A, redeemed …222A, redeemed …223A, redeemed …3333, rolled_back …222A refund', 'a supervisor sees the sales of the point');
select is((select s ->> 'phone_masked' || ' ' || (s #>> '{advisor,name}') from jsonb_array_elements(pg_temp.sales('olga')) s where s ->> 'state' = 'rolled_back'), '+7 916 ***-**-03 anna', 'whose they were, not more');
select is(pg_temp.sales('anna'), null, 'an advisor does not');
select is((select string_agg(state, ',') from leadq.reward), 'cancelled', 'and the gift is gone');
select is(pg_temp.buy('22222222222A', '+79160000007', 'boris'), '201 redeemed 0', 'until a third friend comes again');
select is((select string_agg(state, ',') from leadq.reward), 'pending');
select leadq.shift_time('15 days');
select leadq.maintain();
select is((select string_agg(state, ',') from leadq.reward), 'pending', 'a mark holds it');
delete from leadq.promo_flag;
select leadq.maintain();
select is((select string_agg(state, ',') from leadq.reward), 'approved', 'without one it is approved after the hold');
update leadq.reward set state = 'issued';
select is(pg_temp.roll_back(gen_random_uuid(), pg_temp.of(c)), '200 rolled_back 1') from t;
select is((select string_agg(state, ',') from leadq.reward), 'clawed_back', 'what was given out is wanted back');

select is(pg_temp.redeem(c, jsonb_build_object('reservation', b, 'receipt', '17')), '201 redeemed 2', 'and who asks for that sale again hears what was said then') from t;

-- Five reservations at a time.
create function pg_temp.hoard(p_i integer) returns text language sql as $$
    select pg_temp.reserve(gen_random_uuid(), '333333333333', pg_temp.customer('+7917000000' || p_i), 'boris') $$;
select is((select string_agg(split_part(pg_temp.hoard(i), ' ', 1), ' ' order by i) from generate_series(1, 6) i), '201 201 201 201 201 409', 'an advisor holds five at a time');
select is((select string_agg(point || ' ' || advisor || ' ' || redeemed, ',' order by 1) from leadq.promo_report where programme = 'sale' and redeemed > 0), 'mega anna 1', 'all of it is in the report');

-- The rule of a proved number has not run yet.
select is(pg_temp.reserve(gen_random_uuid(), '2222222222HA', pg_temp.customer('+79180000001', false)), '201 reserved 2', 'a number that was proved a moment ago is good at the till');
select is((select state from leadq.address where value = '+79180000001'), 'new', 'and is confirmed by its rule');

-- What the programme says.
update leadq.promo_code set expires_at = leadq.now() where code = '2222222222AA';
select is(pg_temp.check('2222222222AA'), '200 expired 3');
select leadq.config_import('{"programmes": [{"name": "sale", "discount": "5 %", "active": false}]}'::jsonb);
select is(pg_temp.check('333333333333'), '200 disabled 994', 'a programme that is over has no codes');

select * from finish();
rollback;
