create or replace function leadq._storage(p_parent text)
returns text
language sql immutable
as $$
    -- How partitions are vacuumed: the scheduled ones, which jobs leave, as
    -- soon as many have; those that are only appended to, for their
    -- visibility, now and then.
    select case p_parent
           when 'job_scheduled'
           then 'autovacuum_vacuum_scale_factor = 0, '
                'autovacuum_vacuum_threshold = 20000, '
                'autovacuum_vacuum_cost_delay = 0, '
                'autovacuum_vacuum_insert_scale_factor = 0, '
                'autovacuum_vacuum_insert_threshold = 1000000'
           else 'autovacuum_vacuum_insert_scale_factor = 0, '
                'autovacuum_vacuum_insert_threshold = 500000, '
                'autovacuum_analyze_scale_factor = 0, '
                'autovacuum_analyze_threshold = 500000'
           end
$$;


create or replace function leadq._add_partition(p_parent text, p_key text,
    p_from timestamptz, p_to timestamptz)
returns integer
language plpgsql
as $$
declare
    v_name text := p_parent || '_'
                   || to_char(p_from at time zone 'UTC', 'YYYYMMDD');
begin
    -- Makes the partition of p_parent for [p_from, p_to) unless it is there,
    -- and moves rows that came before it out of the default partition.
    -- Returns how many it made.
    if to_regclass('leadq.' || v_name) is not null then
        return 0;
    end if;

    execute format('create table leadq.%I (like leadq.%I '
                   'including defaults including constraints) with (%s)',
                   v_name, p_parent, leadq._storage(p_parent));
    execute format('lock table leadq.%I in access exclusive mode',
                   p_parent || '_default');
    execute format('with gone as (delete from leadq.%I '
                   'where %I >= %L and %I < %L returning *) '
                   'insert into leadq.%I select * from gone',
                   p_parent || '_default', p_key, p_from, p_key, p_to,
                   v_name);
    execute format('alter table leadq.%I attach partition leadq.%I '
                   'for values from (%L) to (%L)', p_parent, v_name, p_from,
                   p_to);
    return 1;
end
$$;


create or replace function leadq._drop_partitions(p_parent text,
    p_before timestamptz, p_if_empty boolean)
returns integer
language plpgsql
as $$
declare
    v_name text;
    v_used boolean;
    v_count integer := 0;
begin
    -- Drops the partitions of p_parent that begin before p_before, or only
    -- those of them that are empty.  Returns how many.
    for v_name in
        select c.relname
          from pg_inherits i
          join pg_class c on c.oid = i.inhrelid
         where i.inhparent = format('leadq.%I', p_parent)::regclass
           and c.relname ~ '_[0-9]{8}$'
           and right(c.relname, 8)
               < to_char(p_before at time zone 'UTC', 'YYYYMMDD')
         order by 1
    loop
        if p_if_empty then
            execute format('select exists (select from leadq.%I)', v_name)
                into v_used;
            continue when v_used;
        end if;

        execute format('drop table leadq.%I', v_name);
        v_count := v_count + 1;
    end loop;

    return v_count;
end
$$;


create or replace function leadq.maintain()
returns text
language plpgsql
security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
declare
    v_day timestamptz := date_trunc('day', leadq.now(), 'UTC');
    v_month timestamptz := date_trunc('month', leadq.now(), 'UTC');
    v_made integer := 0;
    v_dropped integer := 0;
    v_i integer;
    v_from timestamptz;
    v_to timestamptz;
begin
    -- Partitions for the days and months ahead; yesterday's empty days,
    -- attempts older than six months, ids of events posted before a month
    -- ago and providers' events older than ninety days go, and so does what
    -- is personal in leads that their source keeps no longer, and what
    -- verifications leave behind.  Visits that nobody has ended are over, and
    -- days of points that are over are counted for reports.  Cheap when there
    -- is nothing to do; one at a time.  Waits for no lock for long, as
    -- everybody else would wait behind it: there are two weeks to try again.
    -- Called by the worker at start and every ten minutes.  Returns a line
    -- for the log.
    if not pg_try_advisory_xact_lock(hashtext('leadq_maintain')) then
        return 'another worker is at it';
    end if;

    for v_i in 0 .. 15 loop
        v_made := v_made + leadq._add_partition('job_scheduled', 'run_at',
            v_day + make_interval(days => v_i),
            v_day + make_interval(days => v_i + 1));
    end loop;

    for v_i in 0 .. 1 loop
        v_from := (v_month at time zone 'UTC'
                   + make_interval(months => v_i)) at time zone 'UTC';
        v_to := (v_month at time zone 'UTC'
                 + make_interval(months => v_i + 1)) at time zone 'UTC';
        v_made := v_made
            + leadq._add_partition('job_done', 'done_at', v_from, v_to)
            + leadq._add_partition('event', 'at', v_from, v_to)
            + leadq._add_partition('fired', 'at', v_from, v_to);
    end loop;

    v_dropped := leadq._drop_partitions('job_scheduled', v_day, true)
        + leadq._drop_partitions('job_done', v_month - interval '6 months',
                                 false)
        + leadq._drop_partitions('fired', v_month - interval '14 months',
                                 false);

    delete from leadq.mail_event v
     where v.mail_event_id in (
            select o.mail_event_id from leadq.mail_event o
             where o.received_at < leadq.now() - interval '90 days'
             order by o.received_at
             limit 10000);

    delete from leadq.posted p
     where p.ctid = any (array(
            select o.ctid from leadq.posted o
             where o.at < leadq.now() - interval '1 month'
             order by o.at
             limit 50000));

    perform leadq._end_verifications(10000);
    perform leadq._end_promo();
    perform leadq._end_visits(10000);
    perform leadq._roll_desk();

    return format('partitions made=%s dropped=%s, leads erased=%s', v_made,
                  v_dropped, leadq._retain(1000));
exception when lock_not_available then
    return 'a table is locked';
end
$$;


create or replace function leadq.vacuum_held()
returns table (held_s integer, holder text)
language plpgsql
security definer set search_path = pg_catalog, pg_temp
as $$
declare
    c_held_s constant integer := 900;
    c_held_xids constant integer := 1000000;
begin
    -- What keeps vacuum from removing dead rows, so that the hot tables
    -- swell: a transaction, a prepared one, a replication slot or a standby,
    -- older than a quarter of an hour or a million transactions.  No row:
    -- nothing does.  held_s: seconds, null when only a count of transactions
    -- is known.  Called by the worker after maintain().
    return query
        select h.held_s::integer, h.holder
          from (select extract(epoch from clock_timestamp() - a.xact_start)
                           as held_s,
                       age(a.backend_xmin) as xids,
                       case when a.backend_type = 'walsender'
                            then 'standby pid=' || a.pid
                            else 'transaction pid=' || a.pid end as holder
                  from pg_stat_activity a
                 where a.backend_xmin is not null
                   and a.backend_type <> 'autovacuum worker'
                union all
                select extract(epoch from clock_timestamp() - x.prepared),
                       age(x.transaction),
                       format('prepared transaction gid=%s', x.gid)
                  from pg_prepared_xacts x
                union all
                select null, age(s.xmin), 'slot name=' || s.slot_name
                  from pg_replication_slots s
                 where s.xmin is not null) h
         where h.held_s > c_held_s
            or h.xids > c_held_xids
         order by h.held_s desc nulls last, h.xids desc
         limit 1;
end
$$;
