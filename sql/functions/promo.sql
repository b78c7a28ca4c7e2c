create or replace function leadq._promo_problem(p_reason text)
returns text
language sql immutable
as $$
    -- The refusals of codes, and what an advisor is told.
    select leadq._problem('promo-' || p_reason, r.title, 409, null)
      from (values
        ('not-found', 'There is no such code'),
        ('disabled', 'This code was switched off'),
        ('not-started', 'This code is not good yet'),
        ('expired', 'This code is no longer good'),
        ('exhausted', 'This code was used as often as it may be'),
        ('self-referral', 'This is the customer''s own code'),
        ('personal', 'This code is somebody else''s own'),
        ('staff', 'No discounts for those who work here'),
        ('already-used', 'This customer has used this code'),
        ('enough', 'This customer has used enough of such codes'),
        ('not-new-customer', 'This code is for new customers'),
        ('too-many-open', 'Too many codes are reserved: redeem or release '
                          'some')) r (reason, title)
     where r.reason = p_reason
$$;


create or replace function leadq._advisor(p_request jsonb, p_roles text[])
returns leadq.advisor
language plpgsql stable
as $$
declare
    v_advisor leadq.advisor;
begin
    -- Who asks, as nginx knows him; null when he is nobody here, or of
    -- another role.
    select a.* into v_advisor
      from leadq.advisor a
     where a.name = p_request ->> 'advisor'
       and a.active
       and a.role = any (p_roles);

    return v_advisor;
end
$$;


create or replace function leadq._promo_fault(p_code leadq.promo_code,
    p_programme leadq.programme, p_contact bigint, p_but uuid)
returns text
language plpgsql stable
as $$
declare
    v_now timestamptz := leadq.now();
begin
    -- Why a code cannot be used by a customer (null: by whomever); null: it
    -- can.  p_but: a reservation of his own that counts as room.  The one
    -- rule of codes, for the check, which locks nothing, and for the till.
    -- A reservation whose time is over does not count.
    if p_code.code_id is null then
        return 'not-found';
    elsif p_code.disabled or not p_programme.active then
        return 'disabled';
    elsif v_now < p_code.starts_at then
        return 'not-started';
    elsif v_now >= p_code.expires_at then
        return 'expired';
    elsif p_programme.kind <> 'trial' and p_code.owner_id = p_contact then
        return 'self-referral';
    elsif p_programme.kind = 'trial' and p_code.owner_id <> p_contact then
        return 'personal';
    elsif p_contact is not null and exists (
        select from leadq.address a
          join leadq.staff_phone s on s.phone = a.value
         where a.contact_id in (p_contact, p_code.owner_id)
           and a.channel = 'phone') then
        return 'staff';
    elsif exists (select from leadq.redemption r
                   where r.code_id = p_code.code_id
                     and r.contact_id = p_contact
                     and r.state = 'redeemed') then
        return 'already-used';
    elsif p_contact is not null
          and (select count(*) from leadq.redemption r
                 join leadq.promo_code c using (code_id)
                where r.contact_id = p_contact
                  and c.programme_id = p_code.programme_id
                  and r.state = 'redeemed') >= p_programme.per_customer then
        return 'enough';
    elsif p_programme.new_customer_only
          and (exists (select from leadq.redemption r
                        where r.contact_id = p_contact
                          and r.state = 'redeemed')
               or exists (select from leadq.visit v
                           where v.contact_id = p_contact
                             and v.outcome = 'purchase')) then
        return 'not-new-customer';
    elsif p_code.used + p_code.reserved
          - (select count(*) from leadq.redemption r
              where r.code_id = p_code.code_id
                and r.state = 'reserved'
                and (r.reserved_until <= v_now
                     or r.redemption_id = p_but)) >= p_code.max_uses then
        return 'exhausted';
    end if;

    return null;
end
$$;


