-- Erasure at a person's request, and when the time of a source is over.
\i tests/sql/setup.sql

create function pg_temp.traces(p_word text) returns text language plpgsql as $$
declare
    v_table record;
    v_found boolean;
    v_all text := '';
begin
    -- Every table of the schema that has the word anywhere in a row.
    for v_table in
        select c.relname from pg_class c
         where c.relnamespace = 'leadq'::regnamespace and c.relkind = 'r'
         order by 1
    loop
        execute format('select exists (select from leadq.%I t
            where t::text like %L)', v_table.relname, '%' || p_word || '%')
            into v_found;
        if v_found then
            v_all := v_all || ' ' || v_table.relname;
        end if;
    end loop;
    return v_all;
end
$$;

select pg_temp.lead('{"email": "anna@x.ru", "phone": "+79161112233", "name": "Annabel", "click_id": "1", "sub1": "anna-sub", "consent_pd": true, "ip": "192.0.2.77", "ua": "annagent"}');
select pg_temp.lead('{"email": "anna@x.ru", "click_id": "spam", "$trap": "honeypot"}');
select pg_temp.work('dead', '{"class": "soft", "reply": "550 <anna@x.ru> is full"}');
select leadq.shift_time('2 days');
select leadq.promote_jobs(100);
insert into leadq.event (at, kind, contact_id, data) select now(), 'order.placed', contact_id, '{"who": "anna@x.ru"}' from leadq.address where value = 'anna@x.ru';
create temp table who as select contact_id from leadq.address where value = 'anna@x.ru';

select isnt(pg_temp.traces('anna@x.ru'), '', 'she is everywhere');
select is((select count(*) from leadq.job_ready where kind = 'letter'), 1::bigint, 'and a letter to her is ready');
select is(leadq.contact_erase('email', 'anna@x.ru'), (select jsonb_build_object('contact', contact_id, 'leads', 2) from who), 'she is erased');
select is(pg_temp.traces(w), '', w || ' is in no table any more')
  from unnest(array['anna@x.ru', '79161112233', 'Annabel', 'anna-sub', '192.0.2.77', 'annagent']) w;
select is((select count(*) from leadq.job_ready where kind = 'letter'), 0::bigint, 'no letter leaves');
select is((select concat_ws(' ', state, reason) from leadq.lead where click_id = '1'), 'rejected unsubscribed', 'her lead is rejected');
select is(pg_temp.told((select lead_id from leadq.lead where click_id = '1')), 'processed done, rejected queued', 'and the network will hear it');
select is((select array_agg(purpose || ' ' || action) from leadq.consent join who using (contact_id)), array['pd_processing given'], 'what she agreed to is kept, by number');
select is_empty('select leadq.consent_breaks(contact_id) from who', 'and its chain holds');
select is((select string_agg(channel, ' ' order by channel) from leadq.suppression where reason = 'erased'), 'email phone', 'the hashes of her addresses stay');
select is((select count(*) from leadq.event join who using (contact_id) where kind = 'contact.erased'), 1::bigint, 'that it was done is an event');
select is(pg_temp.confirm('anna@x.ru'), null, 'no letter leads to her');
select is((select array_agg(c.status) from leadq.message m join who using (contact_id) cross join lateral (select status from leadq.web_confirm(array[gen_random_uuid()], array[jsonb_build_object('message', m.message_id)::text]) union all select status from leadq.web_unsubscribe(array[gen_random_uuid()], array[jsonb_build_object('message', m.message_id)::text])) c where m.step = 1), array[410, 410], 'the links that she has are closed');
select is(leadq.contact_erase('email', 'anna@x.ru'), '{"leads": 0, "contact": null}', 'a repeat finds nobody');
select is(leadq.contact_export('phone', '+79161112233'), null, 'as does an export');
select is(pg_temp.state(pg_temp.lead('{"email": "anna@x.ru", "click_id": "2"}')), 'rejected blocked', 'a form that names her brings no letter');

-- Retention.
select leadq.config_import('{"sources": [{"name": "brief", "series": "three", "network": "net", "from_email": "a@brand.ru", "base_url": "https://brand.ru", "retention_days": 30}, {"name": "short", "retention_days": 10}]}');
select is(jsonb_path_query_first(leadq.config_export(), '$.sources[*] ? (@.name == "brief").retention_days'), '30', 'the document says how long leads are kept');
select pg_temp.lead('{"source": "brief", "email": "never@x.ru", "click_id": "10", "name": "Nevermore"}'), pg_temp.lead('{"source": "brief", "email": "member@x.ru", "click_id": "11", "name": "Member"}'), pg_temp.lead('{"source": "cpa", "email": "kept@x.ru", "click_id": "12"}'), pg_temp.lead('{"source": "short", "phone": "+79165550000"}'), pg_temp.lead('{"source": "brief", "email": "again@x.ru", "click_id": "13"}');
select pg_temp.work();
select pg_temp.confirm('member@x.ru');
select leadq.shift_time('9 days');
select is(leadq._retain(100), 0, 'nothing goes before its time');
select pg_temp.lead('{"source": "lenient", "email": "again@x.ru", "click_id": "14"}');
select leadq.shift_time('2 days');
select matches(leadq.maintain(), 'leads erased=1$', 'a source that waits for nobody is done after its days');
select is(pg_temp.traces('79165550000'), '', 'and nothing is left of the person');
select leadq.shift_time('20 days');
select is(leadq._retain(100), 0, 'a lead whose end no network has heard waits');
do $$ begin for i in 1 .. 10 loop perform pg_temp.work(); perform leadq.shift_time('2 days'); end loop; end $$;
select is(leadq._retain(2), 2, 'then they go, some at a time');
select is(leadq._retain(2), 1, 'until all are gone');
select is(leadq._retain(2), 0, 'once');
select is(pg_temp.traces('Nevermore'), '', 'nothing personal is left');
select is(pg_temp.traces('never@x.ru'), '', 'of who never confirmed');
select is((select count(*) from leadq.suppression where address_sha256 = leadq._address_hash('never@x.ru')), 0::bigint, 'who may come again');
select is(pg_temp.traces('member@x.ru'), ' address enrolment', 'a member stays, the lead does not say who it was');
select is(pg_temp.traces('again@x.ru') ~ ' lead', true, 'and who came again stays with the later lead');
select is(pg_temp.traces('kept@x.ru') ~ ' lead', true, 'a source that does not say keeps all');
select is((select array_agg(state order by click_id) from leadq.lead where click_id in ('10', '11')), array['expired', 'approved'], 'what leads were worth is still to be counted');

select * from finish();
rollback;
