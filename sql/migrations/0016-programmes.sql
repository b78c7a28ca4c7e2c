-- Points of sale, advisors, and codes that are worth a discount.

create table leadq.point (
    point_id        integer     generated always as identity,
    name            text        not null,
    title           text        not null,
    time_zone       text        not null default 'Europe/Moscow',
    opens           time        not null default '10:00',
    closes          time        not null default '22:00',
    constraint point_pk primary key (point_id),
    constraint point_name_uq unique (name)
);

comment on table leadq.point is
    'A point of sale, with the hours of its clock in which it sells.';


create table leadq.advisor (
    advisor_id      integer     generated always as identity,
    name            text        not null,
    title           text        not null,
    role            text        not null,
    point_id        integer,
    active          boolean     not null default true,
    constraint advisor_pk primary key (advisor_id),
    constraint advisor_name_uq unique (name),
    constraint advisor_point_fk foreign key (point_id)
        references leadq.point,
    constraint advisor_role_ck
        check (role in ('advisor', 'supervisor', 'brand')),
    constraint advisor_point_ck check (role <> 'advisor'
                                       or point_id is not null)
);

comment on table leadq.advisor is
    'Who works with the pages of a point; name is what nginx knows him by. '
    'An advisor sells, a supervisor takes sales back as well, the brand '
    'looks on.';


create table leadq.staff_phone (
    phone           text        not null,
    constraint staff_phone_pk primary key (phone)
);

comment on table leadq.staff_phone is
    'Numbers of those who work here: no discounts and no rewards for them.';


create table leadq.programme (
    programme_id    integer     generated always as identity,
    name            text        not null,
    title           text        not null,
    kind            text        not null,
    discount        text        not null,
    max_uses        integer     not null,
    per_customer    integer     not null,
    new_customer_only boolean   not null,
    reserve_for     interval    not null,
    reward_after    integer,
    hold            interval    not null,
    life            interval    not null,
    active          boolean     not null default true,
    constraint programme_pk primary key (programme_id),
    constraint programme_name_uq unique (name),
    constraint programme_kind_ck
        check (kind in ('referral', 'trial', 'promo')),
    constraint programme_uses_ck check (max_uses between 1 and 1000000),
    constraint programme_customer_ck check (per_customer between 1 and 100),
    constraint programme_reserve_ck
        check (reserve_for between interval '1 min' and interval '1 day'),
    constraint programme_reward_ck
        check (reward_after between 1 and max_uses),
    constraint programme_hold_ck check (hold >= interval '0'),
    constraint programme_life_ck check (life > interval '0')
);

comment on table leadq.programme is
    'Rules of a kind of code: of referral codes (three friends), trial codes '
    '(once, for who tried), promo codes.';
comment on column leadq.programme.per_customer is
    'How many codes of it one person may use in all.';
comment on column leadq.programme.reward_after is
    'The use of a code that earns its owner the gift; null: none does.';


create table leadq.promo_batch (
    batch_id        uuid        not null,
    programme_id    integer     not null,
    codes           integer     not null,
    created_at      timestamptz not null,
    constraint promo_batch_pk primary key (batch_id),
    constraint promo_batch_programme_fk foreign key (programme_id)
        references leadq.programme
);

comment on table leadq.promo_batch is 'Codes that were made together.';


create table leadq.promo_code (
    code_id         bigint      generated always as identity,
    programme_id    integer     not null,
    code            text        not null,
    owner_id        bigint,
    batch_id        uuid,
    max_uses        integer     not null,
    used            integer     not null default 0,
    reserved        integer     not null default 0,
    disabled        boolean     not null default false,
    starts_at       timestamptz not null,
    expires_at      timestamptz not null,
    constraint promo_code_pk primary key (code_id),
    constraint promo_code_uq unique (code),
    constraint promo_code_programme_fk foreign key (programme_id)
        references leadq.programme,
    constraint promo_code_owner_fk foreign key (owner_id)
        references leadq.contact,
    constraint promo_code_batch_fk foreign key (batch_id)
        references leadq.promo_batch,
    constraint promo_code_code_ck
        check (code ~ '^[23456789ACEHKMPTX]{12}$'),
    constraint promo_code_uses_ck check (used >= 0 and reserved >= 0
        and used + reserved <= max_uses and max_uses > 0)
) with (fillfactor = 80);

