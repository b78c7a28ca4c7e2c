-- Domains that take mail and those that do not; receivers that refuse us.
\i tests/sql/setup.sql

-- The jobs that a worker is handed in three rounds: "kind kind".
create function pg_temp.claim() returns text language plpgsql as $$
declare
    v_kinds text;
    v_some text;
begin
    for i in 1 .. 3 loop
        select string_agg(kind, ' ' order by kind) into v_some
          from leadq.claim_jobs('w', array['realtime', 'service', 'bulk'],
               array[100, 100, 100], array[0, 0, 0], 60);
        v_kinds := concat_ws(' ', nullif(v_kinds, ''), v_some);
    end loop;
    return v_kinds;
end
$$;

-- Ends every leased look-up.
create function pg_temp.verdict(p_outcome text, p_detail text)
returns bigint language sql as $$
    select count(*)
      from leadq.job_ready r, leadq.settle_jobs(array[r.job_id],
           array[r.lease_token], array[p_outcome], array[p_detail]) s
     where r.kind = 'mx' and r.lease_token is not null
$$;
create function pg_temp.domain(p_domain text) returns text language sql as $$
    select concat_ws(' ', state, mx_group) from leadq.mail_domain
     where domain = p_domain
$$;
select leadq.maintain();

-- one look-up serves every letter of a domain
select pg_temp.lead(jsonb_build_object('email', n || '@new.ru', 'source', 'other')) from generate_series(1, 5) n;
select is(pg_temp.claim(), 'mx', 'the first letters of a domain wait, and one look-up is handed out');
select is(pg_temp.claim(), '', 'only one, however often somebody asks');
select is((select count(*) from leadq.mail_wait w join leadq.job_scheduled s on s.run_at = w.run_at and s.ref = w.message_id where s.kind = 'letter'), 5::bigint, 'each letter is found by its time and itself,');
select matches((select pg_get_indexdef('leadq.job_scheduled_run_at_ix'::regclass)), 'run_at, ref', 'however many have the same time');
select pg_temp.verdict('done', '{"mx": "good", "group": "google.com"}');
select is(pg_temp.domain('new.ru'), 'good google.com', 'a domain that takes mail, and who takes it');
select is(pg_temp.claim(), 'letter letter letter letter letter', 'its letters go at once');
select is((select max(attempt) from leadq.job_ready where kind = 'letter'), 1, 'the wait was no attempt');
select pg_temp.lead('{"email": "six@NEW.ru", "source": "other"}');
select ok(pg_temp.claim() ~ 'letter', 'and so does the next one, without a look');

-- bounded
select pg_temp.lead('{"email": "a@slow.ru", "source": "other"}');
select ok(pg_temp.claim() !~ 'letter', 'a letter waits for the verdict');
select leadq.shift_time('4 min');
select leadq.promote_jobs(100);
select ok(pg_temp.claim() ~ 'letter', 'three minutes at most');

-- a domain that is not there
create temp table t as select pg_temp.lead('{"email": "b@gone.ru", "click_id": "gone"}') as id;
select pg_temp.claim();
select pg_temp.verdict('done', '{"mx": "none", "group": ""}');
select is(pg_temp.domain('gone.ru'), 'asked', 'nobody is rejected by one look alone');
select is(pg_temp.state((select id from t)), 'pending', 'the lead waits');
select leadq.shift_time('61 s');
select leadq.promote_jobs(100);
select ok(pg_temp.claim() ~ 'mx', 'after a minute there is another look');
select pg_temp.verdict('done', '{"mx": "none", "group": ""}');
select pg_temp.claim();
select is(pg_temp.state((select id from t)), 'rejected bad_domain', 'the second one rejects');
select is(pg_temp.letters('b@gone.ru'), '1 bounced', 'its letter never left');
select is((select state || ' ' || reason from leadq.address where value = 'b@gone.ru'), 'invalid bad_domain', 'the address is invalid');
select is((select data ->> 'reason' from leadq.event where kind = 'address.invalid'), 'bad_domain', 'which is an event');
select is(pg_temp.state(pg_temp.lead('{"email": "other@gone.ru", "click_id": "g2"}')), 'pending', 'another lead of the domain');
select pg_temp.claim();
select is((select state || ' ' || reason from leadq.lead where click_id = 'g2'), 'rejected bad_domain', 'is rejected without a look while the verdict is fresh');

