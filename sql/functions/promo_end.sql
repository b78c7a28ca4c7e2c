create or replace function leadq.web_promo_release(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_row record;
    v_point integer;
begin
    -- The customer has left: his reservation is free for others.  Request:
    -- id (from the URL), advisor (trusted).  204, also for a repeat; 410
    -- when it is redeemed, or of another point.  Called by the nginx module.
    perform leadq._lock_codes(array(
        select o.code_id
          from unnest(p_requests) r (request)
          join leadq.redemption o
            on o.redemption_id = (r.request::jsonb ->> 'id')::uuid));

    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        v_point := (leadq._advisor(v_row.request,
                        array['advisor', 'supervisor'])).point_id;

        with released as (
            update leadq.redemption r
               set state = 'released',
                   reserved_until = null,
                   closed_at = leadq.now(),
                   reason = 'left'
             where r.redemption_id = (v_row.request ->> 'id')::uuid
               and r.state = 'reserved'
               and r.point_id = v_point
            returning r.code_id
        )
        update leadq.promo_code c
           set reserved = c.reserved - 1
          from released r
         where c.code_id = r.code_id;

        if found or exists (
            select from leadq.redemption r
             where r.redemption_id = (v_row.request ->> 'id')::uuid
               and r.state = 'released'
               and r.point_id = v_point) then
            status := 204;
            body := null;
        else
            status := 410;
            body := leadq._problem('reservation-closed',
                'This reservation is over', 410, null);
        end if;

        return next;
    end loop;
end
$$;


create or replace function leadq.web_promo_rollback(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_answer record;
    v_n integer;
begin
    -- A supervisor takes a sale back: the use is free again, and the gift
    -- that it earned goes.  Request: id (from the URL), reason, advisor
    -- (trusted).  200; 403 for who is no supervisor, 404, 409 when it is not
    -- redeemed.  A repeat of the request gets the same.  Called by the nginx
    -- module.
    perform leadq._lock_codes(array(
        select o.code_id
          from unnest(v_requests) r (request)
          join leadq.redemption o
            on o.redemption_id = (r.request ->> 'id')::uuid));

    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._roll_back(p_ids[v_n], v_requests[v_n]);
        n := v_n;
        status := v_answer.status;
        headers := null;
        body := v_answer.body;
        return next;
    end loop;
end
$$;


create or replace function leadq._roll_back(p_id uuid, p_request jsonb,
    out status integer, out body text)
language plpgsql
as $$
declare
    v_supervisor leadq.advisor;
    v_redemption leadq.redemption;
    v_code leadq.promo_code;
begin
    -- One roll-back; the code is locked.
    v_supervisor := leadq._advisor(p_request, array['supervisor']);

    if v_supervisor is null then
        status := 403;
        body := leadq._forbidden_problem();
        return;
    end if;

    select r.* into v_redemption
      from leadq.redemption r
     where r.redemption_id = (p_request ->> 'id')::uuid
       and (v_supervisor.point_id is null
            or r.point_id = v_supervisor.point_id);

    if not found then
        status := 404;
        body := leadq._problem('no-such-redemption',
            'There is no such redemption', 404, null);
        return;
    end if;

    if v_redemption.state = 'redeemed' then
        update leadq.redemption r
           set state = 'rolled_back',
               closed_at = leadq.now(),
               rollback_id = p_id,
               reason = p_request ->> 'reason'
         where r.redemption_id = v_redemption.redemption_id
        returning * into v_redemption;

        update leadq.promo_code c
           set used = c.used - 1
         where c.code_id = v_redemption.code_id
        returning * into v_code;

        update leadq.reward w
           set state = case w.state when 'issued' then 'clawed_back'
                       else 'cancelled' end,
               ended_at = leadq.now()
          from leadq.programme p
         where w.code_id = v_code.code_id
           and w.state in ('pending', 'approved', 'issued')
           and p.programme_id = w.programme_id
           and v_code.used < p.reward_after;

        insert into leadq.event (at, kind, contact_id, ref, data)
        values (leadq.now(), 'code.rolled_back', v_redemption.contact_id,
                v_redemption.redemption_id,
                jsonb_build_object('by', v_supervisor.name));
    elsif v_redemption.rollback_id is distinct from p_id then
        status := 409;
        body := leadq._problem('already-closed',
            'There is nothing to take back', 409, null);
        return;
    end if;

    status := 200;
    body := leadq._redemption_document(v_redemption, false);
end
$$;


create or replace function leadq.web_redemptions(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    c_days constant interval := '14 days';
    c_shown constant integer := 20;
    v_row record;
    v_supervisor leadq.advisor;
begin
    -- The latest sales by codes that a supervisor may take back, and those
    -- that were taken back, with no more of a number or a code than tells
    -- them apart.  Request: advisor (trusted).  200; 403 for who is no
    -- supervisor.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;
        v_supervisor := leadq._advisor(v_row.request, array['supervisor']);

        if v_supervisor is null then
            status := 403;
            body := leadq._forbidden_problem();
            return next;
            continue;
        end if;

        status := 200;
        body := jsonb_build_object('redemptions', coalesce((
            select jsonb_agg(leadq._sale_document(s.redemption_id)
                             order by s.redeemed_at desc)
              from (select r.redemption_id, r.redeemed_at
                      from leadq.advisor a
                     cross join lateral (
                           select o.redemption_id, o.redeemed_at
                             from leadq.redemption o
                            where o.advisor_id = a.advisor_id
                              and o.created_at >= leadq.now() - c_days
                              and o.redeemed_at is not null
                              and (v_supervisor.point_id is null
                                   or o.point_id = v_supervisor.point_id)
                            order by o.created_at desc
                            limit c_shown) r
                     order by r.redeemed_at desc
                     limit c_shown) s), '[]'))::text;
        return next;
    end loop;
end
$$;


create or replace function leadq._sale_document(p_redemption uuid)
returns jsonb
language plpgsql stable
as $$
begin
    return (
        select jsonb_build_object(
                   'id', r.redemption_id,
                   'at', r.redeemed_at,
                   'state', r.state,
                   'code', '…' || right(c.code, 4),
                   'phone_masked', leadq._masked(d.value),
                   'programme', p.title,
                   'discount', p.discount,
                   'receipt', r.receipt,
                   'advisor', jsonb_build_object('name', a.name,
                       'title', a.title),
                   'point', o.title,
                   'reason', r.reason)
          from leadq.redemption r
          join leadq.promo_code c using (code_id)
          join leadq.programme p using (programme_id)
          join leadq.advisor a using (advisor_id)
          join leadq.point o on o.point_id = r.point_id
          left join lateral (
               select e.value from leadq.address e
                where e.contact_id = r.contact_id
                  and e.channel = 'phone'
                order by e.value
                limit 1) d on true
         where r.redemption_id = p_redemption);
end
$$;


create or replace function leadq._flag_few_owners()
returns void
language sql volatile
as $$
    -- Advisors more than a fifth of whose sales by codes, of thirty or more
    -- in thirty days, are by codes of the same three people: those sales are
    -- marked.  Looks at who has sold within the last hour.
    insert into leadq.promo_flag (at, rule, redemption_id, code_id,
           advisor_id)
    select leadq.now(), 'few-owners', s.redemption_id, s.code_id,
           a.advisor_id
      from leadq.advisor a
     cross join lateral (
        select r.redemption_id, r.code_id, c.owner_id,
               count(*) over () as sold,
               count(*) over (partition by c.owner_id) as of_owner
          from leadq.redemption r
          join leadq.promo_code c using (code_id)
         where r.advisor_id = a.advisor_id
           and r.created_at > leadq.now() - interval '30 days'
           and r.state = 'redeemed') s
     cross join lateral (
        select sum(o.n) as of_three, min(o.n) as least
          from (select count(*) as n
                  from leadq.redemption r
                  join leadq.promo_code c using (code_id)
                 where r.advisor_id = a.advisor_id
                   and r.created_at > leadq.now() - interval '30 days'
                   and r.state = 'redeemed'
                   and c.owner_id is not null
                 group by c.owner_id
                 order by 1 desc
                 limit 3) o) t
     where exists (select from leadq.redemption r
                    where r.advisor_id = a.advisor_id
                      and r.created_at > leadq.now() - interval '1 hour')
       and s.owner_id is not null
       and s.sold >= 30
       and t.of_three > 0.2 * s.sold
       and s.of_owner >= greatest(t.least, 2)
    on conflict do nothing
$$;


create or replace function leadq._end_promo()
returns void
language plpgsql
as $$
begin
    -- Reservations that are over, of codes that nobody asks for any more;
    -- gifts whose hold is over and that nothing speaks against.  Called by
    -- maintain().
    perform leadq._flag_few_owners();

    perform leadq._lock_codes(array(
        select distinct r.code_id from leadq.redemption r
         where r.state = 'reserved'
           and r.reserved_until <= leadq.now()));

    with approved as (
        update leadq.reward w
           set state = 'approved'
         where w.state = 'pending'
           and w.due_at <= leadq.now()
           and not exists (select from leadq.promo_flag f
                            where f.code_id = w.code_id)
        returning w.owner_id, w.programme_id
    )
    insert into leadq.event (at, kind, contact_id, data)
    select leadq.now(), 'reward.approved', a.owner_id,
           jsonb_build_object('programme', p.name)
      from approved a
      join leadq.programme p using (programme_id);
end
$$;
