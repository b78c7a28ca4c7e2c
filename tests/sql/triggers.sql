-- Triggers: which events fire them, when, and what each action does (M-9,
-- M-10, V-11).
\i tests/sql/setup.sql

create function pg_temp.import(p_document jsonb)
returns text language sql as $$
    select string_agg(c, ', ') from leadq.config_import(p_document) c
$$;

-- Posts an event, as the web tier does, and runs the rules.
create function pg_temp.post(p_event text, p_more jsonb default '{}',
    p_id uuid default gen_random_uuid())
returns integer language plpgsql as $$
declare
    v_status integer;
begin
    select e.status into v_status from leadq.web_event(array[p_id],
        array[(jsonb_build_object('event', p_event, 'email', 'a@x.ru')
               || p_more)::text]) e;
    perform pg_temp.work();
    return v_status;
end
$$;

create function pg_temp.fired(p_trigger text)
returns text language sql as $$
    select string_agg(concat_ws(' ', f.state, f.reason), ', '
                      order by f.event_id)
      from leadq.fired f join leadq.trigger t using (trigger_id)
     where t.name = p_trigger
$$;

-- Without a trigger an event costs no rule.
select pg_temp.lead('{"email": "a@x.ru", "consent_ads": true}');
select pg_temp.work();
select is((select count(*) from leadq.event_due), 0::bigint, 'a base without triggers plans nothing for events');

select is(pg_temp.import('{"segments": [{"name": "vip"}],
  "webhooks": [{"name": "crm", "url": "https://crm/"}],
  "series": [{"name": "hello", "kind": "welcome", "steps": [{"template": "doi-1"}, {"template": "doi-2", "delay": "1 day"}], "grace": "1 hour", "next": "sell", "stop_on": ["order.placed"]},
             {"name": "sell", "kind": "promo", "steps": [{"template": "doi-3"}], "stop_on": ["order.placed"]}],
  "triggers": [
    {"name": "welcome", "event": "contact.confirmed", "action": {"series": "hello"}},
    {"name": "big", "event": "order.placed", "condition": "$.event.data.sum > 1000 && $.contact.lang != \"en\"", "action": {"segment": "vip"}},
    {"name": "in-vip", "event": "segment.entered", "condition": "$.event.data.segment == \"vip\"", "action": {"event": "club.joined"}},
    {"name": "thanks", "event": "club.joined", "action": {"message": "doi-2"}, "class": "service"},
    {"name": "tell", "event": "order.placed", "action": {"webhook": "crm"}},
    {"name": "cart", "event": "cart.left", "delay": "1 hour", "action": {"message": "doi-3"}, "class": "service"},
    {"name": "bought", "event": "order.placed", "action": {"cancel": {"trigger": "cart"}}},
    {"name": "off", "event": "order.placed", "enabled": false, "action": {"event": "never.seen"}},
    {"name": "sale", "event": "promo.asked", "action": {"message": "doi-1"}}]}'),
  'segment vip, webhook crm, series hello, series sell, trigger welcome, trigger big, trigger in-vip, trigger thanks, trigger tell, trigger cart, trigger off, trigger sale, trigger bought', 'a document of triggers is put in force');
select is((select count(*) from leadq.config_import(leadq.config_export())), 0::bigint, 'and its export changes nothing');
select is((select string_agg(kind, ' ' order by kind) from leadq.event_wait), 'cart.left club.joined contact.confirmed order.placed promo.asked segment.entered', 'these events are waited for');

-- Marketing needs a confirmation, a service letter does not.
select is(pg_temp.post('promo.asked'), 202, 'an event is taken');
select is(pg_temp.fired('sale'), 'skipped not-confirmed', 'nobody gets marketing before the confirmation (M-22)');
select is(pg_temp.post('order.placed', '{"data": {"sum": 900}}'), 202, 'a small order');
select is(pg_temp.fired('big'), null, 'a condition that is false fires nothing');
select is(pg_temp.fired('tell'), 'done', 'a trigger without a condition fires, and its webhook is called');
select is((select data ->> 'webhook' from leadq.event where kind = 'webhook.done'), 'crm', 'which is an event, too');
select is(pg_temp.fired('off'), null, 'a trigger that is switched off does not fire');

