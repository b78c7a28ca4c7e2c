create or replace function leadq.rewards(p_state text default null)
returns table (reward bigint, programme text, code text, phone text,
    state text, flags text, earned_at timestamptz, due_at timestamptz)
language sql stable
as $$
    -- Gifts that owners of codes have earned, the latest first, of one state
    -- or (null) of all, with what speaks against each.  Called by leadqctl.
    select w.reward_id, p.name, c.code, leadq._masked(a.value), w.state,
           (select string_agg(distinct f.rule, ', ' order by f.rule)
              from leadq.promo_flag f
             where f.code_id = w.code_id),
           w.created_at, w.due_at
      from leadq.reward w
      join leadq.programme p using (programme_id)
      join leadq.promo_code c using (code_id)
      left join lateral (
        select min(o.value) as value
          from leadq.address o
         where o.contact_id = w.owner_id
           and o.channel = 'phone') a on true
     where p_state is null
        or w.state = p_state
     order by w.created_at desc, w.reward_id desc
$$;


create or replace function leadq.reward_set(p_reward bigint, p_state text)
returns text
language plpgsql
as $$
declare
    v_reward leadq.reward;
begin
    -- A gift is approved by hand, whatever its marks say and however long it
    -- was to be held; issued, when its owner has it; or cancelled.  Returns
    -- the state it was in.  Called by leadqctl; P0001 when there is no such
    -- gift, or it cannot become that any more.
    select w.* into v_reward
      from leadq.reward w
     where w.reward_id = p_reward
       for update;

    if not found then
        raise exception 'there is no gift %', p_reward
            using errcode = 'P0001';
    elsif not (p_state = 'approved' and v_reward.state = 'pending'
               or p_state = 'issued' and v_reward.state = 'approved'
               or p_state = 'cancelled'
                  and v_reward.state in ('pending', 'approved')) then
        raise exception 'gift % is %: it cannot be %', p_reward,
            v_reward.state, p_state using errcode = 'P0001';
    end if;

    update leadq.reward w
       set state = p_state,
           ended_at = case when p_state <> 'approved' then leadq.now() end
     where w.reward_id = p_reward;

    insert into leadq.event (at, kind, contact_id, data)
    select leadq.now(), 'reward.' || p_state, v_reward.owner_id,
           jsonb_build_object('programme', p.name)
      from leadq.programme p
     where p.programme_id = v_reward.programme_id;

    return v_reward.state;
end
$$;
