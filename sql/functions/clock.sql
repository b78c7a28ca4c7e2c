create or replace function leadq.now()
returns timestamptz
language plpgsql stable
as $$
begin
    -- The time that every rule goes by; moves on by itself, and by
    -- shift_time in a test database.  One value within a transaction.
    -- In plpgsql for its cached plan.
    return pg_catalog.now() + (select c.shift from leadq.clock c);
end
$$;


create or replace function leadq.shift_time(p_by interval)
returns timestamptz
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- Moves leadq.now() forward (or back) by p_by, so that a series of a
    -- week is tested in a moment.  Raises 42501 outside a test database.
    update leadq.clock set shift = shift + p_by where test;

    if not found then
        raise exception 'time can be shifted in a test database only'
            using errcode = '42501',
                  hint = 'A test database is made by '
                         '"leadqctl migrate --test-database".';
    end if;

    perform pg_notify('leadq_ready', '');
    return leadq.now();
end
$$;


create or replace function leadq.web_api()
returns integer
language sql immutable
as $$
    -- The version of the contract with the nginx module, which checks it
    -- when it connects.
    select 1
$$;


create or replace function leadq.worker_api()
returns integer
language sql immutable
as $$
    -- The version of the contract with the worker, which checks it when it
    -- connects.
    select 4
$$;
