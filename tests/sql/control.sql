-- What an operator does to jobs: pause, resume, cancel, retry; and that a
-- lead's postbacks and letters keep their order through all of it.
\i tests/sql/setup.sql

create function pg_temp.claim()
returns table (job_id bigint, token uuid, kind text, target text, attempt integer, payload text)
language sql as $$
    select * from leadq.claim_jobs('w', '{realtime,service,bulk}', '{100,100,100}', '{0,0,0}', 60)
$$;

create function pg_temp.settle(p_kind text, p_outcome text)
returns bigint language sql as $$
    with c as materialized (select * from pg_temp.claim() where kind = p_kind)
    select count(*) from (select array_agg(job_id) j, array_agg(token) t, array_agg(p_outcome) o, array_agg('{"class": "block"}'::text) d from c) a,
           leadq.settle_jobs(a.j, a.t, a.o, a.d) where a.j is not null
$$;

-- What waits, by kind and state; parked is scheduled for ever.
create function pg_temp.jobs()
returns text language sql as $$
    select string_agg(kind || ' ' || case when run_at = 'infinity' then 'parked' else state end, ', ' order by kind, state)
      from leadq.job
$$;

create function pg_temp.job(p_kind text) returns bigint language sql as $$
    select job_id from leadq.job where kind = p_kind order by run_at nulls first limit 1
$$;

-- Pause and resume.
create temp table t as select pg_temp.lead('{"email": "a@x.ru", "click_id": "1"}') as lead;
select is(leadq.pause_jobs('postback', 'network:net', 'they asked for it'), 1, 'a pause says how many jobs wait');
select results_eq('select kind from pg_temp.claim()', $$values ('letter')$$, 'what is not paused is handed out');
select is(pg_temp.jobs(), 'letter leased, postback parked', 'what is paused is parked by the claim that meets it');
select is((select next_ms from leadq.promote_jobs(10)), null, 'and is never due');
select pg_temp.confirm('a@x.ru');
select is(pg_temp.told((select lead from t)), 'processed queued, approved waiting', 'a paused processed holds the final status');
select is(leadq.pause_jobs('postback', 'network:net', 'still'), 0, 'a pause can be repeated');
select is(leadq.pause_jobs(null, 'network:net', 'all to it'), 0, 'and overlap another');
select is(leadq.resume_jobs('postback', null), 0, 'what another pause holds stays');
select is(leadq.resume_jobs(null, null), 1, 'null lifts every pause');
select is(pg_temp.settle('postback', 'done'), 1::bigint, 'parked jobs come back');
select is(pg_temp.told((select lead from t)), 'processed done, approved queued', 'and the final status follows');
select is((select attempt from leadq.job_done where kind = 'postback'), 1, 'to be parked was no attempt');

-- Cancel.
select results_eq('select result from leadq.cancel_jobs(array[pg_temp.job(''postback''), 8 * 99999 + 2])', $$values ('cancelled'), ('unknown')$$, 'a job that nobody has begun is cancelled');
select is(pg_temp.told((select lead from t)), 'processed done, approved dead', 'and its postback is not told');
create temp table u as select pg_temp.lead('{"click_id": "2", "$invalid": {"email": "required"}}') as lead;
select is(pg_temp.told((select lead from u)), 'processed queued, rejected waiting', 'a final status waits');
create temp table p as select pg_temp.job('postback') as job_id;
select leadq.cancel_jobs(array[job_id]) from p;
select is(pg_temp.told((select lead from u)), 'processed dead, rejected queued', 'for a cancelled processed no longer');
select results_eq('select result from p, leadq.retry_jobs(array[p.job_id])', $$values ('over')$$, 'what was cancelled is not retried');
select pg_temp.claim();
select results_eq('select result from leadq.cancel_jobs(array[pg_temp.job(''postback'')])', $$values ('leased')$$, 'what a worker is at is not cancelled');
update leadq.job_ready set lease_until = now() - interval '1 s';
select pg_temp.settle('postback', 'done');

