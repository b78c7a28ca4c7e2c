create or replace function leadq._end_verifications(p_limit integer)
returns void
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
begin
    -- Closes verifications whose time is over, so that no MAC outlives its
    -- code; after thirty days the number goes, after half a year the row.
    -- Cells of limits that are whole again go, and receipts that nobody
    -- could read.  At most p_limit rows of each.  Called by maintain().
    update leadq.verification v
       set state = 'expired',
           closed_at = v_now,
           code_mac = null,
           chosen_mac = null
     where v.verification_id in (
            select o.verification_id from leadq.verification o
             where o.closed_at is null
               and o.expires_at <= v_now
             order by o.expires_at
             limit p_limit
               for update skip locked);

    perform leadq._forget_numbers(array(
        select o.verification_id from leadq.verification o
         where o.created_at < v_now - interval '30 days'
           and o.phone is not null
           and o.closed_at is not null
         limit p_limit));

    delete from leadq.verification v
     where v.verification_id in (
            select o.verification_id from leadq.verification o
             where o.created_at < v_now - interval '180 days'
             limit p_limit);

    delete from leadq.limit_cell c
     where c.ctid = any (array(
            select o.ctid from leadq.limit_cell o
             where o.full_at < v_now
             limit p_limit
               for update skip locked));

    delete from leadq.limit_verified h where h.hour < v_now - interval '2 days';
    delete from leadq.limit_denied d where d.day < v_now::date - 90;
    delete from leadq.promo_denied d where d.day < v_now::date - 90;
    delete from leadq.captcha_used u where u.at < v_now - interval '1 day';
    delete from leadq.form_used u where u.at < v_now - interval '1 day';
    delete from leadq.receipt r where r.received_at < v_now - interval '1 day';
    delete from leadq.phone_operator o where o.at < v_now - interval '180 days';
end
$$;


create or replace function leadq._forget_numbers(p_verifications uuid[])
returns void
language sql volatile
as $$
    -- Takes what is personal out of verifications, and ends those that are
    -- under way; what gateways said of them may quote it.
    with forgotten as (
        update leadq.verification v
           set phone = null,
               ip = null,
               net = null,
               ua = null,
               page_url = null,
               captcha_token = null,
               state = case when v.closed_at is null then 'cancelled'
                       else v.state end,
               closed_at = coalesce(v.closed_at, leadq.now()),
               code_mac = null,
               chosen_mac = null
         where v.verification_id = any (p_verifications)
        returning v.verification_id
    )
    update leadq.job_done d
       set detail = d.detail - array['reply', 'url', 'body']
      from forgotten f
      join leadq.verification_send s using (verification_id)
     where d.ref = s.send_id
       and d.detail ?| array['reply', 'url', 'body']
$$;


create or replace function leadq._erase_numbers(p_phones text[])
returns void
language plpgsql
as $$
declare
    v_ids uuid[] := array(
        select v.verification_id from leadq.verification v
         where v.phone = any (p_phones)
         order by v.verification_id
           for update);
    v_sends uuid[];
begin
    -- Takes numbers out of verifications and of what is known of operators;
    -- what was still to be sent or asked is not.
    select array_agg(s.send_id) into v_sends
      from leadq.verification_send s
      join leadq.verification v using (verification_id)
     where v.verification_id = any (v_ids)
       and v.closed_at is null;

    if v_sends is not null then
        delete from leadq.job_ready j
         where j.kind in ('code', 'poll')
           and j.ref = any (v_sends);

        delete from leadq.job_scheduled j
         where j.kind in ('code', 'poll')
           and j.ref = any (v_sends);
    end if;

    perform leadq._forget_numbers(v_ids);

    delete from leadq.phone_operator o where o.phone = any (p_phones);
end
$$;