-- A chain of triggers, once for an event.
create temp table o as select gen_random_uuid() as id;
select is(pg_temp.post('order.placed', '{"data": {"sum": 5000}}', id), 202, 'a large order') from o;
select is(pg_temp.fired('big') || ', ' || pg_temp.fired('in-vip') || ', ' || pg_temp.fired('thanks'), 'done, done, done', 'sets off a segment, an event of ours and a letter');
select is((select string_agg(name, ',') from leadq.segment_member join leadq.segment using (segment_id)), 'vip', 'the person is in the segment');
select is(pg_temp.letters('a@x.ru'), '1 sent, 1 sent, 2 planned', 'and has its letter beside the confirmation letters');
select is((select count(*) from leadq.enrolment where state = 'running'), 1::bigint, 'a letter of a trigger leaves nothing running');
select is(pg_temp.post('order.placed', '{"data": {"sum": 5000}}', id), 202, 'the same post again is answered the same') from o;
select is((select count(*) from leadq.event where kind = 'order.placed'), 2::bigint, 'and is no second event');
select throws_ok($$insert into leadq.fired (at, event_id, trigger_id, run_at) select at, event_id, trigger_id, run_at from leadq.fired limit 1$$, '23505', null, 'a trigger fires once for an event, by constraint');
select is(pg_temp.post('order.placed', '{"data": {"sum": 5001}}'), 202, 'another large order');
select is((select count(*) from leadq.event where kind = 'segment.entered'), 1::bigint, 'nobody enters a segment twice');

-- Later, and cancelled meanwhile.
select pg_temp.post('cart.left');
select is(pg_temp.fired('cart'), 'planned', 'a trigger with a delay waits');
select pg_temp.post('order.placed');
select is(pg_temp.fired('cart'), 'cancelled', 'and another one cancels it');
select is((select count(*) from leadq.job where kind = 'fired'), 0::bigint, 'with its job');
select pg_temp.post('cart.left');
select leadq.shift_time('61 min');
select pg_temp.work();
select is(pg_temp.fired('cart'), 'cancelled, done', 'otherwise it acts after the delay');
select is(pg_temp.letters('a@x.ru'), '1 sent, 1 sent, 1 sent, 2 planned', 'once');

-- Welcome, then promo, until an order.
select pg_temp.confirm('a@x.ru');
select pg_temp.work();
select is(pg_temp.fired('welcome'), 'done', 'a confirmation begins the welcome series (M-8)');
select leadq.shift_time('25 hours');
select pg_temp.work();
select is((select string_agg(r.name || ' ' || e.state, ', ' order by r.name) from leadq.enrolment e join leadq.series r using (series_id) where r.kind in ('welcome', 'promo')), 'hello running', 'which has its two letters');
select leadq.shift_time('61 min');
select pg_temp.work();
select is((select string_agg(r.name || ' ' || e.state, ', ' order by r.name) from leadq.enrolment e join leadq.series r using (series_id) where r.kind in ('welcome', 'promo')), 'hello finished, sell running', 'and is followed by the promo chain');
select pg_temp.post('order.placed');
select is((select state from leadq.enrolment e join leadq.series r using (series_id) where r.name = 'sell'), 'stopped', 'an order ends the chain');
select pg_temp.post('promo.asked');
select is(pg_temp.fired('sale'), 'skipped not-confirmed, done', 'marketing goes to who has confirmed');

-- A dead letter of a trigger is brought back like any other.
select leadq.web_event(array[gen_random_uuid()], array['{"event": "promo.asked", "email": "a@x.ru"}']);
select pg_temp.work('dead', '{"class": "block"}');
create temp table d as select job_id from leadq.job_dead order by died_at desc limit 1;
select is((select result from d, leadq.retry_jobs(array[d.job_id])), 'ready', 'a dead letter of a trigger may be retried');
select pg_temp.work();
select is((select string_agg(m.state || ' ' || e.state, ',') from leadq.message m join leadq.enrolment e using (enrolment_id) join leadq.job_done j on j.ref = m.message_id join d using (job_id) where j.outcome = 'done'), 'sent finished', 'and leaves');
select pg_temp.unsubscribe('a@x.ru');
select pg_temp.post('promo.asked'), pg_temp.post('cart.left');
select is(pg_temp.fired('sale'), 'skipped not-confirmed, done, done, skipped suppressed', 'and to nobody who has left');

select * from finish();
rollback;
