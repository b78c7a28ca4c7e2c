-- What segments and triggers have of people who are merged or erased.
\i tests/sql/setup.sql

select leadq.config_import('{"segments": [{"name": "vip"}, {"name": "tea"}, {"name": "club"}],
  "webhooks": [{"name": "crm", "url": "https://crm/?e={email}"}],
  "triggers": [
    {"name": "cart", "event": "cart.left", "delay": "1 hour", "action": {"message": "doi-3"}, "class": "service"},
    {"name": "thanks", "event": "order.placed", "action": {"message": "doi-2"}, "class": "service"},
    {"name": "join", "event": "club.asked", "delay": "1 hour", "action": {"segment": "club"}},
    {"name": "tell", "event": "crm.asked", "action": {"webhook": "crm"}},
    {"name": "late", "event": "crm.later", "delay": "1 hour", "action": {"webhook": "crm"}},
    {"name": "bought", "event": "order.placed", "action": {"cancel": {"trigger": "cart"}}}]}');

create function pg_temp.of(p_value text) returns bigint language sql as $$
    select contact_id from leadq.address where value = p_value $$;
-- An event of somebody, whose rule has not run.
create function pg_temp.post(p_event text, p_email text)
returns integer language sql as $$
    select status from leadq.web_event(array[gen_random_uuid()],
        array[jsonb_build_object('event', p_event, 'email', p_email,
                                 'data', '{"who": "mouse"}'::jsonb)::text])
$$;
create function pg_temp.put(p_segment text, p_email text, p_days integer)
returns void language sql as $$
    insert into leadq.segment_member
    select segment_id, pg_temp.of(p_email),
           leadq.now() - make_interval(days => p_days)
      from leadq.segment where name = p_segment
$$;
create function pg_temp.segments(p_contact bigint)
returns text language sql as $$
    select string_agg(s.name, ' ' order by s.name)
      from leadq.segment_member m join leadq.segment s using (segment_id)
     where m.contact_id = p_contact
$$;
create function pg_temp.fired(p_contact bigint)
returns text language sql as $$
    select string_agg(concat_ws(' ', t.name, f.state, f.reason), ', '
                      order by f.event_id, t.name)
      from leadq.fired f join leadq.trigger t using (trigger_id)
     where f.contact_id = p_contact
$$;
-- The calls that a worker would find, and whom they are about.
create function pg_temp.calls() returns text language sql as $$
    select string_agg(concat_ws(' ', v ->> 'event', v ->> 'email', v ->> 'contact_id'), ', ' order by r.job_id)
      from leadq.job_ready r
     cross join lateral (select leadq._webhook_payload(r.ref)::jsonb -> 'values') p (v)
     where r.kind = 'webhook'
$$;

-- Merging.
select pg_temp.lead('{"email": "one@x.ru", "click_id": "1"}'), pg_temp.lead('{"email": "two@x.ru", "click_id": "2"}');
select pg_temp.work();
create temp table t as select pg_temp.of('one@x.ru') as one, pg_temp.of('two@x.ru') as two;
select pg_temp.put('vip', 'one@x.ru', 1), pg_temp.put('vip', 'two@x.ru', 9), pg_temp.put('tea', 'two@x.ru', 3);
select pg_temp.post('cart.left', 'one@x.ru'), pg_temp.post('cart.left', 'two@x.ru'), pg_temp.post('club.asked', 'two@x.ru');
select pg_temp.work();
select pg_temp.post('order.placed', 'two@x.ru'), pg_temp.post('crm.asked', 'two@x.ru'), pg_temp.post('crm.later', 'two@x.ru');
select leadq.contact_merge('email', 'one@x.ru', 'email', 'two@x.ru');
select is(pg_temp.segments(one), 'tea vip', 'who is merged is in the segments of both') from t;
select is(pg_temp.segments(two), null, 'and in none under the old number') from t;
select is((select array_agg((leadq.now() - added_at) order by added_at) from leadq.segment_member, t where contact_id = one), '{9 days,3 days}'::interval[], 'since the earlier of two days');
select is(pg_temp.fired(one), 'cart planned, cart planned, join planned', 'what was planned is its own') from t;
select leadq.run_rules(100);
select is(pg_temp.fired(two), null, 'what happened before and was not looked at yet is, too') from t;
select is(pg_temp.fired(one), 'cart cancelled, cart cancelled, join planned, bought done, thanks done, tell queued, late planned', 'and ends what either has planned') from t;
select is(pg_temp.calls(), 'crm.asked one@x.ru ' || one, 'a webhook hears who it is now') from t;
select leadq.shift_time('62 min');
select pg_temp.work();
select is(pg_temp.segments(one), 'club tea vip', 'a planned segment is entered') from t;
select is(pg_temp.fired(one) ~ 'join done, .*late done', true, 'each in its time') from t;
select is((select count(*) from leadq.event, t where kind = 'segment.entered' and contact_id = one), 1::bigint, 'once');
select is((select count(*) from leadq.fired join leadq.trigger using (trigger_id) where name in ('join', 'late')), 2::bigint, 'and never again');
select is((select count(*) from leadq.message m, t where m.contact_id in (one, two) and m.state = 'sent'), 3::bigint, 'two confirmation letters and one of thanks have left');

