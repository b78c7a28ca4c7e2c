create or replace function leadq._visit_order(p_kind text)
returns text
language sql immutable
as $$
    -- What a visitor has to do for a code of a kind of programme.
    select case p_kind when 'referral' then 'purchase'
                       when 'trial' then 'test' end
$$;


create or replace function leadq._programme_after(p_outcome text,
    p_contact bigint, p_phone text)
returns leadq.programme
language plpgsql stable
as $$
declare
    v_programme leadq.programme;
begin
    -- The programme of which a person (null: nobody knows him yet) with this
    -- number gets a code after a visit; null: of none.  A purchase earns a
    -- code for friends, unless he holds one that is still good (W-13); a test
    -- one for himself, once, unless he has bought before (W-15).  Who works
    -- here gets none.
    select p.* into v_programme
      from leadq.programme p
     where leadq._visit_order(p.kind) = p_outcome
       and p.gateway_id is not null
       and p.active
       and not exists (
            select from leadq.promo_code c
             where c.owner_id = p_contact
               and c.programme_id = p.programme_id
               and (p.kind = 'trial'
                    or not c.disabled and c.expires_at > leadq.now()
                       and c.used < c.max_uses))
       and (p.kind <> 'trial'
            or not exists (select from leadq.visit v
                            where v.contact_id = p_contact
                              and v.outcome = 'purchase'))
       and not exists (select from leadq.staff_phone s
                        where s.phone = p_phone);

    return v_programme;
end
$$;


create or replace function leadq._take_visits(p_visits uuid[])
returns void
language plpgsql
as $$
declare
    v_known uuid[];
    v_row record;
begin
    -- The rule of a visit that is over: whose it was, what he agreed to
    -- (asked twice: by the questionnaire here, with the number by the
    -- verification, W-7 and W-8), the code that he has earned with its
    -- message, the check of his age, the friend whose code he named, and
    -- what looks invented.  A repeat does nothing again.
    -- A flag refers to its visit: other visits of the day must not wait.
    perform from leadq.visit v
      where v.visit_id = any (p_visits)
      order by v.visit_id
        for no key update;

    perform leadq._meet_verified(array(
        select v.verification_id from leadq.visit v
         where v.visit_id = any (p_visits)
           and v.verification_id is not null));

    perform from leadq.contact c
      where c.contact_id in (
            select a.contact_id
              from leadq.visit v
              join leadq.verification o using (verification_id)
              join leadq.address a
                on a.channel = 'phone'
               and a.value = o.phone
             where v.visit_id = any (p_visits))
      order by c.contact_id
        for no key update;

    with known as (
        update leadq.visit v
           set contact_id = a.contact_id
          from leadq.verification o
          join leadq.address a
            on a.channel = 'phone'
           and a.value = o.phone
         where v.visit_id = any (p_visits)
           and v.contact_id is null
           and o.verification_id = v.verification_id
        returning v.visit_id
    )
    select array_agg(k.visit_id) into v_known from known k;

    for v_row in
        select v as visit
          from leadq.visit v
         where v.visit_id = any (v_known)
         order by v.contact_id, v.visit_id
    loop
        perform leadq._take_visit(v_row.visit);
    end loop;

    perform leadq._plan_referrals(p_visits);
    perform leadq._flag_visits(p_visits);
end
$$;


create or replace function leadq._take_visit(v leadq.visit)
returns void
language plpgsql
as $$
declare
    v_programme leadq.programme;
    v_code bigint;
begin
    -- What follows from one visit of a person, who is locked.
    insert into leadq.consent (contact_id, purpose, channel, action, evidence,
           text_version, text_sha256, text_lang, advisor_id, point_id, at)
    select v.contact_id, c.purpose, 'any',
           case when c.given then 'given' else 'refused' end, 'checkbox',
           v.text_version, t.sha256, t.lang, a.name, o.name, v.opened_at
      from (values ('pd_processing', v.consent_pd), ('ads', v.consent_ads))
           c (purpose, given)
      join leadq.advisor a on a.advisor_id = v.advisor_id
      join leadq.point o on o.point_id = v.point_id
      left join leadq.consent_text t
        on t.purpose = c.purpose
       and t.version = v.text_version
       and t.lang = v.lang
     order by c.purpose desc;

    insert into leadq.event (at, kind, contact_id, ref, data)
    select v.ended_at, 'visit.ended', v.contact_id, v.visit_id,
           jsonb_build_object('outcome', v.outcome, 'point', o.name)
      from leadq.point o
     where o.point_id = v.point_id;

    v_programme := leadq._programme_after(v.outcome, v.contact_id,
        (select o.phone from leadq.verification o
          where o.verification_id = v.verification_id));

    if v_programme is null
       or not leadq._agreed_to_ads(v.contact_id, 'sms') then
        return;
    end if;

    v_code := leadq._issue_code(v_programme, v.contact_id, v.visit_id);

    perform leadq._plan_sms(v.contact_id, v_code, v.point_id, v.lang,
                            v.ended_at);

    if v_programme.identity_id is not null then
        perform leadq._plan_identity(v.contact_id, v_programme.identity_id,
                                     v.visit_id);
    end if;
end
$$;


create or replace function leadq._issue_code(p_programme leadq.programme,
    p_contact bigint, p_visit uuid)
returns bigint
language plpgsql
as $$
declare
    v_code bigint;
begin
    -- Makes a code of a programme that a person owns, for a visit; returns
    -- its id.
    loop
        insert into leadq.promo_code (programme_id, code, owner_id, max_uses,
               starts_at, expires_at, visit_id, issue_point_id,
               issue_advisor_id)
        select p_programme.programme_id, leadq._new_code(), p_contact,
               p_programme.max_uses, leadq.now(),
               leadq.now() + p_programme.life, v.visit_id, v.point_id,
               v.advisor_id
          from leadq.visit v
         where v.visit_id = p_visit
        on conflict (code) do nothing
        returning code_id into v_code;

        exit when found;
    end loop;

    insert into leadq.event (at, kind, contact_id, ref, data)
    values (leadq.now(), 'code.issued', p_contact, p_visit,
            jsonb_build_object('programme', p_programme.name,
                               'kind', p_programme.kind));

    return v_code;
end
$$;


create or replace function leadq._new_code()
returns text
language plpgsql volatile
as $$
declare
    c_symbols constant text := '23456789ACEHKMPTX';
    v_number bigint;
    v_sum integer;
    v_digit integer;
    v_code text;
begin
    -- A code that nobody can guess: eleven symbols, 45 bits of the server's
    -- strong random numbers, and the check symbol that the module and
    -- leadqctl (worker/ctl_codes_make.c) know.  No four letters in a row,
    -- which might be a word.
    loop
        v_number := ('x' || left(encode(sha256(uuid_send(gen_random_uuid())
                        || uuid_send(gen_random_uuid())), 'hex'), 16)
                    )::bit(64)::bigint & x'7fffffffffffffff'::bigint;
        v_code := '';
        v_sum := 0;

        for v_place in 0 .. 10 loop
            v_digit := v_number % 17;
            v_number := v_number / 17;
            v_sum := v_sum + (v_place + 2) * v_digit;
            v_code := v_code || substr(c_symbols, v_digit + 1, 1);
        end loop;

        v_code := v_code || substr(c_symbols, v_sum % 17 + 1, 1);
        exit when v_code !~ '[A-Z]{4}';
    end loop;

    return v_code;
end
$$;
