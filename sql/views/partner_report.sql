create or replace view leadq.partner_report as
select w.name as network, p.created_at as at, s.name as source, l.offer_id,
       l.click_id, p.lead_id, p.status, p.reason,
       case p.status when 'approved' then l.payout end as payout,
       l.currency, l.received_at, p.state, p.ended_at
  from leadq.postback p
  join leadq.network w using (network_id)
  join leadq.lead l using (lead_id)
  join leadq.source s using (source_id);

comment on view leadq.partner_report is
    'Each status that a network is told, with what is owed for it: to be '
    'compared with the network''s own list. at is the time of the status, '
    'whose day and hour the macros date and time show. No personal data.';
