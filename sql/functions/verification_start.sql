create or replace function leadq._closed_problem()
returns text
language sql immutable
as $$
    -- Unknown, of somebody else, expired, locked, used: one answer for all.
    select '{"type":"urn:leadq:problem:verification-closed",'
        || '"title":"This verification is over","status":410}'
$$;


create or replace function leadq._masked(p_phone text)
returns text
language sql immutable
as $$
    -- "+7 916 ***-**-67": enough for its owner.
    select case when p_phone ~ '^\+7[0-9]{10}$'
           then '+7 ' || substr(p_phone, 3, 3) || ' ***-**-'
                || right(p_phone, 2)
           else left(p_phone, 4) || ' *** ' || right(p_phone, 2) end
$$;


create or replace function leadq._session_hash(p_request jsonb)
returns bytea
language plpgsql immutable
as $$
begin
    return sha256(convert_to(coalesce(p_request ->> '$session', ''),
                             'UTF8'));
end
$$;


create or replace function leadq._verification_document(
    v leadq.verification)
returns text
language plpgsql stable
as $$
begin
    -- What a client is told of a verification of its own session.  One that
    -- a limit has blocked looks like one that is sent after a second.  Where the gateway
    -- chooses the code, it is the last four digits of who calls.
    return (select json_build_object('id', v.verification_id,
        'state', case when v.closed_at is null and v.expires_at <= leadq.now()
                      then 'expired'
                      when v.closed_at is null and v.blocked_by is not null
                           and v.created_at < leadq.now() - interval '1 s'
                      then 'sent'
                      else v.state end,
        'phone_masked', leadq._masked(v.phone),
        'code_length', case when way.chooses_code then 4 else v.digits end,
        'expires_in', case when v.closed_at is null then greatest(0,
            ceil(extract(epoch from v.expires_at - leadq.now())))::integer
            else 0 end,
        'resend_after', case when v.closed_at is null
                                  and v.next_send_at is not null
            then greatest(0, ceil(extract(epoch from v.next_send_at
                                          - leadq.now())))::integer end,
        'checks_left', v.max_checks - v.checks,
        'channel', way.channel)::text
      from (select) one
      left join (select g.channel, g.chooses_code
                   from leadq.profile_step s
                   join leadq.gateway g using (gateway_id)
                  where s.profile_id = v.profile_id
                    and s.step = v.step) way on true);
end
$$;


create or replace function leadq._next_step(p_profile integer,
    p_after integer, p_phone text, p_channel text)
returns smallint
language plpgsql stable
as $$
begin
    -- The first step after one (0: of all) that fits the number's operator
    -- and the hour; with a channel the first of that channel.  Null: none.
    return (
        select s.step
          from leadq.profile_step s
          join leadq.profile p using (profile_id)
          join leadq.gateway g using (gateway_id)
         where s.profile_id = p_profile
           and s.step > p_after
           and (p_channel is null or g.channel = p_channel)
           and (s.window_from is null
                or leadq._open(leadq.now(), p.time_zone, s.window_from,
                               s.window_to) = leadq.now())
           and not exists (select from leadq.phone_operator o
                            where o.phone = p_phone
                              and lower(o.operator) = any (s.unless_operator))
         order by s.step
         limit 1);
end
$$;


create or replace function leadq._add_send(p_verification uuid,
    p_step integer, p_manual boolean, p_send uuid, p_at timestamptz)
returns void
language plpgsql
as $$
declare
    v_name text;
    v_timeout interval;
    v_blocked boolean;
