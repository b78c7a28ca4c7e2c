-- Visits to a point, what follows from them, and help for who works there.

create table leadq.question (
    name            text        not null,
    place           integer     not null,
    title           jsonb       not null,
    type            text        not null,
    choices         jsonb,
    required        boolean     not null,
    constraint question_pk primary key (name),
    constraint question_type_ck
        check (type in ('text', 'choice', 'bool', 'int', 'date')),
    constraint question_choices_ck
        check ((type = 'choice') = (choices is not null))
);

comment on table leadq.question is
    'What an advisor asks of a visitor; title and choices by language.';


alter table leadq.point add column text_version text;

comment on column leadq.point.text_version is
    'The version of the consent texts that is read out there; null: the '
    'newest.';


create table leadq.visit (
    visit_id        uuid        not null,
    point_id        integer     not null,
    advisor_id      integer     not null,
    device          bytea,
    day             date        not null,
    opened_at       timestamptz not null,
    age             text        not null,
    answers         jsonb,
    consent_pd      boolean     not null,
    consent_ads     boolean     not null,
    text_version    text,
    lang            text        not null,
    ended_at        timestamptz,
    end_id          uuid,
    outcome         text,
    refusal         text,
    verification_id uuid,
    contact_id      bigint,
    redemption_id   uuid,
    fingerprint     bytea,
    constraint visit_pk primary key (visit_id),
    constraint visit_redemption_uq unique (redemption_id),
    constraint visit_point_fk foreign key (point_id) references leadq.point,
    constraint visit_advisor_fk foreign key (advisor_id)
        references leadq.advisor,
    constraint visit_contact_fk foreign key (contact_id)
        references leadq.contact,
    constraint visit_redemption_fk foreign key (redemption_id)
        references leadq.redemption,
    constraint visit_age_ck check (age in ('sure', 'document', 'unproved')),
    constraint visit_outcome_ck
        check (outcome in ('test', 'purchase', 'left')),
    constraint visit_ended_ck
        check ((ended_at is not null) = (outcome is not null)),
    constraint visit_refusal_ck
        check (refusal in ('phone', 'mailings', 'code', 'repeat')),
    -- Nobody tries or buys whose age was not proved, and nothing is kept of
    -- him.
    constraint visit_unproved_ck check (age <> 'unproved'
        or outcome = 'left' and answers is null and contact_id is null
           and not consent_pd and not consent_ads),
    constraint visit_proof_ck check (refusal is null
        or verification_id is null and contact_id is null)
) with (fillfactor = 80);

create index visit_advisor_ix on leadq.visit (advisor_id, day);
create index visit_day_ix on leadq.visit (day);
create index visit_contact_ix on leadq.visit (contact_id)
    where contact_id is not null;
create index visit_open_ix on leadq.visit (opened_at)
    where ended_at is null;

comment on table leadq.visit is
    'Somebody who talked to an advisor: opened with the questionnaire, ended '
    'with what became of it.';
comment on column leadq.visit.day is 'Of the point''s clock.';
comment on column leadq.visit.device is
    'The session of the till, hashed: whose tablet it was.';
comment on column leadq.visit.refusal is
    'Why no number was proved: none given, no mailings wanted, no code came, '
    'the number was proved here before.';


-- An attempt to prove a number belongs to a visit, whatever came of it.
alter table leadq.verification add column visit_id uuid;

create index verification_visit_ix on leadq.verification (visit_id)
    where visit_id is not null;


alter table leadq.programme
    add column gateway_id   integer,
    add column texts        jsonb,
    add column send_days    smallint not null default 0,
    add column window_from  time not null default '10:00',
    add column window_to    time not null default '20:00',
    add column identity_id  integer,
    add column discount_cost numeric(12, 2) not null default 0,
    add column reward_cost  numeric(12, 2) not null default 0,
    add constraint programme_gateway_fk foreign key (gateway_id)
        references leadq.gateway,
    add constraint programme_identity_fk foreign key (identity_id)
        references leadq.gateway,
    add constraint programme_message_ck
        check ((gateway_id is null) = (texts is null)),
    add constraint programme_days_ck check (send_days between 0 and 30);

