-- W-28: trouble at a desk is reported, taken on, answered, and the answer is seen.
\i tests/sql/setup.sql

select leadq.config_import('{
  "points": [{"name": "mega", "title": "Mega"}, {"name": "gum"}],
  "advisors": [{"name": "anna", "title": "Анна", "point": "mega"}, {"name": "gleb", "point": "gum"}, {"name": "olga", "title": "Ольга", "role": "supervisor", "point": "mega"},
               {"name": "chief", "role": "supervisor"}, {"name": "brand", "role": "brand"}, {"name": "gone", "point": "mega", "active": false}]}'::jsonb);

create function pg_temp.short(p_status integer, p_body text) returns text language sql as $$
    select concat_ws(' ', p_status, coalesce(replace(p_body::jsonb ->> 'type', 'urn:leadq:problem:', ''), p_body::jsonb ->> 'state')) $$;
create function pg_temp.report(p_id uuid, p_advisor text, p_more jsonb default '{}') returns text language sql as $$
    select pg_temp.short(status, body) from leadq.web_ticket(array[p_id], array[('{"text": "the page is white", "page": "/desk/", "ua": "tablet"}'::jsonb || jsonb_build_object('advisor', p_advisor) || p_more)::text]) $$;
create function pg_temp.seen(p_advisor text) returns jsonb language sql as $$
    select body::jsonb -> 'tickets' from leadq.web_tickets(array[gen_random_uuid()], array[jsonb_build_object('advisor', p_advisor)::text]) $$;
create function pg_temp.names(p_advisor text) returns text language sql as $$
    select string_agg(t #>> '{advisor,name}', ',' order by n) from jsonb_array_elements(pg_temp.seen(p_advisor)) with ordinality s (t, n) $$;
create function pg_temp.answer(p_id uuid, p_ticket uuid, p_advisor text, p_more jsonb) returns text language sql as $$
    select pg_temp.short(status, body) from leadq.web_ticket_answer(array[p_id], array[(jsonb_build_object('id', p_ticket, 'advisor', p_advisor) || p_more)::text]) $$;
create temp table t as select gen_random_uuid() a, gen_random_uuid() b, gen_random_uuid() c, gen_random_uuid() w;

-- Reported.
select is(pg_temp.report(a, 'anna', jsonb_build_object('requests', jsonb_build_array('x', 7, null, b, c))), '201', 'an advisor reports trouble') from t;
select is(pg_temp.report(a, 'anna'), '201', 'once') from t;
select is(pg_temp.report(b, 'gleb', '{"requests": {"a": 1}}'), '201', 'another one elsewhere') from t;
select is(pg_temp.report(c, 'gone'), '403 not-allowed', 'who works here no more reports nothing') from t;
select is((select count(*) from leadq.ticket), 2::bigint);
select is((select requests from leadq.ticket where ticket_id = a), array[b, c], 'what is no id is left out') from t;
select is((select cardinality(leadq._ticket_requests((select jsonb_agg(gen_random_uuid()) from generate_series(1, 15))))), 10, 'ten are enough');
select is((select array_agg(p.name || ' ' || t.ua || ' ' || t.page) from leadq.ticket t join leadq.point p using (point_id) where ticket_id = a), array['mega tablet /desk/'], 'where and with what it happened is known') from t;

-- Who sees what.
select is(pg_temp.names('anna'), 'anna', 'an advisor sees his own');
select is(pg_temp.names('olga'), 'anna', 'a supervisor those of the point');
select is(pg_temp.names('chief'), 'gleb,anna', 'one of all points all, the newest first');
select is(pg_temp.names('brand'), 'gleb,anna', 'so does the brand');
select is((select status from leadq.web_tickets(array[gen_random_uuid()], array['{"advisor": "gone"}'])), 403, 'nobody else any');
select is((pg_temp.seen('anna') -> 0) - 'at' - 'id' - 'number' - 'requests', '{"text": "the page is white", "state": "open", "advisor": {"name": "anna", "title": "Анна"}, "point": "Mega",
    "assignee": null, "answer": null, "answered_at": null, "mine": true, "unread": false}'::jsonb, 'and this is what is seen');

-- Taken on and answered.
select is(pg_temp.answer(gen_random_uuid(), a, 'anna', '{"answer": "fixed"}'), '403 not-allowed', 'an advisor answers nobody') from t;
select is(pg_temp.answer(gen_random_uuid(), b, 'olga', '{"answer": "fixed"}'), '404 no-such-ticket', 'a supervisor not those of another point') from t;
select is(pg_temp.answer(gen_random_uuid(), a, 'olga', '{"assignee": "nobody"}'), '422 validation', 'a name that is not there takes nothing on') from t;
select is(pg_temp.answer(gen_random_uuid(), a, 'olga', '{"assignee": "chief"}'), '200 assigned', 'it is given to somebody') from t;
select is(pg_temp.seen('anna') #>> '{0,assignee,name}', 'chief', 'which the advisor sees');
select is(pg_temp.answer(w, a, 'olga', '{"answer": "reload it"}'), '200 answered', 'it is answered') from t;
select is(pg_temp.answer(w, a, 'olga', '{"answer": "reload it"}'), '200 answered', 'a repeat gets the same') from t;
select is(pg_temp.answer(gen_random_uuid(), a, 'olga', '{"answer": "no"}'), '409 ticket-answered', 'there is one answer') from t;
select is((select assignee_id from leadq.ticket where ticket_id = a), (select advisor_id from leadq.advisor where name = 'chief'), 'by whom it was given to') from t;
select is(pg_temp.seen('olga') -> 0 -> 'unread', 'false', 'who answers has not been answered');
select is((select seen_at from leadq.ticket where ticket_id = a), null, 'the advisor has not seen it') from t;
select is(pg_temp.seen('anna') -> 0 -> 'unread', 'true', 'now he sees it');
select is(pg_temp.seen('anna') -> 0 -> 'unread', 'false', 'and knows it');

-- Without the page.
select is(leadq.ticket_add('anna', 'it rang, and then nothing') > (select max(number) from leadq.ticket where ticket_id in (a, b)), true, 'what was told by phone is registered') from t;
select throws_ok($$select leadq.ticket_add('gone', 'x')$$, 'P0001', 'there is no advisor "gone"');
select throws_ok($$select leadq.ticket_assign(0, 'olga')$$, 'P0001', 'there is no ticket 0');
select throws_ok(format($$select leadq.ticket_assign(%s, 'none')$$, number), 'P0001', 'there is no advisor "none"') from leadq.ticket where text like 'it rang%';
select leadq.ticket_assign(number, 'olga') from leadq.ticket where text like 'it rang%';
select is((select state from leadq.ticket where text like 'it rang%'), 'assigned', 'given to somebody');
select leadq.ticket_answer(number, 'a new cable') from leadq.ticket where text like 'it rang%';
select is(pg_temp.seen('anna') -> 0 ->> 'answer', 'a new cable', 'and answered');
select throws_ok(format($$select leadq.ticket_answer(%s, 'x')$$, number), 'P0001', format('ticket %s has been answered', number)) from leadq.ticket where text like 'it rang%';
select throws_ok(format($$select leadq.ticket_assign(%s, 'olga')$$, number), 'P0001', format('ticket %s has been answered', number)) from leadq.ticket where text like 'it rang%';
select is((select string_agg(advisor || ' ' || state, ', ') from leadq.ticket_list(null, 2)), 'gleb open, anna answered', 'who waits is listed first, then the latest');

select * from finish();
rollback;
