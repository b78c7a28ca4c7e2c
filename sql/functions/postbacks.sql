create or replace function leadq._plan_postbacks(p_leads uuid[],
    p_status text)
returns void
language plpgsql
as $$
declare
    v_queued uuid[];
begin
    -- Tells the network of each lead a status, if it wants to hear it and has
    -- not been told before; of the final ones it hears the first.  A final
    -- one waits while "processed" is on its way: the lock on that row decides
    -- who queues it, this call or _settle_postbacks.
    if p_leads is null then
        return;
    end if;

    if p_status <> 'processed' then
        perform from leadq.postback p
          where p.lead_id = any (p_leads)
            and p.status = 'processed'
          order by p.lead_id
            for update;
    end if;

    with planned as (
        insert into leadq.postback
               (lead_id, network_id, status, reason, state, created_at)
        select l.lead_id, w.network_id, p_status, l.reason,
               case when exists (select from leadq.postback p
                                  where p.lead_id = l.lead_id
                                    and p.network_id = w.network_id
                                    and p.status = 'processed'
                                    and p.state not in ('done', 'dead'))
                    then 'waiting' else 'queued' end,
               leadq.now()
          from leadq.lead l
          join leadq.network w using (network_id)
         where l.lead_id = any (p_leads)
           and l.reports
           and p_status = any (w.statuses)
         order by l.lead_id
        on conflict do nothing
        returning postback_id, state
    )
    select array_agg(p.postback_id) into v_queued
      from planned p
     where p.state = 'queued';

    perform leadq._queue_postbacks(v_queued);
end
$$;


create or replace function leadq._queue_postbacks(p_postbacks uuid[])
returns void
language plpgsql
as $$
begin
    -- One ready job for each postback, aimed at its network.
    perform leadq._add_jobs('postback', 2, 'network:' || w.name,
            array_agg(p.postback_id), array_agg(leadq.now()))
       from leadq.postback p
       join leadq.network w using (network_id)
      where p.postback_id = any (p_postbacks)
      group by w.name;
end
$$;


create or replace function leadq._call_payload(p_peer jsonb)
returns jsonb
language plpgsql stable
as $$
begin
    -- How a peer is called, as the worker takes it: of a row of network,
    -- webhook or gateway.
    return jsonb_strip_nulls(jsonb_build_object(
        'method', p_peer -> 'method',
        'url', p_peer -> 'url',
        'content_type', p_peer -> 'content_type',
        'body', p_peer -> 'body',
        'secret', p_peer -> 'secret',
        'match', p_peer -> 'match',
        'permanent', p_peer -> 'permanent',
        'sign', p_peer -> 'sign',
        'concurrency', p_peer -> 'concurrency',
        'rate', p_peer -> 'rate',
        'ports', p_peer -> 'ports',
        'timeout_ms', 10000));
end
$$;


create or replace function leadq._time_values(p_at timestamptz)
returns jsonb
language sql stable
as $$
    -- The macros of a time; days and hours are UTC.
    select jsonb_build_object(
        'ts', floor(extract(epoch from p_at))::text,
        'date', to_char(p_at at time zone 'UTC', 'YYYY-MM-DD'),
        'time', to_char(p_at at time zone 'UTC', 'HH24:MI:SS'))
$$;


create or replace function leadq._postback_payloads(p_jobs bigint[],
    p_postbacks uuid[])
