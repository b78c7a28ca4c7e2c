-- Letters that come back (M-13, M-14, M-15, M-20, A-4, A-7).
\i tests/sql/setup.sql

create temp table t as
select n as name, pg_temp.lead(jsonb_build_object('email', n || '@x.ru',
           'click_id', n)) as id
  from unnest(array['hard']) n;
create function pg_temp.id(p_name text) returns uuid language sql as $$
    select id from t where name = p_name $$;

select pg_temp.work('dead', '{"smtp": 550, "code": "5.1.1", "class": "hard"}');
select is(pg_temp.state(pg_temp.id('hard')), 'rejected hard_bounce', 'M-13: one hard bounce rejects the lead');
select is(pg_temp.told(pg_temp.id('hard')), 'processed done, rejected done', 'and the network hears of it, once');
select is(pg_temp.letters('hard@x.ru'), '1 bounced', 'no reminder follows');
select is((select state || ' ' || reason from leadq.address where value = 'hard@x.ru'), 'invalid hard_bounce', 'the address is invalid');
select is(pg_temp.state(pg_temp.lead('{"email": "hard@x.ru", "click_id": "again", "source": "other"}')), 'rejected hard_bounce', 'and rejects the leads that come with it later');

insert into t values ('soft', pg_temp.lead('{"email": "soft@x.ru", "click_id": "s"}'));
select pg_temp.work('dead', '{"smtp": 552, "code": "5.2.2", "class": "soft"}');
select is(pg_temp.state(pg_temp.id('soft')), 'pending', 'a full mailbox may empty');
select leadq.shift_time('2 days');
select pg_temp.work('dead', '{"smtp": 552, "code": "5.2.2", "class": "soft"}');
select is((select soft_bounces from leadq.address where value = 'soft@x.ru'), 2, 'soft bounces are counted');
select leadq.shift_time('5 days');
select pg_temp.work('dead', '{"smtp": 552, "code": "5.2.2", "class": "soft"}');
select is(pg_temp.state(pg_temp.id('soft')), 'rejected soft_x3', 'M-13: three in a row reject the lead');

insert into t values ('reset', pg_temp.lead('{"email": "reset@x.ru", "click_id": "r"}'));
select pg_temp.work('dead', '{"class": "soft"}');
select pg_temp.confirm('reset@x.ru');
select is((select soft_bounces from leadq.address where value = 'reset@x.ru'), 0, 'A-4: a click resets the count');

insert into t values ('block', pg_temp.lead('{"email": "block@x.ru", "click_id": "b"}'));
select pg_temp.work('dead', '{"smtp": 550, "code": "5.7.1", "class": "block"}');
select is((select state || ' ' || soft_bounces from leadq.address where value = 'block@x.ru'), 'new 0', 'our own bad name never counts against the lead');
select is(pg_temp.letters('block@x.ru'), '1 failed, 2 planned', 'and the series goes on');

insert into t values ('grey', pg_temp.lead('{"email": "grey@x.ru", "click_id": "g"}'));
create temp table tries (n integer, state text);
do $$
declare
    v_job record;
    v_grey boolean;
    v_state text;
    v_tries integer := 0;
begin
    while v_state is distinct from 'dead' and v_tries < 50 loop
        perform leadq.promote_jobs(100);
        for v_job in
            select c.*, c.kind = 'letter'
                   and c.payload::json ->> 'to' = 'grey@x.ru' as grey
              from leadq.claim_jobs('w', '{service}', '{100}', '{0}', 60) c
        loop
            select case when v_job.grey then s.state else v_state end
              into v_state
              from leadq.settle_jobs(array[v_job.job_id],
                   array[v_job.token],
                   array[case when v_job.grey then 'retry' else 'done' end],
                   array['{"smtp": 451, "class": "greylist"}']) s;
            v_tries := v_tries + v_job.grey::integer;
        end loop;
        perform leadq.shift_time('13 hours');
    end loop;
    insert into tries values (v_tries, v_state);
end
$$;
select is((select n || ' ' || state from tries), '10 dead', 'a temporary refusal is retried for a day and more');
select is((select soft_bounces from leadq.address where value = 'grey@x.ru'), 1, 'and counts as one soft bounce in the end');

select * from finish();
rollback;
