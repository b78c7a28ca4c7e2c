create or replace function leadq._ticket_requests(p_values jsonb)
returns uuid[]
language plpgsql immutable
as $$
begin
    -- The ids among the values that a page sent, ten at most: the last ones.
    return coalesce((
        select array_agg(i.id order by i.n)
          from (select leadq._as_uuid(v.value) as id, v.n
                  from jsonb_array_elements_text(
                           case jsonb_typeof(p_values)
                               when 'array' then p_values else '[]' end)
                       with ordinality v (value, n)
                 where leadq._as_uuid(v.value) is not null
                 order by v.n desc
                 limit 10) i), '{}');
end
$$;


create or replace function leadq.web_ticket(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
    v_advisor leadq.advisor;
    v_number bigint;
begin
    -- An advisor has trouble (W-28).  Request: text, page, requests (ids of
    -- what the page asked last), ua, advisor (trusted).  201 with id and
    -- number; 403 for who is nobody here.  A repeat of an id gets the same.
    -- Called by the nginx module.
    for v_row in
        select r.id, r.n::integer as n, r.request::jsonb as request
          from unnest(p_ids, p_requests) with ordinality r (id, request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        v_advisor := leadq._advisor(v_row.request,
            array['advisor', 'supervisor', 'brand']);

        if v_advisor is null then
            status := 403;
            body := leadq._forbidden_problem();
            return next;
            continue;
        end if;

        insert into leadq.ticket (ticket_id, advisor_id, point_id, text, page,
               ua, requests, created_at)
        values (v_row.id, v_advisor.advisor_id, v_advisor.point_id,
                v_row.request ->> 'text', v_row.request ->> 'page',
                v_row.request ->> 'ua',
                leadq._ticket_requests(v_row.request -> 'requests'),
                leadq.now())
        on conflict (ticket_id) do nothing;

        select t.number into v_number
          from leadq.ticket t
         where t.ticket_id = v_row.id;

        status := 201;
        body := jsonb_build_object('id', v_row.id, 'number', v_number)::text;
        return next;
    end loop;
end
$$;


create or replace function leadq._ticket_document(t leadq.ticket)
returns jsonb
language plpgsql stable
as $$
begin
    -- What people are told of a ticket.
    return (
        select jsonb_build_object(
                   'id', t.ticket_id,
                   'number', t.number,
                   'at', t.created_at,
                   'text', t.text,
                   'state', t.state,
                   'advisor', jsonb_build_object('name', a.name,
                       'title', a.title),
                   'point', p.title,
                   'assignee', case when s.name is not null then
                       jsonb_build_object('name', s.name,
                           'title', s.title) end,
                   'answer', t.answer,
                   'answered_at', t.answered_at,
                   'requests', to_jsonb(t.requests))
          from leadq.advisor a
          left join leadq.point p on p.point_id = t.point_id
          left join leadq.advisor s on s.advisor_id = t.assignee_id
         where a.advisor_id = t.advisor_id);
end
$$;


create or replace function leadq._sees_ticket(p_advisor leadq.advisor,
    t leadq.ticket)
returns boolean
language plpgsql stable
as $$
begin
    -- His own; a supervisor's: those of the point, or all if he has none; the
    -- brand's: all.
    return t.advisor_id = p_advisor.advisor_id
        or p_advisor.role = 'brand'
        or p_advisor.role = 'supervisor'
           and (p_advisor.point_id is null
                or p_advisor.point_id = t.point_id);
end
$$;


create or replace function leadq.web_tickets(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    c_shown constant integer := 50;
    v_row record;
    v_advisor leadq.advisor;
begin
    -- The newest tickets that somebody may see, with "unread" at answers that
    -- he had not seen: from now on he has.  Request: advisor (trusted).  200;
    -- 403 for who is nobody here.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        v_advisor := leadq._advisor(v_row.request,
            array['advisor', 'supervisor', 'brand']);

        if v_advisor is null then
            status := 403;
            body := leadq._forbidden_problem();
            return next;
            continue;
        end if;

        status := 200;
        body := jsonb_build_object('tickets', coalesce((
            select jsonb_agg(leadq._ticket_document(t)
                       || jsonb_build_object(
                           'mine', t.advisor_id = v_advisor.advisor_id,
                           'unread', t.advisor_id = v_advisor.advisor_id
                               and t.state = 'answered'
                               and t.seen_at is null)
                       order by t.number desc)
              from (select o.* from leadq.ticket o
                     where leadq._sees_ticket(v_advisor, o)
                     order by o.number desc
                     limit c_shown) t), '[]'))::text;

        update leadq.ticket t
           set seen_at = leadq.now()
         where t.advisor_id = v_advisor.advisor_id
           and t.state = 'answered'
           and t.seen_at is null;

        return next;
    end loop;
end
$$;


create or replace function leadq._answer_ticket(p_ticket uuid,
    p_assignee integer, p_answer text, p_id uuid)
returns leadq.ticket
language sql
as $$
    -- Who takes a ticket on (null: who does already), and what he answers
    -- (null: nothing yet).  p_id: the request.
    update leadq.ticket t
       set assignee_id = coalesce(p_assignee, t.assignee_id),
           state = case when p_answer is null then 'assigned'
                   else 'answered' end,
           answer = p_answer,
           answer_id = case when p_answer is not null then p_id end,
           answered_at = case when p_answer is not null then leadq.now() end
     where t.ticket_id = p_ticket
    returning t.*
$$;


create or replace function leadq.web_ticket_answer(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_answer record;
    v_n integer;
begin
    -- Somebody takes a ticket on, or answers it.  Request: id (from the URL),
    -- assignee (a name), answer, advisor (trusted).  Who answers what nobody
    -- has taken on has taken it on.  200 with the ticket; 403 for who is
    -- neither supervisor nor of the brand, 404, 409 when it is answered, 422.
    -- A repeat of the request gets the same.  Called by the nginx module.
    perform from leadq.ticket t
      where t.ticket_id = any (array(
                select (r.request ->> 'id')::uuid
                  from unnest(v_requests) r (request)))
      order by t.ticket_id
        for no key update;

    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._take_ticket(p_ids[v_n], v_requests[v_n]);
        n := v_n;
        status := v_answer.status;
        headers := null;
        body := v_answer.body;
        return next;
    end loop;
end
$$;


create or replace function leadq._take_ticket(p_id uuid, p_request jsonb,
    out status integer, out body text)
language plpgsql
as $$
declare
    v_by leadq.advisor;
    v_ticket leadq.ticket;
    v_assignee integer;
begin
    -- One ticket, which is locked.
    v_by := leadq._advisor(p_request, array['supervisor', 'brand']);

    if v_by is null then
        status := 403;
        body := leadq._forbidden_problem();
        return;
    end if;

    select t.* into v_ticket
      from leadq.ticket t
     where t.ticket_id = (p_request ->> 'id')::uuid
       and leadq._sees_ticket(v_by, t);

    if not found then
        status := 404;
        body := leadq._problem('no-such-ticket', 'There is no such ticket',
                               404, null);
        return;
    end if;

    if v_ticket.state = 'answered' then
        if v_ticket.answer_id = p_id then
            status := 200;
            body := leadq._ticket_document(v_ticket)::text;
        else
            status := 409;
            body := leadq._problem('ticket-answered',
                'This ticket has been answered', 409, null);
        end if;

        return;
    end if;

    if p_request ? 'assignee' then
        select a.advisor_id into v_assignee
          from leadq.advisor a
         where a.name = p_request ->> 'assignee'
           and a.active;
    else
        v_assignee := coalesce(v_ticket.assignee_id, v_by.advisor_id);
    end if;

    if v_assignee is null then
        status := 422;
        body := leadq._problem('validation', 'Some fields are not valid', 422,
            '{"errors": [{"field": "assignee", "code": "unknown"}]}');
        return;
    end if;

    status := 200;
    body := leadq._ticket_document(leadq._answer_ticket(
        v_ticket.ticket_id, v_assignee, p_request ->> 'answer', p_id))::text;
end
$$;


create or replace function leadq._ticket_of(p_number bigint)
returns leadq.ticket
language plpgsql
as $$
declare
    v_ticket leadq.ticket;
begin
    -- A ticket by its number, locked; P0001 if there is none.
    select t.* into v_ticket
      from leadq.ticket t
     where t.number = p_number
       for no key update;

    if not found then
        raise exception 'there is no ticket %', p_number
            using errcode = 'P0001';
    end if;

    return v_ticket;
end
$$;


create or replace function leadq.ticket_add(p_advisor text, p_text text)
returns bigint
language plpgsql
as $$
declare
    v_number bigint;
begin
    -- Registers what an advisor reported some other way, by phone for
    -- example; its number.  Called by leadqctl; P0001 for who is no advisor.
    insert into leadq.ticket (ticket_id, advisor_id, point_id, text,
           created_at)
    select gen_random_uuid(), a.advisor_id, a.point_id, p_text, leadq.now()
      from leadq.advisor a
     where a.name = p_advisor
       and a.active
    returning number into v_number;

    if not found then
        raise exception 'there is no advisor "%"', p_advisor
            using errcode = 'P0001';
    end if;

    return v_number;
end
$$;


create or replace function leadq.ticket_assign(p_number bigint,
    p_assignee text)
returns void
language plpgsql
as $$
declare
    v_ticket leadq.ticket := leadq._ticket_of(p_number);
    v_assignee integer;
begin
    -- Says who takes a ticket on.  Called by leadqctl; P0001 for a ticket
    -- that is not there or answered, and for who is no advisor.
    select a.advisor_id into v_assignee
      from leadq.advisor a
     where a.name = p_assignee
       and a.active;

    if not found then
        raise exception 'there is no advisor "%"', p_assignee
            using errcode = 'P0001';
    elsif v_ticket.state = 'answered' then
        raise exception 'ticket % has been answered', p_number
            using errcode = 'P0001';
    end if;

    perform leadq._answer_ticket(v_ticket.ticket_id, v_assignee, null, null);
end
$$;


create or replace function leadq.ticket_answer(p_number bigint, p_text text)
returns void
language plpgsql
as $$
declare
    v_ticket leadq.ticket := leadq._ticket_of(p_number);
begin
    -- Answers a ticket: the advisor sees it on the page.  Called by leadqctl;
    -- P0001 for a ticket that is not there or answered.
    if v_ticket.state = 'answered' then
        raise exception 'ticket % has been answered', p_number
            using errcode = 'P0001';
    end if;

    perform leadq._answer_ticket(v_ticket.ticket_id, null, p_text, null);
end
$$;


create or replace function leadq.ticket_list(p_number bigint,
    p_limit integer)
returns table (number bigint, reported timestamptz, state text, advisor text,
    point text, assignee text, text text, page text, browser text,
    requests uuid[], answer text, answered timestamptz, seen timestamptz)
language sql stable
as $$
    -- Tickets: those that wait, the oldest first, then the answered, the
    -- latest first; or the one of a number.  Called by leadqctl.
    select t.number, t.created_at, t.state, a.name, p.name, s.name, t.text,
           t.page, t.ua, t.requests, t.answer, t.answered_at, t.seen_at
      from leadq.ticket t
      join leadq.advisor a using (advisor_id)
      left join leadq.point p on p.point_id = t.point_id
      left join leadq.advisor s on s.advisor_id = t.assignee_id
     where t.number = coalesce(p_number, t.number)
     order by t.state = 'answered',
              case when t.state <> 'answered' then t.number end,
              t.number desc
     limit p_limit
$$;
