-- Opens and clicks, where a source asks for them: noted once, harmless, and
-- no way to make the site lead elsewhere.
\i tests/sql/setup.sql

select leadq.config_import(jsonb_build_object(
    'templates', jsonb_build_array(jsonb_build_object('name', 'doi-1',
        'lang', 'ru', 'subject', 's', 'text', 't', 'html',
        '<html><body><a href="https://shop.ru/a?b=1&amp;c=2">A</a>'
        '<a href="{{confirm_url}}">C</a><a href="https://shop.ru/d">D</a>'
        '<a href="https://shop.ru/a?b=1&amp;c=2">A</a></BODY></html>')),
    'sources', '[{"name": "curious", "series": "three", "from_email": "a@brand.ru", "base_url": "https://brand.ru", "track_opens": true, "track_clicks": true}]'::jsonb));

create temp table letter as
select p.payload::jsonb as payload
  from (select pg_temp.lead('{"source": "curious", "email": "a@x.ru"}')) l,
       lateral (select payload from leadq.claim_jobs('w', '{service}', '{10}', '{0}', 60) where kind = 'letter') p;

select is((select payload ->> 'html' from letter), '<html><body><a href="{{click_url}}/1">A</a><a href="{{confirm_url}}">C</a><a href="{{click_url}}/2">D</a><a href="{{click_url}}/1">A</a><img src="{{open_url}}" width="1" height="1" alt="" style="display:block;border:0;"></BODY></html>', 'fixed links are led over the site, and an image is at the end');
select is((select string_agg(k, ' ' order by k) from letter, jsonb_object_keys(payload -> 'links') k), 'click_url confirm_url open_url unsubscribe_url', 'with their links');
select is((select payload #>> '{links,click_url,purpose}' from letter), 'click', 'each for its purpose');

create function pg_temp.open(p_more jsonb default '{}') returns text language sql as $$
    select w.status || ' ' || w.headers
      from leadq.message m
     cross join lateral leadq.web_open(array[gen_random_uuid()], array[(jsonb_build_object('message', m.message_id, 'image', '/dot.gif', 'method', 'GET') || p_more)::text]) w
     where m.state <> 'cancelled' $$;
create function pg_temp.click(p_link integer, p_more jsonb default '{}') returns text language sql as $$
    select concat_ws(' ', w.status, w.headers)
      from leadq.message m
     cross join lateral leadq.web_click(array[gen_random_uuid()], array[(jsonb_build_object('message', m.message_id, 'link', p_link, 'method', 'GET') || p_more)::text]) w
     where m.state <> 'cancelled' $$;
create function pg_temp.events() returns text language sql as $$
    select string_agg(concat_ws(' ', kind, data ->> 'link'), ', ' order by event_id) from leadq.event where kind in ('letter.opened', 'letter.clicked') $$;

update leadq.address set soft_bounces = 2;
select is(pg_temp.open('{"method": "HEAD"}'), '303 Location: /dot.gif', 'a HEAD gets the image');
select is(pg_temp.open('{"purpose": "prefetch;prerender"}'), '303 Location: /dot.gif', 'so does a prefetch');
select is(pg_temp.click(1, '{"method": "HEAD"}'), '302 Location: https://shop.ru/a?b=1&c=2', 'and a HEAD the address');
select is(pg_temp.events(), null, 'neither is noted');
select is((select soft_bounces from leadq.address), 2, 'or proves anything');

select is(pg_temp.open(), '303 Location: /dot.gif', 'a look gets the image');
select is(pg_temp.click(1), '302 Location: https://shop.ru/a?b=1&c=2', 'a click leads to the address of the letter');
select is(pg_temp.click(2), '302 Location: https://shop.ru/d', 'each link to its own');
select pg_temp.open(), pg_temp.click(1), pg_temp.click(2);
select is(pg_temp.events(), 'letter.opened, letter.clicked 1, letter.clicked 2', 'the first of each is noted');
select is((select soft_bounces from leadq.address), 0, 'A-4: and resets the soft bounces');
select is(pg_temp.click(3), '410', 'a link that is not in the letter leads nowhere');
select is((select status from leadq.web_click(array[gen_random_uuid()], array[jsonb_build_object('message', gen_random_uuid(), 'link', 1)::text])), 410, 'nor does one of no letter');
select is((select status from leadq.web_open(array[gen_random_uuid()], array[jsonb_build_object('message', gen_random_uuid(), 'image', '/dot.gif')::text])), 303, 'the image of no letter is an image');
select is((select state from leadq.address), 'new', 'nobody was confirmed by looking');
select is((select string_agg(state, ',') from leadq.enrolment), 'running', 'and nobody left');

select is((select opened || ' ' || clicked from leadq.funnel where source = 'curious'), '1 1', 'the funnel has both');
select is(leadq.config_export() #> '{sources}' @> '[{"name": "curious", "track_opens": true, "track_clicks": true}]', true, 'the document says what is asked');
select is((select payload::jsonb -> 'links' ? 'open_url' or payload like '%<img%' from (select pg_temp.lead('{"source": "cpa", "email": "b@x.ru"}')) l, lateral (select payload from leadq.claim_jobs('w', '{service}', '{10}', '{0}', 60) where kind = 'letter') p), false, 'a source that does not ask gets neither');

select * from finish();
rollback;