create or replace function leadq.web_promo_check(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_row record;
    v_code leadq.promo_code;
    v_programme leadq.programme;
    v_contact bigint;
    v_fault text;
begin
    -- Is a code good?  Changes nothing, reserves nothing (A-9).  Request:
    -- code, phone (of the customer, if he is known), advisor (trusted).  200
    -- with valid, and why not; 403 for who is no advisor.  Called by the
    -- nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by r.n
    loop
        n := v_row.n;
        headers := null;

        if leadq._advisor(v_row.request, array['advisor', 'supervisor'])
           is null then
            status := 403;
            body := leadq._forbidden_problem();
            return next;
            continue;
        end if;

        select c.* into v_code
          from leadq.promo_code c
         where c.code = v_row.request ->> 'code';

        select p.* into v_programme
          from leadq.programme p
         where p.programme_id = v_code.programme_id;

        select a.contact_id into v_contact
          from leadq.address a
         where a.channel = 'phone'
           and a.value = v_row.request ->> 'phone';

        v_fault := leadq._promo_fault(v_code, v_programme, v_contact, null);
        status := 200;
        body := jsonb_strip_nulls(jsonb_build_object(
            'valid', v_fault is null,
            'reason', v_fault,
            'programme', v_programme.title,
            'kind', v_programme.kind,
            'discount', v_programme.discount,
            'uses_left', leadq._uses_left(v_code),
            'expires_at', v_code.expires_at))::text;
        return next;
    end loop;
end
$$;


create or replace function leadq._uses_left(p_code leadq.promo_code)
returns integer
language plpgsql stable
as $$
begin
    return p_code.max_uses - p_code.used - p_code.reserved
        + (select count(*)::integer from leadq.redemption r
            where r.code_id = p_code.code_id
              and r.state = 'reserved'
              and r.reserved_until <= leadq.now());
end
$$;


create or replace function leadq._lock_codes(p_codes bigint[])
returns void
language plpgsql
as $$
begin
    -- Every use of a code begins with its lock, in the order of the keys.
    -- Reservations that are over are released under it.
    perform from leadq.promo_code c
      where c.code_id = any (p_codes)
      order by c.code_id
        for no key update;

    with released as (
        update leadq.redemption r
           set state = 'released',
               reserved_until = null,
               closed_at = leadq.now(),
               reason = 'timeout'
         where r.code_id = any (p_codes)
           and r.state = 'reserved'
           and r.reserved_until <= leadq.now()
        returning r.code_id
    )
    update leadq.promo_code c
       set reserved = c.reserved - o.n
      from (select r.code_id, count(*) as n
              from released r
             group by r.code_id) o
     where c.code_id = o.code_id;
end
$$;


create or replace function leadq.web_promo_reserve(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language sql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
    -- A customer stands at the till with a code: nobody else gets this use
    -- for a while.  Request: code, verification with "$session" (of his
    -- number), advisor (trusted).  201 with the reservation; 403, 409 when
    -- the code cannot be used or he is not verified.  A repeat of an id gets
    -- the same.  Called by the nginx module.
    select * from leadq._take_codes(p_ids, p_requests, false)
$$;


create or replace function leadq.web_promo_redeem(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language sql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
    -- He has bought.  Request: reservation (its id), or code and
    -- verification as for a reservation; receipt; advisor (trusted).  201
    -- with the redemption.  Needs an idempotency key: a repeat gets the same
    -- answer and takes nothing again.  Called by the nginx module.
    select * from leadq._take_codes(p_ids, p_requests, true)
$$;


create or replace function leadq._take_codes(p_ids uuid[],
    p_requests text[], p_redeem boolean)
returns table (n integer, status integer, headers text, body text)
language plpgsql
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_answer record;
    v_denied text[] := '{}';
    v_n integer;
begin
    -- A number may have been proved a moment ago, and its rule not have run.
    perform leadq._meet_verified(array(
        select v.verification_id
          from unnest(v_requests) r (request)
          join leadq.verification v
            on v.verification_id = (r.request ->> 'verification')::uuid
         where v.state = 'verified'));

    -- One after another for a customer, too: how many codes of a kind he has
    -- used is counted.  Customers are locked before codes.
    perform from leadq.contact c
      where c.contact_id = any (array(
                select a.contact_id
                  from unnest(v_requests) r (request)
                  join leadq.verification v
                    on v.verification_id
                       = (r.request ->> 'verification')::uuid
                  join leadq.address a
                    on a.channel = 'phone'
                   and a.value = v.phone
                 union
                select o.contact_id
                  from unnest(v_requests) r (request)
                  join leadq.redemption o
                    on o.redemption_id
                       = (r.request ->> 'reservation')::uuid))
      order by c.contact_id
        for no key update;

    perform leadq._lock_codes(array(
        select c.code_id
          from unnest(v_requests) r (request)
          join leadq.promo_code c on c.code = r.request ->> 'code'
         union
        select o.code_id
          from unnest(v_requests) r (request)
          join leadq.redemption o
            on o.redemption_id = (r.request ->> 'reservation')::uuid));

    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._take_code(p_ids[v_n], v_requests[v_n], p_redeem);
        n := v_n;
        status := v_answer.status;
        headers := null;
        body := v_answer.body;
        return next;

        if v_answer.status >= 400 then
            v_denied := v_denied || regexp_replace(
                v_answer.body::jsonb ->> 'type', '^urn:leadq:problem:', '');
        end if;
    end loop;

    if cardinality(v_denied) > 0 then
        insert into leadq.promo_denied as old (reason, day, n)
        select d.reason, (leadq.now() at time zone 'UTC')::date, count(*)
          from unnest(v_denied) d (reason)
         group by d.reason
         order by d.reason
        on conflict (day, reason) do update set n = old.n + excluded.n;
    end if;
end
$$;


create or replace function leadq._take_code(p_id uuid, p_request jsonb,
    p_redeem boolean, out status integer, out body text)
language plpgsql
as $$
declare
    c_open_max constant integer := 5;      -- reservations of an advisor
    v_now timestamptz := leadq.now();
    v_advisor leadq.advisor;
    v_code leadq.promo_code;
    v_programme leadq.programme;
    v_held leadq.redemption;
    v_contact bigint;
    v_phone text;
    v_fault text;
begin
    -- Reserves a use of a code, or redeems one; the code is locked.
    select r.* into v_held
      from leadq.redemption r
     where r.redemption_id = p_id
        or r.redeem_id = p_id;

    if found then
        -- A repeat.
        if p_redeem and v_held.fingerprint is not null
           and v_held.fingerprint
               is distinct from p_request ->> '$fingerprint' then
            status := 422;
            body := leadq._reused_problem();
        else
            status := 201;
            body := leadq._redemption_document(v_held, p_redeem);
        end if;

        return;
    end if;

    v_advisor := leadq._advisor(p_request, array['advisor', 'supervisor']);

    if v_advisor is null or v_advisor.point_id is null then
        status := 403;
        body := leadq._forbidden_problem();
        return;
    end if;

    if p_request ? 'reservation' then
        select r.* into v_held
          from leadq.redemption r
         where r.redemption_id = (p_request ->> 'reservation')::uuid
           and r.point_id = v_advisor.point_id;

        if v_held.state is distinct from 'reserved' then
            status := 409;
            body := leadq._problem('reservation-closed',
                'This reservation is over', 409, null);
            return;
        end if;

        v_contact := v_held.contact_id;

        select c.* into v_code
          from leadq.promo_code c
         where c.code_id = v_held.code_id;
    else
        select v.phone into v_phone
          from leadq.verification v
         where v.verification_id = (p_request ->> 'verification')::uuid;

        select a.contact_id into v_contact
          from leadq.address a
         where a.channel = 'phone'
           and a.value = v_phone;

        if v_contact is null then
            status := 409;
            body := leadq._problem('verification-unknown',
                'This verification cannot be used', 409, null);
            return;
        end if;

        select c.* into v_code
          from leadq.promo_code c
         where c.code = p_request ->> 'code';

        -- His own reservation is converted, never in his way.
        select r.* into v_held
          from leadq.redemption r
         where r.code_id = v_code.code_id
           and r.contact_id = v_contact
           and r.state = 'reserved';
    end if;

    select p.* into v_programme
      from leadq.programme p
     where p.programme_id = v_code.programme_id;

    v_fault := leadq._promo_fault(v_code, v_programme, v_contact,
                                  v_held.redemption_id);

    if v_fault is null and not p_redeem
       and v_held.redemption_id is null
       and (select count(*) from leadq.redemption r
             where r.advisor_id = v_advisor.advisor_id
               and r.state = 'reserved'
               and r.reserved_until > v_now) >= c_open_max then
        v_fault := 'too-many-open';
    end if;

    if v_fault is not null then
        status := 409;
        body := leadq._promo_problem(v_fault);
        return;
    end if;

    if not p_request ? 'reservation' and v_held.redemption_id is null then
        v_fault := leadq._use_verification(
            (p_request ->> 'verification')::uuid,
            leadq._session_hash(p_request), v_phone, p_id);

        if v_fault is not null then
            status := 409;
            body := leadq._problem(v_fault,
                'This verification cannot be used', 409, null);
            return;
        end if;
    end if;

    if v_held.redemption_id is null then
        insert into leadq.redemption (redemption_id, code_id, contact_id,
               point_id, advisor_id, verification_id, state, reserved_until,
               created_at, redeemed_at, redeem_id, receipt, fingerprint,
               uses_left, chain)
        values (p_id, v_code.code_id, v_contact, v_advisor.point_id,
                v_advisor.advisor_id, (p_request ->> 'verification')::uuid,
                case when p_redeem then 'redeemed' else 'reserved' end,
                case when not p_redeem
                     then v_now + v_programme.reserve_for end,
                v_now, case when p_redeem then v_now end,
                case when p_redeem then p_id end, p_request ->> 'receipt',
                p_request ->> '$fingerprint',
                case when p_redeem then v_code.max_uses - v_code.used
                                        - v_code.reserved - 1 end,
                case when p_redeem then leadq._chain_of(v_code.owner_id) end)
        returning * into v_held;

        update leadq.promo_code c
           set used = c.used + p_redeem::integer,
               reserved = c.reserved + (not p_redeem)::integer
         where c.code_id = v_code.code_id
        returning * into v_code;
    elsif p_redeem then
        update leadq.redemption r
           set state = 'redeemed',
               reserved_until = null,
               redeemed_at = v_now,
               redeem_id = p_id,
               advisor_id = v_advisor.advisor_id,
               receipt = p_request ->> 'receipt',
               fingerprint = p_request ->> '$fingerprint',
               uses_left = v_code.max_uses - v_code.used - v_code.reserved,
               chain = leadq._chain_of(v_code.owner_id)
         where r.redemption_id = v_held.redemption_id
        returning * into v_held;

        update leadq.promo_code c
           set used = c.used + 1,
               reserved = c.reserved - 1
         where c.code_id = v_code.code_id
        returning * into v_code;
    end if;

    if p_redeem then
        perform leadq._redeemed(v_held, v_code, v_programme);
    end if;

    status := 201;
    body := leadq._redemption_document(v_held, p_redeem);
end
$$;


create or replace function leadq._chain_of(p_owner bigint)
returns integer
language plpgsql stable
as $$
begin
    -- Which link of a chain of recommendations a sale by a code of that owner
    -- is, before it is one: 1 is a friend, 2 a friend's friend.
    return 1 + coalesce((select max(r.chain)
                           from leadq.redemption r
                          where r.contact_id = p_owner
                            and r.state = 'redeemed'), 0);
end
$$;


create or replace function leadq._redemption_document(r leadq.redemption,
    p_sale boolean)
returns text
language plpgsql stable
as $$
begin
    -- What a till is told: of a sale what was true when it was made, whatever
    -- became of it since, so that every repeat gets the same; otherwise what
    -- is true now.
    return (
        select jsonb_strip_nulls(jsonb_build_object(
                   'id', r.redemption_id,
                   'state', case when p_sale then 'redeemed' else r.state end,
                   'code', c.code,
                   'programme', p.title,
                   'discount', p.discount,
                   'reserved_until', r.reserved_until,
                   'uses_left', case when p_sale then r.uses_left
                       else c.max_uses - c.used - c.reserved end))::text
          from leadq.promo_code c
          join leadq.programme p using (programme_id)
         where c.code_id = r.code_id);
end
$$;


create or replace function leadq._redeemed(r leadq.redemption,
    p_code leadq.promo_code, p_programme leadq.programme)
returns void
language plpgsql
as $$
begin
    -- What follows from a sale by a code: the event, flags, and the gift of
    -- its owner when it is the last friend (A-10).  The code is locked.
    insert into leadq.event (at, kind, contact_id, ref, data)
    values (r.redeemed_at, 'code.redeemed', r.contact_id, r.redemption_id,
            jsonb_build_object('programme', p_programme.name));

    insert into leadq.promo_flag (at, rule, redemption_id, code_id,
           advisor_id)
    select r.redeemed_at, f.rule, r.redemption_id, r.code_id, r.advisor_id
      from (values
        -- most uses of a code by one advisor
        ('one-advisor', p_programme.kind = 'referral'
            and (select count(*)
                   from (select u.advisor_id from leadq.redemption u
                          where u.code_id = r.code_id
                            and u.state = 'redeemed'
                         offset 0) o  -- by the code, not by the advisor
                  where o.advisor_id = r.advisor_id) >= 2),
        -- used minutes after it was made
        ('too-soon', p_programme.kind = 'referral'
            and r.redeemed_at < p_code.starts_at + interval '10 min'),
        -- an owner of many gifts
        ('many-rewards', p_code.used >= p_programme.reward_after
            and (select count(*) from leadq.reward w
                  where w.owner_id = p_code.owner_id
                    and w.created_at > r.redeemed_at - interval '30 days'
                    and w.state <> 'cancelled') >= 2))
           f (rule, holds)
     where f.holds
    on conflict do nothing;

    if p_code.used >= p_programme.reward_after
       and p_code.owner_id is not null then
        insert into leadq.reward as old (programme_id, owner_id, code_id,
               redemption_id, created_at, due_at)
        values (p_code.programme_id, p_code.owner_id, p_code.code_id,
                r.redemption_id, leadq.now(),
                leadq.now() + p_programme.hold)
        on conflict (code_id, step) do update
           set state = 'pending',
               ended_at = null,
               due_at = excluded.due_at
         where old.state = 'cancelled';

        if found then
            insert into leadq.event (at, kind, contact_id, data)
            values (leadq.now(), 'reward.earned', p_code.owner_id,
                    jsonb_build_object('programme', p_programme.name));
        end if;
    end if;
end
$$;
