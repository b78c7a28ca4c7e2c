-- Proving that a phone is somebody's: one-time codes over gateways.

create table leadq.gateway (
    gateway_id      integer     generated always as identity,
    name            text        not null,
    channel         text        not null,
    method          text        not null,
    url             text        not null,
    content_type    text,
    body            text,
    headers         jsonb,
    secret          text,
    match           jsonb       not null default '{"type": "any"}',
    permanent       jsonb,
    sign            text,
    concurrency     integer,
    rate            numeric(9, 3),
    ports           integer[]   not null default '{}',
    sender          text,
    chooses_code    boolean     not null default false,
    price           numeric(9, 4) not null default 0,
    answer          jsonb,
    receipts        jsonb,
    poll            jsonb,
    constraint gateway_pk primary key (gateway_id),
    constraint gateway_name_uq unique (name),
    constraint gateway_channel_ck
        check (channel in ('sms', 'call', 'messenger', 'push', 'captcha')),
    constraint gateway_method_ck check (method in ('GET', 'POST')),
    constraint gateway_price_ck check (price >= 0)
);

comment on table leadq.gateway is
    'Who sends codes: how a gateway is called, and where its answers and '
    'receipts have what. secret names a file of the worker, never a value.';
comment on column leadq.gateway.chooses_code is
    'Whether the digits are its own, as those of a number that calls.';
comment on column leadq.gateway.channel is
    'What it sends; captcha: it sends nothing, it judges the answer to a '
    'captcha.';
comment on column leadq.gateway.price is
    'Roubles for a segment of a message, or for a call.';


create table leadq.profile (
    profile_id      integer     generated always as identity,
    name            text        not null,
    kind            text        not null,
    digits          smallint    not null,
    life            interval    not null,
    checks          smallint    not null,
    sends           smallint    not null,
    resend_after    interval[]  not null,
    fallbacks       smallint    not null,
    result_life     interval    not null,
    lang            text        not null default 'ru',
    time_zone       text        not null default 'Europe/Moscow',
    host            text,
    deny            text[]      not null default '{}',
    consent         text        not null default 'required',
    captcha_id      integer,
    limits          boolean     not null default false,
    constraint profile_pk primary key (profile_id),
    constraint profile_name_uq unique (name),
    constraint profile_kind_ck check (kind in ('public', 'desk')),
    constraint profile_digits_ck check (digits between 4 and 8),
    constraint profile_life_ck
        check (life between interval '1 min' and interval '10 min'),
    constraint profile_checks_ck check (checks between 1 and 10),
    constraint profile_sends_ck check (sends between 1 and 10),
    constraint profile_resend_ck check (cardinality(resend_after) > 0),
    constraint profile_fallbacks_ck check (fallbacks between 0 and 5),
    constraint profile_consent_ck check (consent in ('required', 'optional')),
    constraint profile_captcha_fk foreign key (captcha_id)
        references leadq.gateway
);

comment on table leadq.profile is
    'Rules of a kind of verification: of a landing (public), of an advisor''s '
    'page (desk).';
comment on column leadq.profile.limits is
    'Whether the document lists its limits; otherwise they are those of its '
    'kind, see _default_limits.';


create table leadq.profile_step (
    profile_id      integer     not null,
    step            smallint    not null,
    gateway_id      integer     not null,
    timeout         interval    not null,
    text            jsonb,
    unless_operator text[]      not null default '{}',
    window_from     time,
    window_to       time,
    constraint profile_step_pk primary key (profile_id, step),
    constraint profile_step_profile_fk foreign key (profile_id)
        references leadq.profile on delete cascade,
    constraint profile_step_gateway_fk foreign key (gateway_id)
        references leadq.gateway,
    constraint profile_step_timeout_ck
        check (timeout between interval '1 s' and interval '10 min'),
    constraint profile_step_window_ck
        check ((window_from is null) = (window_to is null))
);

comment on table leadq.profile_step is
    'The cascade of a profile: the next step follows at once on a failure, '
    'after the timeout on silence, and never after a delivery.';


