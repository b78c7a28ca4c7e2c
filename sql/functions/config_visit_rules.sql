create or replace function leadq._import_visit_rules(p_document jsonb)
returns setof text
language plpgsql
as $$
begin
    -- What looks invented, and what it weighs.  The rules are there; what
    -- an item does not say of one stays as it is.
    perform leadq._refuse(format('visit_rules[%s].name', w.n - 1),
            format('there is no rule "%s"', w.item ->> 'name'))
       from jsonb_array_elements(p_document -> 'visit_rules')
            with ordinality w (item, n)
      where not exists (select from leadq.visit_rule r
                         where r.name = w.item ->> 'name');

    return query
        with changed as (
            update leadq.visit_rule r
               set max = coalesce((w.item ->> 'max')::integer, r.max),
                   weight = coalesce((w.item ->> 'weight')::smallint,
                                     r.weight),
                   enabled = coalesce((w.item ->> 'enabled')::boolean,
                                      r.enabled)
              from jsonb_array_elements(p_document -> 'visit_rules') w (item)
             where r.name = w.item ->> 'name'
               and jsonb_build_object('max', r.max, 'weight', r.weight,
                                      'enabled', r.enabled) || w.item
                   <> jsonb_build_object('name', r.name, 'max', r.max,
                          'weight', r.weight, 'enabled', r.enabled)
            returning r.name
        )
        select 'visit rule ' || c.name from changed c order by 1;
end
$$;


create or replace function leadq._visit_rule_documents()
returns jsonb
language sql stable
as $$
    select jsonb_agg(to_jsonb(r) order by r.name) from leadq.visit_rule r
$$;
