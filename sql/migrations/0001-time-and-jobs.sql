-- Time that a test database can shift, and the jobs: ready, scheduled and
-- done apart, so that the hot table stays small whatever lies ahead.

create table leadq.clock (
    only_row    boolean     not null default true,
    test        boolean     not null default false,
    shift       interval    not null default '0',
    constraint clock_pk primary key (only_row),
    constraint clock_only_row_ck check (only_row),
    constraint clock_shift_ck check (test or shift = interval '0')
);

insert into leadq.clock default values;

comment on table leadq.clock is
    'One row. shift is added to the time of leadq.now(), in a database that '
    'was made by "leadqctl migrate --test-database" and nowhere else.';


-- A job's id carries its lane: id % 8, so that an id alone finds the row.
-- Lanes: 0 rule, 1 realtime, 2 service, 3 bulk.
create sequence leadq.job_seq cache 100;

create table leadq.job_ready (
    lane            smallint    not null,
    job_id          bigint      not null,
    kind            text        not null,
    target          text        not null,
    ref             uuid        not null,
    attempt         integer     not null default 0,
    created_at      timestamptz not null,
    lease_token     uuid,
    lease_until     timestamptz,
    lease_worker    text,
    constraint job_ready_pk primary key (lane, job_id),
    constraint job_ready_lane_ck
        check (lane between 0 and 3 and job_id % 8 = lane)
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 20000
);

comment on table leadq.job_ready is
    'Jobs that may start now. Lane 0 (rule) is run inside the database by '
    'run_rules; the others are leased to workers by claim_jobs. ref is the '
    'row that the job is about: lead, enrolment, message or postback.';
comment on column leadq.job_ready.lease_until is
    'Real time, never shifted: a lease is about a process, not a rule.';


create table leadq.job_scheduled (
    run_at          timestamptz not null,
    lane            smallint    not null,
    job_id          bigint      not null,
    kind            text        not null,
    target          text        not null,
    ref             uuid        not null,
    attempt         integer     not null default 0,
    created_at      timestamptz not null
) partition by range (run_at);

create index job_scheduled_run_at_ix on leadq.job_scheduled (run_at);

create table leadq.job_scheduled_default
    partition of leadq.job_scheduled default;

comment on table leadq.job_scheduled is
    'Jobs whose time has not come, by day; promote_jobs moves them to ready.';


create table leadq.job_done (
    done_at         timestamptz not null,
    job_id          bigint      not null,
    kind            text        not null,
    target          text        not null,
    ref             uuid        not null,
    attempt         integer     not null,
    outcome         text        not null,
    detail          jsonb,
    constraint job_done_outcome_ck
        check (outcome in ('done', 'retry', 'dead', 'cancelled'))
) partition by range (done_at);

create index job_done_ref_ix on leadq.job_done (ref);

create table leadq.job_done_default partition of leadq.job_done default;

comment on table leadq.job_done is
    'One row for each attempt, by month; only ever appended to.';


create table leadq.retry_step (
    kind            text        not null,
    attempt         integer     not null,
    delay           interval    not null,
    constraint retry_step_pk primary key (kind, attempt),
    constraint retry_step_attempt_ck check (attempt between 1 and 50),
    constraint retry_step_delay_ck check (delay > interval '0')
);

insert into leadq.retry_step (kind, attempt, delay)
select 'postback', s.n, s.delay::interval
  from unnest(array['5s', '30s', '2min', '10min', '30min', '2h', '5h', '10h',
                    '24h', '24h']) with ordinality s (delay, n);

insert into leadq.retry_step (kind, attempt, delay)
select 'letter', s.n, s.delay::interval
  from unnest(array['1min', '5min', '15min', '30min', '1h', '2h', '4h', '8h',
                    '12h']) with ordinality s (delay, n);

comment on table leadq.retry_step is
    'How long to wait after attempt n of a kind failed; past the last one '
    'the job is dead. settle_jobs adds a jitter of up to a fifth.';
