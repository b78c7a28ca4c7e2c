-- Whether addresses can be written to: domains that take mail, who takes it
-- for them, and what comes back.

create table leadq.mail_domain (
    domain          text        not null,
    ref             uuid        not null default gen_random_uuid(),
    state           text        not null default 'asked',
    mx_group        text,
    denials         integer     not null default 0,
    asked_at        timestamptz not null,
    fresh_until     timestamptz not null,
    constraint mail_domain_pk primary key (domain),
    constraint mail_domain_ref_uq unique (ref),
    constraint mail_domain_state_ck
        check (state in ('asked', 'good', 'bad', 'unclear'))
) with (fillfactor = 80);

comment on table leadq.mail_domain is
    'Does a domain take mail? One look-up serves all its letters. ref is the '
    'one of the job.';
comment on column leadq.mail_domain.fresh_until is
    'Until then the verdict holds; while it is asked for, until then letters '
    'wait for it.';
comment on column leadq.mail_domain.denials is
    'Looks in a row that found nothing: one alone rejects nobody.';


create table leadq.mail_wait (
    domain          text        not null,
    message_id      uuid        not null,
    run_at          timestamptz not null,
    constraint mail_wait_pk primary key (domain, message_id)
);

comment on table leadq.mail_wait is
    'Letters that wait for the verdict on their domain: where to find their '
    'jobs among the scheduled ones.';


create table leadq.mail_group (
    mx_group        text        not null,
    since           timestamptz not null,
    letters         integer     not null default 0,
    blocks          integer     not null default 0,
    pauses          integer     not null default 0,
    paused_until    timestamptz,
    trials          integer     not null default 0,
    constraint mail_group_pk primary key (mx_group),
    constraint mail_group_paused_ck
        check ((pauses > 0) = (paused_until is not null))
) with (fillfactor = 70);

comment on table leadq.mail_group is
    'Who takes the mail of many domains, and how much of ours it has refused '
    'for our own sake since then.';
comment on column leadq.mail_group.trials is
    'Letters let through since the last pause was over.';


create table leadq.mailbox_lease (
    only_row        boolean     not null default true,
    worker          text,
    lease_until     timestamptz,
    constraint mailbox_lease_pk primary key (only_row),
    constraint mailbox_lease_only_row_ck check (only_row)
);

insert into leadq.mailbox_lease default values;

comment on table leadq.mailbox_lease is
    'One row: which worker reads the mailbox of bounces. Real time, never '
    'shifted.';


create table leadq.mail_provider (
    name            text        not null,
    secret_sha256   text        not null,
    mapping         jsonb,
    constraint mail_provider_pk primary key (name),
    constraint mail_provider_secret_ck
        check (secret_sha256 ~ '^[0-9a-f]{64}$')
);

comment on table leadq.mail_provider is
    'Services that report by webhook what became of letters. The secret of '
    'its URL is kept as its hash alone.';
comment on column leadq.mail_provider.mapping is
    'Where its events have what, as JSON paths; null: a preset by its name.';


create table leadq.mail_event (
    mail_event_id   uuid        not null default gen_random_uuid(),
    provider        text        not null,
    key_sha256      bytea       not null,
    kind            text        not null,
    message_id      uuid,
    email           text,
    status          text,
    reply           text,
    received_at     timestamptz not null,
    constraint mail_event_pk primary key (mail_event_id),
    constraint mail_event_key_uq unique (provider, key_sha256),
    constraint mail_event_kind_ck check (kind in ('failed', 'delivered',
        'complaint', 'unsubscribed', 'opened', 'clicked'))
);

create index mail_event_received_ix on leadq.mail_event (received_at);

comment on table leadq.mail_event is
    'What a provider has reported, once each; kept for ninety days, so that '
    'a repeat is known.';


insert into leadq.retry_step (kind, attempt, delay)
select 'mx', s.n, s.delay::interval
  from unnest(array['5s', '15s', '1min']) with ordinality s (delay, n);
