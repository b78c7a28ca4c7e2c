create or replace function leadq._domain(p_email text)
returns text
language sql immutable
as $$
    select lower(substring(p_email from '[^@]*$'))
$$;


create or replace function leadq._await_domains(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    c_wait constant interval := '3 min';
    c_again constant interval := '1 hour';
    v_now timestamptz := leadq.now();
    v_domains text[];
    v_refs uuid[];
    v_held integer;
    v_jobs bigint[];
    v_tokens uuid[];
begin
    -- Keeps back the letters among leased jobs whose domain is not known to
    -- take mail: those wait for a look-up, one for all letters of a domain,
    -- and for three minutes at most.  Letters to a domain that takes none
    -- bounce here.  Then those whose receiver is left alone for a while, see
    -- _hold_groups.  Returns how many.  Called by _withhold_jobs.
    select array_agg(distinct leadq._domain(l.email)) into v_domains
      from leadq._leased_letters(p_jobs) l;

    if v_domains is null then
        return 0;
    end if;

    if cardinality(v_domains) = (
        select count(*) from unnest(v_domains) w (domain)
          join leadq.mail_domain d using (domain)
         where d.state in ('good', 'unclear')
           and d.fresh_until > v_now)
    then
        return leadq._hold_groups(p_jobs);
    end if;

    -- A verdict that has become old is asked for anew; letters go on by it
    -- meanwhile, unless it was a bad one.
    with asked as (
        insert into leadq.mail_domain as old (domain, asked_at, fresh_until)
        select w.domain, v_now, v_now + c_wait
          from unnest(v_domains) w (domain)
          left join leadq.mail_domain d using (domain)
         where d.domain is null  -- a row that stays is not to be locked
            or d.fresh_until <= v_now
               and (d.state <> 'asked' or d.asked_at <= v_now - c_again)
         order by w.domain
        on conflict (domain) do update
           set asked_at = v_now,
               denials = 0,
               state = case old.state when 'bad' then 'asked'
                       else old.state end,
               fresh_until = v_now + case when old.state in ('bad', 'asked')
                                          then c_wait else c_again end
         where old.fresh_until <= v_now
           and (old.state <> 'asked' or old.asked_at <= v_now - c_again)
        returning old.ref
    )
    select array_agg(a.ref) into v_refs from asked a;

    if v_refs is not null then
        perform leadq._add_jobs('mx', 2, 'dns', v_refs,
                    array_fill(v_now, array[cardinality(v_refs)]));
        perform pg_notify('leadq_ready', '');
    end if;

    -- The verdict comes under the same lock: it either is seen here, or sees
    -- the letters that wait.
    perform from leadq.mail_domain d
      where d.domain = any (v_domains)
        and d.state = 'asked'
      order by d.domain
        for share;

    with held as (
        delete from leadq.job_ready r
         using unnest(p_jobs) j (job_id), leadq.message m, leadq.enrolment e,
               leadq.mail_domain d
         where r.lane = j.job_id % 8
           and r.job_id = j.job_id
           and r.kind = 'letter'
           and m.message_id = r.ref
           and e.enrolment_id = m.enrolment_id
           and d.domain = leadq._domain(e.email)
           and d.state = 'asked'
           and d.fresh_until > v_now
        returning r.*, d.domain, d.fresh_until
    ), waiting as (
        insert into leadq.mail_wait as old (domain, message_id, run_at)
        select h.domain, h.ref, h.fresh_until
          from held h
        on conflict (domain, message_id) do update
           set run_at = excluded.run_at
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select h.fresh_until, h.lane, h.job_id, h.kind, h.target, h.ref,
           h.attempt - 1, h.created_at
      from held h;

    get diagnostics v_held = row_count;

    select array_agg(l.job_id), array_agg(l.lease_token)
      into v_jobs, v_tokens
      from leadq._leased_letters(p_jobs) l
      join leadq.mail_domain d
        on d.domain = leadq._domain(l.email)
       and d.state = 'bad';

    if v_jobs is not null then
        perform leadq.settle_jobs(v_jobs, v_tokens,
            array_fill('dead'::text, array[cardinality(v_jobs)]),
            array_fill('{"class": "hard", "reason": "bad-domain"}'::text,
                       array[cardinality(v_jobs)]));
    end if;

    return v_held + coalesce(cardinality(v_jobs), 0)
           + leadq._hold_groups(p_jobs);
end
$$;


create or replace function leadq._hold_groups(p_jobs bigint[])
returns integer
language plpgsql
as $$
declare
    c_trials constant integer := 10;
    c_trial constant interval := '10 min';
    v_now timestamptz := leadq.now();
    v_count integer;
begin
    -- Puts off the letters among leased jobs to a receiver that refuses us
    -- for our own sake, until its pause is over; the attempt does not count.
    -- Then a few go as a trial, and the others when it was a good one.
    -- Returns how many were put off.
    if not exists (select from leadq.mail_group g where g.pauses > 0) then
        return 0;
    end if;

    perform from leadq.mail_group g
      where g.pauses > 0
      order by g.mx_group
        for update;

    with letter as (
        select l.lane, l.job_id, g.mx_group, g.paused_until, g.trials,
               row_number() over (partition by g.mx_group
                                  order by l.job_id) as n
          from leadq._leased_letters(p_jobs) l
          join leadq.mail_domain d on d.domain = leadq._domain(l.email)
          join leadq.mail_group g
            on g.mx_group = d.mx_group
           and g.pauses > 0
           and g.paused_until + c_trial > v_now
    ), judged as (
        select l.*, l.paused_until <= v_now
                    and l.n <= c_trials - l.trials as tried
          from letter l
    ), trial as (
        update leadq.mail_group g
           set trials = g.trials + t.n
          from (select j.mx_group, count(*) as n from judged j
                 where j.tried
                 group by j.mx_group) t
         where g.mx_group = t.mx_group
    ), late as (
        delete from leadq.job_ready r
         using judged j
         where r.lane = j.lane
           and r.job_id = j.job_id
           and not j.tried
        returning r.*, case when j.paused_until > v_now then j.paused_until
                       else j.paused_until + c_trial end as run_at
    )
    insert into leadq.job_scheduled
           (run_at, lane, job_id, kind, target, ref, attempt, created_at)
    select l.run_at + random() * interval '1 min', l.lane, l.job_id, l.kind,
           l.target, l.ref, l.attempt - 1, l.created_at
      from late l;

    get diagnostics v_count = row_count;
    return v_count;
end
$$;


create or replace function leadq._domain_payload(p_ref uuid)
returns text
language sql stable
as $$
    select json_build_object('domain', d.domain)::text
      from leadq.mail_domain d
     where d.ref = p_ref
$$;


create or replace function leadq._settle_domains(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    c_denials constant integer := 2;
    v_now timestamptz := leadq.now();
    v_domains text[];
    v_again uuid[];
    v_messages uuid[];
    v_run_at timestamptz[];
begin
    -- Takes the verdicts on domains, and lets their letters go: they are
    -- sent, or bounce, when they are claimed again.  A domain that is not
    -- there, or has nothing that takes mail, is looked for once more after a
    -- minute, because what follows cannot be undone; one that says itself
    -- that it takes none is believed.  A look-up that fails for good is no
    -- verdict: the letters go.
    with verdict as (
        select i.ref, case when i.state = 'done'
                           then coalesce(i.detail ->> 'mx', 'unclear')
                           else 'unclear' end as mx,
               nullif(i.detail ->> 'group', '') as mx_group
          from unnest(p_kinds, p_refs, p_states, p_details)
               i (kind, ref, state, detail)
         where i.kind = 'mx'
           and i.state in ('done', 'dead', 'cancelled')
    ), told as (
        select d.domain, v.mx, v.mx_group,
               case when v.mx in ('good', 'unclear') then v.mx
                    when v.mx = 'null' or d.denials + 1 >= c_denials
                    then 'bad'
               end as state
          from verdict v
          join leadq.mail_domain d using (ref)
         order by d.domain
           for update of d
    ), changed as (
        update leadq.mail_domain d
           set state = coalesce(t.state, d.state),
               denials = case when t.mx in ('none', 'null')
                              then d.denials + 1 else 0 end,
               mx_group = coalesce(t.mx_group, d.mx_group),
               fresh_until = case t.state
                    when 'good' then v_now + interval '1 day'
                    when 'bad' then v_now + interval '1 hour'
                    when 'unclear' then v_now + interval '15 min'
                    else d.fresh_until end
          from told t
         where d.domain = t.domain
        returning d.domain, d.ref, t.state
    )
    select array_agg(c.domain) filter (where c.state is not null),
           array_agg(c.ref) filter (where c.state is null)
      into v_domains, v_again
      from changed c;

    if v_again is not null then
        perform leadq._add_jobs('mx', 2, 'dns', v_again,
                    array_fill(v_now + interval '1 min',
                               array[cardinality(v_again)]));
    end if;

    with waited as (
        delete from leadq.mail_wait w
         where w.domain = any (v_domains)
        returning w.run_at, w.message_id
    )
    select array_agg(w.message_id), array_agg(w.run_at)
      into v_messages, v_run_at
      from waited w;

    if leadq._hurry_jobs('letter', v_messages, v_run_at) > 0 then
        perform pg_notify('leadq_ready', '');
    end if;
end
$$;


create or replace function leadq._count_letters(p_messages uuid[],
    p_classes text[], p_again boolean)
returns void
language plpgsql
as $$
declare
    c_window constant interval := '30 min';
    c_trial constant interval := '10 min';
    c_blocks constant integer := 10;
    c_share constant integer := 20;  -- percent
    c_pause constant interval := '15 min';
    c_pause_max constant interval := '4 hours';
    v_now timestamptz := leadq.now();
begin
    -- Counts letters, and refusals of class block among them, by who takes
    -- their mail.  Ten refusals, and a fifth of the letters, of half an hour
    -- begin a pause of a quarter of an hour; a refusal in the trial after it
    -- begins one twice as long, four hours at most.  p_again: the letters
    -- were counted when they left.
    with letter as (
        select d.mx_group, count(*)::integer as letters,
               (count(*) filter (where i.class = 'block'))::integer as blocks
          from unnest(p_messages, p_classes) i (message_id, class)
          join leadq.message m using (message_id)
          join leadq.enrolment e using (enrolment_id)
          join leadq.mail_domain d on d.domain = leadq._domain(e.email)
         where d.mx_group is not null
         group by d.mx_group
    )
    insert into leadq.mail_group as old (mx_group, since, letters, blocks)
    select l.mx_group, v_now,
           case when p_again then 0 else l.letters end, l.blocks
      from letter l
     order by l.mx_group
    on conflict (mx_group) do update
       set since = case when old.since + c_window <= v_now then v_now
                   else old.since end,
           letters = excluded.letters
               + case when old.since + c_window <= v_now then 0
                 else old.letters end,
           blocks = case when old.paused_until > v_now then 0
               else excluded.blocks
                    + case when old.since + c_window <= v_now then 0
                      else old.blocks end end,
           pauses = case when old.paused_until + c_trial <= v_now then 0
                    else old.pauses end,
           paused_until = case when old.paused_until + c_trial <= v_now
                          then null else old.paused_until end;

    with paused as (
        update leadq.mail_group g
           set pauses = least(g.pauses + 1, 8),
               paused_until = v_now + least(c_pause * power(2, g.pauses),
                                            c_pause_max),
               since = v_now,
               letters = 0,
               blocks = 0,
               trials = 0
         where g.blocks > 0
           and g.since + c_window > v_now
           and (g.pauses = 0 and g.blocks >= c_blocks
                and g.blocks * 100 >= g.letters * c_share
                or g.pauses > 0 and g.paused_until <= v_now)
        returning g.mx_group, g.paused_until
    )
    insert into leadq.event (at, kind, data)
    select v_now, 'mail.paused', jsonb_build_object('group', p.mx_group,
               'until', p.paused_until)
      from paused p;
end
$$;