returns table (job_id bigint, payload text)
language plpgsql stable
as $$
begin
    -- All that the worker needs to tell networks, for each job and its
    -- postback: the network's own templates, written once for all, and the
    -- values for their macros.  Null gives nothing.  Called by claim_jobs.
    return query
        with network as materialized (
            select w.network_id, leadq._call_payload(to_jsonb(w))::text as text
              from leadq.network w
        )
        select i.job_id,
               left(w.text, -1) || ',"postback_id":"' || p.postback_id
               || '","values":'
               || ((l.request - array['$invalid', '$trap', '$fingerprint',
                    '$suggest', 'name', 'lang', 'consent_pd', 'consent_ads',
                    'text_version', 'partner', 'offer', 'page_url',
                    'form_version', 'advisor', 'point', 'evidence',
                    'consent_at', 'verification'])
                   || leadq._time_values(p.created_at)
                   || jsonb_build_object(
                    'click_id', l.click_id,
                    'lead_id', l.lead_id,
                    'status', p.status,
                    'reason', coalesce(p.reason, ''),
                    'payout', l.payout::text,
                    'currency', l.currency,
                    'offer_id', l.offer_id,
                    'goal', s.name))::text || '}'
          from unnest(p_jobs, p_postbacks) i (job_id, postback_id)
          join leadq.postback p using (postback_id)
          join network w using (network_id)
          join leadq.lead l using (lead_id)
          join leadq.source s using (source_id);
end
$$;


create or replace function leadq._settle_postbacks(p_kinds text[],
    p_refs uuid[], p_states text[])
returns void
language plpgsql
as $$
declare
    v_leads uuid[];
    v_queued uuid[];
begin
    -- Takes the postbacks that ended, well or not; a cancelled one is dead.
    -- After "processed" the final status, if it waits, may go.
    perform from leadq.postback p
      where p.postback_id = any (p_refs)
      order by p.lead_id
        for update;

    with ended as (
        update leadq.postback p
           set state = case i.state when 'done' then 'done'
                       else 'dead' end,
               ended_at = leadq.now()
          from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
         where i.kind = 'postback'
           and i.state in ('done', 'dead', 'cancelled')
           and p.postback_id = i.ref
        returning p.lead_id, p.postback_id, p.status, p.state
    ), events as (
        insert into leadq.event (at, kind, lead_id, ref, data)
        select leadq.now(), 'postback.' || e.state, e.lead_id, e.postback_id,
               jsonb_build_object('status', e.status)
          from ended e
    )
    select array_agg(e.lead_id) into v_leads
      from ended e
     where e.status = 'processed';

    if v_leads is null then
        return;
    end if;

    with free as (
        update leadq.postback p
           set state = 'queued'
         where p.lead_id = any (v_leads)
           and p.state = 'waiting'
        returning p.postback_id
    )
    select array_agg(f.postback_id) into v_queued from free f;

    perform leadq._queue_postbacks(v_queued);
end
$$;


create or replace function leadq._reopen_postbacks(p_postbacks uuid[])
returns table (postback_id uuid, state text)
language plpgsql
as $$
#variable_conflict use_column
begin
    -- Dead postbacks that may be told again are so: "processed" until a
    -- final status is under way or told, a final one always; while
    -- "processed" is under way again it waits for it.  Returns them; those
    -- that are queued need a job.  Called by _reopen and resend_lead.
    perform from leadq.postback p
      where p.lead_id in (select q.lead_id from leadq.postback q
                           where q.postback_id = any (p_postbacks))
      order by p.lead_id, p.postback_id
        for update;

    return query
        update leadq.postback p
           set state = 'queued',
               ended_at = null
         where p.postback_id = any (p_postbacks)
           and p.state = 'dead'
           and p.status = 'processed'
           and not exists (select from leadq.postback f
                            where f.lead_id = p.lead_id
                              and f.network_id = p.network_id
                              and f.status <> 'processed'
                              and f.state in ('queued', 'done'))
        returning p.postback_id, p.state;

    return query
        update leadq.postback p
           set state = case when exists (
                                select from leadq.postback f
                                 where f.lead_id = p.lead_id
                                   and f.network_id = p.network_id
                                   and f.status = 'processed'
                                   and f.state = 'queued')
                            then 'waiting' else 'queued' end,
               ended_at = null
         where p.postback_id = any (p_postbacks)
           and p.state = 'dead'
           and p.status <> 'processed'
        returning p.postback_id, p.state;
end
$$;
