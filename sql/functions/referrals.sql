create or replace function leadq._plan_referrals(p_refs uuid[])
returns void
language plpgsql
as $$
declare
    v_refs uuid[];
begin
    -- Codes that these leads or visits named are looked at, now that it is
    -- known whose they are.
    select array_agg(r.referral_id order by r.referral_id) into v_refs
      from leadq.referral r
     where r.referral_id = any (p_refs)
       and r.state = 'waiting';

    if v_refs is not null then
        perform leadq._add_jobs('referral', 0, 'rule', v_refs,
            array_fill(leadq.now(), array[cardinality(v_refs)]));
    end if;
end
$$;


create or replace function leadq._refer_leads(p_leads uuid[])
returns void
language plpgsql
as $$
begin
    -- Leads may name the code of a friend, in the field promo.
    insert into leadq.referral (referral_id, kind, code, created_at)
    select l.lead_id, 'lead', l.request ->> 'promo', leadq.now()
      from leadq.lead l
     where l.lead_id = any (p_leads)
       and l.request ? 'promo'
    on conflict do nothing;

    if found then
        perform leadq._plan_referrals(p_leads);
    end if;
end
$$;


create or replace function leadq._judge_referrals(p_referrals uuid[])
returns void
language plpgsql
as $$
declare
    v_row record;
    v_reason text;
begin
    -- The rule of a code that a lead or a visit has named: it is put down to
    -- the owner of the code, by the same rule as at the till (_promo_fault),
    -- and for a person once; a use of the code it is not.  A repeat does
    -- nothing.
    perform from leadq.contact c
      where c.contact_id in (
            select coalesce(l.contact_id, v.contact_id)
              from leadq.referral r
              left join leadq.lead l on l.lead_id = r.referral_id
              left join leadq.visit v on v.visit_id = r.referral_id
             where r.referral_id = any (p_referrals))
      order by c.contact_id
        for no key update;

    for v_row in
        select r.referral_id, w.contact_id, c as code, p as programme,
               l.lead_id
          from leadq.referral r
          left join leadq.lead l on l.lead_id = r.referral_id
          left join leadq.visit v on v.visit_id = r.referral_id
         cross join lateral (
            select coalesce(l.contact_id, v.contact_id)) w (contact_id)
          left join leadq.promo_code c on c.code = r.code
          left join leadq.programme p on p.programme_id = c.programme_id
         where r.referral_id = any (p_referrals)
           and r.state = 'waiting'
         order by w.contact_id, r.created_at, r.referral_id
    loop
        v_reason := case
            when v_row.contact_id is null then 'nobody'
            when exists (select from leadq.referral o
                           join leadq.promo_code c using (code_id)
                          where o.contact_id = v_row.contact_id
                            and o.state = 'attributed'
                            and c.programme_id
                                = (v_row.code).programme_id) then 'enough'
            else leadq._promo_fault(v_row.code, v_row.programme,
                                    v_row.contact_id, null) end;

        update leadq.referral r
           set state = case when v_reason is null then 'attributed'
                       else 'refused' end,
               reason = v_reason,
               code_id = (v_row.code).code_id,
               contact_id = v_row.contact_id,
               judged_at = leadq.now()
         where r.referral_id = v_row.referral_id;

        if v_row.contact_id is not null then
            insert into leadq.event (at, kind, contact_id, lead_id, ref, data)
            values (leadq.now(), 'referral.' || case when v_reason is null
                        then 'attributed' else 'refused' end,
                    v_row.contact_id, v_row.lead_id, v_row.referral_id,
                    jsonb_strip_nulls(jsonb_build_object(
                        'programme', (v_row.programme).name,
                        'reason', v_reason)));
        end if;
    end loop;
end
$$;
