create or replace function leadq._subject(p_whose text)
returns bytea
language sql stable  -- so that it is inlined, as convert_to() is stable
as $$
    select substr(sha256(convert_to(p_whose, 'UTF8')), 1, 16)
$$;


create or replace function leadq._limit_subject(p_subject text, p_request jsonb)
returns bytea
language plpgsql immutable
as $$
begin
    -- Whose limit it is, as limit_cell knows it; null: nobody's, as nobody
    -- has no advisor.  A prefix is a number without its last four digits.
    return leadq._subject(case p_subject
               when 'phone' then p_request ->> 'phone'
               when 'wrong_phone' then p_request ->> 'phone'
               when 'prefix' then left(p_request ->> 'phone', -4)
               when 'session' then p_request ->> '$session'
               when 'ip' then p_request ->> 'net'
               when 'ip_phones' then p_request ->> 'net'
               when 'advisor' then p_request ->> 'advisor'
               when 'wrong_ratio' then p_request ->> 'advisor'
               when 'advisor_phone' then p_request ->> 'advisor'
               else '' end);
end
$$;


create or replace function leadq._limit_way(p_subject text)
returns text
language sql immutable
as $$
    -- How a limit counts.  cell: each start, in its cell alone; starts: by
    -- verifications, of which its cell lets one begin after another; history:
    -- by verifications that are over; later: what is told after the start.
    select case when p_subject in ('phone', 'ip_phones') then 'starts'
                when p_subject in ('advisor_phone', 'wrong_ratio')
                then 'history'
                when p_subject in ('wrong', 'wrong_phone', 'spend')
                then 'later'
                else 'cell' end
$$;


create or replace function leadq._net(p_ip text)
returns text
language plpgsql immutable
as $$
begin
    -- What counts as one address: an IPv4 address, a /64 of IPv6.  Null for
    -- what is none, such as a socket file.
    return case family(p_ip::inet)
           when 4 then host(p_ip::inet)
           else text(network(set_masklen(p_ip::inet, 64))) end;
exception when invalid_text_representation then
    return null;
end
$$;


create or replace function leadq._lock_cells(p_limits integer[],
    p_subjects bytea[])
returns void
language plpgsql
as $$
declare
    v_limits integer[];
    v_subjects bytea[];
    v_found integer;
begin
    -- Locks cells by key, and makes those that are not there.
    select array_agg(c.limit_id order by c.limit_id, c.subject),
           array_agg(c.subject order by c.limit_id, c.subject)
      into v_limits, v_subjects
      from (select distinct u.limit_id, u.subject
              from unnest(p_limits, p_subjects) u (limit_id, subject)) c;

    select count(*) into v_found
      from unnest(v_limits, v_subjects) c (limit_id, subject)
     cross join lateral (
        select from leadq.limit_cell o
         where o.limit_id = c.limit_id
           and o.subject = c.subject
         limit 1) o;

    -- Made before any is locked: a lock that waits for a new row of somebody
    -- who waits for it would be the end.
    if v_found < cardinality(v_limits) then
        insert into leadq.limit_cell (limit_id, subject, full_at)
        select c.limit_id, c.subject, 'epoch'
          from unnest(v_limits, v_subjects) c (limit_id, subject)
        on conflict do nothing;
    end if;

    perform from unnest(v_limits, v_subjects) c (limit_id, subject)
      cross join lateral (
        select from leadq.limit_cell o
         where o.limit_id = c.limit_id
           and o.subject = c.subject
         limit 1
           for update) o;
end
$$;


create or replace function leadq._limit_wait(p_limit leadq.profile_limit,
    p_subject bytea, p_request jsonb, p_wait interval)
returns interval
language plpgsql stable
as $$
declare
    v_now timestamptz := leadq.now();
    v_max numeric;
    v_wait interval;
