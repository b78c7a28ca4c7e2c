create or replace view leadq.job_dead as
select d.job_id, d.kind, d.target, d.ref, d.attempt, d.done_at as died_at,
       coalesce(d.detail ->> 'reason', d.detail ->> 'sqlstate',
                d.detail ->> 'class', 'unknown') as reason,
       coalesce(d.detail ->> 'http', d.detail ->> 'smtp')::integer as status
  from leadq.job_done d
 where d.outcome = 'dead'
   and (d.kind not in ('code', 'poll', 'captcha', 'receipt', 'identity')
        or d.detail ->> 'reason' in ('bad-payload', 'guard', 'keys',
                                     'unknown-kind', 'no-code', 'receipt'))
   and not exists (select from leadq.sms s
                    where d.kind = 'sms'
                      and s.sms_id = d.ref
                      and s.state <> 'failed')
   and not exists (select from leadq.job_ready r
                    where r.lane = d.job_id % 8
                      and r.job_id = d.job_id)
   and not exists (select from leadq.job_done l
                    where l.job_id = d.job_id
                      and l.done_at > d.done_at);

comment on view leadq.job_dead is
    'Dead letters: jobs that were given up and not brought back since. Of '
    'codes and identity checks only what a person must mend: a call that '
    'failed is dealt with, and no letter; nor is a message that may have left.';
