-- The referral programme on shifted time: what visits earn, friends, gifts (W-13 to W-16, A-8, A-10).
\i tests/sql/setup.sql

select leadq.config_import('{
  "gateways": [{"name": "sms", "channel": "sms", "url": "https://sms/"}, {"name": "bulk", "channel": "sms", "url": "https://bulk/", "content_type": "application/json", "method": "POST", "body": "{\"t\": \"{text}\"}"}],
  "verifications": [{"name": "advisor", "kind": "desk", "limits": [], "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}],
  "points": [{"name": "omsk", "time_zone": "Asia/Omsk"}], "advisors": [{"name": "anna", "point": "omsk"}, {"name": "boris", "point": "omsk"}, {"name": "olga", "role": "supervisor", "point": "omsk"}],
  "staff": ["+79169999999"],
  "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %", "message": {"gateway": "bulk", "text": {"ru": "{code}"}}},
                 {"name": "trial", "kind": "trial", "discount": "10 %", "message": {"gateway": "bulk", "text": {"ru": "{code} {discount}"}}}]}'::jsonb);
select is((select count(*) from leadq.config_import(leadq.config_export())), 0::bigint, 'what is exported is in force');
select throws_ok($$select leadq.config_import('{"programmes": [{"name": "more", "kind": "referral", "discount": "1", "message": {"gateway": "bulk", "text": {"ru": "{code}"}}}]}')$$, 'P0001',
    'programmes: "friends" and "more" both send codes after a visit: let one of them, or switch one off', 'nobody could say which of two a visit is for');
select throws_ok($$select leadq.config_import('{"programmes": [{"name": "trial", "kind": "trial", "discount": "1", "message": {"gateway": "none", "text": {"ru": "{code}"}}}]}')$$, 'P0001', 'programmes[0].message.gateway: there is no gateway "none"');
select throws_ok($$select leadq.config_import('{"programmes": [{"name": "trial", "kind": "trial", "discount": "1", "identity": "sms"}]}')$$, 'P0001', 'programmes[0].identity: "sms" is of the channel sms: it takes one of identity');

-- The clock of the point stands at 12:00 of a day.
select leadq.shift_time(((date_trunc('day', leadq.now() at time zone 'Asia/Omsk') + interval '1 day 12 hours') at time zone 'Asia/Omsk') - leadq.now());

create function pg_temp.contact(p_phone text) returns bigint language sql as $$ select contact_id from leadq.address where value = p_phone $$;
create function pg_temp.proved(p_phone text, p_ads boolean, p_visit uuid, p_advisor text) returns uuid language plpgsql as $$
declare v_id uuid := gen_random_uuid();
begin
    perform leadq.web_otp_start(array[v_id], array[jsonb_build_object('profile', 'advisor', 'phone', p_phone, '$session', 'till', 'advisor', p_advisor, 'consent_pd', true, 'consent_ads', p_ads, 'visit', p_visit)::text]);
    update leadq.verification set state = 'verified', closed_at = leadq.now(), result_until = leadq.now() + interval '30 min' where verification_id = v_id;
    perform leadq._add_jobs('verified', 0, 'rule', array[v_id], array[leadq.now()]);
    return v_id;
end $$;
-- A visit from its beginning to its end, with the rules; what follows.
create function pg_temp.visit(p_phone text, p_outcome text, p_more jsonb default '{}', p_ads boolean default true, p_advisor text default 'anna') returns text language plpgsql as $$
declare v_visit uuid := gen_random_uuid(); v_body text;
begin
    perform leadq.web_visit_open(array[v_visit], array[jsonb_build_object('age', 'sure', 'consent_pd', true, 'consent_ads', p_ads, '$session', 'till', 'advisor', p_advisor)::text]);
    select e.body into v_body from leadq.web_visit_end(array[gen_random_uuid()], array[(jsonb_build_object('id', v_visit, 'outcome', p_outcome, '$session', 'till', 'advisor', p_advisor) || p_more
        || case when p_more ? 'redemption' then '{}' else jsonb_build_object('verification', pg_temp.proved(p_phone, p_ads, v_visit, p_advisor)) end)::text]) e;
    while leadq.run_rules(100) > 0 loop end loop;
    return coalesce(v_body::jsonb ->> 'type', v_body::jsonb ->> 'follows', 'nothing');
end $$;
create function pg_temp.code(p_phone text, p_programme text) returns text language sql as $$
    select c.code from leadq.promo_code c join leadq.programme p using (programme_id) where c.owner_id = pg_temp.contact(p_phone) and p.name = p_programme order by c.code_id desc limit 1 $$;
