create or replace function leadq._import_points(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_before text;
    v_point integer;
begin
    -- Points, who works there, and the numbers of all who do; the list of
    -- numbers replaces the one in force.
    for v_row in
        select p.value as item, p.n - 1 as i, p.value ->> 'name' as name,
               coalesce(p.value ->> 'time_zone', 'Europe/Moscow') as zone
          from jsonb_array_elements(p_document -> 'points')
               with ordinality p (value, n)
    loop
        if not leadq._is_zone(v_row.zone) then
            perform leadq._refuse(format('points[%s].time_zone', v_row.i),
                format('there is no time zone "%s"', v_row.zone));
        end if;

        v_before := leadq._point_document(v_row.name)::text;

        if v_row.item ? 'text_version'
           and not exists (select from leadq.consent_text t
                            where t.version
                                  = v_row.item ->> 'text_version') then
            perform leadq._refuse(format('points[%s].text_version', v_row.i),
                format('there are no consent texts of version "%s"',
                       v_row.item ->> 'text_version'));
        end if;

        insert into leadq.point (name, title, time_zone, opens, closes,
               text_version)
        values (v_row.name, coalesce(v_row.item ->> 'title', v_row.name),
                v_row.zone,
                coalesce(v_row.item ->> 'opens', '10:00')::time,
                coalesce(v_row.item ->> 'closes', '22:00')::time,
                v_row.item ->> 'text_version')
        on conflict (name) do update
           set title = excluded.title,
               time_zone = excluded.time_zone,
               opens = excluded.opens,
               closes = excluded.closes,
               text_version = excluded.text_version;

        if v_before is distinct from leadq._point_document(v_row.name)::text
        then
            return next 'point ' || v_row.name;
        end if;
    end loop;

    for v_row in
        select a.value as item, a.n - 1 as i, a.value ->> 'name' as name,
               a.value ->> 'point' as point,
               coalesce(a.value ->> 'role', 'advisor') as role
          from jsonb_array_elements(p_document -> 'advisors')
               with ordinality a (value, n)
    loop
        select p.point_id into v_point
          from leadq.point p
         where p.name = v_row.point;

        if v_row.point is not null and v_point is null then
            perform leadq._refuse(format('advisors[%s].point', v_row.i),
                format('there is no point "%s"', v_row.point));
        elsif v_row.role = 'advisor' and v_point is null then
            perform leadq._refuse(format('advisors[%s].point', v_row.i),
                'an advisor works at a point: name it');
        end if;

        v_before := leadq._advisor_document(v_row.name)::text;

        insert into leadq.advisor (name, title, role, point_id, active)
        values (v_row.name, coalesce(v_row.item ->> 'title', v_row.name),
                v_row.role, v_point,
                coalesce((v_row.item ->> 'active')::boolean, true))
        on conflict (name) do update
           set title = excluded.title,
               role = excluded.role,
               point_id = excluded.point_id,
               active = excluded.active;

        if v_before
           is distinct from leadq._advisor_document(v_row.name)::text then
            return next 'advisor ' || v_row.name;
        end if;
    end loop;

    if jsonb_typeof(p_document -> 'staff') = 'array' then
        select string_agg(s.phone, ' ' order by s.phone) into v_before
          from leadq.staff_phone s;

        delete from leadq.staff_phone;
        insert into leadq.staff_phone (phone)
        select distinct s
          from jsonb_array_elements_text(p_document -> 'staff') s;

        if v_before is distinct from
           (select string_agg(s.phone, ' ' order by s.phone)
              from leadq.staff_phone s) then
            return next 'staff';
        end if;
    end if;
end
$$;


create or replace function leadq._point_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', p.name, 'title', p.title,
               'time_zone', p.time_zone, 'opens', left(p.opens::text, 5),
               'closes', left(p.closes::text, 5),
               'text_version', p.text_version)
      from leadq.point p
     where p.name = p_name
$$;


create or replace function leadq._advisor_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', a.name, 'title', a.title,
               'role', a.role, 'active', a.active,
               'point', (select p.name from leadq.point p
                          where p.point_id = a.point_id))
      from leadq.advisor a
     where a.name = p_name
$$;


