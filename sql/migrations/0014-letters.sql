-- What people do with letters, where a source wants to know; and the report
-- finds the leads of a period without an index entry for each.

alter table leadq.source
    add column track_opens  boolean not null default false,
    add column track_clicks boolean not null default false;

comment on column leadq.source.track_opens is
    'Whether its letters show an image that tells when they are opened.';
comment on column leadq.source.track_clicks is
    'Whether the fixed links of its letters lead over the site, which counts '
    'them.';


alter table leadq.message
    add column opened_at    timestamptz,
    add column clicked      smallint[] not null default '{}';

comment on column leadq.message.clicked is
    'Numbers of the links that were followed, in the order of their first '
    'click; see _letter_links.';


-- Both grow in the order of time, and never shrink within.
create index enrolment_started_ix on leadq.enrolment using brin (started_at)
    with (pages_per_range = 32, autosummarize = on);

create index lead_received_ix on leadq.lead using brin (received_at)
    with (pages_per_range = 32, autosummarize = on);


-- Letters are handed out a batch at a time, those to an old base after others.
alter table leadq.enrolment
    add column bulk boolean not null default false;

comment on column leadq.enrolment.bulk is
    'Whether its letters go by the lane bulk, as those to an old base do.';

-- A scheduled job is found by its time and what it is about: a million letters
-- may wait for the same morning.
drop index leadq.job_scheduled_run_at_ix;
create index job_scheduled_run_at_ix on leadq.job_scheduled (run_at, ref);

drop function if exists leadq._intake(uuid[]);
drop function if exists leadq._judge_leads(uuid[]);
drop function if exists leadq._enrol(uuid[]);
drop function if exists leadq._letter_payload(uuid);
drop function if exists leadq._link(text, text, uuid, interval);
