-- Triggers: what follows from events, by rows; series that are not double
-- opt-in; and when and how often a person may be written to.

alter table leadq.series
    add column kind         text        not null default 'doi',
    add column marketing    boolean     not null default false,
    add column stop_on      text[]      not null default '{}',
    add column window_from  time,
    add column window_to    time,
    add column next_id      integer,
    add constraint series_kind_ck
        check (kind in ('doi', 'welcome', 'promo', 'trigger')),
    add constraint series_marketing_ck
        check (marketing = (kind in ('welcome', 'promo'))
               or kind = 'trigger'),
    add constraint series_window_ck
        check ((window_from is null) = (window_to is null)
               and window_from <> window_to),
    add constraint series_next_fk foreign key (next_id)
        references leadq.series;

comment on column leadq.series.kind is
    'doi ends with a confirmation and may be worth money; "trigger" is the '
    'one letter of a trigger and is named "trigger.NAME".';
comment on column leadq.series.marketing is
    'Its letters go to people only who have confirmed, agreed to ads and '
    'have not left, outside the quiet hours and within the caps.';
comment on column leadq.series.stop_on is
    'Events of the person that end it, besides those that always do.';
comment on column leadq.series.window_from is
    'Its letters leave in this part of the day, by the person''s clock.';
comment on column leadq.series.next_id is
    'The series that follows when this one has run to its end.';


alter table leadq.source
    add column time_zone    text        not null default 'Europe/Moscow';
alter table leadq.contact
    add column time_zone    text;

comment on column leadq.contact.time_zone is
    'Null: the one of the source that writes.';


-- A letter of a trigger is an enrolment of its own in the trigger's series.
alter table leadq.enrolment
    add column occasion     bigint      not null default 0,
    drop constraint enrolment_contact_uq,
    drop constraint enrolment_state_ck,
    add constraint enrolment_contact_uq
        unique (contact_id, series_id, occasion),
    add constraint enrolment_state_ck check (state in ('running',
        'confirmed', 'expired', 'finished', 'stopped'));

alter table leadq.message
    add column occasion     bigint      not null default 0,
    add column handed_at    timestamptz,
    drop constraint message_step_uq,
    add constraint message_step_uq
        unique (contact_id, series_id, step, occasion);

comment on column leadq.enrolment.occasion is
    '0: once for a person; of a trigger''s series the event: once for each.';
comment on column leadq.message.handed_at is
    'When a marketing letter was first handed to a worker: caps count it.';


create table leadq.quiet (
    channel         text        not null,
    begins          time        not null,
    ends            time        not null,
    constraint quiet_pk primary key (channel),
    constraint quiet_channel_ck check (channel in ('any', 'email')),
    constraint quiet_hours_ck check (begins <> ends)
);

comment on table leadq.quiet is
    'Hours of the person''s clock in which no marketing leaves.';


create table leadq.cap (
    channel         text        not null,
    per             interval    not null,
    count           integer     not null,
    constraint cap_pk primary key (channel, per),
    constraint cap_channel_ck check (channel in ('any', 'email')),
    constraint cap_per_ck check (per > interval '0'),
    constraint cap_count_ck check (count between 1 and 1000)
);

comment on table leadq.cap is
    'How many marketing messages a person gets at most in any such time.';


create table leadq.event_name (
    name            text        not null,
    constraint event_name_pk primary key (name)
);

comment on table leadq.event_name is
    'Events that may be posted; when there is none, any name may be.';


create table leadq.segment (
    segment_id      integer     generated always as identity,
    name            text        not null,
    title           text,
    constraint segment_pk primary key (segment_id),
    constraint segment_name_uq unique (name)
);

comment on table leadq.segment is 'Lists of people that triggers fill.';


create table leadq.segment_member (
    segment_id      integer     not null,
    contact_id      bigint      not null,
    added_at        timestamptz not null,
    constraint segment_member_pk primary key (segment_id, contact_id),
    constraint segment_member_segment_fk foreign key (segment_id)
        references leadq.segment,
    constraint segment_member_contact_fk foreign key (contact_id)
        references leadq.contact
);

create index segment_member_contact_ix on leadq.segment_member (contact_id);

comment on table leadq.segment_member is 'Who is in a segment, since when.';


create table leadq.webhook (
    webhook_id      integer     generated always as identity,
    name            text        not null,
    method          text        not null,
    url             text        not null,
    content_type    text,
    body            text,
    secret          text,
    sign            text,
    match           jsonb       not null,
    permanent       jsonb,
    concurrency     integer,
    rate            numeric(9, 3),
    ports           integer[]   not null default '{}',
    constraint webhook_pk primary key (webhook_id),
    constraint webhook_name_uq unique (name),
    constraint webhook_method_ck check (method in ('GET', 'POST')),
    constraint webhook_concurrency_ck
        check (concurrency between 1 and 1000),
    constraint webhook_rate_ck check (rate > 0 and rate <= 10000)
);