create function pg_temp.buy(p_phone text, p_code text, p_id uuid default gen_random_uuid(), p_advisor text default 'anna') returns text language plpgsql as $$
declare v record;
begin
    select r.* into v from leadq.web_promo_redeem(array[p_id], array[jsonb_build_object('code', p_code, 'verification', pg_temp.proved(p_phone, true, null, p_advisor), '$session', 'till', 'advisor', p_advisor)::text]) r;
    while leadq.run_rules(100) > 0 loop end loop;
    return v.status || ' ' || coalesce(replace(v.body::jsonb ->> 'type', 'urn:leadq:problem:', ''), v.body::jsonb ->> 'uses_left');
end $$;

-- A purchase: the code is there at once, its message leaves next day from 10:00 to 20:00 (W-13, A-8).
select is(pg_temp.visit('+79160000001', 'purchase'), 'referral', 'W-13: a purchase earns a code for friends');
select matches(pg_temp.code('+79160000001', 'friends'), '^[23456789ACEHKMPTX]{12}$', 'it is one of ours');
select is((select to_char(s.due_at at time zone 'Asia/Omsk', 'HH24:MI') || ' ' || ((s.due_at at time zone 'Asia/Omsk')::date - (leadq.now() at time zone 'Asia/Omsk')::date) || ' ' || s.state from leadq.sms s), '10:00 1 planned', 'A-8: next day, from 10:00 on');
select is((select max_uses || ' ' || ((expires_at - leadq.now()) = interval '90 days') from leadq.promo_code), '3 true', 'good for three friends and ninety days');
select is(pg_temp.visit('+79160000001', 'purchase', p_advisor => 'boris'), 'nothing', 'who has a good code gets no second one');
select is((select count(*) from leadq.promo_code), 1::bigint);
select is(pg_temp.visit('+79160000002', 'purchase', p_ads => false), 'nothing', 'W-11: who wants no messages gets none');
select is(pg_temp.visit('+79169999999', 'purchase'), 'nothing', 'nor who works here');
select is((select count(*) from leadq.promo_code), 1::bigint);

-- A test: a code for himself, at once (W-15), once; after 20:00 the next morning.
select is(pg_temp.visit('+79160000003', 'test'), 'trial', 'W-15: a test earns a code of his own');
select is((select s.due_at = leadq.now() from leadq.sms s where s.contact_id = pg_temp.contact('+79160000003')), true, 'whose message leaves at once');
select is(pg_temp.visit('+79160000003', 'test', p_advisor => 'boris'), 'nothing', 'once');
select is(pg_temp.visit('+79160000001', 'test'), 'nothing', 'a buyer has bought already');
select leadq.shift_time('8 hours 30 min');
select pg_temp.visit('+79160000004', 'test');
select is((select to_char(s.due_at at time zone 'Asia/Omsk', 'HH24:MI') from leadq.sms s where s.contact_id = pg_temp.contact('+79160000004')), '10:00', 'A-8: nobody is written to at half past eight in the evening');
select is(pg_temp.buy('+79160000005', pg_temp.code('+79160000003', 'trial')), '409 promo-personal', 'W-15: a trial code is its owner''s alone');
create temp table sale as select gen_random_uuid() id;
select is(pg_temp.buy('+79160000003', pg_temp.code('+79160000003', 'trial'), id), '201 0', 'who buys with it') from sale;
select is(pg_temp.visit(null, 'purchase', jsonb_build_object('redemption', (select redemption_id from leadq.redemption where redeem_id = id)), p_advisor => 'boris'), 'referral', 'W-15: joins the programme') from sale;
select is((select count(*) from leadq.visit where redemption_id is not null and contact_id = pg_temp.contact('+79160000003')), 1::bigint, 'the visit is his');
select is(pg_temp.visit(null, 'purchase', jsonb_build_object('redemption', (select redemption_id from leadq.redemption where redeem_id = id))), 'urn:leadq:problem:redemption-unknown', 'a sale is of one visit') from sale;

-- Three friends, the fourth, the gift (W-13, W-14, W-16, W-25, A-10).
select is(pg_temp.buy('+79160000001', pg_temp.code('+79160000001', 'friends')), '409 promo-self-referral');
select is(pg_temp.buy('+79160000002', pg_temp.code('+79160000001', 'friends')), '409 promo-not-new-customer', 'who has bought without a code is no new customer');
select is(pg_temp.buy('+79160000011', pg_temp.code('+79160000001', 'friends')), '201 2', 'W-16: a friend');
select is(pg_temp.buy('+79160000012', pg_temp.code('+79160000001', 'friends'), p_advisor => 'boris'), '201 1');
select is(pg_temp.buy('+79160000013', pg_temp.code('+79160000001', 'friends')), '201 0');
select is(pg_temp.buy('+79160000014', pg_temp.code('+79160000001', 'friends')), '409 promo-exhausted', 'W-25: the fourth cannot get the discount');
select is((select count(*) from leadq.address where value like '+7916000001_' and state = 'confirmed'), 4::bigint, 'W-16: friends are in the base');
select is((select string_agg(programme || ' ' || state || ' ' || phone || ' ' || coalesce(flags, '-'), ',') from leadq.rewards('pending')), 'friends pending +7 916 ***-**-01 one-advisor', 'A-10: the third use earns the gift; a mark holds it');
select throws_ok($$select leadq.reward_set((select min(reward_id) from leadq.reward), 'issued')$$, 'P0001', null, 'which is not given before it is approved');
select is(leadq.reward_set((select min(reward_id) from leadq.reward), 'approved'), 'pending', 'somebody looks at it and approves it');
select is(leadq.reward_set((select min(reward_id) from leadq.reward), 'issued'), 'approved', 'and it is given');
select is((select string_agg(kind, ',' order by kind) from leadq.event where kind like 'reward.%'), 'reward.approved,reward.earned,reward.issued');
select throws_ok($$select leadq.reward_set(0, 'issued')$$, 'P0001', 'there is no gift 0');
select is(pg_temp.visit('+79160000001', 'purchase', p_advisor => 'olga'), 'referral', 'a code that is used up is followed by the next');

