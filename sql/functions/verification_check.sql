create or replace function leadq.web_otp_check(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_limits integer[];
    v_subjects bytea[];
    v_verified uuid[] := '{}';
    v_wrong uuid[] := '{}';
    v_answer record;
    v_n integer;
begin
    -- Somebody typed a code.  Request: id (from the URL), "$session", code:
    -- its MACs by the id of their keys.  Counts first, compares after, and
    -- commits either way: a guess that rolls back would be free.  200 when
    -- it is right, 422 with checks_left when it is not, 410 when there is
    -- nothing to check (any more), 429 when a number's wrong checks are used
    -- up.  A repeat of a request counts nothing and gets the same answer.
    -- Called by the nginx module.
    --
    -- Verifications are locked before cells of limits, each by key, as
    -- everywhere.
    perform from leadq.verification v
      where v.verification_id in (select (r.request ->> 'id')::uuid
                                    from unnest(v_requests) r (request))
      order by v.verification_id
        for update;

    select array_agg(l.limit_id), array_agg(leadq._limit_subject(l.subject,
               jsonb_build_object('phone', v.phone)))
      into v_limits, v_subjects
      from unnest(v_requests) r (request)
      join leadq.verification v
        on v.verification_id = (r.request ->> 'id')::uuid
      join leadq.profile_limit l
        on l.profile_id = v.profile_id
       and l.subject = 'wrong_phone'
     where v.closed_at is null;

    if v_limits is not null then
        perform leadq._lock_cells(v_limits, v_subjects);
    end if;

    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._check(p_ids[v_n], v_requests[v_n]);
        n := v_n;
        status := v_answer.status;
        headers := v_answer.headers;
        body := v_answer.body;

        if v_answer.outcome = 'verified' then
            v_verified := v_verified || v_answer.verification;
        elsif v_answer.outcome = 'wrong' then
            v_wrong := v_wrong || v_answer.verification;
        end if;

        return next;
    end loop;

    perform leadq._note_checked(v_wrong, v_verified);
end
$$;


create or replace function leadq._check(p_id uuid, p_request jsonb,
    out outcome text, out verification uuid, out status integer,
    out headers text, out body text)
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_code jsonb := p_request -> 'code';
    v_wait interval;
    v_hide boolean;
    v_right boolean;
    v leadq.verification;
begin
    -- One check; the verification and the cells of its number are locked.
    select o.* into v
      from leadq.verification o
     where o.verification_id = (p_request ->> 'id')::uuid
       and o.session = leadq._session_hash(p_request);

    if p_id = any (v.checked) then
        -- A repeat: what was said of it then.
        if v.state = 'verified'
           and p_id = v.checked[cardinality(v.checked)] then
            status := 200;
            body := leadq._verified_answer(v);
        elsif v.state = 'locked'
              and p_id = v.checked[cardinality(v.checked)] then
            status := 410;
            body := leadq._closed_problem();
        else
            status := 422;
            body := leadq._mismatch_problem(v.max_checks
                        - array_position(v.checked, p_id));
        end if;

        return;
    end if;

    if v.verification_id is null or v.closed_at is not null
       or v.expires_at <= v_now then
        status := 410;
        body := leadq._closed_problem();
        return;
    end if;

    select max(leadq._limit_wait(l, leadq._limit_subject(l.subject,
               jsonb_build_object('phone', v.phone)), null)),
           bool_or(l.hide)
      into v_wait, v_hide
      from leadq.profile_limit l
     where l.profile_id = v.profile_id
       and l.subject = 'wrong_phone'
       and l.mode = 'enforce';

    if v_wait is not null then
        status := case when v_hide then 410 else 429 end;
        headers := case when not v_hide then 'Retry-After: '
                   || ceil(extract(epoch from v_wait)) end;
        body := case when v_hide then leadq._closed_problem()
                else leadq._problem('too-many-requests',
                         'Too many wrong codes for this number', 429, null)
                end;
        return;
    end if;

    v_right := coalesce(v.blocked_by is null
        and (v_code ->> v.check_key::text = encode(v.code_mac, 'hex')
             or v_code ->> v.chosen_key::text = encode(v.chosen_mac, 'hex')),
        false);

    update leadq.verification o
       set checks = o.checks + 1,
           checked = o.checked || p_id,
           state = case when v_right then 'verified'
                        when o.checks + 1 = o.max_checks then 'locked'
                        else o.state end,
           closed_at = case when v_right or o.checks + 1 = o.max_checks
                            then v_now end,
           code_mac = case when not v_right
                                and o.checks + 1 < o.max_checks
                           then o.code_mac end,
           chosen_mac = case when not v_right
                                  and o.checks + 1 < o.max_checks
                             then o.chosen_mac end,
           result_until = case when v_right then v_now + p.result_life end
      from leadq.profile p
     where o.verification_id = v.verification_id
       and p.profile_id = o.profile_id
    returning o.* into v;

    verification := v.verification_id;
    outcome := case when v_right then 'verified' else 'wrong' end;

    if v_right then
        status := 200;
        body := leadq._verified_answer(v);
        return;
    end if;

    perform leadq._charge(array_agg(l.limit_id),
                array_agg(leadq._limit_subject(l.subject,
                    jsonb_build_object('phone', v.phone))),
                array_agg(1::numeric))
       from leadq.profile_limit l
      where l.profile_id = v.profile_id
        and l.subject = 'wrong_phone'
     having count(*) > 0;

    status := case when v.state = 'locked' then 410 else 422 end;
    body := case when v.state = 'locked' then leadq._closed_problem()
            else leadq._mismatch_problem(v.max_checks - v.checks) end;
end
$$;


create or replace function leadq._verified_answer(v leadq.verification)
returns text
language sql stable
as $$
    select json_build_object('state', 'verified', 'result_expires_in',
        greatest(0, ceil(extract(epoch from v.result_until - leadq.now())))
        ::integer)::text
$$;


create or replace function leadq._mismatch_problem(p_left integer)
returns text
language sql immutable
as $$
    select leadq._problem('code-mismatch', 'This is not the code', 422,
        jsonb_build_object('checks_left', p_left, 'errors',
            '[{"field": "code", "code": "code-mismatch"}]'::jsonb))
$$;


create or replace function leadq._note_checked(p_wrong uuid[],
    p_verified uuid[])
returns void
language plpgsql
as $$
declare
    v_limits integer[];
    v_subjects bytea[];
    v_units numeric[];
begin
    -- What checks mean beyond their verifications: wrong ones for the limit
    -- of all of them; right ones give back what unverified numbers used up,
    -- and are told to the rules.
    select array_agg(c.limit_id), array_agg(c.subject), array_agg(c.units)
      into v_limits, v_subjects, v_units
      from (select l.limit_id,
                   leadq._limit_subject(l.subject, jsonb_build_object(
                       'phone', v.phone)) as subject,
                   case l.subject when 'wrong' then 1 else -1 end as units
              from unnest(p_wrong || p_verified,
                          array_fill(false, array[cardinality(p_wrong)])
                          || array_fill(true, array[cardinality(p_verified)]))
                   c (id, verified)
              join leadq.verification v on v.verification_id = c.id
              join leadq.profile_limit l
                on l.profile_id = v.profile_id
               and (not c.verified and l.subject = 'wrong'
                    or c.verified and l.subject in ('prefix', 'profile'))) c;

    if v_limits is not null then
        perform leadq._charge(v_limits, v_subjects, v_units);
    end if;

    if cardinality(p_verified) = 0 then
        return;
    end if;

    insert into leadq.limit_verified as old (limit_id, subject, hour, n)
    select l.limit_id, leadq._limit_subject(l.subject, jsonb_build_object(
               'phone', v.phone)), date_trunc('hour', leadq.now()), count(*)
      from unnest(p_verified) c (id)
      join leadq.verification v on v.verification_id = c.id
      join leadq.profile_limit l
        on l.profile_id = v.profile_id
       and l.adapt > 0
     group by 1, 2
     order by 1, 2
    on conflict (limit_id, subject, hour) do update
       set n = old.n + excluded.n;

    perform leadq._add_jobs('verified', 0, 'rule', p_verified,
                array_fill(leadq.now(), array[cardinality(p_verified)]));
    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._take_verified(p_verifications uuid[])
returns void
language plpgsql
as $$
begin
    -- The rule of a verified number: it is confirmed as an address, of a new
    -- contact if nobody has it and its owner has agreed to be kept; his
    -- consents are written down, with the code as their evidence.
    with wanted as (
        select distinct on (v.phone) v.phone, v.lang,
               nextval('leadq.contact_contact_id_seq') as contact_id
          from leadq.verification v
         where v.verification_id = any (p_verifications)
           and v.phone is not null
           and v.consent_pd
           and not exists (select from leadq.address a
                            where a.channel = 'phone'
                              and a.value = v.phone)
         order by v.phone, v.verification_id
    ), fresh as (
        insert into leadq.address (channel, value, contact_id, created_at)
        select 'phone', w.phone, w.contact_id, leadq.now()
          from wanted w
        on conflict do nothing
        returning contact_id
    )
    insert into leadq.contact (contact_id, lang, created_at)
    select w.contact_id, w.lang, leadq.now()
      from wanted w
      join fresh f using (contact_id);

    perform from leadq.address a
      where a.channel = 'phone'
        and a.value in (select v.phone from leadq.verification v
                         where v.verification_id = any (p_verifications))
      order by a.value
        for no key update;

    update leadq.address a
       set state = 'confirmed',
           reason = null,
           confirmed_at = leadq.now()
      from leadq.verification v
     where v.verification_id = any (p_verifications)
       and a.channel = 'phone'
       and a.value = v.phone
       and a.state <> 'confirmed';

    insert into leadq.consent (contact_id, purpose, channel, action, evidence,
           text_version, text_sha256, text_lang, page_url, advisor_id,
           point_id, ip, ua, at)
    select a.contact_id, c.purpose, c.channel,
           case when c.given then 'given' else 'refused' end, 'otp',
           v.text_version, t.sha256, t.lang, v.page_url, v.advisor, v.point,
           v.ip, v.ua, v.closed_at
      from leadq.verification v
      join leadq.address a
        on a.channel = 'phone'
       and a.value = v.phone
     cross join lateral (values ('pd_processing', 'any', v.consent_pd),
                                ('ads', 'sms', v.consent_ads))
           c (purpose, channel, given)
      left join lateral (
        select x.sha256, x.lang
          from leadq.consent_text x
         where x.purpose = c.purpose
           and x.version = v.text_version
           and x.lang = v.lang) t on true
     where v.verification_id = any (p_verifications)
       and v.state = 'verified'
       and c.given is not null
     order by a.contact_id, v.verification_id, c.purpose desc;

    insert into leadq.event (at, kind, contact_id, ref, data)
    select v.closed_at, 'phone.verified', a.contact_id, v.verification_id,
           jsonb_build_object('profile', p.name, 'seconds',
               round(extract(epoch from v.closed_at - v.created_at)))
      from leadq.verification v
      join leadq.profile p using (profile_id)
      left join leadq.address a
        on a.channel = 'phone'
       and a.value = v.phone
     where v.verification_id = any (p_verifications);
end
$$;


create or replace function leadq._use_verification(p_verification uuid,
    p_session bytea, p_phone text, p_by uuid)
returns text
language plpgsql
as $$
declare
    v leadq.verification;
begin
    -- Attaches the result of a verification to what it was made for, once.
    -- Null: it is attached, now or by an earlier try; otherwise why not:
    -- verification-unknown (not there, of another session or number, not
    -- verified, too old), verification-used.
    select o.* into v
      from leadq.verification o
     where o.verification_id = p_verification
       for update;

    if v.used_by = p_by then
        return null;
    elsif v.state is distinct from 'verified' or v.session <> p_session
          or v.phone is distinct from p_phone
          or v.result_until <= leadq.now()
    then
        return 'verification-unknown';
    elsif v.used_by is not null then
        return 'verification-used';
    end if;

    update leadq.verification o
       set used_at = leadq.now(),
           used_by = p_by
     where o.verification_id = p_verification;

    return null;
end
$$;
