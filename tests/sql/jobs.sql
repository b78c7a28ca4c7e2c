-- Leases, outcomes, the retry schedule, order of postbacks (A-15).
\i tests/sql/setup.sql

create temp table t as select pg_temp.lead('{"email": "a@x.ru", "click_id": "1"}') as lead;
create temp table c as select * from leadq.claim_jobs('one', '{realtime,service,bulk}', '{100,100,100}', '{0,0,0}', 60);

select is((select string_agg(kind || ' ' || attempt, ', ' order by kind) from c), 'letter 1, postback 1', 'both jobs are claimed, for the first time');
select is((select count(*) from leadq.claim_jobs('two', '{service}', '{100}', '{0}', 60)), 0::bigint, 'what one worker holds no other gets');
select results_eq($$select settled, state from leadq.settle_jobs((select array_agg(job_id) from c), (select array_agg(gen_random_uuid()) from c), '{done,done}', '{"{}","{}"}')$$, $$values (false, null::text), (false, null)$$, 'a stale token settles nothing and says so');
select is(leadq.release_jobs((select array_agg(job_id) from c), (select array_agg(token) from c), '{0,0}'), 2, 'a lease can be given back');
truncate c;
insert into c select * from leadq.claim_jobs('two', '{service}', '{100}', '{0}', 60);
select is((select max(attempt) from c), 1, 'and then was no attempt');
update leadq.job_ready set lease_until = now() - interval '1 second';
select is((select count(*) from leadq.claim_jobs('three', '{service}', '{100}', '{0}', 60)), 2::bigint, 'a lease that ran out is taken over');
select results_eq($$select settled from leadq.settle_jobs((select array_agg(job_id) from c), (select array_agg(token) from c), '{done,done}', '{"{}","{}"}')$$, 'values (false), (false)', 'and the late worker is refused');
update leadq.job_ready set lease_until = now() - interval '1 second';
truncate c;
insert into c select * from leadq.claim_jobs('four', '{service}', '{100}', '{0}', 60);
select is((select max(attempt) from c), 3, 'each claim is an attempt');

-- The network's retry schedule; meanwhile the lead becomes final.
select is((select next_s between 96 and 144 from c, leadq.settle_jobs(array[job_id], array[token], '{retry}', '{"{\"http\": 500}"}') where kind = 'postback'), true, 'the third attempt is followed by a pause of two minutes, give or take a fifth');
select leadq.settle_jobs(array[job_id], array[token], '{done}', '{"{}"}') from c where kind = 'letter';
select pg_temp.confirm('a@x.ru');
select is(pg_temp.told((select lead from t)), 'processed queued, approved waiting', 'A-15: approved waits while processed is on its way');
select is((select count(*) from leadq.job where kind = 'postback'), 1::bigint, 'there is no job for it yet');
select ok((select next_ms between 90000 and 150000 from leadq.promote_jobs(10)), 'the worker learns how long it may sleep');
select leadq.shift_time('3 min');
select is((select moved from leadq.promote_jobs(10)), 1, 'the retry comes due');
truncate c;
insert into c select * from leadq.claim_jobs('w', '{service}', '{100}', '{0}', 60);
select is((select payload::json -> 'values' ->> 'status' from c), 'processed', 'and is still processed');
select is((select next_s >= 3600 from c, leadq.settle_jobs(array[job_id], array[token], '{retry}', '{"{\"http\": 429, \"retry_after_s\": 3600}"}')), true, 'Retry-After is honoured');
select leadq.shift_time('61 min');
select pg_temp.work();
select is(pg_temp.told((select lead from t)), 'processed done, approved done', 'once processed is acknowledged approved follows');

create temp table u as select pg_temp.lead('{"click_id": "2", "$invalid": {"email": "required"}}') as lead;
select leadq.settle_jobs(array[job_id], array[token], '{dead}', '{"{\"http\": 404}"}') from leadq.claim_jobs('w', '{service}', '{1}', '{0}', 60);
select is(pg_temp.told((select lead from u)), 'processed dead, rejected queued', 'a dead processed does not hold the final status for ever');
select is((select count(*) from leadq.job_done where kind = 'postback' and outcome = 'retry'), 2::bigint, 'every attempt is kept');

-- Maintenance.
select matches(leadq.maintain(), '^partitions made=\d+ dropped=\d+, leads erased=0$', 'partitions are made ahead');
select is(leadq.maintain(), 'partitions made=0 dropped=0, leads erased=0', 'once');
select ok((select count(*) from pg_inherits where inhparent = 'leadq.job_scheduled'::regclass) >= 16, 'for two weeks of scheduled jobs');
select leadq.shift_time('40 days');
select matches(leadq.maintain(), 'dropped=[1-9]', 'and empty days are dropped when they are past');

select * from finish();
rollback;
