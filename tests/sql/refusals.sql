-- What config_import refuses of triggers, series and limits: by path, with
-- the reason, and nothing of the document is in force.
\i tests/sql/setup.sql

select leadq.config_import('{
  "events": ["order.placed", "cart.left", "a.b", "b.c"],
  "segments": [{"name": "vip"}],
  "webhooks": [{"name": "crm", "url": "https://crm/"}],
  "series": [{"name": "hello", "kind": "welcome", "steps": [{"template": "doi-1"}]}],
  "triggers": [{"name": "old", "event": "a.b", "action": {"event": "b.c"}}]}');

create function pg_temp.refused(p_document jsonb)
returns text language plpgsql as $$
begin
    perform leadq.config_import(p_document);
    return 'taken';
exception when raise_exception then
    return sqlerrm;
end
$$;

-- A document with one trigger that differs.
create function pg_temp.trigger(p_more jsonb)
returns text language sql as $$
    select pg_temp.refused(jsonb_build_object('segments',
        '[{"name": "new"}]'::jsonb, 'triggers', jsonb_build_array(
        '{"name": "t", "event": "order.placed", "action": {"event": "cart.left"}}'::jsonb
        || p_more)))
$$;

select is(pg_temp.trigger('{}'), 'taken', 'a good trigger is taken');
select is(pg_temp.trigger('{"event": "order.plcaed"}'), 'triggers[0].event: "order.plcaed" is not one of the events that are posted: a.b, b.c, cart.left, order.placed', 'an event that nobody may post');
select is(pg_temp.trigger('{"event": "contact.confirmd"}'), 'triggers[0].event: there is no event "contact.confirmd"; there are contact.confirmed, contact.unsubscribed', 'a misspelt event of the system');
select is(pg_temp.trigger('{"event": "Order"}'), 'triggers[0].event: "Order" is not the name of an event, such as "order.placed"', 'what is no name');
select is(pg_temp.trigger('{"action": {"event": "contact.confirmed"}}'), 'triggers[0].action.event: "contact.confirmed" is for events of leadq itself', 'a forged confirmation');
select is(pg_temp.trigger('{"condition": "$.event.data.sum >"}'), 'triggers[0].condition: is not a jsonpath: syntax error at end of jsonpath input', 'a condition that is no jsonpath');
select is(pg_temp.trigger('{"condition": "$.event.data.sum"}'), 'triggers[0].condition: compares nothing: write $.event.data.sum > 1000, or exists($.event.data.sum)', 'a condition that compares nothing');
select is(pg_temp.trigger('{"condition": "$.contact.confirmd == true"}'), 'triggers[0].condition: there is no $.contact.confirmd; there are id, name, lang, time_zone, email, phone, confirmed, unsubscribed, ads, since, sources, segments, series', 'a misspelt value of the person');
select is(pg_temp.trigger('{"condition": "$.evnt.data.x == 1"}'), 'triggers[0].condition: there is no $.evnt; there are $.event and $.contact', 'or of the document');
select is(pg_temp.trigger('{"condition": "$.event.data.x == $y"}'), 'triggers[0].condition: could not find jsonpath variable "y"', 'a variable that nobody sets');
select is(pg_temp.trigger('{"action": {"message": "nope"}}'), 'triggers[0].action.message: there is no template "nope"', 'an unknown template');
select is(pg_temp.trigger('{"action": {"series": "nope"}}'), 'triggers[0].action.series: there is no series "nope"', 'an unknown series');
select is(pg_temp.trigger('{"action": {"webhook": "nope"}}'), 'triggers[0].action.webhook: there is no webhook "nope"', 'an unknown webhook');
select is(pg_temp.trigger('{"action": {"segment": "nope"}}'), 'triggers[0].action.segment: there is no segment "nope"', 'an unknown segment');
select is(pg_temp.trigger('{"action": {"cancel": {"trigger": "nope"}}}'), 'triggers[0].action.cancel.trigger: there is no trigger "nope"', 'an unknown trigger to cancel');
select is(pg_temp.trigger('{"action": {"cancel": {"series": "nope"}}}'), 'triggers[0].action.cancel.series: there is no series "nope"', 'an unknown series to cancel');
select is(pg_temp.trigger('{"source": "nope"}'), 'triggers[0].source: there is no source "nope"', 'an unknown source');

