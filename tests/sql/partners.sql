-- Several partners and offers per source, hold, resending by hand, and the
-- list that a partner's own is compared with (A-3, A-15, M-17, M-18).
\i tests/sql/setup.sql

select leadq.config_import('{
    "networks": [{"name": "alpha", "url": "http://alpha/?c={click_id}"},
                 {"name": "beta", "url": "http://beta/", "concurrency": 3},
                 {"name": "nohold", "url": "http://nohold/", "statuses": ["approved"]}],
    "sources": [{"name": "many", "series": "three", "expired_as": "hold",
        "from_email": "a@brand.ru", "base_url": "https://brand.ru",
        "partners": [{"network": "alpha", "offer_id": "7", "payout": "150.00", "currency": "RUB"},
                     {"network": "alpha", "offer_id": "8", "payout": "90.50", "currency": "RUB"},
                     {"network": "beta", "offer_id": "9"}]}]}');

create function pg_temp.many(p_request jsonb) returns uuid language sql as $$
    select pg_temp.lead('{"source": "many"}' || p_request) $$;

-- "network offer payout currency" of a lead; null: it speaks to nobody.
create function pg_temp.partner(p_lead uuid) returns text language sql as $$
    select concat_ws(' ', w.name, l.offer_id, l.payout, l.currency)
      from leadq.lead l join leadq.network w using (network_id)
     where l.lead_id = p_lead and l.reports $$;

create function pg_temp.end_postbacks(p_lead uuid, p_outcome text) returns void language plpgsql as $$
begin
    -- Settles what is claimed of a lead's postbacks.
    perform leadq.promote_jobs(1000);
    perform leadq.settle_jobs(array_agg(c.job_id), array_agg(c.token), array_agg(p_outcome), array_agg('{"http": 403, "url": "http://alpha/?c=x"}'::text))
       from leadq.claim_jobs('w', array['service'], array[1000], array[0], 60) c
       join leadq.job_ready r on r.job_id = c.job_id
       join leadq.postback p on p.postback_id = r.ref
      where p.lead_id = p_lead;
end $$;

create temp table t (name text primary key, id uuid);
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from t where name = p_name $$;
insert into t values
    ('first', pg_temp.many('{"email": "a@x.ru", "click_id": "1"}')),
    ('offer', pg_temp.many('{"email": "b@x.ru", "click_id": "2", "offer": "8"}')),
    ('partner', pg_temp.many('{"email": "c@x.ru", "click_id": "1", "partner": "beta"}')),
    ('by offer', pg_temp.many('{"email": "d@x.ru", "click_id": "3", "offer": "9"}')),
    ('no offer', pg_temp.many('{"email": "e@x.ru", "click_id": "4", "partner": "alpha", "offer": "9"}')),
    ('stranger', pg_temp.many('{"email": "f@x.ru", "click_id": "5", "partner": "net"}')),
    ('mangled', pg_temp.many('{"email": "m@x.ru", "click_id": "6", "$invalid": {"partner": "too-long"}}')),
    ('second', pg_temp.many('{"email": "g@x.ru", "click_id": "1"}')),
    ('again', pg_temp.many('{"email": "h@x.ru", "click_id": "1", "offer": "8"}'));

select is(pg_temp.partner(pg_temp.id('first')), 'alpha 7 150.00 RUB', 'a lead that names no partner has the first');
select is(pg_temp.partner(pg_temp.id('offer')), 'alpha 8 90.50 RUB', 'an offer has its own price');
select is(pg_temp.partner(pg_temp.id('partner')), 'beta 9', 'a partner that is named is taken, and its click id is its own');
select is(pg_temp.partner(pg_temp.id('by offer')), 'beta 9', 'an offer finds its network');
select is(pg_temp.partner(pg_temp.id('no offer')), 'alpha 7 150.00 RUB', 'an offer of somebody else does not');
select is(pg_temp.partner(pg_temp.id('stranger')), null, 'a network that is not the source''s own is told nothing');
select is(pg_temp.partner(pg_temp.id('mangled')), null, 'nor is one, when its name cannot be read');
select is(pg_temp.partner(pg_temp.id('second')), null, 'a second lead of a click id of the network is told nothing');
select is(pg_temp.partner(pg_temp.id('again')), null, 'whatever the offer');
select is(pg_temp.told(pg_temp.id('partner')), 'processed queued', 'the network hears "processed"');

-- What is agreed stays agreed.
select leadq.config_import('{"sources": [{"name": "many", "series": "three", "expired_as": "hold",
    "from_email": "a@brand.ru", "base_url": "https://brand.ru",
    "partners": [{"network": "beta"}, {"network": "alpha", "offer_id": "7", "payout": "1", "currency": "RUB"}]}]}');