create index promo_code_owner_ix on leadq.promo_code (owner_id)
    where owner_id is not null;

comment on table leadq.promo_code is
    'A code and how much of it is gone; promo_code_uses_ck is the last guard '
    'of "nobody sells the fourth use".';


create table leadq.redemption (
    redemption_id   uuid        not null,
    code_id         bigint      not null,
    contact_id      bigint      not null,
    point_id        integer     not null,
    advisor_id      integer     not null,
    verification_id uuid,
    state           text        not null,
    reserved_until  timestamptz,
    created_at      timestamptz not null,
    redeemed_at     timestamptz,
    closed_at       timestamptz,
    redeem_id       uuid,
    rollback_id     uuid,
    reason          text,
    receipt         text,
    fingerprint     text,
    uses_left       integer,
    constraint redemption_pk primary key (redemption_id),
    constraint redemption_redeem_uq unique (redeem_id),
    constraint redemption_code_fk foreign key (code_id)
        references leadq.promo_code,
    constraint redemption_contact_fk foreign key (contact_id)
        references leadq.contact,
    constraint redemption_point_fk foreign key (point_id)
        references leadq.point,
    constraint redemption_advisor_fk foreign key (advisor_id)
        references leadq.advisor,
    constraint redemption_state_ck check (state in ('reserved', 'redeemed',
        'released', 'rolled_back')),
    constraint redemption_reserved_ck check ((state = 'reserved')
        = (reserved_until is not null)),
    constraint redemption_redeemed_ck check ((redeemed_at is not null)
        = (state in ('redeemed', 'rolled_back'))),
    constraint redemption_closed_ck check ((closed_at is not null)
        = (state in ('released', 'rolled_back')))
) with (fillfactor = 80);

-- A customer holds a code once, whatever he does about it.
create unique index redemption_live_uq
    on leadq.redemption (code_id, contact_id)
    where state in ('reserved', 'redeemed');
create index redemption_reserved_ix on leadq.redemption (reserved_until)
    where state = 'reserved';
create index redemption_contact_ix on leadq.redemption (contact_id);
create index redemption_advisor_ix
    on leadq.redemption (advisor_id, created_at);

comment on table leadq.redemption is
    'A use of a code: reserved, redeemed or released, rolled back by a '
    'supervisor. redeem_id and rollback_id are the requests that did it, so '
    'that a repeat gets the same answer.';
comment on column leadq.redemption.uses_left is
    'Of the code, when it was redeemed: what the till was told.';


create table leadq.reward (
    reward_id       bigint      generated always as identity,
    programme_id    integer     not null,
    owner_id        bigint      not null,
    code_id         bigint      not null,
    step            integer     not null default 1,
    state           text        not null default 'pending',
    created_at      timestamptz not null,
    due_at          timestamptz not null,
    ended_at        timestamptz,
    constraint reward_pk primary key (reward_id),
    constraint reward_step_uq unique (code_id, step),
    constraint reward_programme_fk foreign key (programme_id)
        references leadq.programme,
    constraint reward_owner_fk foreign key (owner_id)
        references leadq.contact,
    constraint reward_code_fk foreign key (code_id)
        references leadq.promo_code,
    constraint reward_state_ck check (state in ('pending', 'approved',
        'issued', 'cancelled', 'clawed_back'))
);

create index reward_owner_ix on leadq.reward (owner_id);

comment on table leadq.reward is
    'The gift for a code whose last friend has bought; it is held for a '
    'while, and goes when a sale is taken back.';


create table leadq.promo_flag (
    flag_id         bigint      generated always as identity,
    at              timestamptz not null,
    rule            text        not null,
    redemption_id   uuid,
    code_id         bigint      not null,
    advisor_id      integer,
    constraint promo_flag_pk primary key (flag_id),
    constraint promo_flag_code_fk foreign key (code_id)
        references leadq.promo_code
);

create unique index promo_flag_uq on leadq.promo_flag
    (rule, code_id, coalesce(redemption_id,
                             '00000000-0000-0000-0000-000000000000'));

comment on table leadq.promo_flag is
    'What looks like fraud: it holds the reward, never the discount.';


create table leadq.promo_denied (
    reason          text        not null,
    day             date        not null,
    n               bigint      not null,
    constraint promo_denied_pk primary key (day, reason)
);

comment on table leadq.promo_denied is
    'How often a till was refused a use of a code, and why, by day in UTC.';