comment on column leadq.programme.gateway_id is
    'Sends codes of it to their owners; null: nobody does.';
comment on column leadq.programme.send_days is
    'Midnights of the point''s clock between the visit and the message.';
comment on column leadq.programme.identity_id is
    'Who must have passed a person before a message of it leaves.';


alter table leadq.gateway
    drop constraint gateway_channel_ck,
    add constraint gateway_channel_ck check (channel in ('sms', 'call',
        'messenger', 'push', 'captcha', 'identity'));


alter table leadq.quiet
    drop constraint quiet_channel_ck,
    add constraint quiet_channel_ck
        check (channel in ('any', 'email', 'sms'));

drop function if exists leadq._is_possible(boolean, time, time);


alter table leadq.promo_code
    add column visit_id     uuid,
    add column issue_point_id integer,
    add column issue_advisor_id integer,
    add constraint promo_code_point_fk foreign key (issue_point_id)
        references leadq.point,
    add constraint promo_code_advisor_fk foreign key (issue_advisor_id)
        references leadq.advisor;

create unique index promo_code_visit_uq
    on leadq.promo_code (visit_id, programme_id)
    where visit_id is not null;

create index promo_code_issued_ix on leadq.promo_code (starts_at)
    where visit_id is not null;

comment on column leadq.promo_code.visit_id is
    'The visit that it was issued for, at that point by that advisor.';


alter table leadq.redemption add column chain smallint;

create index redemption_redeemed_ix on leadq.redemption (redeemed_at)
    where redeemed_at is not null;
create index redemption_rolled_back_ix on leadq.redemption (closed_at)
    where state = 'rolled_back';

alter table leadq.reward add column redemption_id uuid;

create unique index reward_redemption_uq on leadq.reward (redemption_id)
    where redemption_id is not null;

comment on column leadq.reward.redemption_id is
    'The sale that earned it first.';
comment on column leadq.redemption.chain is
    'Which link of a chain of recommendations this sale is: one more than '
    'that which brought the owner of the code.';


create table leadq.sms (
    sms_id          uuid        not null default gen_random_uuid(),
    contact_id      bigint      not null,
    code_id         bigint      not null,
    gateway_id      integer     not null,
    lang            text        not null,
    zone            text        not null,
    state           text        not null default 'planned',
    reason          text,
    not_before      timestamptz not null,
    due_at          timestamptz not null,
    handed_at       timestamptz,
    ended_at        timestamptz,
    provider_id     text,
    segments        smallint,
    cost            numeric(12, 4) not null default 0,
    constraint sms_pk primary key (sms_id),
    constraint sms_code_uq unique (code_id),
    constraint sms_contact_fk foreign key (contact_id)
        references leadq.contact,
    constraint sms_code_fk foreign key (code_id)
        references leadq.promo_code,
    constraint sms_gateway_fk foreign key (gateway_id)
        references leadq.gateway,
    constraint sms_state_ck check (state in ('planned', 'sent', 'in_doubt',
        'delivered', 'undelivered', 'failed', 'dropped'))
) with (fillfactor = 80);

create index sms_contact_ix on leadq.sms (contact_id);
create index sms_provider_ix on leadq.sms (provider_id, gateway_id)
    where provider_id is not null;
create index sms_handed_ix on leadq.sms (handed_at)
    where handed_at is not null;

comment on table leadq.sms is
    'A message with a code to its owner, one for a code. dropped: it may not '
    'be sent any more; in_doubt: nobody knows whether the gateway has it.';
comment on column leadq.sms.not_before is
    'When it was to leave; due_at: when it is tried, which may be later.';
comment on column leadq.sms.handed_at is
    'When a worker got it that has not given it back: it may have left.';