begin
    -- Plans a send of a step, and a look at what became of it.  Of a
    -- verification that a limit has blocked the send is over before it
    -- begins; as much is written then, so that the time an answer takes tells
    -- nobody.  The verification is locked, or was just made.
    insert into leadq.verification_send (send_id, verification_id, n, step,
           gateway_id, manual, queued_at, state, ended_at)
    select p_send, v.verification_id,
           1 + (select count(*) from leadq.verification_send o
                 where o.verification_id = v.verification_id),
           s.step, s.gateway_id, p_manual, leadq.now(),
           case when v.blocked_by is null then 'queued' else 'cancelled' end,
           case when v.blocked_by is not null then leadq.now() end
      from leadq.verification v
      join leadq.profile_step s
        on s.profile_id = v.profile_id
       and s.step = p_step
     where v.verification_id = p_verification;

    update leadq.verification v
       set state = case when v.state = 'failed' then 'queued'
                   else v.state end,
           step = p_step,
           send_id = p_send,
           fallbacks = v.fallbacks + (not p_manual)::integer
     where v.verification_id = p_verification;

    select g.name, s.timeout, v.blocked_by is not null
      into v_name, v_timeout, v_blocked
      from leadq.verification v
      join leadq.profile_step s
        on s.profile_id = v.profile_id
       and s.step = p_step
      join leadq.gateway g using (gateway_id)
     where v.verification_id = p_verification;

    if not v_blocked then
        perform leadq._add_jobs('code', 1, 'gateway:' || v_name,
                                array[p_send], array[p_at]);
    else
        perform leadq._add_jobs('send_silent', 0, 'rule', array[p_send],
                                array[p_at + 2 * v_timeout]);
    end if;

    perform leadq._add_jobs('send_silent', 0, 'rule', array[p_send],
                            array[p_at + v_timeout]);
end
$$;


