create or replace function leadq._merge_programmes(p_from bigint[],
    p_into bigint[])
returns void
language plpgsql
as $$
begin
    -- Visits, codes, gifts and what was said of friends go on under the
    -- survivor.  A use of a code that both have stays with the one who is
    -- gone: it was a use.
    update leadq.visit v
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where v.contact_id = m.contact;

    update leadq.promo_code c
       set owner_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where c.owner_id = m.contact;

    update leadq.redemption r
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where r.contact_id = m.contact
       and not exists (select from leadq.redemption o
                        where o.code_id = r.code_id
                          and o.contact_id = m.survivor
                          and o.state in ('reserved', 'redeemed'));

    update leadq.reward w
       set owner_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where w.owner_id = m.contact;

    update leadq.sms s
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where s.contact_id = m.contact;

    update leadq.identity_check i
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where i.contact_id = m.contact;

    update leadq.referral r
       set contact_id = m.survivor
      from unnest(p_from, p_into) m (contact, survivor)
     where r.contact_id = m.contact;
end
$$;


create or replace function leadq._erase_visits(p_contacts bigint[])
returns void
language plpgsql
as $$
begin
    -- What people have answered; that they came is counted on.
    update leadq.visit v
       set answers = null
     where v.contact_id = any (p_contacts)
       and v.answers is not null;
end
$$;