create table leadq.profile_limit (
    limit_id        integer     generated always as identity,
    profile_id      integer     not null,
    name            text        not null,
    subject         text        not null,
    max             integer     not null,
    per             interval    not null,
    mode            text        not null,
    hide            boolean     not null,
    adapt           numeric(4, 3) not null default 0,
    constraint profile_limit_pk primary key (limit_id),
    constraint profile_limit_name_uq unique (profile_id, name),
    constraint profile_limit_profile_fk foreign key (profile_id)
        references leadq.profile on delete cascade,
    constraint profile_limit_subject_ck check (subject in ('phone', 'session',
        'ip', 'ip_phones', 'prefix', 'profile', 'advisor', 'advisor_phone',
        'wrong_phone', 'wrong_ratio', 'wrong', 'spend')),
    constraint profile_limit_max_ck check (max > 0
        and (subject <> 'wrong_ratio' or max < 100)),
    constraint profile_limit_per_ck check (per > interval '0'),
    constraint profile_limit_mode_ck
        check (mode in ('enforce', 'captcha', 'record'))
);

comment on table leadq.profile_limit is
    'How much of what a profile allows: max at once, and max per interval in '
    'the long run (GCRA); of codes to a phone, of phones of an address, and of '
    'an advisor proving one phone, max in any such interval. hide: the client '
    'is not told.';
comment on column leadq.profile_limit.max is
    'Of wrong_ratio: percent of the codes that an advisor typed in the '
    'interval, once there are twenty.';
comment on column leadq.profile_limit.mode is
    'What a limit does: enforce refuses, captcha wants one answered and, '
    'where the profile has none, is as record, which counts alone.';