begin
    -- How long until one more is allowed, where the cell alone (p_wait) does
    -- not say; null: it is now.  Codes to a number, numbers of an address,
    -- and what an advisor proved and typed are counted.  A limit that adapts
    -- allows a share of what was verified in the last day: each of max took
    -- per / max, more of them fit.
    if p_limit.subject = 'phone' then
        select v.created_at + p_limit.per - v_now into v_wait
          from leadq.verification v
         where v.phone = p_request ->> 'phone'
           and v.created_at > v_now - p_limit.per
           and v.profile_id = p_limit.profile_id
           and v.blocked_by is null
         order by v.created_at desc
        offset p_limit.max - 1
         limit 1;
        return v_wait;
    elsif p_limit.subject = 'ip_phones' then
        select min(v.created_at) + p_limit.per - v_now into v_wait
          from leadq.verification v
         where v.net = p_request ->> 'net'
           and v.created_at > v_now - p_limit.per
           and v.phone <> p_request ->> 'phone'
        having count(distinct v.phone) >= p_limit.max;
        return v_wait;
    elsif p_limit.subject = 'advisor_phone' then
        select v.created_at + p_limit.per - v_now into v_wait
          from leadq.verification v
         where v.phone = p_request ->> 'phone'
           and v.created_at > v_now - p_limit.per
           and v.profile_id = p_limit.profile_id
           and v.advisor = p_request ->> 'advisor'
           and v.state = 'verified'
         order by v.created_at desc
        offset p_limit.max - 1
         limit 1;
        return v_wait;
    elsif p_limit.subject = 'wrong_ratio' then
        select min(v.created_at) + p_limit.per - v_now into v_wait
          from leadq.verification v
         where v.advisor = p_request ->> 'advisor'
           and v.created_at > v_now - p_limit.per
           and v.profile_id = p_limit.profile_id
           and v.created_at > coalesce((
                select c.full_at - p_limit.per from leadq.limit_cell c
                 where c.limit_id = p_limit.limit_id
                   and c.subject = p_subject), 'epoch')
        having sum(v.checks) >= 20
           and 100 * (sum(v.checks)
                      - count(*) filter (where v.state = 'verified'))
               > p_limit.max * sum(v.checks);
        return v_wait;
    end if;

    select floor(p_limit.adapt * sum(h.n)) into v_max
      from leadq.limit_verified h
     where h.limit_id = p_limit.limit_id
       and h.subject = p_subject
       and h.hour > v_now - interval '1 day';

    return p_wait - p_limit.per
           * (greatest(v_max - p_limit.max, 0) / p_limit.max)
             ::double precision;
end
$$;


create or replace function leadq._charge(p_limits integer[],
    p_subjects bytea[], p_units numeric[])
returns void
language plpgsql
as $$
begin
    -- Takes units off limits; negative ones give back, up to all of it.  The
    -- cells are locked by key.
    perform leadq._lock_cells(p_limits, p_subjects);

    update leadq.limit_cell o
       set full_at = case when c.units >= 0
                          then greatest(o.full_at, leadq.now())
                          else o.full_at end
                     + l.per * (c.units / l.max)::double precision
      from (select u.limit_id, u.subject, sum(u.units) as units
              from unnest(p_limits, p_subjects, p_units)
                   u (limit_id, subject, units)
             group by u.limit_id, u.subject) c
      join leadq.profile_limit l using (limit_id)
     where o.limit_id = c.limit_id
       and o.subject = c.subject
       and (c.units >= 0 or o.full_at > leadq.now());
end
$$;


create or replace function leadq.lift_advisor(p_advisor text)
returns integer
language plpgsql
as $$
declare
    v_limits integer;
begin
    -- An operator has looked at an advisor who typed too many wrong codes:
    -- what he typed until now counts no more, and he may go on.  How many
    -- limits that concerns; a repeat forgives what came since.  Called by
    -- leadqctl advisors lift.
    insert into leadq.limit_cell as old (limit_id, subject, full_at)
    select l.limit_id, leadq._subject(p_advisor), leadq.now() + l.per
      from leadq.profile_limit l
     where l.subject = 'wrong_ratio'
       and exists (select from leadq.verification v
                    where v.advisor = p_advisor
                      and v.profile_id = l.profile_id)
     order by l.limit_id
    on conflict (limit_id, subject) do update set full_at = excluded.full_at;

    get diagnostics v_limits = row_count;
    return v_limits;
