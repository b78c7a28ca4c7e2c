-- The law: what was agreed to and in which words, provable afterwards; how
-- long personal data are kept; persons who turn out to be one; and how far
-- the import of an old base has come.

create table leadq.consent_text (
    purpose         text        not null,
    version         text        not null,
    lang            text        not null,
    text            text        not null,
    sha256          bytea       not null,
    created_at      timestamptz not null,
    constraint consent_text_pk primary key (purpose, version, lang),
    constraint consent_text_purpose_ck
        check (purpose in ('pd_processing', 'ads')),
    constraint consent_text_sha256_ck
        check (sha256 = sha256(convert_to(text, 'UTF8')))
);

comment on table leadq.consent_text is
    'What people are shown beside a box that they tick; append-only: other '
    'words are another version.';


alter table leadq.consent
    add column text_sha256      bytea,
    add column text_lang        text,
    add column shown_at         timestamptz,
    add column page_url         text,
    add column form_version     text,
    add column advisor_id       text,
    add column point_id         text,
    add column copied_from      bigint,
    add column n                integer,
    add column person_sha256    bytea,
    add column prev_hash        bytea,
    add column hash             bytea,
    drop constraint consent_evidence_ck,
    add constraint consent_evidence_ck
        check (evidence in ('checkbox', 'doi_click', 'unsubscribe', 'otp',
            'paper', 'import', 'operator'));

comment on column leadq.consent.shown_at is
    'When the person saw the text, if not just then: of an old base.';
comment on column leadq.consent.copied_from is
    'The consent of another contact that was merged into this one.';
comment on column leadq.consent.n is
    'The place in the chain of its contact, from 1.';
comment on column leadq.consent.person_sha256 is
    'Stands for ip, ua and page_url in the hash, so that erasing them leaves '
    'the chain whole.';


-- The form of the hash never changes: what was sealed is compared for ever.
create function leadq._consent_hash(p_row leadq.consent)
returns bytea
language sql immutable
as $$
    select sha256(convert_to(jsonb_build_array(
        encode(p_row.prev_hash, 'hex'), p_row.contact_id, p_row.n,
        p_row.lead_id, p_row.message_id, p_row.purpose, p_row.channel,
        p_row.action, p_row.evidence, p_row.text_version,
        encode(p_row.text_sha256, 'hex'), p_row.text_lang,
        extract(epoch from p_row.shown_at), p_row.form_version,
        p_row.advisor_id, p_row.point_id, p_row.copied_from,
        encode(p_row.person_sha256, 'hex'),
        extract(epoch from p_row.at))::text, 'UTF8'))
$$;


create function leadq._consent_person(p_row leadq.consent)
returns bytea
language sql immutable
as $$
    -- Salted by the row, so that nobody finds the address of a visitor by
    -- trying all of them.
    select sha256(convert_to(jsonb_build_array(p_row.ip, p_row.ua,
        p_row.page_url, p_row.consent_id, p_row.at)::text, 'UTF8'))
$$;


-- Consents that were given before there was a chain begin it.
do $$
declare
    v_row leadq.consent;
    v_contact bigint;
    v_n integer;
    v_hash bytea;
begin
    for v_row in
        select * from leadq.consent c order by c.contact_id, c.consent_id
    loop
        if v_row.contact_id is distinct from v_contact then
            v_contact := v_row.contact_id;
            v_n := 0;
            v_hash := null;
        end if;

        v_n := v_n + 1;
        v_row.n := v_n;
        v_row.prev_hash := v_hash;
        v_row.person_sha256 := leadq._consent_person(v_row);
        v_hash := leadq._consent_hash(v_row);

        update leadq.consent c
           set n = v_n,
               person_sha256 = v_row.person_sha256,
               prev_hash = v_row.prev_hash,
               hash = v_hash
         where c.consent_id = v_row.consent_id;
    end loop;
end
$$;

drop index leadq.consent_contact_ix;

alter table leadq.consent
    alter column n set not null,
    alter column person_sha256 set not null,
    alter column hash set not null,
    add constraint consent_chain_uq unique (contact_id, n),
    add constraint consent_chain_ck check ((n = 1) = (prev_hash is null));

create unique index consent_copied_uq
    on leadq.consent (contact_id, copied_from)
    where copied_from is not null;

comment on table leadq.consent is
    'What people agreed to, refused and took back; append-only, a chain of '
    'hashes for each contact. A withdrawal is a row too.';


alter table leadq.contact
    add column merged_into  bigint,
    add column erased_at    timestamptz,
    add constraint contact_merged_fk foreign key (merged_into)
        references leadq.contact;

create index contact_merged_ix on leadq.contact (merged_into)
    where merged_into is not null;

comment on column leadq.contact.merged_into is
    'The contact that this one turned out to be: it has the addresses, leads,'
    ' events and consents now.';

-- An erased person has no address any more, but has had letters.
alter table leadq.enrolment alter column email drop not null;

alter table leadq.lead add column erased_at timestamptz;

create index lead_retention_ix on leadq.lead (source_id, received_at)
    where erased_at is null;

comment on column leadq.lead.erased_at is
    'When everything personal was taken out of it.';

-- What is asked of one contact; its events are spread over the months.
create index if not exists event_contact_ix on leadq.event (contact_id)
    where contact_id is not null;

alter table leadq.source
    add column retention_days integer,
    add constraint source_retention_ck
        check (retention_days between 1 and 3650);

comment on column leadq.source.retention_days is
    'How long its leads keep what is personal in them; null: for ever.';

alter table leadq.suppression
    drop constraint suppression_reason_ck,
    add constraint suppression_reason_ck check (reason in ('unsubscribed',
        'complaint', 'manual', 'erased'));


create table leadq.import_salt (
    only_row        boolean     not null default true,
    value           text        not null
                    default replace(gen_random_uuid()::text
                                    || gen_random_uuid()::text, '-', ''),
    constraint import_salt_pk primary key (only_row),
    constraint import_salt_only_row_ck check (only_row)
);

insert into leadq.import_salt default values;

comment on table leadq.import_salt is
    'One row: goes into the ids of imported leads, so that nobody can tell '
    'from an id whose it is.';


create table leadq.import (
    import_id       bigint      generated always as identity,
    source_id       integer     not null,
    what_sha256     text        not null,
    at_byte         bigint      not null default 0,
    lines           bigint      not null default 0,
    outcomes        jsonb       not null default '{}',
    started_at      timestamptz not null,
    ended_at        timestamptz,
    constraint import_pk primary key (import_id),
    constraint import_what_uq unique (source_id, what_sha256),
    constraint import_source_fk foreign key (source_id)
        references leadq.source
);

comment on table leadq.import is
    'A file of leads that was imported, or how far that has come.';
comment on column leadq.import.what_sha256 is
    'Of the file and of how its columns are read: the same again goes on '
    'where it stopped.';