-- null MX, and name servers that know nothing
select pg_temp.lead('{"email": "c@refuses.ru", "click_id": "null"}');
select pg_temp.claim();
select pg_temp.verdict('done', '{"mx": "null", "group": ""}');
select pg_temp.claim();
select is((select state || ' ' || reason from leadq.lead where click_id = 'null'), 'rejected bad_domain', 'a domain that says it takes no mail is believed at once');
select pg_temp.lead('{"email": "d@broken.ru", "click_id": "broken"}');
select pg_temp.claim();
select pg_temp.verdict('dead', '{"reason": "timeout"}');
select is(pg_temp.domain('broken.ru'), 'unclear', 'no answer is no verdict');
select ok(pg_temp.claim() ~ 'letter', 'and the letter goes');

-- a verdict becomes old
select leadq.shift_time('25 hours');
select pg_temp.lead('{"email": "seven@new.ru", "source": "other"}');
select ok(pg_temp.claim() ~ 'letter.* mx', 'a good verdict holds while it is asked for anew');
select pg_temp.verdict('done', '{"mx": "good", "group": "google.com"}');

-- our own bad name
update leadq.job_ready set lease_token = null where kind = 'letter';
delete from leadq.job_ready; delete from leadq.job_scheduled;
select pg_temp.lead(jsonb_build_object('email', 'm' || n || '@new.ru', 'source', 'other', 'click_id', 'block' || n)) from generate_series(1, 12) n;
select pg_temp.work('dead', '{"smtp": 554, "code": "5.7.1", "class": "block"}');
select is((select mx_group from leadq.mail_pause), 'google.com', 'ten refusals of a receiver begin a pause');
select is((select count(*) from leadq.lead where click_id like 'block%' and state <> 'pending'), 0::bigint, 'and reject nobody');
select is((select count(*) from leadq.event where kind = 'mail.paused'), 1::bigint, 'the pause is an event, once');
select pg_temp.lead(jsonb_build_object('email', 'n' || n || '@new.ru', 'source', 'other')) from generate_series(1, 15) n;
select is((select count(*) from leadq.message m join leadq.enrolment e using (enrolment_id) where e.email ~ '^n' and m.state <> 'planned'), 0::bigint, 'letters are planned');
select ok(coalesce(pg_temp.claim(), '') !~ 'letter', 'and wait for the end of the pause');
select leadq.shift_time('17 min');
select leadq.promote_jobs(100);
select is((select count(*) from regexp_matches(pg_temp.claim(), 'letter', 'g')), 10::bigint, 'then ten go as a trial');
select leadq.settle_jobs(array[r.job_id], array[r.lease_token], array['dead'], array['{"smtp": 554, "class": "block"}']) from (select * from leadq.job_ready where kind = 'letter' and lease_token is not null limit 1) r;
select is((select pauses || ' ' || round(extract(epoch from paused_until - leadq.now()) / 60) from leadq.mail_pause), '2 30', 'one more refusal, and the pause is twice as long');
select leadq.shift_time('45 min');
delete from leadq.job_ready where lease_token is not null;
select leadq.promote_jobs(100);
select pg_temp.work('done', '{"smtp": 250}');
select is((select count(*) from leadq.mail_pause), 0::bigint, 'a trial without one ends it');
select is((select count(*) from leadq.message m join leadq.enrolment e using (enrolment_id) where e.email ~ '^n' and m.state = 'sent'), 5::bigint, 'and the others go');

-- a series that never got out rejects nobody
create temp table s as select pg_temp.lead('{"email": "mute@x.ru", "click_id": "mute"}') as id;
do $$
begin
    for i in 1 .. 4 loop
        perform pg_temp.work('dead', '{"smtp": 554, "class": "block"}');
        perform leadq.shift_time('6 days');
    end loop;
end
$$;
select pg_temp.work();
select is(pg_temp.letters('mute@x.ru'), '1 failed, 2 failed, 3 failed', 'all letters of a series refused for our own sake');
select is(pg_temp.state((select id from s)), 'pending', 'leave the lead as it is');

select * from finish();
rollback;
