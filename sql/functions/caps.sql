create or replace function leadq._is_zone(p_zone text)
returns boolean
language plpgsql stable
as $$
begin
    -- Whether it is the name of a time zone, such as Asia/Omsk.
    perform now() at time zone p_zone;
    return p_zone ~ '^[A-Z][A-Za-z]+(/[A-Za-z_+-]+[0-9]*)*$';
exception when invalid_parameter_value then
    return false;
end
$$;


create or replace function leadq._agreed_to_ads(p_contact bigint)
returns boolean
language plpgsql stable
as $$
begin
    -- Whether the last word of a person on letters that sell is yes.
    return leadq._agreed_to_ads(p_contact, 'email');
end
$$;


create or replace function leadq._agreed_to_ads(p_contact bigint,
    p_channel text)
returns boolean
language plpgsql stable
as $$
begin
    -- Whether the last word of a person on what sells by a channel is yes.
    return (
        select coalesce((select c.action = 'given'
                           from leadq.consent c
                          where c.contact_id = p_contact
                            and c.purpose = 'ads'
                            and c.channel in ('any', p_channel)
                          order by c.at desc, c.n desc
                          limit 1), false));
end
$$;


create or replace function leadq._open(p_at timestamptz, p_zone text,
    p_from time, p_to time)
returns timestamptz
language plpgsql stable
as $$
declare
    v_local timestamp;
    v_time time;
begin
    -- The first moment, from p_at on, at which the clock of the zone is
    -- within [p_from, p_to), which may go over midnight.  Null: any moment.
    v_local := p_at at time zone p_zone;
    v_time := v_local::time;

    if p_from is null
       or p_from < p_to and v_time >= p_from and v_time < p_to
       or p_from > p_to and (v_time >= p_from or v_time < p_to)
    then
        return p_at;
    end if;

    return (v_local::date + (v_time >= p_from)::integer + p_from)
           at time zone p_zone;
exception when invalid_parameter_value then
    -- a zone that the server no longer knows
    return leadq._open(p_at, 'UTC', p_from, p_to);
end
$$;


create or replace function leadq._message_time(p_at timestamptz,
    p_zone text, p_channel text, p_from time, p_to time)
returns timestamptz
language plpgsql stable
as $$
declare
    v_at timestamptz := p_at;
    v_before timestamptz;
    v_quiet record;
begin
    -- The first moment, from p_at on, in the window and out of the quiet
    -- hours of the channel; null: it has none.  Again as long as opening one
    -- closes another: a day begins no more than three of them.
    for v_i in 1 .. 4 loop
        v_before := v_at;

        if p_channel is not null then
            for v_quiet in
                select q.begins, q.ends from leadq.quiet q
                 where q.channel in ('any', p_channel)
                 order by q.channel
            loop
                v_at := leadq._open(v_at, p_zone, v_quiet.ends,
                                    v_quiet.begins);
            end loop;
        end if;

        v_at := leadq._open(v_at, p_zone, p_from, p_to);
        exit when v_at = v_before;
    end loop;

    return v_at;
end
$$;


create or replace function leadq._letter_time(p_at timestamptz,
    p_zone text, p_marketing boolean, p_from time, p_to time)
returns timestamptz
language plpgsql stable
as $$
begin
    return leadq._message_time(p_at, p_zone,
               case when p_marketing then 'email' end, p_from, p_to);
end
$$;


create or replace function leadq._cap_time(p_contact bigint,
    p_message uuid, p_place integer)
returns timestamptz
language plpgsql stable
as $$
begin
    -- When the caps let a marketing letter go to a contact that p_place - 1
    -- others go to at the same moment; null or past: at once.
    return (
        select max(case when c.count < p_place
                        then leadq.now() + c.per
                        else c.per + (
                            select m.handed_at
                              from leadq.message m
                             where m.contact_id = p_contact
                               and m.message_id <> p_message
                               and m.handed_at is not null
                               and m.state in ('planned', 'sent')
                             order by m.handed_at desc
                            offset c.count - p_place
                             limit 1)
                   end)
          from leadq.cap c
         where c.channel in ('any', 'email'));
end
$$;


create or replace function leadq._hold_letters(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_messages uuid[];
    v_times timestamptz[];
    v_count integer;
begin
    -- Puts off the letters among leased jobs that may not leave at this
    -- hour, or not so many at a time: none is lost, and the attempt does not
    -- count.  Those that leave are counted from now on, by one worker after
    -- another: a claim comes here several times, so that locks on people
    -- would be taken in any order.  Returns how many were put off.
    if not exists (
        select from leadq._leased_letters(p_jobs) l
          join leadq.series s using (series_id)
         where s.marketing
            or s.window_from is not null)
    then
        return 0;
    end if;

    perform pg_advisory_xact_lock(hashtext('leadq_caps'));

    with letter as (
        select l.message_id, l.contact_id, l.handed_at, s.marketing,
               s.window_from, s.window_to, z.zone,
               leadq._letter_time(v_now, z.zone, s.marketing, s.window_from,
                                  s.window_to) as open_at,
               l.job_id
          from leadq._leased_letters(p_jobs) l
          join leadq.series s using (series_id)
          join leadq.contact c on c.contact_id = l.contact_id
          join leadq.source o on o.source_id = l.source_id
         cross join lateral (select coalesce(c.time_zone, o.time_zone))
               z (zone)
         where s.marketing
            or s.window_from is not null
    ), placed as (
        select l.*,
               row_number() over (partition by l.contact_id,
                    l.marketing and l.handed_at is null and l.open_at = v_now
                    order by l.job_id)::integer as place
          from letter l
    ), timed as (
        select p.*,
               case when p.open_at > v_now or not p.marketing
                         or p.handed_at is not null then p.open_at
                    else greatest(v_now, leadq._cap_time(p.contact_id,
                                            p.message_id, p.place))
               end as free_at
          from placed p
    ), counted as (
        update leadq.message m
           set handed_at = v_now
          from timed t
         where m.message_id = t.message_id
           and t.marketing
           and t.handed_at is null
           and t.free_at <= v_now
    )
    select array_agg(t.message_id),
           array_agg(leadq._letter_time(t.free_at, t.zone, t.marketing,
                                        t.window_from, t.window_to))
      into v_messages, v_times
      from timed t
     where t.free_at > v_now;

    if v_messages is null then
        return 0;
    end if;

    with gone as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id),
               unnest(v_messages, v_times) h (message_id, run_at)
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.kind = 'letter'
           and r.ref = h.message_id
        returning r.*, h.run_at
    ), moved as (
        update leadq.message m
           set due_at = g.run_at
          from gone g
         where m.message_id = g.ref
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select g.run_at, g.lane, g.job_id, g.kind, g.target, g.ref,
           g.attempt - 1, g.created_at
      from gone g;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;
