-- What leadqctl import asks of SQL.
\i tests/sql/setup.sql
\unset ON_ERROR_STOP

select throws_ok($$select leadq.import_begin('nope', 'x')$$, 'P0002', 'there is no source "nope"', 'a source must be described');
select results_eq($$select at_byte, lines, ended, letters, outcomes from leadq.import_begin('other', 'x')$$, $$values (0::bigint, 0::bigint, false, true, '{}'::jsonb)$$, 'an import begins at the beginning');
select is((select letters from leadq.import_begin('bare', 'x')), false, 'and knows whether the source writes letters');
select isnt((select import_id from leadq.import_begin('bare', 'x')), (select import_id from leadq.import_begin('other', 'x')), 'the same file for another source is another import');
select is((select length(salt) from leadq.import_begin('bare', 'x')), 64, 'ids are salted');
select leadq.contact_erase('phone', '+79167770000');

create temp table i as select import_id as id from leadq.import_begin('other', 'x');
create function pg_temp.batch(p_from bigint, p_to bigint, p_last boolean, variadic p_requests text[])
returns jsonb language sql as $$
    select leadq.import_leads((select id from i), p_from, p_to, p_to / 10,
        '{"email email-no-at": 2}', array(select md5(r)::uuid
        from unnest(p_requests) r), array(select (r::jsonb
        || '{"source": "other", "evidence": "import"}')::text
        from unnest(p_requests) r), p_last)
$$;

select is(pg_temp.batch(0, 100, false, '{"email": "a@x.ru", "consent_pd": true}', '{"email": "b@x.ru"}', '{"email": "a@x.ru", "consent_pd": true}', '{"email": "e@x.ru", "phone": "+79167770000"}'),
    '{"taken pending": 2, "there before": 1, "erased before": 1, "refused email email-no-at": 2}', 'a batch tells what became of its lines');
select is((select count(*) from leadq.job_ready where lane = 0), 0::bigint, 'no rule is left for the worker: the web''s leads wait behind none');
select is(pg_temp.letters('a@x.ru'), '1 planned', 'the first letter is planned');
select is((select string_agg(distinct lane, ' ') from leadq.job where kind = 'letter'), 'bulk', 'behind the letters to leads of the web');
select is((select string_agg(evidence, ',') from leadq.consent), 'import', 'the consent tells that it was imported');
select is((select count(*) from leadq.lead where email = 'e@x.ru'), 0::bigint, 'who was erased is not stored');
select throws_ok($$select pg_temp.batch(0, 100, false, '{"email": "c@x.ru"}')$$, '55000', null, 'nobody takes the same part of the file twice');
select is((select at_byte || ' ' || lines from leadq.import_begin('other', 'x')), '100 10', 'the place in the file is kept with the leads');
select is(pg_temp.batch(100, 200, true, '{"email": "b@x.ru"}', '{"email": "c@x.ru"}'),
    '{"taken pending": 3, "there before": 2, "erased before": 1, "refused email email-no-at": 4}', 'the next one adds up');
select is((select ended from leadq.import_begin('other', 'x')), true, 'the last one ends it');
select throws_ok($$select pg_temp.batch(200, 300, false, '{"email": "d@x.ru"}')$$, '55000', null, 'for good');
select is((select count(*) from leadq.lead join leadq.source using (source_id) where name = 'other'), 3::bigint, 'every lead is there once');

select * from finish();
rollback;
