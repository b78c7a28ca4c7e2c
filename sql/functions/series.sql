create or replace function leadq._enrol(p_leads uuid[], p_bulk boolean)
returns void
language plpgsql
as $$
declare
    v_fresh uuid[];
begin
    -- Puts the contacts of leads into the series of their source, once each,
    -- and plans the first letter.  p_bulk: its letters go by the lane bulk.
    with fresh as (
        insert into leadq.enrolment (contact_id, series_id, source_id, email,
               lang, bulk, started_at)
        select distinct on (l.contact_id, l.series_id)
               l.contact_id, l.series_id, l.source_id, l.email,
               coalesce(l.request ->> 'lang', s.lang), p_bulk, leadq.now()
          from leadq.lead l
          join leadq.source s using (source_id)
         where l.lead_id = any (p_leads)
         order by l.contact_id, l.series_id, l.lead_id
        on conflict do nothing
        returning enrolment_id
    )
    select array_agg(f.enrolment_id) into v_fresh from fresh f;

    perform leadq._advance(v_fresh);
end
$$;


create or replace function leadq._advance(p_enrolments uuid[])
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_letters uuid[];
    v_due_at timestamptz[];
    v_bulk uuid[];
    v_bulk_due_at timestamptz[];
    v_ends uuid[];
    v_end_at timestamptz[];
    v_over uuid[];
begin
    -- Plans the next letter of running enrolments, counted from now; after
    -- the last one, the end of the series.  Does nothing while a letter is
    -- planned: that one, once it ends, is followed by the next.  Marketing
    -- and an old base go by the lane bulk, so that nobody waits behind them.
    with place as (
        select e.enrolment_id, e.contact_id, e.series_id, e.source_id,
               e.occasion, e.bulk,
               1 + coalesce((select max(m.step) from leadq.message m
                              where m.enrolment_id = e.enrolment_id), 0)
                   as step
          from leadq.enrolment e
         where e.enrolment_id = any (p_enrolments)
           and e.state = 'running'
           and not exists (select from leadq.message m
                            where m.enrolment_id = e.enrolment_id
                              and m.state = 'planned')
    ), planned as (
        insert into leadq.message
               (enrolment_id, contact_id, series_id, step, occasion, due_at)
        select p.enrolment_id, p.contact_id, p.series_id, p.step, p.occasion,
               case when r.marketing or r.window_from is not null
                    then leadq._letter_time(v_now + s.delay,
                            coalesce(c.time_zone, o.time_zone), r.marketing,
                            r.window_from, r.window_to)
                    else v_now + s.delay end
          from place p
          join leadq.step s using (series_id, step)
          join leadq.series r using (series_id)
          join leadq.contact c on c.contact_id = p.contact_id
          join leadq.source o on o.source_id = p.source_id
         order by p.contact_id, p.series_id, p.occasion
        on conflict do nothing
        returning message_id, enrolment_id, series_id, due_at
    ), letters as (
        select p.message_id, p.due_at, r.marketing or o.bulk as bulk
          from planned p
          join leadq.series r using (series_id)
          join place o using (enrolment_id)
         order by p.message_id
    ), ended as (
        select p.enrolment_id, s.kind, v_now + s.grace as end_at
          from place p
          join leadq.series s using (series_id)
         where not exists (select from leadq.step t
                            where t.series_id = p.series_id
                              and t.step = p.step)
    )
    select (select array_agg(l.message_id) from letters l
             where not l.bulk),
           (select array_agg(l.due_at) from letters l
             where not l.bulk),
           (select array_agg(l.message_id) from letters l
             where l.bulk),
           (select array_agg(l.due_at) from letters l
             where l.bulk),
           (select array_agg(e.enrolment_id order by e.enrolment_id)
              from ended e where e.kind <> 'trigger'),
           (select array_agg(e.end_at order by e.enrolment_id)
              from ended e where e.kind <> 'trigger'),
           (select array_agg(e.enrolment_id) from ended e
             where e.kind = 'trigger')
      into v_letters, v_due_at, v_bulk, v_bulk_due_at, v_ends, v_end_at,
           v_over;

    perform leadq._add_jobs('letter', 2, 'smtp', v_letters, v_due_at);
    perform leadq._add_jobs('letter', 3, 'smtp', v_bulk, v_bulk_due_at);
    perform leadq._add_jobs('series_end', 0, 'rule', v_ends, v_end_at);

    -- The one letter of a trigger has nothing to wait for.
    update leadq.enrolment e
       set state = 'finished',
           ended_at = v_now
     where e.enrolment_id = any (v_over);
end
$$;


create or replace function leadq._delivered(p_contact bigint,
    p_series integer)
returns boolean
language sql stable
as $$
    -- Whether every letter of the series left the house for this contact
    -- and none was refused for good.
    select not exists (
        select from leadq.step s
          left join leadq.message m
            on m.contact_id = p_contact
           and m.series_id = s.series_id
           and m.step = s.step
         where s.series_id = p_series
           and (m.state is null
                or m.state not in ('sent', 'bounced')
                or m.class = 'hard'))
$$;


create or replace function leadq._end_series(p_enrolments uuid[])
returns void
language plpgsql
as $$
declare
    v_leads uuid[];
    v_states text[];
