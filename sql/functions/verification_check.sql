create or replace function leadq.web_otp_check(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
#variable_conflict use_column
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_verifications uuid[] := array(
        select (r.request ->> 'id')::uuid
          from unnest(v_requests) with ordinality r (request, n)
         order by r.n);
    v_wrong uuid[] := '{}';
    v_verified uuid[] := '{}';
    v_round integer[];
    v_answer record;
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
    -- everywhere.  Of a number one request is looked at after another, in
    -- rounds; those of different ones together, for that is what a batch
    -- usually has.
    perform from leadq.verification v
      where v.verification_id = any (v_verifications)
      order by v.verification_id
        for update;

    perform leadq._lock_cells(array_agg(l.limit_id), array_agg(v.subject))
       from unnest(v_verifications) r (id)
      cross join lateral (
        select leadq._subject(o.phone) as subject, o.profile_id, o.closed_at
          from leadq.verification o
         where o.verification_id = r.id
         limit 1) v
       join leadq.profile_limit l
         on l.profile_id = v.profile_id
        and l.subject = 'wrong_phone'
      where v.closed_at is null
     having count(*) > 0;

    for v_round in
        select array_agg(o.n order by o.n)
          from (select r.n::integer as n, row_number() over (
                           partition by coalesce(v.phone, r.id::text)
                               order by r.n) as round
                  from unnest(v_verifications) with ordinality r (id, n)
                  left join leadq.verification v on v.verification_id = r.id)
               o
         group by o.round
         order by o.round
    loop
        for v_answer in
            select c.* from leadq._check(
                array(select p_ids[r.i] from unnest(v_round)
                          with ordinality r (i, n) order by r.n),
                array(select v_requests[r.i] from unnest(v_round)
                          with ordinality r (i, n) order by r.n)) c
        loop
            n := v_round[v_answer.n];
            status := v_answer.status;
            headers := v_answer.headers;
            body := v_answer.body;

            if v_answer.verdict = 'right' then
                v_verified := v_verified || v_answer.verification;
            elsif v_answer.verdict = 'wrong' then
                v_wrong := v_wrong || v_answer.verification;
            end if;

            return next;
        end loop;
    end loop;

    perform leadq._note_checked(v_wrong, v_verified);
end
$$;


create or replace function leadq._check(p_ids uuid[], p_requests jsonb[])
returns table (n bigint, verdict text, verification uuid, status integer,
    headers text, body text)
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
begin
    -- Checks of different numbers; their verifications and the cells of the
    -- numbers are locked.  What a repeat is told can be seen from where its
    -- request stands in checked.
    return query
        with asked as materialized (
            select r.n, r.id as request_id, v.*,
                   array_position(v.checked, r.id) as place,
                   coalesce(v.blocked_by is null
                       and (r.request -> 'code' ->> v.check_key::text
                                = encode(v.code_mac, 'hex')
                            or r.request -> 'code' ->> v.chosen_key::text
                                = encode(v.chosen_mac, 'hex')), false)
                       as is_right,
                   u.subject as whose, w.wait, w.hide, v_now + p.result_life as good_until
              from unnest(p_ids, p_requests)
                   with ordinality r (id, request, n)
              left join leadq.verification v
                on v.verification_id = (r.request ->> 'id')::uuid
               and v.session = leadq._session_hash(r.request)
              left join leadq.profile p on p.profile_id = v.profile_id
             cross join lateral (
                select leadq._subject(v.phone) as subject offset 0) u
              left join lateral (
                select max(c.full_at - v_now - l.per
                           * ((l.max - 1) / l.max::double precision)) as wait,
                       bool_or(l.hide) as hide
                  from leadq.profile_limit l
                  join leadq.limit_cell c
                    on c.limit_id = l.limit_id
                   and c.subject = u.subject
                 where l.profile_id = v.profile_id
                   and l.subject = 'wrong_phone'
                   and l.mode = 'enforce') w on true
        ), judged as materialized (
            select a.*,
                   case when a.place is not null then 'repeat'
                        when a.closed_at is not null
                             or a.verification_id is null
                             or a.expires_at <= v_now then 'over'
                        when a.wait > interval '0' then 'limited'
                        when a.is_right then 'right'
                        else 'wrong' end as verdict,
                   a.checks + 1 = a.max_checks as is_last
              from asked a
        ), counted as (
            update leadq.verification o
               set checks = o.checks + 1,
                   checked = o.checked || j.request_id,
                   state = case when j.is_right then 'verified'
                                when j.is_last then 'locked'
                                else o.state end,
                   closed_at = case when j.is_right or j.is_last
                                    then v_now end,
                   code_mac = case when not j.is_right and not j.is_last
                                   then o.code_mac end,
                   chosen_mac = case when not j.is_right and not j.is_last
                                     then o.chosen_mac end,
                   result_until = case when j.is_right
                                       then j.good_until end
              from judged j
             where j.verdict in ('right', 'wrong')
               and o.verification_id = j.verification_id
        ), charged as (
            update leadq.limit_cell c
               set full_at = greatest(c.full_at, v_now) + l.per / l.max
              from judged j, leadq.profile_limit l
             where j.verdict = 'wrong'
               and l.profile_id = j.profile_id
               and l.subject = 'wrong_phone'
               and c.limit_id = l.limit_id
               and c.subject = j.whose
        )
        select j.n, j.verdict, j.verification_id, a.status,
               case when a.status = 429 then 'Retry-After: '
                    || ceil(extract(epoch from j.wait)) end,
               case a.status
                    when 200 then leadq._verified_answer(
                        coalesce(j.result_until, j.good_until))
                    when 422 then leadq._mismatch_problem(j.max_checks
                        - coalesce(j.place, j.checks + 1))
                    when 429 then leadq._problem('too-many-requests',
                        'Too many wrong codes for this number', 429, null)
                    else leadq._closed_problem() end
          from judged j
         cross join lateral (
            select case when j.verdict = 'right'
                             or j.place = cardinality(j.checked)
                                and j.state = 'verified' then 200
                        when j.verdict = 'limited' and not j.hide then 429
                        when j.verdict = 'wrong' and not j.is_last
                             or j.place < j.max_checks then 422
                        else 410 end) a (status);
end
$$;


create or replace function leadq._verified_answer(p_until timestamptz)
returns text
language plpgsql stable
as $$
begin
    return json_build_object('state', 'verified', 'result_expires_in',
        greatest(0, ceil(extract(epoch from p_until - leadq.now())))
        ::integer)::text;
end
$$;


create or replace function leadq._mismatch_problem(p_left integer)
returns text
language sql immutable
as $$
    select '{"type":"urn:leadq:problem:code-mismatch",'
        || '"title":"This is not the code","status":422,"checks_left":'
        || p_left
        || ',"errors":[{"field":"code","code":"code-mismatch"}]}'
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
                   case when l.subject = 'wrong' then leadq._subject('')
                        else leadq._limit_subject(l.subject,
                                 jsonb_build_object('phone', v.phone))
                   end as subject,
                   case l.subject when 'wrong' then 1 else -1 end as units
              from unnest(p_wrong || p_verified,
                          array_fill(false, array[cardinality(p_wrong)])
                          || array_fill(true, array[cardinality(p_verified)]))
                   c (id, verified)
             cross join lateral (
                select o.phone, o.profile_id
                  from leadq.verification o
                 where o.verification_id = c.id
                 limit 1) v
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
     cross join lateral (
        select o.phone, o.profile_id
          from leadq.verification o
         where o.verification_id = c.id
         limit 1) v
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


create or replace function leadq._meet_verified(p_verifications uuid[])
returns void
language sql
as $$
    -- Verified numbers that nobody has become those of new contacts, if their
    -- owners have agreed to be kept.  A repeat does nothing.  Called by the
    -- rule, and by a till that cannot wait for it.
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
      join fresh f using (contact_id)
$$;


create or replace function leadq._take_verified(p_verifications uuid[])
returns void
language plpgsql
as $$
begin
    -- The rule of a verified number: it is confirmed as an address, of a new
    -- contact if nobody has it and its owner has agreed to be kept; his
    -- consents are written down, with the code as their evidence.
    perform leadq._meet_verified(p_verifications);

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
    -- verified, too old), verification-used.  What was attached to a
    -- reservation that is over, without a sale, is free again.
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
    elsif v.used_by is not null
          and not exists (
              select from leadq.redemption r
               where r.redemption_id = v.used_by
                 and (r.state = 'released'
                      or r.state = 'reserved'
                         and r.reserved_until <= leadq.now())) then
        return 'verification-used';
    end if;

    update leadq.verification o
       set used_at = leadq.now(),
           used_by = p_by
     where o.verification_id = p_verification;

    return null;
end
$$;
