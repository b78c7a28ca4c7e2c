create or replace function leadq._answers_fault(p_answers jsonb)
returns jsonb
language plpgsql stable
as $$
begin
    -- What is wrong with the answers to the questionnaire, as "errors" of a
    -- problem; null: nothing.  An empty answer is none.
    return (
        with given as (
            select a.key, a.value, jsonb_typeof(a.value) as type,
                   a.value #>> '{}' as said
              from jsonb_each(p_answers) a
             where a.value not in ('null', '""')
        )
        select jsonb_agg(jsonb_build_object('field', 'answers.' || f.name,
                                            'code', f.code)
                         order by f.place, f.name)
          from (select q.place, q.name,
                       case when g.key is null then 'required'
                            else 'bad-value' end as code
                  from leadq.question q
                  left join given g on g.key = q.name
                 where case when g.key is null then q.required
                       else not case q.type
                            when 'text' then g.type = 'string'
                                             and length(g.said) <= 500
                            when 'bool' then g.type = 'boolean'
                            when 'int' then g.said ~ '^-?[0-9]{1,9}$'
                            when 'date' then g.said
                                ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
                            else g.type = 'string' and exists (
                                select from jsonb_array_elements(q.choices) c
                                 where c ->> 'value' = g.said) end end
                 union all
                select null, g.key, 'unknown'
                  from given g
                 where not exists (select from leadq.question q
                                    where q.name = g.key)) f);
end
$$;


create or replace function leadq._visit_document(v leadq.visit)
returns text
language plpgsql stable
as $$
begin
    -- What the till is told of a visit when it is opened.
    return jsonb_strip_nulls(jsonb_build_object('id', v.visit_id,
        'state', case when v.ended_at is null or v.age <> 'unproved'
                      then 'open' else 'ended' end,
        'outcome', case when v.age = 'unproved' then v.outcome end,
        'opened_at', v.opened_at))::text;
end
$$;


