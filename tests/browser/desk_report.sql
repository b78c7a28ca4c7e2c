-- Thirty days of two points for the report: north with nina and roman, who are
-- honest, south with kira, who makes visits up after hours today; lena is the
-- supervisor of north, vera the brand.  The same in every run.

select setseed(0.7);

select count(*) from leadq.config_import('{
    "points": [{"name": "north", "title": "Север"},
               {"name": "south", "title": "Юг, второй этаж"}],
    "advisors": [{"name": "nina", "title": "Нина Ким", "point": "north"},
                 {"name": "roman", "title": "Роман Лис", "point": "north"},
                 {"name": "kira", "title": "Кира Вольф", "point": "south"},
                 {"name": "lena", "role": "supervisor", "point": "north"},
                 {"name": "vera", "title": "Вера", "role": "brand"}],
    "programmes": [{"name": "circle", "title": "Круг друзей",
                    "kind": "referral", "discount": "20 %",
                    "discount_cost": 300, "reward_cost": 900},
                   {"name": "taste", "title": "Пробный день",
                    "kind": "trial", "discount": "10 %",
                    "discount_cost": 150}]}');

create temp table visited as
select gen_random_uuid() as id, a.point_id, a.advisor_id, a.name, d.day, n,
       (d.day::timestamp + interval '10 h' + n * interval '25 min'
        + random() * interval '9 min') at time zone 'Europe/Moscow' as at,
       case when n % 17 = 5 then 'unproved' when n % 9 = 4 then 'document'
            else 'sure' end as age,
       case when n % 17 = 5 or n % 7 = 6 then 'left'
            when n % 3 = 0 then 'purchase' else 'test' end as outcome,
       n % 17 <> 5 and random() < 0.72 as proved, false as invented
  from leadq.advisor a
 cross join lateral (
    select (leadq.now() at time zone 'Europe/Moscow')::date - g as day
      from generate_series(0, 29) g) d
 cross join lateral generate_series(1, 14 + (extract(day from d.day)::integer
        * 7 + a.advisor_id * 5) % 13
        - case when a.name = 'roman' then 6 else 0 end) n
 where a.name in ('nina', 'roman', 'kira');

insert into visited
select gen_random_uuid(), a.point_id, a.advisor_id, a.name, d.day, n,
       (d.day::timestamp + interval '22 h 30 min' + n * interval '70 s')
           at time zone 'Europe/Moscow', 'sure', 'test', false, true
  from leadq.advisor a
 cross join lateral (
    select (leadq.now() at time zone 'Europe/Moscow')::date as day) d
 cross join generate_series(1, 12) n
 where a.name = 'kira';

insert into leadq.visit (visit_id, point_id, advisor_id, day, opened_at, age,
       consent_pd, consent_ads, lang, ended_at, outcome, verification_id,
       refusal)
select id, point_id, advisor_id, day, at, age, proved, proved, 'ru',
       at + interval '4 min', outcome,
       case when proved then gen_random_uuid() end,
       case when age <> 'unproved' and not proved
            then (array['phone', 'mailings', 'code'])[1 + n % 3] end
  from visited;

create temp table made as
select v.id as visit, v.point_id, v.advisor_id, v.at, v.outcome,
       row_number() over (order by v.at, v.id) as k,
       nextval('leadq.contact_contact_id_seq') as contact
  from visited v
 where v.proved and v.outcome <> 'left' and not v.invented;

insert into leadq.contact (contact_id, created_at)
select contact, at from made;
insert into leadq.promo_code (programme_id, code, owner_id, max_uses,
       starts_at, expires_at, visit_id, issue_point_id, issue_advisor_id)
select p.programme_id, translate(lpad(to_hex(k), 12, '0'), '0123456789abcdef',
           '23456789ACEHKMPT'), contact, p.max_uses, at + interval '5 min',
       at + interval '90 days', visit, point_id, advisor_id
  from made
  join leadq.programme p on p.name = case outcome when 'purchase'
       then 'circle' else 'taste' end;

insert into leadq.redemption (redemption_id, code_id, contact_id, point_id,
       advisor_id, state, created_at, redeemed_at, closed_at, chain)
select gen_random_uuid(), c.code_id, m.contact, m.point_id, m.advisor_id,
       case when m.k % 23 = 0 then 'rolled_back' else 'redeemed' end,
       m.at, m.at, case when m.k % 23 = 0 then m.at + interval '2 h' end,
       1 + m.k / 3 % 3
  from made m
  join made o on o.k = m.k - 60
  join leadq.promo_code c on c.visit_id = o.visit
 where m.k % 3 = 0;

insert into leadq.reward (programme_id, owner_id, code_id, created_at,
       due_at, redemption_id)
select c.programme_id, c.owner_id, c.code_id, r.redeemed_at,
       r.redeemed_at + interval '14 days', r.redemption_id
  from leadq.redemption r
  join leadq.promo_code c using (code_id)
  join leadq.programme p using (programme_id)
 where p.name = 'circle' and c.code_id % 5 = 0;

select leadq._flag_visits(array(select id from visited));

delete from leadq.desk_day;
delete from leadq.programme_day;
update leadq.desk_counted set through = '-infinity';
select leadq._roll_desk();