-- Not unlogged: a crash must not give back what a guesser has used up.
create table leadq.limit_cell (
    limit_id        integer     not null,
    subject         bytea       not null,
    full_at         timestamptz not null,
    constraint limit_cell_pk primary key (limit_id, subject)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

comment on table leadq.limit_cell is
    'The state of a limit for one phone, session, address and so on, whose '
    'hash is subject. full_at: when all of it will be there again; of '
    'wrong_ratio: when nothing will be left of what a lift has forgiven.';


create table leadq.limit_verified (
    limit_id        integer     not null,
    subject         bytea       not null,
    hour            timestamptz not null,
    n               integer     not null,
    constraint limit_verified_pk primary key (limit_id, subject, hour)
);

comment on table leadq.limit_verified is
    'How many were verified in an hour, for limits that adapt.';


create table leadq.limit_denied (
    limit_id        integer     not null,
    day             date        not null,
    n               bigint      not null,
    constraint limit_denied_pk primary key (limit_id, day)
);

comment on table leadq.limit_denied is
    'How often a limit has refused, or would have (record).';


create table leadq.verification (
    verification_id uuid        not null,
    profile_id      integer     not null,
    phone           text,
    session         bytea       not null,
    advisor         text,
    point           text,
    ip              text,
    net             text,
    ua              text,
    lang            text        not null,
    consent_pd      boolean,
    consent_ads     boolean,
    text_version    text,
    page_url        text,
    state           text        not null default 'queued',
    blocked_by      text,
    digits          smallint    not null,
    max_checks      smallint    not null,
    checks          smallint    not null default 0,
    checked         uuid[]      not null default '{}',
    sends           smallint    not null default 0,
    fallbacks       smallint    not null default 0,
    step            smallint,
    send_id         uuid,
    captcha_token   text,
    seed            bytea       not null,
    code_key        smallint,
    code_mac        bytea,
    check_key       smallint,
    chosen_mac      bytea,
    chosen_key      smallint,
    created_at      timestamptz not null,
    next_send_at    timestamptz,
    expires_at      timestamptz not null,
    delivered_at    timestamptz,
    closed_at       timestamptz,
    result_until    timestamptz,
    used_at         timestamptz,
    used_by         uuid,
    constraint verification_pk primary key (verification_id),
    constraint verification_profile_fk foreign key (profile_id)
        references leadq.profile,
    constraint verification_state_ck check (state in ('queued', 'sending',
        'sent', 'delivered', 'verified', 'locked', 'expired', 'failed',
        'cancelled')),
    constraint verification_seed_ck check (length(seed) = 16),
    constraint verification_checks_ck check (checks <= max_checks),
    constraint verification_life_ck
        check (expires_at <= created_at + interval '10 min'),
    constraint verification_closed_ck check ((closed_at is not null)
        = (state in ('verified', 'locked', 'expired', 'cancelled'))),
    constraint verification_macs_ck check (closed_at is null
        or (code_mac is null and chosen_mac is null)),
    constraint verification_used_ck
        check ((used_at is null) = (used_by is null)
               and (used_at is null or state = 'verified'))
) with (fillfactor = 60);

-- The session is in the key, so that nobody can block somebody's number.
create unique index verification_open_uq
    on leadq.verification (phone, profile_id, session)
    where closed_at is null;
create index verification_phone_ix on leadq.verification (phone, created_at);
create index verification_net_ix on leadq.verification (net, created_at)
    where net is not null;
create index verification_advisor_ix
    on leadq.verification (advisor, created_at)
    where advisor is not null;
create index verification_end_ix on leadq.verification (expires_at)
    where closed_at is null;
create index verification_created_ix on leadq.verification
    using brin (created_at) with (pages_per_range = 32, autosummarize = on);

comment on table leadq.verification is
    'One attempt to prove a phone. Codes are nowhere: the worker derives them '
    'from seed with a key of its own, and only keyed hashes come here, which '
    'go when it is over.';
comment on column leadq.verification.checked is
    'The requests that were counted as checks, in order, so that a repeat '
    'counts nothing.';
comment on column leadq.verification.blocked_by is
    'The limit that it ran into, which its client is not told: nothing is '
    'sent, and no code is right.';


create table leadq.verification_send (
    send_id         uuid        not null default gen_random_uuid(),
    verification_id uuid        not null,
    n               smallint    not null,
    step            smallint    not null,
    gateway_id      integer     not null,
    manual          boolean     not null,
    state           text        not null default 'queued',
    error           text,
    provider_id     text,
    segments        smallint,
    cost            numeric(12, 4) not null default 0,
    queued_at       timestamptz not null,
    armed_at        timestamptz,
    accepted_at     timestamptz,
    ended_at        timestamptz,
    constraint verification_send_pk primary key (send_id),
    constraint verification_send_n_uq unique (verification_id, n),
    constraint verification_send_verification_fk foreign key (verification_id)
        references leadq.verification on delete cascade,
    constraint verification_send_gateway_fk foreign key (gateway_id)
        references leadq.gateway,
    constraint verification_send_state_ck check (state in ('queued',
        'sending', 'sent', 'in_doubt', 'failed', 'cancelled', 'delivered',
        'read', 'clicked', 'undelivered', 'expired', 'rejected'))
) with (fillfactor = 70);

create index verification_send_provider_ix
    on leadq.verification_send (provider_id, gateway_id)
    where provider_id is not null;
create index verification_send_queued_ix on leadq.verification_send
    using brin (queued_at) with (pages_per_range = 32, autosummarize = on);

comment on table leadq.verification_send is
    'One message or call. armed_at: from then on a gateway may have it; '
    'in_doubt: nobody knows whether one has.';


create table leadq.captcha_used (
    token_sha256    bytea       not null,
    at              timestamptz not null,
    constraint captcha_used_pk primary key (token_sha256)
);

comment on table leadq.captcha_used is
    'Answers to captchas that were used, for a day: each is good once.';


create table leadq.form_used (
    form_sha        bytea       not null,
    verification_id uuid        not null,
    at              timestamptz not null,
    constraint form_used_pk primary key (form_sha)
);

create index form_used_at_ix on leadq.form_used
    using brin (at) with (pages_per_range = 32, autosummarize = on);

comment on table leadq.form_used is
    'Form tokens that a verification was begun with, for a day, which is how '
    'long they may be good: each is good once. form_sha: half of the SHA-256 '
    'of one, "$form" of the request.';


create table leadq.receipt (
    receipt_id      uuid        not null,
    gateway_id      integer     not null,
    body            jsonb       not null,
    signature       text,
    received_at     timestamptz not null,
    tries           smallint    not null default 0,
    constraint receipt_pk primary key (receipt_id),
    constraint receipt_gateway_fk foreign key (gateway_id)
        references leadq.gateway
);

create index receipt_received_ix on leadq.receipt using brin (received_at);

comment on table leadq.receipt is
    'What a gateway has reported and nobody has read yet: the worker knows '
    'the formats, and the secrets that prove them.';


create table leadq.phone_operator (
    phone           text        not null,
    operator        text        not null,
    at              timestamptz not null,
    constraint phone_operator_pk primary key (phone)
);

comment on table leadq.phone_operator is
    'Whose a number is, as gateways have said: numbers move.';


-- Codes themselves are never retried as jobs: what follows is the cascade's.
insert into leadq.retry_step (kind, attempt, delay)
select s.kind, s.n, s.delay
  from (values ('poll', 5, interval '10 s'), ('captcha', 3, '2 s'))
       k (kind, times, delay)
 cross join lateral (select k.kind, n, k.delay
                       from generate_series(1, k.times) n) s;
