-- The queue itself: lanes and their limits, cursors, double settling, delays,
-- extension, lost leases, promotion.  Jobs of a kind that nothing follows.
\i tests/sql/setup.sql

create function pg_temp.add(p_lane integer, p_n integer, p_target text default 'x')
returns void language sql as $$
    select leadq._add_jobs('noop', p_lane, p_target,
        array_agg(gen_random_uuid()), array_agg(leadq.now()))
      from generate_series(1, p_n)
$$;

create function pg_temp.claim(p_limits integer[], p_after bigint[] default '{0,0,0}')
returns table (job_id bigint, token uuid, kind text, target text, attempt integer, payload text)
language sql as $$
    select * from leadq.claim_jobs('w', '{realtime,service,bulk}', p_limits, p_after, 60)
$$;

-- Lanes.
select pg_temp.add(3, 5), pg_temp.add(1, 5), pg_temp.add(2, 5);
create temp table c as select * from pg_temp.claim('{2,3,4}');
select results_eq('select (job_id % 8)::integer, count(*) from c group by 1 order by 1', 'values (1, 2::bigint), (2, 3), (3, 4)', 'of each lane as many as its limit');
select is((select count(*) from c where payload is null), 9::bigint, 'a kind that nobody knows has no payload');
select is((select count(distinct token) from c), 1::bigint, 'the jobs of a claim share a token');
select is((select count(*) from pg_temp.claim('{0,0,0}')), 0::bigint, 'a lane without room gives nothing');

-- Cursors.
create temp table s as select job_id from leadq.job_ready where lane = 3;
select results_eq($$select job_id from pg_temp.claim('{0,0,9}', array[0, 0, (select max(job_id) from s)])$$, 'select 0::bigint limit 0', 'nothing is found behind the last id');
select results_eq($$select job_id from pg_temp.claim('{0,0,9}', array[0, 0, (select min(job_id) from s)])$$, 'select max(job_id) from s', 'a claim goes on behind its cursor, and skips what is leased');

-- Settling.
create temp table one as select * from c where job_id % 8 = 1 order by 1 limit 1;
select results_eq($$select j.settled, j.state from one, leadq.settle_jobs(array[job_id], array[token], '{done}', '{"{\"ms\": 7}"}') j$$, $$values (true, 'done')$$, 'a job is settled');
select results_eq($$select j.settled, j.state from one, leadq.settle_jobs(array[job_id], array[token], '{done}', '{"{}"}') j$$, 'values (false, null::text)', 'once');
select results_eq('select d.outcome, d.attempt, d.detail ->> ''ms'' from leadq.job_done d join one using (job_id)', $$values ('done', 1, '7')$$, 'its history is found by its id');
select results_eq($$select j.settled, j.state, j.next_s from c, leadq.settle_jobs(array[c.job_id], array[c.token], '{retry}', '{"{}"}') j where c.job_id = (select max(job_id) from c where job_id % 8 = 1)$$, $$values (true, 'dead', null::integer)$$, 'a kind without a retry schedule is dead at once');

-- Giving back.
create temp table two as select * from c where job_id % 8 = 2 order by 1;
select is((select leadq.release_jobs(array_agg(job_id), array_agg(token), array[0, 90, null]) from two), 3, 'leases are given back');
select results_eq('select j.state, j.attempt, extract(epoch from j.run_at - leadq.now())::integer from leadq.job j join two using (job_id) order by j.state, j.job_id', $$values ('ready', 0, null::integer), ('ready', 0, null), ('scheduled', 0, 90)$$, 'at once or with a delay, and the attempt does not count');
select is((select leadq.release_jobs(array_agg(job_id), array_agg(token), array[0, 90, 0]) from two), 0, 'a lease that is gone cannot be given back');
select results_eq('select moved, next_ms between 89000 and 90000 from leadq.promote_jobs(10)', 'values (0, true)', 'the delay is known to who promotes');
select leadq.shift_time('91 s');
select is((select moved from leadq.promote_jobs(10)), 1, 'and ends');

-- Extension.
create temp table e as select * from c where job_id % 8 = 3;
select results_eq($$select x.extended from leadq.extend_jobs((select array_agg(job_id order by job_id) from e), (select array_agg(case when n = 1 then gen_random_uuid() else token end order by job_id) from (select e.*, row_number() over (order by job_id) n from e) e), 600) x order by job_id$$, 'values (false), (true), (true), (true)', 'a lease is extended by who holds it');
select is((select count(*) from leadq.job_ready r join e using (job_id) where r.lease_until > now() + interval '500 s'), 3::bigint, 'for as long as it asked for');

-- Lost leases.
truncate c;
insert into c select * from pg_temp.claim('{1,0,0}');
create function pg_temp.lose()
returns bigint language plpgsql as $$
begin
    update leadq.job_ready set lease_until = now() - interval '1 s' where lane = 1;
    return (select count(*) from pg_temp.claim('{1,0,0}') k join c using (job_id));
end
$$;
delete from leadq.job_ready where lane = 1 and job_id not in (select job_id from c);
select results_eq('select pg_temp.lose() from generate_series(1, 5)', 'select 1::bigint from generate_series(1, 5)', 'a job is taken over five times');
select is(pg_temp.lose(), 0::bigint, 'but not once more');
select results_eq('select d.outcome, d.attempt, d.detail ->> ''reason'' from leadq.job_done d join c using (job_id)', $$values ('dead', 7, 'lease-lost')$$, 'then it is dead, with the reason');

-- Promotion in order, some at a time.
select leadq._add_jobs('noop', 3, 'later', array_agg(gen_random_uuid()), array_agg(leadq.now() + n * interval '1 s')) from generate_series(1, 30) n;
select leadq.shift_time('20 s');
select is((select moved from leadq.promote_jobs(15)), 15, 'as many as asked for are promoted');
select is((select min(run_at) from leadq.job_scheduled where target = 'later'), leadq.now() - interval '4 s', 'the oldest first');
select is((select moved from leadq.promote_jobs(15)), 5, 'then the rest that is due');

-- Targets to be avoided.
delete from leadq.job_ready;
select pg_temp.add(3, 4, 'down'), pg_temp.add(3, 2, 'up');
select results_eq($$select target, count(*) from leadq.claim_jobs('w', '{bulk}', '{2}', '{0}', 60, '{down,other}', '{40,9}') group by 1$$, $$values ('up', 2::bigint)$$, 'jobs of a target to be avoided are not handed out, and take no room');
select results_eq($$select attempt, count(*), bool_and(run_at - leadq.now() between interval '40 s' and interval '60 s') from leadq.job_scheduled where target = 'down' group by 1$$, 'values (0, 4::bigint, true)', 'they come again later, and have not been tried');

-- What holds vacuum back; and the settings of partitions.
select is_empty('select * from leadq.vacuum_held()', 'nothing holds vacuum back');
select leadq.maintain();
select is((select count(*) from pg_class c join pg_inherits i on i.inhrelid = c.oid where i.inhparent in ('leadq.job_scheduled'::regclass, 'leadq.job_done'::regclass) and c.relname not like '%parked' and c.reloptions is null), 0::bigint, 'every partition is vacuumed as it is used');

select * from finish();
rollback;