-- Friends' codes that are named, not used: the same rule, from the job table.
select is((select count(*) from leadq.referral), 0::bigint);
create temp table code as select pg_temp.code('+79160000003', 'friends') code, pg_temp.code('+79160000001', 'friends') other;
select pg_temp.visit('+79160000021', 'test', jsonb_build_object('code', code)) from code;
select is((select state || ' ' || (contact_id = pg_temp.contact('+79160000021')) from leadq.referral), 'attributed true', 'a visit that names a code is put down to its owner');
select pg_temp.visit('+79160000021', 'purchase', jsonb_build_object('code', other)) from code;
select is((select string_agg(state || coalesce(' ' || reason, ''), ',' order by created_at, state) from leadq.referral), 'attributed,refused enough', 'once for a person');
select pg_temp.visit('+79160000003', 'purchase', jsonb_build_object('code', code), p_advisor => 'olga') from code;
select pg_temp.lead(jsonb_build_object('source', 'bare', 'email', 'f@x.ru', 'phone', '+79160000022', 'promo', code)) from code;
select pg_temp.lead('{"source": "bare", "email": "g@x.ru", "promo": "22222222222A"}');
select pg_temp.lead('{"source": "bare", "email": "h@x.ru"}');
select leadq.run_rules(100);
select is((select string_agg(kind || ' ' || state || coalesce(' ' || reason, ''), ',' order by kind, state, reason) from leadq.referral),
    'lead attributed,lead refused not-found,visit attributed,visit refused enough,visit refused self-referral', 'leads and visits by one rule');
select is((select used from leadq.promo_code join code using (code)), 0, 'a use it is not');
select is((select count(*) from leadq.event where kind = 'referral.attributed'), 2::bigint);

-- Many gifts of one owner want a look.
update leadq.reward set created_at = leadq.now();
insert into leadq.reward (programme_id, owner_id, code_id, created_at, due_at, step) select programme_id, owner_id, code_id, leadq.now(), leadq.now(), 7 from leadq.reward;
delete from leadq.promo_flag;
select pg_temp.buy('+7916000003' || n, other, p_advisor => case n when 1 then 'anna' when 2 then 'boris' else 'olga' end) from code, generate_series(1, 3) n;
select ok(exists (select from leadq.promo_flag where rule = 'many-rewards'), 'an owner of many gifts is marked');

-- A friend of somebody who was brought himself: the second link of a chain, also by way of a reservation.
select is(pg_temp.buy('+79160000041', code, p_advisor => 'olga'), '201 2', 'a friend''s friend') from code;
select is((select string_agg(chain || ' ' || n, ', ' order by chain) from (select chain, count(*) n from leadq.redemption where state = 'redeemed' group by chain) c), '1 7, 2 1', 'each sale knows its place in a chain');
create temp table held as select gen_random_uuid() id, pg_temp.proved('+79160000042', true, null, 'boris') v;
select leadq.run_rules(100);
select is((select status from held, code, leadq.web_promo_reserve(array[id], array[jsonb_build_object('code', code, 'verification', v, '$session', 'till', 'advisor', 'boris')::text])), 201);
select is((select status from held, leadq.web_promo_redeem(array[gen_random_uuid()], array[jsonb_build_object('reservation', id, '$session', 'till', 'advisor', 'boris')::text])), 201);
select is((select chain from leadq.redemption, held where redemption_id = id), 2::smallint, 'whatever way it was made');

-- Codes of the base are codes of the module: no two alike, the check symbol of a known one.
select is((select count(distinct leadq._new_code()) from generate_series(1, 2000)), 2000::bigint, 'two thousand codes are different');
select ok(not exists (select from generate_series(1, 2000), leadq._new_code() c where c !~ '^[23456789ACEHKMPTX]{12}$' or c ~ '[A-Z]{4}' or c is null), 'and of our symbols');

select * from finish();
rollback;
