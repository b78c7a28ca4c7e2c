-- Several partners and offers per source; what a lead earns is fixed when it
-- comes; an expired lead may be told as "hold".

create table leadq.source_partner (
    source_id       integer     not null,
    position        integer     not null,
    network_id      integer     not null,
    offer_id        text,
    payout          numeric(12, 2),
    currency        text,
    constraint source_partner_pk primary key (source_id, position),
    constraint source_partner_offer_uq
        unique nulls not distinct (source_id, network_id, offer_id),
    constraint source_partner_source_fk foreign key (source_id)
        references leadq.source on delete cascade,
    constraint source_partner_network_fk foreign key (network_id)
        references leadq.network
);

create index source_partner_network_ix
    on leadq.source_partner (network_id);

comment on table leadq.source_partner is
    'Who pays for the leads of a source, and what for: a network, one of its '
    'offers, the price. A lead names one, or gets the first.';

insert into leadq.source_partner
       (source_id, position, network_id, offer_id, payout, currency)
select s.source_id, 1, s.network_id, s.offer_id, s.payout, s.currency
  from leadq.source s
 where s.network_id is not null;


alter table leadq.lead
    add column network_id   integer,
    add column offer_id     text,
    add column payout       numeric(12, 2),
    add column currency     text;

comment on column leadq.lead.reports is
    'True for the lead that speaks to its network for its click id.';
comment on column leadq.lead.network_id is
    'The network of its partner, with the offer and the price of that '
    'moment; null for a lead that speaks to none.';

-- A network that has heard of a lead already is the one that goes on.
update leadq.lead l
   set network_id = coalesce(
            (select p.network_id from leadq.postback p
              where p.lead_id = l.lead_id
              order by p.created_at, p.postback_id
              limit 1), s.network_id),
       offer_id = s.offer_id,
       payout = s.payout,
       currency = s.currency
  from leadq.source s
 where s.source_id = l.source_id
   and l.reports;


alter table leadq.click add column network_id integer;

update leadq.click c
   set network_id = l.network_id
  from leadq.lead l
 where l.lead_id = c.lead_id;

-- Of sources that speak to nobody any more, and never did.
delete from leadq.click c where c.network_id is null;

alter table leadq.click
    drop constraint click_pk,
    alter column network_id set not null,
    add constraint click_pk primary key (source_id, network_id, click_id);


-- The views that show it are made anew with the functions.
drop view if exists leadq.lead_report;

alter table leadq.source
    drop column network_id,
    drop column offer_id,
    drop column payout,
    drop column currency,
    drop constraint source_expired_as_ck,
    add constraint source_expired_as_ck
        check (expired_as in ('none', 'rejected', 'approved', 'hold'));

alter table leadq.network
    drop constraint network_statuses_ck,
    add constraint network_statuses_ck check (statuses
        <@ array['processed', 'approved', 'rejected', 'hold']);

alter table leadq.postback
    drop constraint postback_status_ck,
    add constraint postback_status_ck check (status
        in ('processed', 'approved', 'rejected', 'hold'));

comment on index leadq.postback_final_uq is
    'Money is one-way: of approved, rejected and hold a network hears one.';


-- Reports of a day; postbacks lie in the order of their time.
create index postback_created_ix on leadq.postback
    using brin (created_at) with (pages_per_range = 32);

-- What happened to a contact, for the story of a lead.
create index event_contact_ix on leadq.event (contact_id)
    where lead_id is null;
