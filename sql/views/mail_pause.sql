create or replace view leadq.mail_pause as
select g.mx_group, g.paused_until, g.pauses,
       (select count(*) from leadq.mail_domain d
         where d.mx_group = g.mx_group) as domains
  from leadq.mail_group g
 where g.paused_until > leadq.now();

comment on view leadq.mail_pause is
    'Receivers that have refused our letters for our own sake, and until '
    'when they get none.';
