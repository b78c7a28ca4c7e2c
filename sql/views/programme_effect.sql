create or replace view leadq.programme_row as
select d.*
  from leadq.programme_day d
 where d.day <= (select c.through from leadq.desk_counted c)
union all
select d.*
  from leadq.desk_counted c
 cross join lateral leadq.programme_counts(c.through + 1, 'infinity') d;

comment on view leadq.programme_row is
    'What happened to the codes of a programme, by day; for programme_effect.';


create or replace view leadq.programme_effect as
select p.name as programme, p.kind, d.month, d.codes, d.redemptions,
       d.rolled_back, e.buyers, e.k_factor, d.longest as longest_chain,
       e.mean_chain, d.rewards, d.messages, d.sms_cost, e.cost,
       e.cost_per_buyer
  from (select r.programme_id, date_trunc('month', r.day)::date as month,
               sum(r.codes) as codes, sum(r.redemptions) as redemptions,
               sum(r.rolled_back) as rolled_back, sum(r.rewards) as rewards,
               sum(r.links) as links, max(r.longest) as longest,
               sum(r.messages) as messages, sum(r.sms_cost) as sms_cost
          from leadq.programme_row r
         group by r.programme_id, 2) d
  join leadq.programme p using (programme_id)
 cross join lateral leadq.effect_of(p.kind, p.discount_cost, p.reward_cost,
     d.codes, d.redemptions, d.rolled_back, d.rewards, d.links,
     d.sms_cost) e;

comment on view leadq.programme_effect is
    'What a programme brings and costs, by month.';
comment on column leadq.programme_effect.codes is
    'Codes that were issued for visits, and made in batches: of a referral '
    'programme those who joined it.';
comment on column leadq.programme_effect.buyers is
    'Sales by codes less those that were rolled back.';
comment on column leadq.programme_effect.k_factor is
    'Buyers brought per buyer who joined.';
comment on column leadq.programme_effect.longest_chain is
    'The longest chain of recommendations that ended in a sale: 1 is a '
    'friend, 2 a friend''s friend.';
comment on column leadq.programme_effect.cost is
    'Discounts, gifts and messages, by discount_cost and reward_cost of the '
    'programme and what gateways said of messages.';
