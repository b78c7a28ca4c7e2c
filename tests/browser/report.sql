-- What people did in September 2026, for the report: 400 leads of a landing
-- with three letters, 200 of print with two, 1,000 of an old base with three.
-- Person n of a source confirms by letter 1, 2, 3 or never, as its hundredths
-- say: in the landing 58, 2, 0, in print 31, 19, in the old base 16, 12, 8.

create temp table plan (source text, leads integer, steps integer, l1 integer,
    l2 integer, l3 integer, hard integer, opens boolean);
insert into plan values ('cpa-landing', 400, 3, 58, 2, 0, 6, true),
    ('print-landing', 200, 2, 31, 19, 0, 3, false),
    ('old-base', 1000, 3, 16, 12, 8, 22, false);

create temp table person as
select p.*, s.source_id, s.series_id, n, n % 100 as h, gen_random_uuid() as id,
       nextval('leadq.contact_contact_id_seq') as contact_id,
       timestamptz '2026-09-01 09:00+03' + n * interval '29 days' / p.leads
           as at
  from plan p
  join leadq.source s on s.name = p.source
 cross join lateral generate_series(0, p.leads - 1) n;
alter table person add step integer;
update person set step = case when h < l1 then 1 when h < l1 + l2 then 2
    when h < l1 + l2 + l3 then 3 end;

insert into leadq.contact (contact_id, created_at)
select contact_id, at from person;
insert into leadq.lead (lead_id, source_id, received_at, click_id, request,
       contact_id, series_id, reports, state, reason, final_at)
select id, source_id, at, 'c' || n, '{}', contact_id, series_id,
       source = 'cpa-landing',
       case when step is not null then 'approved' when h >= 100 - hard - 4
            then 'rejected' when at > '2026-09-27' then 'pending'
            else 'expired' end,
       case when step is not null then null when h >= 100 - hard
            then 'hard_bounce' when h = 99 - hard then 'unsubscribed'
            when h >= 96 - hard then 'duplicate'
            when at > '2026-09-27' then null else 'not_confirmed' end,
       case when step is null and h < 96 - hard and at > '2026-09-27'
            then null else at + interval '3 days' end
  from person;
insert into leadq.enrolment (enrolment_id, contact_id, series_id, source_id,
       email, lang, state, started_at, ended_at)
select id, contact_id, series_id, source_id, 'p' || n, 'ru', 'stopped', at, at
  from person;
insert into leadq.message (enrolment_id, contact_id, series_id, step, state,
       due_at, ended_at, class, confirmed_at, opened_at)
select id, contact_id, series_id, m, case when m = 1 and h >= 100 - hard
       then 'bounced' else 'sent' end, at, at,
       case when m = 1 and h >= 100 - hard then 'hard' end,
       case when m = step then at end,
       case when opens and h % 4 <> 3 then at end
  from person, generate_series(1, steps) m
 where m <= coalesce(step, steps)
   and (m = 1 or h < 100 - hard);