create table leadq.identity_check (
    check_id        uuid        not null default gen_random_uuid(),
    contact_id      bigint      not null,
    gateway_id      integer     not null,
    visit_id        uuid,
    state           text        not null default 'queued',
    reason          text,
    provider_id     text,
    polls           smallint    not null default 0,
    created_at      timestamptz not null,
    due_at          timestamptz not null,
    ended_at        timestamptz,
    constraint identity_check_pk primary key (check_id),
    constraint identity_check_contact_fk foreign key (contact_id)
        references leadq.contact,
    constraint identity_check_gateway_fk foreign key (gateway_id)
        references leadq.gateway,
    constraint identity_check_state_ck check (state in ('queued', 'pending',
        'passed', 'failed', 'unavailable')),
    constraint identity_check_ended_ck check ((ended_at is not null)
        = (state in ('passed', 'failed', 'unavailable')))
) with (fillfactor = 80);

create index identity_check_contact_ix
    on leadq.identity_check (contact_id, gateway_id, created_at);

create index identity_check_provider_ix
    on leadq.identity_check (provider_id, gateway_id)
    where provider_id is not null;

comment on table leadq.identity_check is
    'Whether somebody outside has found a person to be of age: the verdict '
    'alone, no papers.';
comment on column leadq.identity_check.due_at is
    'When somebody outside is asked next.';


create table leadq.referral (
    referral_id     uuid        not null,
    kind            text        not null,
    code            text        not null,
    code_id         bigint,
    contact_id      bigint,
    state           text        not null default 'waiting',
    reason          text,
    created_at      timestamptz not null,
    judged_at       timestamptz,
    constraint referral_pk primary key (referral_id),
    constraint referral_code_fk foreign key (code_id)
        references leadq.promo_code,
    constraint referral_contact_fk foreign key (contact_id)
        references leadq.contact,
    constraint referral_kind_ck check (kind in ('lead', 'visit')),
    constraint referral_state_ck
        check (state in ('waiting', 'attributed', 'refused')),
    constraint referral_judged_ck
        check ((judged_at is null) = (state = 'waiting'))
);

create index referral_code_ix on leadq.referral (code_id)
    where code_id is not null;
create index referral_contact_ix on leadq.referral (contact_id)
    where contact_id is not null;

comment on table leadq.referral is
    'A lead or a visit (whose id it has) that named a code: whom it is put '
    'down to, or why to nobody.';


create table leadq.visit_rule (
    name            text        not null,
    max             integer     not null,
    weight          smallint    not null,
    enabled         boolean     not null default true,
    constraint visit_rule_pk primary key (name),
    constraint visit_rule_max_ck check (max >= 0),
    constraint visit_rule_weight_ck check (weight between 0 and 100)
);

comment on table leadq.visit_rule is
    'What looks like invented data: more than max of it is flagged, and how '
    'much a flag weighs in the score of an advisor.';
comment on column leadq.visit_rule.max is
    'Of sequential it is how near two numbers are to each other, of score '
    'the least that is shown.';

insert into leadq.visit_rule (name, max, weight)
values ('after-hours', 10, 60),     -- minutes outside the hours of the point
       ('slow-proof', 15, 20),      -- minutes from the form to the code
       ('unproved', 60, 30),        -- percent of a day's visits
       ('unverified', 60, 30),      -- percent of a day's numbers
       ('burst', 3, 40),            -- visits within five minutes
       ('sequential', 2, 60),       -- how far numbers are from each other
       ('repeated', 2, 40),         -- visits of a number in thirty days
       ('one-device', 60, 20),      -- visits on a device in a day
       ('identity', 0, 50),         -- checks that failed
       ('dead-number', 0, 40),      -- codes that did not arrive
       ('score', 15, 0);            -- of an advisor's day that is shown


create table leadq.visit_flag (
    visit_id        uuid        not null,
    rule            text        not null,
    day             date        not null,
    advisor_id      integer     not null,
    at              timestamptz not null,
    constraint visit_flag_pk primary key (visit_id, rule),
    constraint visit_flag_visit_fk foreign key (visit_id)
        references leadq.visit on delete cascade,
    constraint visit_flag_advisor_fk foreign key (advisor_id)
        references leadq.advisor
);

