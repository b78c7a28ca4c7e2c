-- A schema for the tests of the module: functions of the generic door that
-- do just one thing each.  No business rule lives here.

create schema leadq;

create table leadq.row (
    id      uuid primary key,
    request jsonb not null,
    at      timestamptz not null default clock_timestamp(),
    xid     xid8 not null default pg_current_xact_id()
);

create function leadq.web_api() returns int
language sql as $$ select 1 $$;

-- Stores every row; the answer is 201 with Location, the request is the body.
create function leadq.web_echo(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language sql as $$
    insert into leadq.row (id, request)
    select u.id, u.request::jsonb
      from unnest(p_ids, p_requests) u (id, request)
     order by u.id
        on conflict do nothing;
    select u.n::int, 201, format(E'Location: /rows/%s\n', u.id), u.request
      from unnest(p_ids, p_requests) with ordinality u (id, request, n)
$$;

-- Raises what the request asks for: {"name": "22023"}; stores the others.
create function leadq.web_fail(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language plpgsql as $$
declare
    v_state text;
begin
    select r::jsonb ->> 'name' into v_state
      from unnest(p_requests) r
     where r::jsonb ->> 'name' ~ '^[0-9A-Z]{5}$'
     limit 1;
    if v_state is not null then
        raise exception 'secret detail' using errcode = v_state;
    end if;
    return query select * from leadq.web_echo(p_ids, p_requests);
end $$;

-- Answers what the request asks for:
-- {"name": "nothing|null|600|204|headers|problem|big"}
create function leadq.web_odd(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language sql as $$
    select u.n::int,
           case u.kind when 'null' then null when '600' then 600
                       when '204' then 204 when 'problem' then 409
                       else 200 end,
           case u.kind when 'headers' then E'Content-Language: ru\n'
                       'Set-Cookie: a=b\nRetry-After: 7\n' end,
           case u.kind
               when 'big' then jsonb_build_object('x', repeat('x', 40000))::text
               when 'problem' then '{"type":"urn:leadq:problem:duplicate",'
                   '"title":"Twice","status":409}'
               when '204' then null
               else '{}' end
      from (select t.n, t.request::jsonb ->> 'name' as kind
              from unnest(p_requests) with ordinality t (request, n)) u
     where u.kind is distinct from 'nothing'
     order by u.n desc
$$;

-- Fails only at commit, if the request says {"name": "late"}.
create table leadq.known (name text primary key);

create table leadq.late (
    id   uuid primary key,
    name text,
    constraint late_name_fk foreign key (name) references leadq.known
        deferrable initially deferred
);

create function leadq.web_late(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language sql as $$
    insert into leadq.late (id, name)
    select u.id, nullif(u.request::jsonb ->> 'name', 'fine')
      from unnest(p_ids, p_requests) u (id, request);
    select u.n::int, 201, null, null
      from unnest(p_ids) with ordinality u (id, n)
$$;

create function leadq.web_slow(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language sql as $$
    select pg_sleep(0.3);
    select * from leadq.web_echo(p_ids, p_requests)
$$;

-- Waits until nobody holds the advisory lock 1.
create function leadq.web_gate(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language sql as $$
    select pg_advisory_xact_lock_shared(1);
    select * from leadq.web_echo(p_ids, p_requests)
$$;

-- As web_lead: a repeat of an id changes nothing and gets the same answer, or
-- 422 if its fingerprint is another one.
create function leadq.web_once(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language sql as $$
    insert into leadq.row (id, request)
    select u.id, u.request::jsonb
      from unnest(p_ids, p_requests) u (id, request)
     order by u.id
        on conflict do nothing;
    select u.n::int, case when t.other then 422 else 201 end, null::text,
           case when t.other
                then '{"type":"urn:leadq:problem:idempotency-key-reused",'
                     '"title":"The key has another row","status":422}'
                else jsonb_build_object('id', u.id)::text end
      from unnest(p_ids, p_requests) with ordinality u (id, request, n)
      left join leadq.row r using (id)
     cross join lateral (select r.request ->> '$fingerprint'
           is distinct from u.request::jsonb ->> '$fingerprint') t (other)
$$;