comment on table leadq.webhook is
    'Calls that triggers make. url and body are templates with macros, '
    'secret and sign name files of the worker, as those of a network.';


create table leadq.trigger (
    trigger_id      integer     generated always as identity,
    name            text        not null,
    enabled         boolean     not null default true,
    event           text        not null,
    condition       jsonpath,
    delay           interval    not null default '0',
    days            integer     not null default 0,
    window_from     time,
    window_to       time,
    action          text        not null,
    series_id       integer,
    source_id       integer,
    webhook_id      integer,
    segment_id      integer,
    emits           text,
    cancels_id      integer,
    constraint trigger_pk primary key (trigger_id),
    constraint trigger_name_uq unique (name),
    constraint trigger_delay_ck check (delay >= interval '0'),
    constraint trigger_days_ck check (days between 0 and 400),
    constraint trigger_window_ck
        check ((window_from is null) = (window_to is null)
               and window_from <> window_to),
    constraint trigger_action_ck check (action in ('message', 'series',
        'event', 'webhook', 'cancel', 'segment')),
    constraint trigger_target_ck check (
        num_nonnulls(series_id, webhook_id, segment_id, emits, cancels_id)
        = 1),
    constraint trigger_series_fk foreign key (series_id)
        references leadq.series,
    constraint trigger_source_fk foreign key (source_id)
        references leadq.source,
    constraint trigger_webhook_fk foreign key (webhook_id)
        references leadq.webhook,
    constraint trigger_segment_fk foreign key (segment_id)
        references leadq.segment,
    constraint trigger_cancels_fk foreign key (cancels_id)
        references leadq.trigger
);

create index trigger_event_ix on leadq.trigger (event) where enabled;

comment on table leadq.trigger is
    'What follows from an event: when condition holds of the event and the '
    'person, then, after delay, days and in the window, action.';
comment on column leadq.trigger.series_id is
    'Of message the one-letter series of this trigger; of series the one '
    'that begins, of cancel the one that ends.';


create table leadq.event_wait (
    kind            text        not null,
    constraint event_wait_pk primary key (kind)
);

comment on table leadq.event_wait is
    'Events that an enabled trigger or a series waits for; written by '
    'config_import.';


create table leadq.event_due (
    due_id          uuid        not null default gen_random_uuid(),
    event_id        bigint      not null,
    at              timestamptz not null,
    kind            text        not null,
    contact_id      bigint,
    lead_id         uuid,
    ref             uuid,
    data            jsonb,
    constraint event_due_pk primary key (due_id)
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

comment on table leadq.event_due is
    'Events that somebody waits for, until the rule "event" has run.';


create table leadq.fired (
    at              timestamptz not null,
    event_id        bigint      not null,
    trigger_id      integer     not null,
    fired_id        uuid        not null default gen_random_uuid(),
    contact_id      bigint,
    lead_id         uuid,
    data            jsonb,
    state           text        not null default 'planned',
    reason          text,
    run_at          timestamptz not null,
    ended_at        timestamptz,
    constraint fired_pk primary key (trigger_id, event_id, at),
    constraint fired_state_ck check (state in ('planned', 'queued', 'done',
        'dead', 'skipped', 'cancelled')),
    constraint fired_ended_ck
        check ((state in ('planned', 'queued')) = (ended_at is null))
) partition by range (at);

create index fired_id_ix on leadq.fired (fired_id);
create index fired_contact_ix on leadq.fired (contact_id)
    where state = 'planned';

create table leadq.fired_default partition of leadq.fired default;

comment on table leadq.fired is
    'A trigger that fired for an event, once, and what became of it; at is '
    'the event''s. By month; dropped after fourteen.';


create table leadq.posted (
    post_id         uuid        not null,
    at              timestamptz not null,
    fingerprint     text,
    constraint posted_pk primary key (post_id)
);

create index posted_at_ix on leadq.posted (at);

comment on table leadq.posted is
    'Ids of events that were posted, so that a repeat is known for a month.';


insert into leadq.retry_step (kind, attempt, delay)
select 'webhook', r.attempt, r.delay
  from leadq.retry_step r
 where r.kind = 'postback';


-- Events lie in the order of their ids: an id is found by its block.
create index event_id_ix on leadq.event using brin (event_id)
    with (pages_per_range = 16);

-- functions/events.sql has what it does.
create function leadq._wake_triggers()
returns trigger
language plpgsql
as $$
begin
    return null;
end
$$;

create trigger event_wake after insert on leadq.event
    referencing new table as fresh
    for each statement execute function leadq._wake_triggers();

-- config_import enables it as soon as something waits for an event.
alter table leadq.event disable trigger event_wake;