end
$$;


create or replace function leadq._note_denied(p_limits integer[])
returns void
language sql volatile
as $$
    insert into leadq.limit_denied as old (limit_id, day, n)
    select d.limit_id, (leadq.now() at time zone 'UTC')::date, count(*)
      from unnest(p_limits) d (limit_id)
     group by d.limit_id
     order by d.limit_id
    on conflict (limit_id, day) do update set n = old.n + excluded.n
$$;


create or replace function leadq._default_limits(p_kind text,
    p_digits integer)
returns table (name text, subject text, max integer, per interval,
    mode text, hide boolean, adapt numeric)
language sql immutable
as $$
    -- Limits of a profile that lists none.  Why so many: four digits give a
    -- guesser 0.15 % a day at three checks of five codes, 42 % a year; so
    -- wrong checks of a number have budgets of their own.  Numbers that
    -- nobody verifies are what pumping of messages looks like.
    select l.name, l.subject, l.max, l.per, l.mode, l.hide, l.adapt
      from (values
        ('public', 'phone-hour', 'phone', 3, interval '1 hour', 'enforce',
         true, 0.0),
        ('public', 'phone-day', 'phone', 5, '1 day', 'enforce', true, 0),
        ('public', 'phone-week', 'phone', 10, '7 days', 'enforce', true, 0),
        ('public', 'wrong-day', 'wrong_phone', 10, '1 day', 'enforce', true,
         0),
        ('public', 'wrong-week', 'wrong_phone', 20, '7 days', 'enforce',
         true, 0),
        ('public', 'ip-burst', 'ip', 5, '10 min', 'captcha', false, 0),
        ('public', 'ip-hour', 'ip', 30, '1 hour', 'enforce', false, 0),
        ('public', 'ip-day', 'ip', 100, '1 day', 'enforce', false, 0),
        ('public', 'ip-phones', 'ip_phones', 8, '1 hour', 'captcha', false,
         0),
        ('public', 'prefix-hour', 'prefix', 5, '1 hour', 'enforce', true,
         0.033),
        ('public', 'prefix-day', 'prefix', 10, '1 day', 'enforce', true,
         0.3),
        ('public', 'profile-day', 'profile', 20, '1 day', 'captcha', false,
         0.3),
        ('public', 'wrong-all', 'wrong',
         case when p_digits >= 6 then 3000 else 300 end, '1 day', 'captcha',
         false, 0),
        ('desk', 'phone-hour', 'phone', 5, '1 hour', 'enforce', false, 0),
        ('desk', 'phone-day', 'phone', 8, '1 day', 'enforce', false, 0),
        ('desk', 'wrong-day', 'wrong_phone', 15, '1 day', 'enforce', false,
         0),
        ('desk', 'advisor-hour', 'advisor', 40, '1 hour', 'enforce', false,
         0),
        ('desk', 'advisor-day', 'advisor', 200, '1 day', 'enforce', false,
         0),
        ('desk', 'wrong-ratio', 'wrong_ratio', 30, '1 day', 'record', false,
         0),
        ('desk', 'wrong-ratio-stop', 'wrong_ratio', 60, '1 day', 'enforce',
         false, 0),
        ('desk', 'advisor-phone', 'advisor_phone', 1, '30 days', 'record',
         false, 0),
        ('desk', 'prefix-hour', 'prefix', 15, '1 hour', 'enforce', false,
         0.1),
        ('desk', 'prefix-day', 'prefix', 30, '1 day', 'enforce', false, 0.9))
           l (kind, name, subject, max, per, mode, hide, adapt)
     where l.kind = p_kind
$$;