-- Circles, with what is in force already.
select is(pg_temp.trigger('{"event": "b.c", "action": {"event": "a.b"}}'), 'triggers[0].event: sets itself off again, without end, by way of old, t', 'a circle of two');
select is(pg_temp.trigger('{"event": "b.c", "action": {"event": "a.b"}, "enabled": false}'), 'taken', 'unless one of them is switched off');
select is(pg_temp.trigger('{"event": "a.b", "action": {"event": "a.b"}}'), 'triggers[0].event: sets itself off again, without end, by way of t', 'a circle of one');
select is(pg_temp.trigger('{"event": "letter.sent", "action": {"message": "doi-1"}}'), 'triggers[0].event: sets itself off again, without end, by way of t', 'a letter for each letter');
select is(pg_temp.trigger('{"event": "webhook.dead", "action": {"webhook": "crm"}}'), 'triggers[0].event: sets itself off again, without end, by way of t', 'a webhook for each webhook');
select is(pg_temp.trigger('{"event": "letter.clicked", "action": {"message": "doi-1"}}'), 'taken', 'a person in between is no circle');
select is(pg_temp.refused('{"triggers": [{"name": "x", "event": "cart.left", "action": {"event": "order.placed"}}, {"name": "y", "event": "order.placed", "action": {"message": "doi-1"}}, {"name": "z", "event": "letter.failed", "action": {"event": "cart.left"}}]}'), 'triggers[0].event: sets itself off again, without end, by way of x, y, z', 'a circle of three');
select is(pg_temp.refused('{"series": [{"name": "hello", "kind": "welcome", "next": "sell", "steps": [{"template": "doi-1"}]}, {"name": "sell", "kind": "promo", "next": "hello", "steps": [{"template": "doi-1"}]}]}'), 'series[0].next: goes round for ever: hello, sell, and again', 'series in a circle');
select is(pg_temp.refused('{"series": [{"name": "sell", "kind": "promo", "next": "three", "steps": [{"template": "doi-1"}]}]}'), 'series[0].next: series "three" waits for a confirmation: it follows none', 'no double opt-in after a series that sells');
select is(pg_temp.refused('{"series": [{"name": "sell", "kind": "promo", "next": "nope", "steps": [{"template": "doi-1"}]}]}'), 'series[0].next: there is no series "nope"', 'an unknown next series');
select is(pg_temp.refused('{"series": [{"name": "sell", "kind": "promo", "stop_on": ["order.placed", "order.plced"], "steps": [{"template": "doi-1"}]}]}'), 'series[0].stop_on[1]: "order.plced" is not one of the events that are posted: a.b, b.c, cart.left, order.placed', 'an unknown event that stops');
select is(pg_temp.refused('{"series": [{"name": "hello", "kind": "promo", "steps": [{"template": "doi-1"}]}]}'), 'series[0].kind: "hello" is welcome: a series keeps its kind', 'a series that becomes another kind');
select is(pg_temp.refused('{"sources": [{"name": "x", "series": "hello", "from_email": "a@b.ru", "base_url": "https://b.ru"}]}'), 'sources[0].series: there is no series "hello" that asks for a confirmation', 'leads that wait for no confirmation');
select is(pg_temp.refused('{"events": ["a.b", "b.c", "cart.left"], "triggers": [{"name": "t", "event": "a.b", "action": {"event": "b.c"}}, {"name": "u", "event": "cart.left", "enabled": false, "action": {"event": "b.c"}}]}'), 'taken', 'an event that nobody waits for may go');
select is(pg_temp.refused('{"events": ["a.b"]}'), 'events: b.c is missing: trigger old makes it', 'and no other');
select is(pg_temp.refused('{"events": ["letter.sent"]}'), 'events[0]: "letter.sent" is for events of leadq itself', 'nor may one of the system be posted');

-- Windows.
select is(pg_temp.trigger('{"event": "cart.left", "action": {"message": "doi-1"}, "window": {"from": "22:00", "to": "23:00"}}'), 'taken', 'a letter at night, without quiet hours');
select is(pg_temp.refused('{"limits": {"quiet": [{"from": "21:00", "to": "09:00"}]}}'), 'limits.quiet: trigger.t may never leave: its window 22:00-23:00 is in the quiet hours', 'which quiet hours may not take away');
select is(pg_temp.refused('{"limits": {"quiet": [{"from": "21:00", "to": "09:00"}, {"channel": "email", "from": "09:00", "to": "21:00"}]}}'), 'limits.quiet: leaves no hour of the day', 'nor may they take the day');
select is(pg_temp.trigger('{"event": "cart.left", "action": {"message": "doi-1"}, "class": "service", "window": {"from": "22:00", "to": "23:00"}}'), 'taken', 'a service letter');
select is(pg_temp.refused('{"limits": {"quiet": [{"from": "21:00", "to": "09:00"}]}}'), 'taken', 'leaves in quiet hours');
select is(pg_temp.refused('{"series": [{"name": "sell", "kind": "promo", "steps": [{"template": "doi-1"}]}, {"name": "owls", "kind": "promo", "window": {"from": "23:00", "to": "05:00"}, "steps": [{"template": "doi-1"}]}]}'), 'series[1].window: owls may never leave: its window 23:00-05:00 is in the quiet hours', 'a series of the night');
select is(pg_temp.refused('{"sources": [{"name": "x", "time_zone": "Europe/Moskow"}]}'), 'sources[0].time_zone: there is no time zone "Europe/Moskow"', 'an unknown time zone');

select is((select count(*) from leadq.series where name in ('sell', 'owls')), 0::bigint, 'nothing of what was refused is left');
select pg_temp.lead('{"email": "k@x.ru"}');
select set_eq($$select distinct jsonb_object_keys(leadq._event_document(1, now(), 'x', c.contact_id, null, null) -> 'contact') from leadq.contact c$$,
    $$select unnest(array['id', 'name', 'lang', 'time_zone', 'email', 'phone', 'confirmed', 'unsubscribed', 'ads', 'since', 'sources', 'segments', 'series'])$$, 'conditions are asked of what they may name');

select * from finish();
rollback;