select pg_temp.confirm('a@x.ru');
select is(pg_temp.told(pg_temp.id('first')), 'processed queued, approved waiting', 'a lead keeps the network of its arrival');
select is((select payload::jsonb #>> '{values,payout}' from leadq._postback_payloads(array[1::bigint], array[(select postback_id from leadq.postback where lead_id = pg_temp.id('first') and status = 'approved')])), '150.00', 'and its price');
select is(leadq.config_export() -> 'sources' @> '[{"name": "many", "partners": [{"network": "beta", "payout": null}, {"network": "alpha", "payout": "1.00"}]}]', true, 'several partners are exported as a list');
select is((select count(*) from leadq.config_import(leadq.config_export())), 0::bigint, 'and importing it changes nothing');
select is((select s -> 'network' from jsonb_array_elements(leadq.config_export() -> 'sources') s where s ->> 'name' = 'cpa'), '"net"', 'one is exported as keys of the source');

-- Refusals.
create function pg_temp.refused(p_more jsonb, p_text text, p_what text) returns setof text language sql as $$
    select throws_ok(format('select leadq.config_import(%L)', jsonb_build_object('sources', jsonb_build_array('{"name": "x", "series": "three", "from_email": "a@b.ru", "base_url": "https://b.ru"}' || p_more))), 'P0001', p_text, p_what) $$;
select pg_temp.refused('{"network": "none"}', 'sources[0].network: there is no network "none"', 'an unknown network is refused');
select pg_temp.refused('{"partners": [{"network": "alpha"}, {"network": "none"}]}', 'sources[0].partners[1].network: there is no network "none"', 'in a list with its place');
select pg_temp.refused('{"partners": [{"network": "alpha"}, {"network": "alpha"}]}', 'sources[0].partners[1].offer_id: the source has this network with this offer before', 'the same partner twice is refused');
select pg_temp.refused('{"series": null, "partners": [{"network": "alpha"}]}', 'sources[0].partners: a network pays for confirmed leads: name a series too', 'partners without a series are refused');
select pg_temp.refused('{"expired_as": "hold", "network": "nohold"}', 'sources[0].expired_as: no network of the source has "hold" among its statuses', 'hold that nobody hears is refused');

-- Hold: valid, and never confirmed.
select pg_temp.work();
select leadq.shift_time('2 days'); select pg_temp.work();
select leadq.shift_time('5 days'); select pg_temp.work();
select leadq.shift_time('3 days'); select pg_temp.work();
select is(pg_temp.state(pg_temp.id('offer')), 'expired not_confirmed', 'nobody confirmed');
select is(pg_temp.told(pg_temp.id('offer')), 'processed done, hold done', 'A-3: the network is told hold');
select pg_temp.confirm('b@x.ru');
select is(pg_temp.state(pg_temp.id('offer')) || ': ' || pg_temp.told(pg_temp.id('offer')), 'expired not_confirmed: processed done, hold done', 'A-15: and nothing else, whenever the person confirms');

-- Resending by hand; money is one-way.
insert into t values ('dead', pg_temp.many('{"email": "i@x.ru", "click_id": "10"}'));
select pg_temp.confirm('i@x.ru');
select pg_temp.end_postbacks(pg_temp.id('dead'), 'dead');
select is(pg_temp.told(pg_temp.id('dead')), 'processed dead, approved queued', 'after a dead "processed" the final goes');
select pg_temp.end_postbacks(pg_temp.id('dead'), 'dead');
create temp table ids as select postback_id from leadq.postback where lead_id = pg_temp.id('dead');
select results_eq($$select status, result from leadq.resend_lead(pg_temp.id('dead'))$$, $$values ('processed', 'sent again'), ('approved', 'waits for processed')$$, 'both are sent again, "processed" first');
select results_eq($$select status, result from leadq.resend_lead(pg_temp.id('dead'), 'beta')$$, $$values ('processed', 'under way'), ('approved', 'waits for processed')$$, 'a repeat changes nothing');
select pg_temp.work();
select is(pg_temp.told(pg_temp.id('dead')), 'processed done, approved done', 'and both are acknowledged');
select results_eq($$select status, result from leadq.resend_lead(pg_temp.id('dead'))$$, $$values ('processed', 'acknowledged before'), ('approved', 'acknowledged before')$$, 'A-15: what was acknowledged is never sent again');
select set_eq('select postback_id from leadq.postback where lead_id = pg_temp.id(''dead'')', 'select postback_id from ids', 'each under its one id');
select is(pg_temp.work(), 0, 'nothing is left to do');

insert into t values ('late', pg_temp.many('{"email": "j@x.ru", "click_id": "11"}'));
select pg_temp.confirm('j@x.ru');
select pg_temp.end_postbacks(pg_temp.id('late'), 'dead');
select results_eq($$select status, result from leadq.resend_lead(pg_temp.id('late'))$$, $$values ('processed', 'not sent: a final status came first'), ('approved', 'under way')$$, '"processed" does not follow a final status');
delete from leadq.job_done where ref in (select postback_id from leadq.postback where lead_id = pg_temp.id('late'));
select pg_temp.end_postbacks(pg_temp.id('late'), 'dead');
delete from leadq.job_done where ref in (select postback_id from leadq.postback where lead_id = pg_temp.id('late'));
select results_eq($$select status, result from leadq.resend_lead(pg_temp.id('late'))$$, $$values ('processed', 'sent again'), ('approved', 'waits for processed')$$, 'what has no history any more is sent again, too');
select is((select count(*) from leadq.job j join leadq.postback p on p.postback_id = j.ref where p.lead_id = pg_temp.id('late')), 1::bigint, 'once');
select pg_temp.work();

-- A network that was not to be told and now is.
update leadq.network set statuses = '{approved}' where name = 'beta';
insert into t values ('untold', pg_temp.many('{"email": "k@x.ru", "click_id": "12"}'));
select pg_temp.work();
select pg_temp.confirm('k@x.ru'); select pg_temp.work();
update leadq.network set statuses = '{processed,approved}' where name = 'beta';
select results_eq($$select status, result from leadq.resend_lead(pg_temp.id('untold'))$$, $$values ('approved', 'acknowledged before')$$, '"processed" that was not to be told is not told after the final');
select throws_ok($$select leadq.resend_lead(pg_temp.id('dead'), 'alpha')$$, 'P0001', format('lead %s speaks to the network beta, not to alpha', pg_temp.id('dead')), 'another network is refused');
select throws_ok($$select leadq.resend_lead(pg_temp.id('second'))$$, 'P0001', format('lead %s speaks to no network', pg_temp.id('second')), 'a lead that speaks to nobody is refused');
select throws_ok($$select leadq.resend_lead('00000000-0000-0000-0000-000000000000')$$, 'P0001', 'there is no lead 00000000-0000-0000-0000-000000000000', 'and one that is not there');

-- What a partner's own list is compared with, and the story.
select results_eq($$select network, click_id, status, payout, state from leadq.partner_report where lead_id in (pg_temp.id('first'), pg_temp.id('offer')) order by click_id, status <> 'processed'$$,
    $$values ('alpha', '1', 'processed', null::numeric, 'done'), ('alpha', '1', 'approved', 150.00, 'done'), ('alpha', '2', 'processed', null, 'done'), ('alpha', '2', 'hold', null, 'done')$$, 'each status is reported, with the money that was agreed');
insert into leadq.event (at, kind, contact_id, ref, data) select leadq.now(), 'letter.opened', m.contact_id, m.message_id, null from leadq.message m join leadq.lead l using (contact_id) where l.lead_id = pg_temp.id('untold') and m.step = 1;
select ok((select bool_and(w in (select what from leadq.lead_story where lead_id = pg_temp.id('untold'))) from unnest(array['lead received', 'letter sent', 'letter opened', 'contact confirmed', 'lead approved', 'postback done', 'attempt done']) w), 'the story has all that happened');
select ok((select detail ~ ' network=none ' from leadq.lead_story where lead_id = pg_temp.id('second') and what = 'lead received'), 'and that a lead speaks to nobody');
select pg_temp.end_postbacks(pg_temp.many('{"email": "l@x.ru", "click_id": "13", "partner": "alpha"}'), 'dead');
select is((select detail from leadq.lead_story s where lead_id = (select lead_id from leadq.lead where click_id = '13') and what = 'attempt dead'), 'kind=postback try=1 http=403 url=http://alpha/?c=x', 'and what each attempt sent');

-- A test fire.
select is(leadq.network_sample('beta', '{"click_id": "mine", "status": null}')::jsonb #- '{postback_id}' #- '{values,ts}' @> '{"url": "http://beta/", "concurrency": 3, "values": {"click_id": "mine", "status": "approved", "offer_id": "1", "payout": "1"}}', true, 'a sample has made-up values, or those that are given');
select is(leadq.network_sample('none', '{}'), null, 'of a network that is there');

select * from finish();
rollback;