-- Retry: the order of a lead's postbacks.
create temp table v as select pg_temp.lead('{"email": "v@x.ru", "click_id": "3"}') as lead;
truncate p;
insert into p select pg_temp.job('postback');
select pg_temp.settle('postback', 'dead');
select results_eq('select result from p, leadq.retry_jobs(array[p.job_id])', $$values ('ready')$$, 'a dead job is brought back');
select results_eq('select j.job_id, j.attempt, p.state from leadq.job j join leadq.postback p on p.postback_id = j.ref', $$select job_id, 0, 'queued' from p$$, 'with its id and its ref, and retries begin anew');
select results_eq('select result from p, leadq.retry_jobs(array[p.job_id])', $$values ('ready')$$, 'a repeat changes nothing');
select pg_temp.settle('postback', 'dead');
update leadq.job_ready set lease_until = now() - interval '1 s';
select pg_temp.confirm('v@x.ru');
select is(pg_temp.told((select lead from v)), 'processed dead, approved queued', 'processed is dead, the final status goes');
select results_eq('select result from p, leadq.retry_jobs(array[p.job_id])', $$values ('over')$$, 'and processed no longer may');
create temp table f as select pg_temp.job('postback') as job_id;
select pg_temp.settle('postback', 'dead');
select set_eq('select result from leadq.retry_jobs((select array[p.job_id, f.job_id] from p, f))', $$values ('ready')$$, 'both dead: both may be retried');
select is(pg_temp.told((select lead from v)), 'processed queued, approved waiting', 'in their order');
select pg_temp.settle('postback', 'done'), pg_temp.settle('postback', 'done');
select is(pg_temp.told((select lead from v)), 'processed done, approved done', 'to the end');

-- Letters: a series goes on after a cancelled one, and once after a retry.
create temp table w as select pg_temp.lead('{"email": "w@x.ru"}') as lead;
truncate p;
insert into p select job_id from leadq.job where kind = 'letter' and state = 'ready' order by job_id desc limit 1;
select results_eq('select result from p, leadq.cancel_jobs(array[p.job_id])', $$values ('cancelled')$$, 'a letter is cancelled');
select is(pg_temp.letters('w@x.ru'), '1 cancelled, 2 planned', 'and the series goes on');
select leadq.shift_time('2 days 1 min');
select leadq.promote_jobs(100);
truncate p;
insert into p select j.job_id from leadq.job j join leadq.message m on m.message_id = j.ref join leadq.enrolment e using (enrolment_id) where e.email = 'w@x.ru';
select pg_temp.settle('letter', 'dead');
select is(pg_temp.letters('w@x.ru'), '1 cancelled, 2 failed, 3 planned', 'a letter is dead, the next one planned');
select results_eq('select result from p, leadq.retry_jobs(array[p.job_id])', $$values ('ready')$$, 'it is brought back');
select pg_temp.settle('letter', 'done');
select is(pg_temp.letters('w@x.ru'), '1 cancelled, 2 sent, 3 planned', 'and plans no letter beside the planned one');
select results_eq('select result from leadq.retry_jobs(array[pg_temp.job(''letter'')])', $$values ('ready')$$, 'a scheduled job is brought forward');
select is((select string_agg(distinct state, ',') from leadq.job where kind = 'letter'), 'ready', 'it is ready at once');

-- Rules are nobody's to cancel; a dead one is run again.
select leadq._add_jobs('nonsense', 0, 'rule', array[gen_random_uuid()], array[leadq.now()]);
truncate p;
insert into p select pg_temp.job('nonsense');
select results_eq('select result from p, leadq.cancel_jobs(array[p.job_id])', $$values ('unknown')$$, 'a rule is not cancelled');
set client_min_messages = error;
select leadq.run_rules(10);
select results_eq('select result from p, leadq.retry_jobs(array[p.job_id])', $$values ('ready')$$, 'a dead rule is run again');

select * from finish();
rollback;