create or replace function leadq._import_programmes(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_row record;
    v_before text;
    v_referral boolean;
    v_message jsonb;
    v_gateway integer;
    v_identity integer;
begin
    -- Programmes; what is not said is what the kind brings along.  Codes
    -- that are out keep their number of uses and their end.
    for v_row in
        select p.value as item, p.n - 1 as i, p.value ->> 'name' as name,
               coalesce(p.value ->> 'kind', 'promo') as kind
          from jsonb_array_elements(p_document -> 'programmes')
               with ordinality p (value, n)
    loop
        perform leadq._refuse(format('programmes[%s].kind', v_row.i),
                format('"%s" is %s: a programme keeps its kind', v_row.name,
                       o.kind))
           from leadq.programme o
          where o.name = v_row.name
            and o.kind <> v_row.kind;

        v_referral := v_row.kind = 'referral';
        v_message := v_row.item -> 'message';
        v_gateway := leadq._named_gateway(v_message ->> 'gateway',
            array['sms', 'messenger', 'push'],
            format('programmes[%s].message.gateway', v_row.i));
        v_identity := leadq._named_gateway(v_row.item ->> 'identity',
            array['identity'], format('programmes[%s].identity', v_row.i));
        v_before := leadq._programme_document(v_row.name)::text;

        insert into leadq.programme (name, title, kind, discount, max_uses,
               per_customer, new_customer_only, reserve_for, reward_after,
               hold, life, active, gateway_id, texts, send_days, window_from,
               window_to, identity_id, discount_cost, reward_cost)
        values (v_row.name, coalesce(v_row.item ->> 'title', v_row.name),
                v_row.kind, v_row.item ->> 'discount',
                coalesce((v_row.item ->> 'max_uses')::integer,
                         case when v_referral then 3 else 1 end),
                coalesce((v_row.item ->> 'per_customer')::integer, 1),
                coalesce((v_row.item ->> 'new_customer_only')::boolean,
                         v_referral),
                coalesce(v_row.item ->> 'reserve_for', '15 min')::interval,
                case when v_row.item ? 'reward_after'
                     then (v_row.item ->> 'reward_after')::integer
                     when v_referral
                     then coalesce((v_row.item ->> 'max_uses')::integer, 3)
                end,
                coalesce(v_row.item ->> 'hold', '14 days')::interval,
                coalesce(v_row.item ->> 'life', case v_row.kind
                    when 'referral' then '90 days' when 'trial' then '30 days'
                    else '365 days' end)::interval,
                coalesce((v_row.item ->> 'active')::boolean, true),
                v_gateway, v_message -> 'text',
                coalesce((v_message ->> 'days')::integer,
                         v_referral::integer),
                coalesce(v_message -> 'window' ->> 'from', '10:00')::time,
                coalesce(v_message -> 'window' ->> 'to', '20:00')::time,
                v_identity,
                coalesce((v_row.item ->> 'discount_cost')::numeric, 0),
                coalesce((v_row.item ->> 'reward_cost')::numeric, 0))
        on conflict (name) do update
           set title = excluded.title,
               discount = excluded.discount,
               max_uses = excluded.max_uses,
               per_customer = excluded.per_customer,
               new_customer_only = excluded.new_customer_only,
               reserve_for = excluded.reserve_for,
               reward_after = excluded.reward_after,
               hold = excluded.hold,
               life = excluded.life,
               active = excluded.active,
               gateway_id = excluded.gateway_id,
               texts = excluded.texts,
               send_days = excluded.send_days,
               window_from = excluded.window_from,
               window_to = excluded.window_to,
               identity_id = excluded.identity_id,
               discount_cost = excluded.discount_cost,
               reward_cost = excluded.reward_cost;

        if v_before
           is distinct from leadq._programme_document(v_row.name)::text then
            return next 'programme ' || v_row.name;
        end if;
    end loop;

    -- Of two nobody could say which one a visit is for.
    perform leadq._refuse('programmes', format('%s both send codes after a '
                'visit: let one of them, or switch one off',
                string_agg('"' || p.name || '"', ' and ' order by p.name)))
       from leadq.programme p
      where p.active
        and p.gateway_id is not null
        and leadq._visit_order(p.kind) is not null
      group by p.kind
     having count(*) > 1;
end
$$;


create or replace function leadq._named_gateway(p_name text,
    p_channels text[], p_path text)
returns integer
language plpgsql stable
as $$
declare
    v_gateway leadq.gateway;
begin
    -- The gateway that a document names, of one of these channels; null for
    -- none.
    select g.* into v_gateway from leadq.gateway g where g.name = p_name;

    if p_name is null then
        return null;
    elsif v_gateway.gateway_id is null then
        perform leadq._refuse(p_path, format('there is no gateway "%s"',
                                             p_name));
    elsif v_gateway.channel <> all (p_channels) then
        perform leadq._refuse(p_path, format('"%s" is of the channel %s: it '
                    'takes one of %s', p_name, v_gateway.channel,
                    array_to_string(p_channels, ', ')));
    end if;

    return v_gateway.gateway_id;
end
$$;


create or replace function leadq._programme_document(p_name text)
returns jsonb
language sql stable
as $$
    select jsonb_build_object('name', p.name, 'title', p.title,
               'kind', p.kind, 'discount', p.discount,
               'max_uses', p.max_uses, 'per_customer', p.per_customer,
               'new_customer_only', p.new_customer_only,
               'reserve_for', p.reserve_for::text,
               'reward_after', p.reward_after, 'hold', p.hold::text,
               'life', p.life::text, 'active', p.active,
               'message', case when p.gateway_id is not null
                    then jsonb_build_object('gateway', g.name,
                        'text', p.texts, 'days', p.send_days,
                        'window', jsonb_build_object(
                            'from', left(p.window_from::text, 5),
                            'to', left(p.window_to::text, 5))) end,
               'identity', i.name,
               'discount_cost', trim_scale(p.discount_cost),
               'reward_cost', trim_scale(p.reward_cost))
      from leadq.programme p
      left join leadq.gateway g on g.gateway_id = p.gateway_id
      left join leadq.gateway i on i.gateway_id = p.identity_id
     where p.name = p_name
$$;


create or replace function leadq._import_questions(p_document jsonb)
returns setof text
language plpgsql
as $$
declare
    v_before jsonb := leadq._questions_document();
begin
    -- The questionnaire; the list replaces the one in force.
    if jsonb_typeof(p_document -> 'questions') is distinct from 'array' then
        return;
    end if;

    delete from leadq.question;
    insert into leadq.question (name, place, title, type, choices, required)
    select q.value ->> 'name', q.n,
           coalesce(q.value -> 'title',
                    jsonb_build_object('ru', q.value ->> 'name')),
           coalesce(q.value ->> 'type', 'text'), q.value -> 'choices',
           coalesce((q.value ->> 'required')::boolean, true)
      from jsonb_array_elements(p_document -> 'questions')
           with ordinality q (value, n);

    if v_before is distinct from leadq._questions_document() then
        return next 'questions';
    end if;
end
$$;


create or replace function leadq._questions_document()
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'name', q.name, 'title', q.title, 'type', q.type,
               'choices', q.choices, 'required', q.required))
               order by q.place), '[]')
      from leadq.question q
$$;