-- A webhook that waits at the time of the merge.
select pg_temp.lead('{"email": "three@x.ru", "click_id": "3"}'), pg_temp.lead('{"email": "four@x.ru", "click_id": "4"}');
select pg_temp.work();
update t set one = pg_temp.of('three@x.ru'), two = pg_temp.of('four@x.ru');
select pg_temp.post('crm.asked', 'four@x.ru');
select leadq.run_rules(100);
select leadq.contact_merge('email', 'three@x.ru', 'email', 'four@x.ru');
select is(pg_temp.calls() ~ ('crm.asked (three|four)@x.ru ' || one || '$'), true, 'a call that waited names whom it is about') from t;

-- Erasing: the person was two, and something waits at every stage.
select pg_temp.work();
select pg_temp.lead('{"email": "gone@x.ru", "click_id": "5"}'), pg_temp.lead('{"email": "also@x.ru", "click_id": "6"}'), pg_temp.lead('{"email": "stays@x.ru", "click_id": "7"}');
select pg_temp.work();
update t set one = pg_temp.of('gone@x.ru'), two = pg_temp.of('also@x.ru');
select pg_temp.put('vip', 'gone@x.ru', 1), pg_temp.put('tea', 'also@x.ru', 1), pg_temp.put('tea', 'stays@x.ru', 1);
select pg_temp.post(e, m) from unnest(array['cart.left', 'crm.later', 'club.asked']) e, unnest(array['gone@x.ru', 'also@x.ru', 'stays@x.ru']) m;
select leadq.run_rules(100);
select leadq.contact_merge('email', 'gone@x.ru', 'email', 'also@x.ru');
select pg_temp.post('crm.asked', 'also@x.ru');
select leadq.run_rules(100);
select leadq.settle_jobs(array[job_id], array[token], array['retry'], array['{}'])
  from leadq.claim_jobs('w', '{service}', '{100}', '{0}', 60);
select pg_temp.post('crm.asked', 'gone@x.ru');
select leadq.run_rules(100);
select pg_temp.post(e, 'also@x.ru') from unnest(array['order.placed', 'crm.asked', 'cart.left']) e;
select is((select string_agg(w.what || ' ' || w.n, ', ') from (select 'due' as what, count(*) as n from leadq.event_due union all select 'ready', count(*) from leadq.job_ready where kind = 'webhook' union all select 'again', count(*) from leadq.job_scheduled where kind = 'webhook') w), 'due 3, ready 1, again 1', 'events wait for their rules, calls for their turn');
select isnt(leadq.contact_erase('email', 'gone@x.ru') -> 'contact', 'null', 'the person is erased');
select is(pg_temp.segments(one) || pg_temp.segments(two), null, 'and in no segment') from t;
select is((select array_agg(distinct f.state order by f.state) from leadq.fired f, t where f.contact_id in (one, two)), '{cancelled}', 'what was planned is cancelled');
select is((select count(*) from leadq.fired f, t where f.contact_id in (one, two) and f.data is not null), 0::bigint, 'and knows nothing any more');
select is((select count(*) from leadq.event_due), 0::bigint, 'what happened is of no consequence');
select is((select count(*) from leadq.job_scheduled j join leadq.fired f on f.fired_id = j.ref, t where f.contact_id in (one, two)), 0::bigint, 'no job is planned');
create temp table sent as select count(*) as n from leadq.message where state = 'sent';
select is(pg_temp.calls(), null, 'no call is made');
select leadq.shift_time('62 min');
select leadq.promote_jobs(100), leadq.run_rules(100);
select is(pg_temp.calls(), 'crm.later stays@x.ru ' || pg_temp.of('stays@x.ru'), 'later neither, but for others');
do $$ begin for i in 1 .. 5 loop perform pg_temp.work(); perform leadq.shift_time('2 days'); end loop; end $$;
select is((select count(*) from leadq.message m, t where m.contact_id in (one, two) and m.state = 'planned'), 0::bigint, 'no letter is planned');
select is((select array_agg(distinct e.email) from leadq.message m join leadq.enrolment e using (enrolment_id) where m.state = 'sent' and m.ended_at > (select max(at) from leadq.event where kind = 'contact.erased')), array['one@x.ru', 'stays@x.ru', 'three@x.ru'], 'and none leaves but those of others');
select is(pg_temp.segments(pg_temp.of('stays@x.ru')), 'club tea', 'who was not erased goes on');

select * from finish();
rollback;
