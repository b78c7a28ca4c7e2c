create or replace function leadq.begin_batch(p_programme text, p_batch uuid)
returns integer
language plpgsql
as $$
declare
    v_codes integer;
begin
    -- Makes a batch of codes of a programme, or goes on with the one that is
    -- there; nobody else adds to it until the transaction ends.  Returns how
    -- many codes it has.  Called by leadqctl and add_codes(); P0001 for a
    -- programme that is not there, and for the batch of another one.
    insert into leadq.promo_batch (batch_id, programme_id, codes, created_at)
    select p_batch, p.programme_id, 0, leadq.now()
      from leadq.programme p
     where p.name = p_programme
    on conflict do nothing;

    select b.codes into v_codes
      from leadq.promo_batch b
      join leadq.programme p using (programme_id)
     where b.batch_id = p_batch
       and p.name = p_programme
       for update of b;

    if found then
        return v_codes;
    elsif exists (select from leadq.programme p
                   where p.name = p_programme) then
        raise exception 'the batch is of another programme than "%"',
            p_programme using errcode = 'P0001';
    end if;

    raise exception 'there is no programme "%"', p_programme
        using errcode = 'P0001';
end
$$;


create or replace function leadq.add_codes(p_programme text, p_batch uuid,
    p_codes text[])
returns integer
language plpgsql
as $$
declare
    v_count integer;
begin
    -- Adds codes that leadqctl has made to a batch of a programme; those
    -- that are there already are left out.  Returns how many are new.
    -- Called by leadqctl, with some thousands at a time; raises what
    -- begin_batch() does.
    perform leadq.begin_batch(p_programme, p_batch);

    insert into leadq.promo_code (programme_id, code, batch_id, max_uses,
           starts_at, expires_at)
    select p.programme_id, c.code, p_batch, p.max_uses, leadq.now(),
           leadq.now() + p.life
      from leadq.programme p
     cross join unnest(p_codes) c (code)
     where p.name = p_programme
    on conflict (code) do nothing;

    get diagnostics v_count = row_count;

    update leadq.promo_batch b
       set codes = b.codes + v_count
     where b.batch_id = p_batch;

    return v_count;
end
$$;


create or replace function leadq.batch_codes(p_batch uuid, p_after bigint,
    p_limit integer)
returns table (code_id bigint, code text)
language sql stable
set enable_seqscan = off set jit = off  -- see README.md, Plans
as $$
    -- The codes of a batch behind one of them, in the order in which they
    -- were added; the first ones are behind 0.  Called by leadqctl.
    select c.code_id, c.code
      from leadq.promo_code c
     where c.batch_id = p_batch
       and c.code_id > p_after
     order by c.code_id
     limit p_limit
$$;


create or replace function leadq.batches(p_programme text)
returns table (batch uuid, made timestamptz, codes integer, used bigint)
language plpgsql stable
as $$
begin
    -- The batches of a programme, the latest first: how many codes each has,
    -- and how often they were used.  Reads all codes of the programme.
    -- Called by leadqctl; P0001 for a programme that is not there.
    if not exists (select from leadq.programme p
                    where p.name = p_programme) then
        raise exception 'there is no programme "%"', p_programme
            using errcode = 'P0001';
    end if;

    return query
        select b.batch_id, b.created_at, b.codes, coalesce(c.used, 0)
          from leadq.promo_batch b
          join leadq.programme p using (programme_id)
          left join (select o.batch_id, sum(o.used) as used
                       from leadq.promo_code o
                       join leadq.programme q using (programme_id)
                      where q.name = p_programme
                      group by o.batch_id) c using (batch_id)
         where p.name = p_programme
         order by b.created_at desc, b.batch_id desc;
end
$$;
