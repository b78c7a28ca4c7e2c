-- Least privilege: a captured web tier or worker calls its functions, no more.
\i tests/sql/setup.sql
\unset ON_ERROR_STOP

create function pg_temp.may(p_role text, p_function text)
returns boolean language sql as $$
    select has_function_privilege(p_role, p_function::regprocedure, 'execute')
$$;

select is((select string_agg(p.oid::regprocedure::text, ', ' order by proname) from pg_proc p where pronamespace = 'leadq'::regnamespace and has_function_privilege('leadq_web', oid, 'execute') <> (proname like 'web\_%')),
    null, 'the web tier calls web_*, all of them, and nothing else');
select is((select count(*) from pg_proc p where pronamespace = 'leadq'::regnamespace and has_function_privilege('leadq_worker', oid, 'execute')), 14::bigint, 'the worker calls its fourteen functions');
select is((select count(*) from pg_proc p where pronamespace = 'leadq'::regnamespace and has_function_privilege('public', oid, 'execute')), 0::bigint, 'the public calls nothing');
select is((select count(*) from pg_class c, unnest(array['leadq_web', 'leadq_worker', 'public']) r where relnamespace = 'leadq'::regnamespace and relkind in ('r', 'p', 'v') and has_table_privilege(r, c.oid, 'select,insert,update,delete')), 0::bigint, 'no table or view is open to them');
select is((select count(*) from pg_class c where relnamespace = 'leadq'::regnamespace and relkind in ('r', 'p') and has_table_privilege('leadq_read', c.oid, 'select,insert,update,delete')), 0::bigint, 'readers see no table');
select is((select count(*) from pg_class c where relnamespace = 'leadq'::regnamespace and relkind = 'v' and not has_table_privilege('leadq_read', c.oid, 'select')), 0::bigint, 'readers see every view');
select is((select count(*) from pg_proc where pronamespace = 'leadq'::regnamespace and prosecdef and not coalesce(proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}'), 0::bigint, 'every function that runs as the owner pins its search path');
select is((select count(*) from pg_proc p where pronamespace = 'leadq'::regnamespace and has_function_privilege('leadq_worker', oid, 'execute') and not prosecdef and proname <> 'worker_api'), 0::bigint, 'and so can the worker do without tables');

update leadq.clock set test = false, shift = '0';
select throws_ok('select leadq.shift_time(interval ''1 day'')', '42501', null, 'time cannot be shifted in a real database');
select throws_ok('update leadq.clock set shift = ''1 day''', '23514', null, 'not even by hand');

select is(obj_description(c.oid, 'pg_class') is not null, true, relname || ' says what it is')
  from pg_class c
 where relnamespace = 'leadq'::regnamespace and relkind in ('r', 'p', 'v')
   and not relispartition
 order by relname;

select * from finish();
rollback;
