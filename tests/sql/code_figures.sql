-- What code_figures() tells of codes, limits, programmes and marks.
\i tests/sql/setup.sql

create function pg_temp.told(p_figure text) returns text language sql as $$
    select coalesce(string_agg(concat_ws(' ', f.label1, f.label2, f.label3, f.label4, f.value), ', ' order by f.label1, f.label2, f.label3), '')
      from leadq.code_figures() f where f.figure = p_figure
$$;

select is((select count(*) from leadq.code_figures()), 0::bigint, 'nothing is to be told of nothing');

select leadq.config_import('{"gateways": [
    {"name": "sms", "channel": "sms", "url": "https://sms/", "receipts": {"id": "id", "state": {"path": "s", "map": {"1": "delivered"}}}},
    {"name": "call", "channel": "call", "url": "https://call/", "chooses_code": true, "answer": {"code": "c"}}],
  "verifications": [
    {"name": "landing", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]},
    {"name": "desk", "kind": "desk", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}],
  "points": [{"name": "mega"}], "advisors": [{"name": "anna", "point": "mega"}],
  "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %"}]}'::jsonb);

-- n verifications of a profile, p_ago old, each with one send.
create function pg_temp.codes(p_n integer, p_profile text, p_gateway text, p_ago interval, p_state text, p_sent text, p_checks integer, p_operator text default null)
returns void language sql as $$
    with v as (
        insert into leadq.verification (verification_id, profile_id, phone, session, lang, digits, max_checks, checks, seed, created_at, expires_at, state, closed_at)
        select gen_random_uuid(), p.profile_id, '+7916' || lpad((hashtext(p_state || p_gateway || p_ago || i) & 8388607)::text, 7, '0'), sha256('s'), 'ru', 6, 5, p_checks,
               uuid_send(gen_random_uuid()), leadq.now() - p_ago, leadq.now() - p_ago + interval '5 min', p_state, case when p_state in ('verified', 'locked', 'expired') then leadq.now() end
          from leadq.profile p, generate_series(1, p_n) i where p.name = p_profile
        returning verification_id, phone
    ), o as (
        insert into leadq.phone_operator (phone, operator, at) select phone, p_operator, leadq.now() from v where p_operator is not null
    )
    insert into leadq.verification_send (verification_id, n, step, gateway_id, manual, state, cost, queued_at)
    select v.verification_id, 1, 1, g.gateway_id, true, p_sent, 2.5, leadq.now() - p_ago from v, leadq.gateway g where g.name = p_gateway
$$;
select pg_temp.codes(6, 'landing', 'sms', '10 min', 'verified', 'delivered', 2, 'mts'), pg_temp.codes(3, 'landing', 'sms', '60 min', 'locked', 'delivered', 5, 'mts'),
       pg_temp.codes(2, 'landing', 'sms', '20 min', 'sent', 'sent', 0), pg_temp.codes(4, 'desk', 'call', '20 min', 'verified', 'sent', 1),
       pg_temp.codes(9, 'landing', 'sms', '1 min', 'sent', 'delivered', 0), pg_temp.codes(9, 'landing', 'sms', '66 min', 'verified', 'delivered', 1);

select is(pg_temp.told('codes_sent'), 'call  4, sms  2, sms mts 9', 'codes of an hour that ended five minutes ago');
select is(pg_temp.told('codes_arrived'), 'call  4, sms  0, sms mts 9', 'without receipts one that was accepted has arrived');
select is(pg_temp.told('codes_proved'), 'call  4, sms  0, sms mts 6', 'and those that were worth it');
select is(pg_temp.told('codes_cost'), 'call  10, sms  5, sms mts 22.5');
select is(pg_temp.told('verifications'), 'desk verified 4, landing expired 2, landing locked 3, landing verified 6', 'what became of them');
select is(pg_temp.told('checks'), 'desk right 4, desk wrong 0, landing right 6, landing wrong 21', 'and what was typed');

select leadq._note_denied(array(select limit_id from leadq.profile_limit where name in ('ip-day', 'wrong-ratio')));
select is(pg_temp.told('limit_denied'), 'desk wrong-ratio wrong_ratio record 1, landing ip-day ip enforce 1', 'what limits refused today');

select leadq.web_promo_redeem(array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid()],
    array['{"code": "234567234567", "verification": "00000000-0000-4000-8000-000000000001", "advisor": "anna", "$session": "s"}',
          '{"code": "234567234567", "verification": "00000000-0000-4000-8000-000000000001", "advisor": "anna", "$session": "s"}',
          '{"code": "234567234567", "verification": "00000000-0000-4000-8000-000000000001", "advisor": "eve", "$session": "s"}']);
select is((select sum(value) from leadq.code_figures() where figure = 'promo_denied'), 3::double precision, 'and what tills were refused');
select is(pg_temp.told('promo_denied'), 'not-allowed 1, verification-unknown 2', 'by reason');

select * from finish();
rollback;
