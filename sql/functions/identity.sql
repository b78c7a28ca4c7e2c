create or replace function leadq._identity_fault(p_contact bigint,
    p_gateway integer)
returns text
language plpgsql stable
as $$
begin
    -- Why the verdict on a person lets no message leave: "identity-open"
    -- before there is one; null: he has passed.
    return (
        select case coalesce(max(i.state), 'queued')
               when 'passed' then null
               when 'queued' then 'identity-open'
               when 'pending' then 'identity-open'
               else 'identity-' || max(i.state) end
          from (select o.state
                  from leadq.contact c
                  join leadq.identity_check o using (contact_id)
                 where (c.contact_id = p_contact or c.merged_into = p_contact)
                   and o.gateway_id = p_gateway
                 order by o.created_at desc
                 limit 1) i);
end
$$;
