-- What queue_figures() and the views of jobs tell.
\i tests/sql/setup.sql

create function pg_temp.figure(p_figure text, p_lane text default null)
returns numeric language sql as $$
    select f.value::numeric from leadq.queue_figures() f
     where f.figure = p_figure
       and f.lane is not distinct from p_lane
$$;

select is((select string_agg(figure, ' ' order by figure) from leadq.queue_figures() where lane is null), 'dead horizon_xids overdue parked pauses scheduled', 'figures of the whole');
select is((select count(*) from leadq.queue_figures() where lane is not null), 16::bigint, 'four of each lane');
select is((select sum(value) from leadq.queue_figures() where figure not in ('horizon_xids', 'scheduled')), 0::double precision, 'an empty queue has nothing');

insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at, ready_at, lease_until)
values (1, 9, 'a', 't', gen_random_uuid(), now() - interval '9 days', now() - interval '90 s', null),
       (1, 17, 'a', 't', gen_random_uuid(), now(), now(), null),
       (1, 25, 'a', 't', gen_random_uuid(), now(), now() - interval '1 h', now() + interval '1 min'),
       (2, 10, 'a', 't', gen_random_uuid(), now(), now() - interval '5 min', now() - interval '1 min');
select is(pg_temp.figure('ready', 'realtime'), 2::numeric, 'ready jobs of a lane');
select is(pg_temp.figure('leased', 'realtime'), 1::numeric, 'leased ones');
select is(pg_temp.figure('expired', 'service'), 1::numeric, 'leases that ran out');
select is(pg_temp.figure('ready', 'bulk'), 0::numeric, 'each lane has its own');
select is(pg_temp.figure('oldest_s', 'realtime'), 90::numeric, 'the oldest waits since it is ready, not since it was planned, and a lease does not wait');
select is(pg_temp.figure('oldest_s', 'service'), 300::numeric, 'a lease that ran out waits');
select is((select ready_at from leadq.job where job_id = 9), now() - interval '90 s', 'the view tells since when');

insert into leadq.job_scheduled (run_at, lane, job_id, kind, target, ref, created_at)
select leadq.now() + make_interval(mins => n), 2, 1000 + n * 8 + 2, 'b', 't', gen_random_uuid(), now() from generate_series(-3, 3) n where n <> 0;
select is(pg_temp.figure('overdue'), 3::numeric, 'due jobs that nobody promoted');
select leadq.promote_jobs(100);
select is(pg_temp.figure('overdue'), 0::numeric, 'none once they are promoted');
select is((select min(ready_at) from leadq.job where kind = 'b'), now(), 'which makes them ready now');
select leadq.pause_jobs('b', null, 'why');
select count(*) from leadq.claim_jobs('w', '{service}', '{100}', '{0}', 60) where kind = 'b';
select is(pg_temp.figure('parked'), 3::numeric, 'jobs that a pause holds back');
select is(pg_temp.figure('pauses'), 1::numeric, 'and the pause');
select is((select string_agg(distinct state, ' ') from leadq.job where kind = 'b' and run_at is null), 'parked', 'the view tells them from scheduled ones');

insert into leadq.job_done (done_at, job_id, kind, target, ref, attempt, outcome, detail)
values (leadq.now(), 2002, 'c', 't', gen_random_uuid(), 1, 'retry', '{"http": 500, "ms": 7, "reason": "status"}'),
       (leadq.now() + interval '1 s', 2002, 'c', 't', gen_random_uuid(), 2, 'dead', '{"smtp": 550, "code": "5.1.1", "class": "hard", "reply": "<a.b@c.ru> unknown, 8 (999) 123-45-67 too; ticket 12345678"}'),
       (leadq.now(), 2010, 'c', 't', gen_random_uuid(), 1, 'dead', '{"sqlstate": "22000"}'),
       (leadq.now() + interval '1 s', 2010, 'c', 't', gen_random_uuid(), 1, 'done', null);
select is(pg_temp.figure('dead'), 1::numeric, 'a dead letter is one until it is brought back');
select results_eq('select job_id, reason, status from leadq.job_dead', $$values (2002::bigint, 'hard', 550)$$, 'with its reason');
select results_eq('select attempt, outcome, status, ms, reason from leadq.job_attempt where job_id = 2002 order by attempt', $$values (1, 'retry', 500, 7, 'status'), (2, 'dead', 550, null, null)$$, 'every attempt is told');
select is((select reply from leadq.job_attempt where job_id = 2002 and attempt = 2), '<***> unknown, *** too; ticket 12345678', 'the peer''s words, without addresses and phones');

select * from finish();
rollback;
