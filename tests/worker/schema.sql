-- The worker's side of the SQL contract on one simple table, so that the
-- tests of the worker depend on no business rule.

create schema leadq;

create sequence leadq.job_seq;

-- As in the real one, a job's id carries its lane: 1 realtime, 2 service,
-- 3 bulk.
create table leadq.job (
    job_id      bigint primary key default nextval('leadq.job_seq') * 8 + 2,
    kind        text not null default 'postback',
    target      text not null default 'network:test',
    payload     text,
    state       text not null default 'ready',
    attempt     integer not null default 0,
    run_at      timestamptz not null default clock_timestamp(),
    token       uuid,
    worker      text,
    lease_until timestamptz,
    outcomes    text[] not null default '{}',
    details     jsonb[] not null default '{}',
    armed_at    timestamptz,
    next_id     bigint
);

create table leadq.setting (
    api     integer not null default 4,
    retry_s integer not null default 0,
    rules   integer not null default 0,
    poison  bigint,
    stale   bigint,
    holder  text
);

create table leadq.call (
    name text not null,
    at   timestamptz not null default clock_timestamp()
);

insert into leadq.setting default values;

create function leadq.worker_api() returns integer
language sql as 'select api from leadq.setting';

create function leadq.run_rules(p_limit integer) returns integer
language plpgsql as $$
declare
    v_n integer;
begin
    -- Rules are a number that goes down.
    select least(rules, p_limit) into v_n from leadq.setting for update;
    if v_n > 0 then
        update leadq.setting set rules = rules - v_n;
        insert into leadq.call (name) select 'rule'
          from generate_series(1, v_n);
    end if;
    return v_n;
end
$$;

create function leadq.promote_jobs(p_limit integer)
returns table (moved integer, next_ms bigint)
language plpgsql as $$
begin
    with due as (
        select job_id from leadq.job
         where state = 'scheduled' and run_at <= clock_timestamp()
         limit p_limit for update skip locked
    )
    update leadq.job j set state = 'ready'
      from due where j.job_id = due.job_id;
    get diagnostics moved = row_count;
    select ceil(extract(epoch from min(run_at) - clock_timestamp()) * 1000)
      into next_ms
      from leadq.job where state = 'scheduled';
    return next;
end
$$;

create function leadq.claim_jobs(p_worker text, p_lanes text[],
    p_limits integer[], p_after bigint[], p_lease_s integer,
    p_avoid text[], p_avoid_s integer[])
returns table (job_id bigint, token uuid, kind text, target text,
    attempt integer, payload text)
language sql as $$
    with due as (
        select d.job_id
          from unnest(p_limits, p_after) with ordinality l (room, after, lane)
         cross join lateral (
            select j.job_id from leadq.job j
             where j.job_id % 8 = l.lane and j.job_id > l.after
               and (state = 'ready'
                    or (state = 'leased' and lease_until < clock_timestamp()))
             order by j.job_id limit l.room for update skip locked) d
    )
    update leadq.job j
       set state = 'leased', token = gen_random_uuid(), worker = p_worker,
           attempt = j.attempt + 1,
           lease_until = clock_timestamp() + make_interval(secs => p_lease_s)
      from due
     where j.job_id = due.job_id
    returning j.job_id, j.token, j.kind, j.target, j.attempt, j.payload;
$$;

-- What the worker said of each code, and whether it was to be sent.
create table leadq.arming (
    job_id    bigint not null,
    code_key  smallint,
    check_key smallint,
    mac       text,
    segments  smallint not null,
    armed     boolean not null
);

create function leadq.arm_codes(p_jobs bigint[], p_tokens uuid[],
    p_code_keys smallint[], p_check_keys smallint[], p_macs text[],
    p_segments smallint[])
returns table (job_id bigint, armed boolean)
language sql as $$
    -- Who is slow, or poison, is so for the whole statement.
    insert into leadq.call (name) values ('arm');
    with fit as (
        update leadq.job j
           set armed_at = clock_timestamp()
          from unnest(p_jobs, p_tokens) i (job_id, token)
         where j.job_id = i.job_id and j.token = i.token
           and j.state = 'leased' and j.armed_at is null
           and j.job_id is distinct from (select stale from leadq.setting)
        returning j.job_id, 1 / (j.job_id - coalesce(
            (select poison from leadq.setting), 0)) as poisoned
    )
    insert into leadq.arming
    select i.job_id, i.code_key, i.check_key, i.mac, i.segments,
           f.job_id is not null
      from unnest(p_jobs, p_code_keys, p_check_keys, p_macs, p_segments)
           i (job_id, code_key, check_key, mac, segments)
      left join fit f using (job_id)
    returning job_id, armed;
