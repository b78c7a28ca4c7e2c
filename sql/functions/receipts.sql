create or replace function leadq.web_receipt(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_row record;
begin
    -- A gateway reports what became of sends.  Request: gateway and secret
    -- (from the URL; compared by its hash alone), receipt (its body as it
    -- came), signature (its header).  200 once it is kept, for the worker to
    -- read; 403 for a gateway that is not there or another secret.  A repeat
    -- is kept twice and changes nothing twice.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.id, r.request::jsonb as request,
               g.gateway_id
          from unnest(p_ids, p_requests) with ordinality r (id, request, n)
          left join leadq.gateway g
            on g.name = r.request::jsonb ->> 'gateway'
           and g.channel <> 'identity'
           and g.receipts ->> 'secret_sha256' = encode(sha256(convert_to(
                   coalesce(r.request::jsonb ->> 'secret', ''), 'UTF8')),
                   'hex')
         order by r.n
    loop
        n := v_row.n;
        headers := null;

        if v_row.gateway_id is null then
            status := 403;
            body := leadq._problem('no-such-gateway', 'There is nothing here',
                                   403, null);
        else
            insert into leadq.receipt (receipt_id, gateway_id, body,
                   signature, received_at)
            values (v_row.id, v_row.gateway_id, v_row.request -> 'receipt',
                    left(v_row.request ->> 'signature', 200), leadq.now())
            on conflict do nothing;

            if found then
                perform leadq._add_jobs('receipt', 1, 'receipt',
                            array[v_row.id], array[leadq.now()]);
            end if;

            status := 200;
            body := '{"state":"received"}';
        end if;

        return next;
    end loop;

    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._receipt_payload(p_receipt uuid)
returns text
language sql stable
as $$
    select jsonb_build_object('gateway', g.name, 'receipts', g.receipts,
               'body', r.body, 'signature', r.signature)::text
      from leadq.receipt r
      join leadq.gateway g using (gateway_id)
     where r.receipt_id = p_receipt
$$;


create or replace function leadq._settle_receipts(p_kinds text[],
    p_refs uuid[], p_states text[], p_details jsonb[])
returns void
language plpgsql
as $$
declare
    c_tries constant integer := 5;
    v_rows jsonb;
    v_known uuid[];
    v_sends uuid[];
    v_again uuid[];
begin
    -- Takes what receipts say of codes and of messages, of webhooks and of
    -- polls.  A receipt may be here before the answer that names its send is
    -- settled: it is looked at again for a few seconds.  One that nobody can
    -- read goes.
    select jsonb_agg(jsonb_build_object('receipt', i.ref, 'send', f.send_id,
               'state', e.item ->> 'state', 'error', e.item ->> 'error')
               order by i.n, e.n)
      into v_rows
      from unnest(p_kinds, p_refs, p_states, p_details)
           with ordinality i (kind, ref, state, detail, n)
      left join leadq.receipt r
        on i.kind = 'receipt'
       and r.receipt_id = i.ref
     cross join lateral jsonb_array_elements(i.detail -> 'receipts')
           with ordinality e (item, n)
     cross join lateral (
        select case when i.kind = 'poll' then i.ref
               else coalesce((
                    select s.send_id from leadq.verification_send s
                     where s.gateway_id = r.gateway_id
                       and (s.send_id = leadq._as_uuid(e.item ->> 'send')
                            or s.provider_id = e.item ->> 'id')
                     order by s.queued_at desc
                     limit 1),
                    leadq._sms_of(r.gateway_id, e.item)) end) f (send_id)
     where i.kind in ('receipt', 'poll')
       and i.state = 'done';

    select array_agg(distinct (x ->> 'send')::uuid),
           array_agg(distinct (x ->> 'receipt')::uuid)
               filter (where x ->> 'send' is not null)
      into v_sends, v_known
      from jsonb_array_elements(v_rows) x;

    perform leadq._lock_verifications(v_sends);

    perform leadq._take_receipt((x ->> 'send')::uuid, x ->> 'state',
                                x ->> 'error')
       from jsonb_array_elements(v_rows) x
      where x ->> 'send' is not null;

    perform leadq._take_sms_receipts(v_rows);

    with again as (
        update leadq.receipt r
           set tries = r.tries + 1
          from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
         where i.kind = 'receipt'
           and i.state = 'done'
           and r.receipt_id = i.ref
           and r.receipt_id <> all (coalesce(v_known, '{}'))
           and r.tries < c_tries
        returning r.receipt_id
    )
    select coalesce(array_agg(a.receipt_id), '{}') into v_again from again a;

    perform leadq._add_jobs('receipt', 1, 'receipt', v_again,
                array_fill(leadq.now() + interval '2 s',
                           array[cardinality(v_again)]));

    delete from leadq.receipt r
     using unnest(p_kinds, p_refs) i (kind, ref)
     where i.kind = 'receipt'
       and r.receipt_id = i.ref
       and r.receipt_id <> all (v_again);

    perform leadq._add_jobs('poll', 1, 'gateway:' || g.name,
                array[s.send_id], array[leadq.now()
                    + coalesce((g.poll ->> 'every')::interval, '10 s')])
       from unnest(p_kinds, p_refs, p_states) i (kind, ref, state)
       join leadq.verification_send s on s.send_id = i.ref
       join leadq.verification v using (verification_id)
       join leadq.gateway g using (gateway_id)
      where i.kind = 'poll'
        and i.state in ('done', 'dead')
        and s.state in ('sent', 'in_doubt')
        and v.closed_at is null
        and v.expires_at > leadq.now();

    perform leadq._poll_sms_again(p_kinds, p_refs, p_states);
end
$$;


create or replace function leadq._as_uuid(p_text text)
returns uuid
language sql immutable
as $$
    -- Null for what is none.
    select case when p_text ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
           then p_text::uuid end
$$;


create or replace function leadq._take_receipt(p_send uuid, p_state text,
    p_error text)
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_send leadq.verification_send;
begin
    -- One word of a gateway on one send.  What is final stays; what was
    -- delivered may be read yet.  The verification is locked.
    update leadq.verification_send s
       set state = p_state,
           error = case when p_state in ('undelivered', 'expired', 'rejected')
                        then left(coalesce(p_error, 'unknown'), 40) end,
           ended_at = v_now
     where s.send_id = p_send
       and (s.state in ('queued', 'sending', 'sent', 'in_doubt')
            and p_state in ('delivered', 'read', 'clicked', 'undelivered',
                            'expired', 'rejected')
            or s.state = 'delivered' and p_state in ('read', 'clicked')
            or s.state = 'read' and p_state = 'clicked')
    returning * into v_send;

    if not found then
        return;
    end if;

    if p_state in ('delivered', 'read', 'clicked') then
        update leadq.verification v
           set state = case when v.closed_at is null then 'delivered'
                       else v.state end,
               delivered_at = coalesce(v.delivered_at, v_now)
         where v.verification_id = v_send.verification_id;
    else
        perform leadq._cascade(p_send, false, false);

        perform leadq._flag_late(null, v.visit_id)
           from leadq.verification v
          where v.verification_id = v_send.verification_id
            and v.visit_id is not null;
    end if;
end
$$;