begin
    -- The grace after the last letter is over, or an event ended the series:
    -- leads that only had to be deliverable are approved, the others expire.
    -- Leads to whom not one letter got out, for our own sake, stay pending.
    perform from leadq.enrolment e
      where e.enrolment_id = any (p_enrolments)
      order by e.enrolment_id
        for update;

    with over as (
        update leadq.enrolment e
           set state = 'expired',
               ended_at = leadq.now()
          from leadq.series r
         where e.enrolment_id = any (p_enrolments)
           and e.state = 'running'
           and r.series_id = e.series_id
           and r.kind = 'doi'
        returning e.contact_id, e.series_id
    )
    select array_agg(l.lead_id order by l.lead_id),
           array_agg(case when s.approve_on = 'deliverable'
                               and leadq._delivered(o.contact_id, o.series_id)
                     then 'approved' else 'expired' end order by l.lead_id)
      into v_leads, v_states
      from over o
      join leadq.lead l
        on l.contact_id = o.contact_id
       and l.series_id = o.series_id
       and l.state = 'pending'
      join leadq.source s
        on s.source_id = l.source_id
     where leadq._was_written_to(o.contact_id, o.series_id);

    if v_leads is not null then
        perform leadq._finish_leads(v_leads, v_states,
            (select array_agg(case v.state when 'expired'
                              then 'not_confirmed' end order by v.n)
               from unnest(v_states) with ordinality v (state, n)));
    end if;

    perform leadq._finish_series(p_enrolments);
end
$$;


create or replace function leadq._finish_series(p_enrolments uuid[])
returns void
language plpgsql
as $$
declare
    v_next uuid[];
begin
    -- Series that sell have run to their end: the event series.finished,
    -- and the series that comes next begins, once for a person.
    with over as (
        update leadq.enrolment e
           set state = 'finished',
               ended_at = leadq.now()
          from leadq.series r
         where e.enrolment_id = any (p_enrolments)
           and e.state = 'running'
           and r.series_id = e.series_id
           and r.kind <> 'doi'
        returning e.enrolment_id, e.contact_id, e.source_id, e.email, e.lang,
                  r.name, r.next_id
    ), events as (
        insert into leadq.event (at, kind, contact_id, ref, data)
        select leadq.now(), 'series.finished', o.contact_id, o.enrolment_id,
               jsonb_build_object('series', o.name)
          from over o
    ), fresh as (
        insert into leadq.enrolment (contact_id, series_id, source_id, email,
               lang, started_at)
        select o.contact_id, o.next_id, o.source_id, o.email, o.lang,
               leadq.now()
          from over o
         where o.next_id is not null
         order by o.contact_id, o.next_id
        on conflict do nothing
        returning enrolment_id
    )
    select array_agg(f.enrolment_id) into v_next from fresh f;

    if v_next is not null then
        perform leadq._advance(v_next);
    end if;
end
$$;


create or replace function leadq._stop_enrolments(p_enrolments uuid[])
returns void
language plpgsql
as $$
begin
    -- Ends running enrolments before their time: letters that have not left
    -- are cancelled, with their jobs.  A double-opt-in series ends as if it
    -- had come to its end, so that its leads wait for nothing.  A repeat
    -- does nothing.  Called by the rules "event" and "fired".
    perform from leadq.enrolment e
      where e.enrolment_id = any (p_enrolments)
      order by e.enrolment_id
        for update;

    with cancelled as (
        update leadq.message m
           set state = 'cancelled',
               ended_at = leadq.now()
          from leadq.enrolment e
         where e.enrolment_id = any (p_enrolments)
           and e.state = 'running'
           and m.enrolment_id = e.enrolment_id
           and m.state = 'planned'
        returning m.message_id, m.due_at
    )
    delete from leadq.job_scheduled j
     using cancelled c
     where j.run_at = c.due_at
       and j.ref = c.message_id;

    update leadq.enrolment e
       set state = 'stopped',
           ended_at = leadq.now()
      from leadq.series r
     where e.enrolment_id = any (p_enrolments)
       and e.state = 'running'
       and r.series_id = e.series_id
       and r.kind <> 'doi';

    perform leadq._end_series(p_enrolments);
end
$$;


create or replace function leadq._drop_stale_letters(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Cancels the letters among leased jobs that may no longer be sent: the
    -- person has confirmed, left or become unreachable since, or may not be
    -- sent marketing, which ends that series.  Nothing is locked but what
    -- changes: a claim comes here several times, with letters in any order.
    -- Returns how many.
    with stale as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id), leadq.message m, leadq.enrolment e,
               leadq.address a, leadq.series s
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.kind = 'letter'
           and m.message_id = r.ref
           and e.enrolment_id = m.enrolment_id
           and a.channel = 'email'
           and a.value = e.email
           and s.series_id = e.series_id
           and (m.state <> 'planned'
                or e.state <> 'running'
                or a.state = 'invalid'
                or s.marketing
                   and (a.state <> 'confirmed'
                        or not leadq._agreed_to_ads(e.contact_id))
                or exists (select from leadq.suppression u
                            where u.channel = 'email'
                              and u.address_sha256
                                  = leadq._address_hash(e.email)))
        returning r.*, e.enrolment_id,
                  s.kind <> 'doi' and m.state = 'planned' as ends
    ), cancelled as (
        update leadq.message m
           set state = 'cancelled',
               ended_at = leadq.now()
          from stale s
         where m.message_id = s.ref
           and m.state = 'planned'
    ), stopped as (
        update leadq.enrolment e
           set state = 'stopped',
               ended_at = leadq.now()
          from stale s
         where s.ends
           and e.enrolment_id = s.enrolment_id
           and e.state = 'running'
    )
    insert into leadq.job_done
           (done_at, job_id, kind, target, ref, attempt, outcome)
    select leadq.now(), s.job_id, s.kind, s.target, s.ref, s.attempt,
           'cancelled'
      from stale s;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;