create or replace function leadq.web_visit_open(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_answer record;
    v_n integer;
begin
    -- Somebody talks to an advisor (W-6, W-7).  Request: age (sure,
    -- document, unproved), answers (to the questionnaire), consent_pd,
    -- consent_ads, text_version, lang, "$session" of the till, advisor
    -- (trusted).  201 with the visit; one without a proved age is over, and
    -- nothing of the person is kept; 422 when an answer is missing or wrong,
    -- or there are answers without the consent; 403 for who is no advisor of
    -- a point.  A repeat of an id gets the same.  Called by the nginx module.
    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._open_visit(p_ids[v_n], p_requests[v_n]::jsonb);
        n := v_n;
        status := v_answer.status;
        headers := null;
        body := v_answer.body;
        return next;
    end loop;
end
$$;


create or replace function leadq._open_visit(p_id uuid, p_request jsonb,
    out status integer, out body text)
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_advisor leadq.advisor;
    v_print bytea := decode(left(p_request ->> '$fingerprint', 32), 'hex');
    v_proved boolean := p_request ->> 'age' <> 'unproved';
    v_pd boolean := v_proved and coalesce(
                        (p_request ->> 'consent_pd')::boolean, false);
    v_answers jsonb := jsonb_strip_nulls(coalesce(p_request -> 'answers',
                                                  '{}'));
    v_errors jsonb;
    v leadq.visit;
begin
    select o.* into v from leadq.visit o where o.visit_id = p_id;

    if found then
        status := 201;
        body := leadq._visit_document(v);

        if v.fingerprint is distinct from v_print then
            status := 422;
            body := leadq._reused_problem();
        end if;

        return;
    end if;

    v_advisor := leadq._advisor(p_request, array['advisor', 'supervisor']);

    if v_advisor.point_id is null then
        status := 403;
        body := leadq._forbidden_problem();
        return;
    end if;

    if jsonb_typeof(v_answers) <> 'object' then
        v_errors := '[{"field": "answers", "code": "bad-value"}]';
    elsif not v_proved then
        v_answers := null;
    elsif v_pd then
        v_errors := leadq._answers_fault(v_answers);
    elsif v_answers <> '{}' then
        v_errors := '[{"field": "consent_pd", "code": "required"}]';
    end if;

    if v_errors is not null then
        status := 422;
        body := leadq._problem('validation',
            'Some answers are missing or wrong', 422,
            jsonb_build_object('errors', v_errors));
        return;
    end if;

    insert into leadq.visit (visit_id, point_id, advisor_id, device, day,
           opened_at, age, answers, consent_pd, consent_ads, text_version,
           lang, ended_at, outcome, fingerprint)
    select p_id, o.point_id, v_advisor.advisor_id,
           leadq._session_hash(p_request),
           (v_now at time zone o.time_zone)::date, v_now,
           p_request ->> 'age', nullif(v_answers, '{}'), v_pd,
           v_pd and coalesce((p_request ->> 'consent_ads')::boolean, false),
           left(p_request ->> 'text_version', 64),
           coalesce(p_request ->> 'lang', 'ru'),
           case when not v_proved then v_now end,
           case when not v_proved then 'left' end,
           v_print
      from leadq.point o
     where o.point_id = v_advisor.point_id
    returning * into v;

    status := 201;
    body := leadq._visit_document(v);
end
$$;


create or replace function leadq.web_visit_end(p_ids uuid[],
    p_requests text[])
returns table (n integer, status integer, headers text, body text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan  -- see README.md, Plans
as $$
declare
    v_requests jsonb[] := p_requests::jsonb[];
    v_answer record;
    v_n integer;
begin
    -- What became of a visit (W-11, W-12).  Request: id (from the URL),
    -- outcome (test, purchase, left); verification (of the number, with
    -- "$session"), or refusal (phone, mailings, code, repeat: why there is
    -- none), or redemption (of this purchase, which has one); code (a
    -- friend's, that is not redeemed); advisor (trusted).  200 with what
    -- follows for the person; 403, 404; 409 when the visit is over, the
    -- verification cannot be used, or the number was used for the same with
    -- this advisor in the last thirty days; 422 without any proof or
    -- refusal.  A repeat of an id gets the same.  Called by the nginx module.
    perform from leadq.visit v
      where v.visit_id = any (array(
                select (r.request ->> 'id')::uuid
                  from unnest(v_requests) r (request)))
      order by v.visit_id
        for update;

    for v_n in 1 .. cardinality(p_ids) loop
        v_answer := leadq._end_visit(p_ids[v_n], v_requests[v_n]);
        n := v_n;
        status := v_answer.status;
        headers := null;
        body := v_answer.body;
        return next;
    end loop;

    perform pg_notify('leadq_ready', '');
end
$$;


create or replace function leadq._end_visit(p_id uuid, p_request jsonb,
    out status integer, out body text)
language plpgsql
as $$
declare
    v_now timestamptz := leadq.now();
    v_outcome text := p_request ->> 'outcome';
    v_advisor leadq.advisor;
    v leadq.visit;
    v_proof uuid;
    v_fault text;
begin
    -- One end; the visit is locked.
    select o.* into v
      from leadq.visit o
     where o.visit_id = (p_request ->> 'id')::uuid;

    if v.end_id = p_id then
        status := 200;
        body := leadq._ended_document(v);

        if (v.outcome, v.refusal, v.redemption_id) is distinct from
           (v_outcome, p_request ->> 'refusal',
            (p_request ->> 'redemption')::uuid) then
            status := 422;
            body := leadq._reused_problem();
        end if;

        return;
    end if;

    v_advisor := leadq._advisor(p_request, array['advisor', 'supervisor']);

    if v_advisor is null then
        status := 403;
        body := leadq._forbidden_problem();
        return;
    elsif v.point_id is distinct from v_advisor.point_id then
        status := 404;
        body := leadq._problem('no-such-visit', 'There is no such visit', 404,
                               null);
        return;
    elsif v.ended_at is not null then
        status := 409;
        body := leadq._problem('visit-ended', 'This visit is over', 409, null);
        return;
    elsif v_outcome <> 'left'
          and not p_request ?| array['verification', 'refusal', 'redemption']
    then
        status := 422;
        body := leadq._problem('proof-required',
            'Say which verification it was, or why there is none', 422,
            '{"errors": [{"field": "verification", "code": "required"}]}');
        return;
    end if;

    v_fault := leadq._prove_visit(v, p_request);

    if v_fault is not null then
        status := 409;
        body := leadq._problem(v_fault, case v_fault
            when 'phone-used' then 'This number had the same with you in the '
                                   'last thirty days'
            when 'redemption-unknown' then 'This sale cannot be used'
            else 'This verification cannot be used' end, 409, null);
        return;
    end if;

    v_proof := coalesce((p_request ->> 'verification')::uuid,
                        (select r.verification_id from leadq.redemption r
                          where r.redemption_id
                                = (p_request ->> 'redemption')::uuid));

    update leadq.visit o
       set ended_at = v_now,
           end_id = p_id,
           outcome = v_outcome,
           verification_id = v_proof,
           redemption_id = (p_request ->> 'redemption')::uuid,
           refusal = case when v_proof is null
                          then p_request ->> 'refusal' end
     where o.visit_id = v.visit_id
    returning * into v;

    if p_request ? 'code' then
        insert into leadq.referral (referral_id, kind, code, created_at)
        values (v.visit_id, 'visit', p_request ->> 'code', v_now);
    end if;

    perform leadq._add_jobs('visit', 0, 'rule', array[v.visit_id],
                            array[v_now]);
    status := 200;
    body := leadq._ended_document(v);
end
$$;


create or replace function leadq._prove_visit(v leadq.visit,
    p_request jsonb)
returns text
language plpgsql
as $$
declare
    v_phone text;
begin
    -- Takes what the end of a visit names as its proof; why not, null when
    -- it did.
    if p_request ? 'redemption' then
        return (
            select case when r.state is distinct from 'redeemed'
                             or r.point_id <> v.point_id
                             or p_request ->> 'outcome' <> 'purchase'
                             or exists (select from leadq.visit o
                                         where o.redemption_id
                                               = r.redemption_id)
                        then 'redemption-unknown' end
              from (select) one
              left join leadq.redemption r
                on r.redemption_id = (p_request ->> 'redemption')::uuid);
    elsif not p_request ? 'verification' then
        return null;
    end if;

    select o.phone into v_phone
      from leadq.verification o
     where o.verification_id = (p_request ->> 'verification')::uuid;

    -- An advisor has one phone, too (threat 20 of the specification).
    if p_request ->> 'outcome' <> 'left'
       and exists (
        select from leadq.verification o
          join leadq.visit w on w.visit_id = o.used_by
         where o.phone = v_phone
           and o.created_at > leadq.now() - interval '31 days'
           and w.advisor_id = v.advisor_id
           and w.outcome = p_request ->> 'outcome'
           and w.ended_at > leadq.now() - interval '30 days') then
        return 'phone-used';
    end if;

    return leadq._use_verification((p_request ->> 'verification')::uuid,
               leadq._session_hash(p_request), v_phone, v.visit_id);
end
$$;


create or replace function leadq._ended_document(v leadq.visit)
returns text
language plpgsql stable
as $$
declare
    v_contact bigint;
begin
    -- What the till is told at the end of a visit.  follows: the kind of code
    -- that the person will get.
    select a.contact_id into v_contact
      from leadq.verification o
      join leadq.address a
        on a.channel = 'phone'
       and a.value = o.phone
     where o.verification_id = v.verification_id;

    return jsonb_build_object('id', v.visit_id, 'outcome', v.outcome,
        'verified', v.verification_id is not null,
        'follows', (
            select p.kind
              from leadq.verification o,
                   leadq._programme_after(v.outcome, v_contact, o.phone) p
             where o.verification_id = v.verification_id
               and o.consent_pd
               and coalesce(o.consent_ads, v.consent_ads)))::text;
end
$$;


create or replace function leadq._end_visits(p_limit integer)
returns void
language plpgsql
as $$
declare
    v_visits uuid[];
begin
    -- Visits that nobody has ended within twelve hours: the person has left.
    -- Called by maintain().
    with ended as (
        update leadq.visit v
           set ended_at = leadq.now(),
               outcome = 'left'
         where v.visit_id in (
                select o.visit_id from leadq.visit o
                 where o.ended_at is null
                   and o.opened_at < leadq.now() - interval '12 hours'
                 order by o.opened_at
                 limit p_limit
                   for update skip locked)
        returning v.visit_id
    )
    select array_agg(e.visit_id) into v_visits from ended e;

    if v_visits is not null then
        perform leadq._add_jobs('visit', 0, 'rule', v_visits,
            array_fill(leadq.now(), array[cardinality(v_visits)]));
    end if;
end
$$;