create or replace function leadq.web_otp_start(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_limits integer[];
    v_subjects bytea[];
    v_denied integer[] := '{}';
    v_answer record;
    v_n integer;
begin
    -- Somebody wants a number proved.  Request: profile (trusted), phone,
    -- "$session", lang, consent_pd, consent_ads, text_version, page_url,
    -- channel, captcha_token, "$form", visit (of this advisor, whose number it
    -- is), and trusted ip, ua, advisor, point.
    -- 202 with the verification, 200 with the one of this number that the
    -- session has open; 422 for a number that is not served, without the
    -- consent, or with a form that began another one; 429 above a limit.
    -- Where a limit hides, nothing is sent and the answer is the same: nobody
    -- learns that somebody else verifies a number.  A repeat of an id gets
    -- the same.  Called by the nginx module.
    select array_agg(l.limit_id), array_agg(s.subject)
      into v_limits, v_subjects
      from (select u.request || jsonb_build_object('net',
                       leadq._net(u.request ->> 'ip')) as request
              from unnest(v_requests) u (request)
            offset 0) r
      join leadq.profile p on p.name = r.request ->> 'profile'
      join leadq.profile_limit l using (profile_id)
     cross join lateral (
        select leadq._limit_subject(l.subject, r.request)
        offset 0) s (subject)
     where s.subject is not null
       and leadq._limit_way(l.subject) in ('cell', 'starts')
       and (l.subject <> 'phone'  -- of those, one lock is enough
            or not exists (select from leadq.profile_limit o
                            where o.profile_id = l.profile_id
                              and o.subject = 'phone'
                              and o.limit_id < l.limit_id));

    perform leadq._lock_cells(v_limits, v_subjects);

    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._start(p_ids[v_n], v_requests[v_n]);
        n := v_n;
        status := v_answer.status;
        headers := v_answer.headers;
        body := v_answer.body;
        v_denied := v_denied || v_answer.denied;
        return next;
    end loop;

    if cardinality(v_denied) > 0 then
        perform leadq._note_denied(v_denied);
    end if;

    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._start(p_id uuid, p_request jsonb,
    out status integer, out headers text, out body text,
    out denied integer[])
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_profile leadq.profile;
    v leadq.verification;
    v_net text := leadq._net(p_request ->> 'ip');
    v_row record;
    v_limit leadq.profile_limit;
    v_limits integer[] := '{}';
    v_subjects bytea[] := '{}';
    v_wait interval;
    v_longest interval;
    v_blocked text;
    v_captcha boolean := false;
begin
    -- One start; the cells of its limits are locked.
    denied := '{}';

    select o.* into v
      from leadq.verification o
     where o.verification_id = p_id;

    if found then
        select a.* into status, headers, body
          from leadq._started(v, 202) a;
        return;
    end if;

    select p.* into v_profile
      from leadq.profile p
     where p.name = p_request ->> 'profile';

    if not found then
        status := 404;
        body := leadq._problem('no-such-profile', 'There is nothing here',
                               404, null);
        return;
    end if;

    if exists (select from unnest(v_profile.deny) d (prefix)
                where starts_with(p_request ->> 'phone', d.prefix)) then
        status := 422;
        body := leadq._problem('phone-not-served',
            'Codes are not sent to this number', 422,
            '{"errors": [{"field": "phone", "code": "phone-not-served"}]}');
        return;
    end if;

    if v_profile.consent = 'required'
       and p_request -> 'consent_pd' is distinct from 'true' then
        status := 422;
        body := leadq._problem('consent-required',
            'Without the consent no code is sent', 422,
            '{"errors": [{"field": "consent_pd", "code": "required"}]}');
        return;
    end if;

    -- A double click, or a page that was loaded anew.
    update leadq.verification o
       set state = 'expired',
           closed_at = v_now,
           code_mac = null,
           chosen_mac = null
     where o.phone = p_request ->> 'phone'
       and o.profile_id = v_profile.profile_id
       and o.session = leadq._session_hash(p_request)
       and o.closed_at is null
       and o.expires_at <= v_now;

    select o.* into v
      from leadq.verification o
     where o.phone = p_request ->> 'phone'
       and o.profile_id = v_profile.profile_id
       and o.session = leadq._session_hash(p_request)
       and o.closed_at is null;

    if found then
        select a.* into status, headers, body
          from leadq._started(v, 200) a;
        return;
    end if;

    p_request := p_request || jsonb_build_object('net', v_net);
    v_blocked := p_request ->> '$trap';

    for v_row in
        select l as rule, u.subject, c.full_at - v_now - l.per
                   * ((l.max - 1) / l.max::double precision) as wait
          from leadq.profile_limit l
         cross join lateral (
            select leadq._limit_subject(l.subject, p_request)) u (subject)
          left join leadq.limit_cell c
            on c.limit_id = l.limit_id
           and c.subject = u.subject
         where l.profile_id = v_profile.profile_id
           and u.subject is not null
         order by l.limit_id
    loop
        v_limit := v_row.rule;
        v_wait := v_row.wait;

        -- What the cell does not know, or not alone.
        if leadq._limit_way(v_limit.subject) in ('starts', 'history')
           or v_wait > interval '0' and v_limit.adapt > 0 then
            v_wait := leadq._limit_wait(v_limit, v_row.subject, p_request,
                                        v_wait);
        end if;

        if v_wait > interval '0' then
            denied := denied || v_limit.limit_id;

            if v_limit.mode = 'enforce' and v_limit.hide then
                v_blocked := coalesce(v_blocked, v_limit.name);
            elsif v_limit.mode = 'enforce' then
                v_longest := greatest(v_longest, v_wait);
            elsif v_limit.mode = 'captcha'
                  and v_profile.captcha_id is not null then
                v_captcha := true;
            end if;
        end if;

        if leadq._limit_way(v_limit.subject) = 'cell' then
            v_limits := v_limits || v_limit.limit_id;
            v_subjects := v_subjects || v_row.subject;
        end if;
    end loop;

    -- Two at a time, so that a stranger cannot keep a number's owner out.
    if v_blocked is null
       and (select count(*) from leadq.verification o
             where o.phone = p_request ->> 'phone'
               and o.profile_id = v_profile.profile_id
               and o.closed_at is null
               and o.blocked_by is null
               and o.expires_at > v_now) >= 2
    then
        v_blocked := 'open';
    end if;

    if v_longest is not null then
        status := 429;
        headers := 'Retry-After: '
                   || greatest(1, ceil(extract(epoch from v_longest)));
        body := leadq._problem('too-many-requests', 'Too many codes', 429,
                               null);
        return;
    end if;

    if v_captcha then
        with used as (
            insert into leadq.captcha_used (token_sha256, at)
            select sha256(convert_to(p_request ->> 'captcha_token', 'UTF8')),
                   v_now
             where p_request ? 'captcha_token'
            on conflict do nothing
            returning 1
        )
        select count(*) = 0 into v_captcha from used;

        if v_captcha then
            status := 429;
            body := leadq._problem('captcha-required',
                'Please show that you are no robot', 429, null);
            return;
        end if;

        v_captcha := true;
    end if;

    -- A form begins one; what a limit refused may be sent again.
    if p_request ? '$form' then
        insert into leadq.form_used (form_sha, verification_id, at)
        values (decode(p_request ->> '$form', 'hex'), p_id, v_now)
        on conflict do nothing;

        if not found then
            status := 422;
            body := leadq._problem('form-token',
                'This form was sent before: load the page anew', 422,
                '{"errors": [{"field": "form_token", "code": "used"}]}');
            return;
        end if;
    end if;

    perform leadq._charge(v_limits, v_subjects,
        array_fill((v_blocked is null)::integer::numeric,
                   array[cardinality(v_limits)]));

    insert into leadq.verification (verification_id, profile_id, phone,
           session, advisor, point, ip, net, ua, lang, consent_pd,
           consent_ads, text_version, page_url, blocked_by, digits,
           max_checks, step, captcha_token, seed, created_at, next_send_at,
           expires_at, sends, visit_id)
    values (p_id, v_profile.profile_id, p_request ->> 'phone',
            leadq._session_hash(p_request), p_request ->> 'advisor',
            p_request ->> 'point', p_request ->> 'ip', v_net,
            p_request ->> 'ua', coalesce(p_request ->> 'lang',
                                         v_profile.lang),
            (p_request ->> 'consent_pd')::boolean,
            (p_request ->> 'consent_ads')::boolean,
            p_request ->> 'text_version', p_request ->> 'page_url',
            v_blocked, v_profile.digits, v_profile.checks,
            coalesce(leadq._next_step(v_profile.profile_id, 0,
                         p_request ->> 'phone', p_request ->> 'channel'),
                     leadq._next_step(v_profile.profile_id, 0,
                         p_request ->> 'phone', null)),
            case when v_captcha and v_blocked is null
                 then p_request ->> 'captcha_token' end,
            uuid_send(gen_random_uuid()), v_now,
            v_now + v_profile.resend_after[1], v_now + v_profile.life, 1,
            (select w.visit_id
               from leadq.visit w
               join leadq.advisor a using (advisor_id)
              where w.visit_id = (p_request ->> 'visit')::uuid
                and a.name = p_request ->> 'advisor'))
    returning * into v;

    if v.step is null then
        update leadq.verification o
           set state = 'failed'
         where o.verification_id = p_id
        returning * into v;
    elsif v_captcha and v_blocked is null then
        perform leadq._add_jobs('captcha', 1, 'gateway:' || g.name,
                    array[p_id], array[v_now])
           from leadq.gateway g
          where g.gateway_id = v_profile.captcha_id;
    else
        perform leadq._add_send(p_id, v.step, true, gen_random_uuid(),
                                v_now);
    end if;

    select a.* into status, headers, body
      from leadq._started(v, 202) a;
end
$$;


create or replace function leadq._started(v leadq.verification,
    p_status integer, out status integer, out headers text, out body text)
language plpgsql stable
as $$
begin
    status := p_status;
    headers := 'Location: /v1/verifications/' || v.verification_id;
    body := leadq._verification_document(v);
end
$$;


create or replace function leadq.web_otp_resend(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
declare
    v_row record;
    v_answer record;
begin
    -- The code once more.  Request: id (from the URL), "$session", channel.
    -- 202 with the verification; 410 when it is over or of another session,
    -- 409 when there were enough of them, 429 when it is too early.  It is
    -- the same code, on whatever channel.  A repeat of a request changes
    -- nothing.  Called by the nginx module.
    perform from leadq.verification v
      where v.verification_id = any (array(
                select (r.request::jsonb ->> 'id')::uuid
                  from unnest(p_requests) r (request)))
      order by v.verification_id
        for update;

    for v_row in
        select r.n::integer as n, r.id, r.request::jsonb as request
          from unnest(p_ids, p_requests) with ordinality r (id, request, n)
         order by r.n
    loop
        v_answer := leadq._resend(v_row.id, v_row.request);
        n := v_row.n;
        status := v_answer.status;
        headers := v_answer.headers;
        body := v_answer.body;
        return next;
    end loop;

    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._resend(p_id uuid, p_request jsonb,
    out status integer, out headers text, out body text)
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v leadq.verification;
    v_profile leadq.profile;
    v_step integer;
begin
    select o.* into v
      from leadq.verification o
     where o.verification_id = (p_request ->> 'id')::uuid
       and o.session = leadq._session_hash(p_request)
       and o.closed_at is null
       and o.expires_at > v_now;

    if not found then
        status := 410;
        body := leadq._closed_problem();
        return;
    end if;

    select p.* into v_profile
      from leadq.profile p
     where p.profile_id = v.profile_id;

    if exists (select from leadq.verification_send s
                where s.send_id = p_id) then
        status := 202;
        body := leadq._verification_document(v);
        return;
    end if;

    if v.sends >= v_profile.sends then
        status := 409;
        body := leadq._problem('resend-limit',
            'The code was sent often enough', 409, null);
        return;
    end if;

    if v.next_send_at > v_now then
        status := 429;
        headers := 'Retry-After: ' || ceil(extract(epoch from
                       v.next_send_at - v_now));
        body := leadq._problem('resend-too-early',
            'A code is on its way', 429, null);
        return;
    end if;

    update leadq.verification o
       set sends = o.sends + 1,
           next_send_at = v_now + v_profile.resend_after[
               least(o.sends + 1, cardinality(v_profile.resend_after))],
           expires_at = least(o.created_at + interval '10 min',
                              greatest(o.expires_at,
                                       v_now + v_profile.life))
     where o.verification_id = v.verification_id
    returning * into v;

    v_step := coalesce(
        case when p_request ? 'channel' then leadq._next_step(v.profile_id,
                 0, v.phone, p_request ->> 'channel') end, v.step);

    if v_step is not null and v.captcha_token is null then
        perform leadq._add_send(v.verification_id, v_step, true, p_id,
                                v_now);
        v.step := v_step;
    end if;

    status := 202;
    body := leadq._verification_document(v);
end
$$;


create or replace function leadq.web_otp(p_ids uuid[], p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off  -- see README.md, Plans
as $$
#variable_conflict use_column
declare
    v_row record;
    v leadq.verification;
begin
    -- Shows a verification of the session (GET), or ends it (DELETE).
    -- Request: id (from the URL), method, "$session".  404 for one that is
    -- not there or of another session; DELETE: 204, 410 when it is over.  A
    -- repeated DELETE is 204.  Called by the nginx module.
    for v_row in
        select r.n::integer as n, r.request::jsonb as request
          from unnest(p_requests) with ordinality r (request, n)
         order by (r.request::jsonb ->> 'id')::uuid, r.n
    loop
        n := v_row.n;
        headers := null;

        if v_row.request ->> 'method' = 'DELETE' then
            update leadq.verification o
               set state = 'cancelled',
                   closed_at = coalesce(o.closed_at, leadq.now()),
                   code_mac = null,
                   chosen_mac = null
             where o.verification_id = (v_row.request ->> 'id')::uuid
               and o.session = leadq._session_hash(v_row.request)
               and (o.closed_at is null or o.state = 'cancelled');
            status := case when found then 204 else 410 end;
            body := case when not found then leadq._closed_problem() end;
        else
            select o.* into v
              from leadq.verification o
             where o.verification_id = (v_row.request ->> 'id')::uuid
               and o.session = leadq._session_hash(v_row.request)
               and o.phone is not null;
            status := case when found then 200 else 404 end;
            body := case when found then leadq._verification_document(v)
                    else leadq._problem('no-such-verification',
                            'There is no such verification', 404, null) end;
        end if;

        return next;
    end loop;
end
$$;