$$;

create function leadq.settle_jobs(p_jobs bigint[], p_tokens uuid[],
    p_outcomes text[], p_details text[])
returns table (job_id bigint, settled boolean, state text, next_s integer)
language plpgsql as $$
#variable_conflict use_column
begin
    if (select poison = any (p_jobs) from leadq.setting) then
        raise exception 'poison' using errcode = '22000';
    end if;
    return query
    with input as (
        select * from unnest(p_jobs, p_tokens, p_outcomes, p_details)
               i (job_id, token, outcome, detail)
    ), gone as (
        update leadq.job j
           set state = case i.outcome when 'retry' then 'scheduled'
                       else i.outcome end,
               run_at = clock_timestamp() + make_interval(secs =>
                   greatest((select retry_s from leadq.setting),
                            coalesce((i.detail::jsonb ->> 'retry_after_s')
                                     ::integer, 0))),
               outcomes = j.outcomes || i.outcome,
               details = j.details || i.detail::jsonb
          from input i
         where j.job_id = i.job_id and j.state = 'leased'
           and j.token = i.token
        returning j.job_id, j.state, j.run_at, j.next_id
    ), freed as (
        update leadq.job j set state = 'ready'
          from gone g where j.job_id = g.next_id
    )
    select i.job_id, g.job_id is not null, g.state,
           case when g.state = 'scheduled' then
           extract(epoch from g.run_at - clock_timestamp())::integer end
      from input i left join gone g on g.job_id = i.job_id;
end
$$;

create function leadq.release_jobs(p_jobs bigint[], p_tokens uuid[],
    p_delays_s integer[])
returns integer
language sql as $$
    insert into leadq.call (name) values ('release');
    with gone as (
        update leadq.job j
           set state = case when i.delay_s > 0 then 'scheduled'
                       else 'ready' end,
               run_at = clock_timestamp() + make_interval(secs => i.delay_s),
               token = null, armed_at = null, attempt = attempt - 1
          from unnest(p_jobs, p_tokens, p_delays_s) i (job_id, token, delay_s)
         where j.job_id = i.job_id and j.token = i.token
           and j.state = 'leased'
        returning 1
    )
    select count(*)::integer from gone;
$$;

create function leadq.extend_jobs(p_jobs bigint[], p_tokens uuid[],
    p_lease_s integer)
returns table (job_id bigint, extended boolean)
language sql as $$
    insert into leadq.call (name) values ('extend');
    with longer as (
        update leadq.job j
           set lease_until = clock_timestamp()
                             + make_interval(secs => p_lease_s)
          from unnest(p_jobs, p_tokens) i (job_id, token)
         where j.job_id = i.job_id and j.token = i.token
           and j.state = 'leased'
        returning j.job_id
    )
    select i.job_id, l.job_id is not null
      from unnest(p_jobs) i (job_id) left join longer l using (job_id);
$$;

create function leadq.queue_figures()
returns table (figure text, lane text, value double precision)
language sql as $$
    select 'ready', 'service', count(*)::double precision
      from leadq.job where state = 'ready'
    union all
    select 'scheduled', null, count(*) from leadq.job
     where state = 'scheduled'
    union all
    select 'of another release', null, 1;
$$;

create function leadq.code_figures()
returns table (figure text, label1 text, label2 text, label3 text,
    label4 text, value double precision)
language sql as $$
    values ('codes_sent', 'sms', 'МТС "1', null::text, null::text,
            3::double precision),
           ('limit_denied', 'landing', 'ip-hour', 'ip', 'enforce', 2),
           ('promo_denied', 'promo-exhausted', null, null, null, 1);
$$;

create function leadq.vacuum_held()
returns table (held_s integer, holder text)
language sql as $$
    select 1000, holder from leadq.setting where holder is not null;
$$;

create function leadq.maintain() returns text
language sql as $$
    insert into leadq.call (name) values ('maintain');
    select 'nothing to do';
$$;

create table leadq.mailbox (
    open    boolean not null default true,
    trouble boolean not null default false
);
insert into leadq.mailbox default values;

create table leadq.report (
    report  jsonb not null
);

create function leadq.lease_mailbox(p_worker text, p_lease_s integer)
returns boolean
language sql as 'select open from leadq.mailbox';

create function leadq.take_reports(p_reports text[]) returns integer
language plpgsql as $$
begin
    insert into leadq.call (name) values ('reports');
    if (select trouble from leadq.mailbox) then
        raise exception 'no';
    end if;
    insert into leadq.report select r::jsonb from unnest(p_reports) r;
    return cardinality(p_reports);
end
$$;
