create or replace function leadq.run_rules(p_limit integer)
returns integer
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set jit = off  -- see README.md, Plans
as $$
declare
    v_kinds text[];
    v_refs uuid[];
    v_jobs bigint[];
    v_i integer;
begin
    -- Runs at most p_limit jobs of the lane rule, which concern the
    -- database alone: they are done when this transaction commits.  One
    -- that fails is set aside as dead, and spoils no other.  Returns how
    -- many were taken.  Called by the worker; several at once share them.
    with due as (
        select r.lane, r.job_id
          from leadq.job_ready r
         where r.lane = 0
         order by r.job_id
         limit p_limit
           for update skip locked
    ), gone as (
        delete from leadq.job_ready r
         using due d
         where r.lane = d.lane
           and r.job_id = d.job_id
        returning r.job_id, r.kind, r.ref
    )
    select array_agg(g.job_id order by g.job_id),
           array_agg(g.kind order by g.job_id),
           array_agg(g.ref order by g.job_id)
      into v_jobs, v_kinds, v_refs
      from gone g;

    if v_jobs is null then
        return 0;
    end if;

    begin
        perform leadq._run_rules(v_kinds, v_refs);
        return cardinality(v_jobs);
    exception when others then
        if sqlstate ~ '^(40|53|55|57|58)' then
            raise;
        end if;
    end;

    for v_i in 1 .. cardinality(v_jobs) loop
        begin
            perform leadq._run_rules(v_kinds[v_i : v_i], v_refs[v_i : v_i]);
        exception when others then
            if sqlstate ~ '^(40|53|55|57|58)' then
                raise;
            end if;

            insert into leadq.job_done (done_at, job_id, kind, target, ref,
                    attempt, outcome, detail)
            values (leadq.now(), v_jobs[v_i], v_kinds[v_i], 'rule',
                    v_refs[v_i], 1, 'dead',
                    jsonb_build_object('sqlstate', sqlstate));

            raise warning 'rule % failed for %: %', v_kinds[v_i],
                v_refs[v_i], sqlstate;
        end;
    end loop;

    return cardinality(v_jobs);
end
$$;


create or replace function leadq._run_rules(p_kinds text[], p_refs uuid[])
returns void
language plpgsql
as $$
begin
    -- Each kind of rule over all its rows at once.  Unknown kinds raise.  A
    -- number that was verified is, before the lead that says so is judged.
    perform leadq._take_verified(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'verified'
     having count(*) > 0;

    perform leadq._intake(array_agg(r.ref), false)
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'lead'
     having count(*) > 0;

    perform leadq._end_series(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'series_end'
     having count(*) > 0;

    perform leadq._run_events(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'event'
     having count(*) > 0;

    perform leadq._run_fired(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'fired'
     having count(*) > 0;

    perform leadq._take_mail_events(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'mail_event'
     having count(*) > 0;

    perform leadq._take_silence(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'send_silent'
     having count(*) > 0;

    perform leadq._take_visits(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'visit'
     having count(*) > 0;

    perform leadq._judge_referrals(array_agg(r.ref))
       from unnest(p_kinds, p_refs) r (kind, ref)
      where r.kind = 'referral'
     having count(*) > 0;

    if exists (select from unnest(p_kinds) k (kind)
                where k.kind not in ('lead', 'series_end', 'event', 'fired',
                                     'mail_event', 'verified',
                                     'send_silent', 'visit',
                                     'referral')) then
        raise exception 'unknown kind of rule';
    end if;
end
$$;