create index visit_flag_day_ix on leadq.visit_flag (day, advisor_id);

comment on table leadq.visit_flag is
    'A visit that looks invented, and by which rule. It punishes nobody.';


create table leadq.desk_day (
    day             date        not null,
    point_id        integer     not null,
    advisor_id      integer     not null,
    visits          integer     not null,
    tests           integer     not null,
    sales           integer     not null,
    underage        integer     not null,
    verified        integer     not null,
    refused         integer     not null,
    activations     integer     not null,
    trials          integer     not null,
    redemptions     integer     not null,
    rolled_back     integer     not null,
    rewards         integer     not null,
    flagged         integer     not null,
    suspicion       double precision not null,
    constraint desk_day_pk primary key (day, point_id, advisor_id)
);

comment on table leadq.desk_day is
    'Days that are over, counted once and for all; those after '
    'desk_counted.through are counted when they are asked for.';
comment on column leadq.desk_day.suspicion is
    'Of all its visits together, each between 0 and 1; see advisor_score.';


create table leadq.programme_day (
    day             date        not null,
    programme_id    integer     not null,
    codes           integer     not null,
    redemptions     integer     not null,
    rolled_back     integer     not null,
    rewards         integer     not null,
    links           integer     not null,
    longest         integer     not null,
    messages        integer     not null,
    sms_cost        numeric(12, 4) not null,
    constraint programme_day_pk primary key (day, programme_id),
    constraint programme_day_programme_fk foreign key (programme_id)
        references leadq.programme
);

comment on table leadq.programme_day is
    'The same of programmes.';
comment on column leadq.programme_day.links is
    'Of all its redemptions together, redemption.chain.';


create table leadq.desk_counted (
    one             boolean     not null default true,
    through         date        not null,
    constraint desk_counted_pk primary key (one),
    constraint desk_counted_one_ck check (one)
);

comment on table leadq.desk_counted is
    'The last day that is in desk_day and programme_day.';

insert into leadq.desk_counted (through)
values ('-infinity');


create table leadq.ticket (
    ticket_id       uuid        not null,
    number          bigint      generated always as identity,
    advisor_id      integer     not null,
    point_id        integer,
    text            text        not null,
    page            text,
    ua              text,
    requests        uuid[]      not null default '{}',
    state           text        not null default 'open',
    assignee_id     integer,
    answer          text,
    answer_id       uuid,
    created_at      timestamptz not null,
    answered_at     timestamptz,
    seen_at         timestamptz,
    constraint ticket_pk primary key (ticket_id),
    constraint ticket_number_uq unique (number),
    constraint ticket_advisor_fk foreign key (advisor_id)
        references leadq.advisor,
    constraint ticket_point_fk foreign key (point_id)
        references leadq.point,
    constraint ticket_assignee_fk foreign key (assignee_id)
        references leadq.advisor,
    constraint ticket_state_ck
        check (state in ('open', 'assigned', 'answered')),
    constraint ticket_answered_ck check ((state = 'answered')
        = (answer is not null and answered_at is not null))
);

create index ticket_advisor_ix on leadq.ticket (advisor_id, created_at);
create index ticket_open_ix on leadq.ticket (created_at)
    where state <> 'answered';

comment on table leadq.ticket is
    'Trouble that an advisor reported from the page, with the ids of its last '
    'requests, and what he was answered.';
comment on column leadq.ticket.answer_id is
    'The request that answered it: its repeat gets the same.';


insert into leadq.retry_step (kind, attempt, delay)
select s.kind, s.n, s.delay
  from (values ('sms', 6, interval '1 min'), ('identity', 6, '1 min'))
       k (kind, times, delay)
 cross join lateral (select k.kind, n, k.delay * n * n
                       from generate_series(1, k.times) n) s (kind, n, delay);
