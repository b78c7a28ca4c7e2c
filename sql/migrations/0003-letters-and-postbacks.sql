-- What leaves the house: letters of a series, statuses to networks.

create table leadq.enrolment (
    enrolment_id    uuid        not null default gen_random_uuid(),
    contact_id      bigint      not null,
    series_id       integer     not null,
    source_id       integer     not null,
    email           text        not null,
    lang            text        not null,
    state           text        not null default 'running',
    started_at      timestamptz not null,
    ended_at        timestamptz,
    constraint enrolment_pk primary key (enrolment_id),
    constraint enrolment_contact_uq unique (contact_id, series_id),
    constraint enrolment_contact_fk foreign key (contact_id)
        references leadq.contact,
    constraint enrolment_series_fk foreign key (series_id)
        references leadq.series,
    constraint enrolment_source_fk foreign key (source_id)
        references leadq.source,
    constraint enrolment_state_ck check (state in ('running', 'confirmed',
        'expired', 'stopped')),
    constraint enrolment_ended_ck
        check ((state = 'running') = (ended_at is null))
) with (fillfactor = 85);

comment on table leadq.enrolment is
    'A contact in a series, once. source is the one whose lead began it: '
    'its sender, pages and language are used in the letters.';


create table leadq.message (
    message_id      uuid        not null default gen_random_uuid(),
    enrolment_id    uuid        not null,
    contact_id      bigint      not null,
    series_id       integer     not null,
    step            integer     not null,
    template_id     integer,
    state           text        not null default 'planned',
    due_at          timestamptz not null,
    ended_at        timestamptz,
    class           text,
    confirmed_at    timestamptz,
    constraint message_pk primary key (message_id),
    constraint message_step_uq unique (contact_id, series_id, step),
    constraint message_enrolment_fk foreign key (enrolment_id)
        references leadq.enrolment,
    constraint message_template_fk foreign key (template_id)
        references leadq.template,
    constraint message_state_ck check (state in ('planned', 'sent',
        'bounced', 'failed', 'cancelled')),
    constraint message_ended_ck
        check ((state = 'planned') = (ended_at is null))
) with (fillfactor = 80);

create index message_enrolment_ix on leadq.message (enrolment_id);

comment on table leadq.message is
    'One letter to one person; message_step_uq is the rule that no letter '
    'of a series goes out twice.';


create table leadq.postback (
    postback_id     uuid        not null default gen_random_uuid(),
    lead_id         uuid        not null,
    network_id      integer     not null,
    status          text        not null,
    reason          text,
    state           text        not null,
    created_at      timestamptz not null,
    ended_at        timestamptz,
    constraint postback_pk primary key (postback_id),
    constraint postback_status_uq unique (lead_id, network_id, status),
    constraint postback_lead_fk foreign key (lead_id) references leadq.lead,
    constraint postback_network_fk foreign key (network_id)
        references leadq.network,
    constraint postback_status_ck
        check (status in ('processed', 'approved', 'rejected')),
    constraint postback_state_ck
        check (state in ('waiting', 'queued', 'done', 'dead')),
    constraint postback_ended_ck
        check ((state in ('done', 'dead')) = (ended_at is not null))
) with (fillfactor = 80);

-- Money is one-way: a network hears at most one final status of a lead.
create unique index postback_final_uq on leadq.postback (lead_id, network_id)
    where status <> 'processed';

comment on table leadq.postback is
    'What a network is told. A final status waits until the network has '
    'acknowledged "processed", or that one is dead.';
