create or replace view leadq.job_attempt as
select d.job_id, d.kind, d.target, d.ref, d.attempt,
       d.done_at as ended_at, d.outcome,
       coalesce(d.detail ->> 'http', d.detail ->> 'smtp')::integer as status,
       d.detail ->> 'code' as code,
       d.detail ->> 'class' as class,
       coalesce(d.detail ->> 'reason', d.detail ->> 'sqlstate') as reason,
       (d.detail ->> 'ms')::integer as ms,
       regexp_replace(
           regexp_replace(d.detail ->> 'reply', '[^\s<>@:]+@[^\s<>@:]+',
                          '***', 'g'),
           '[0-9](?:[ ().-]{0,3}[0-9]){8,}', '***', 'g') as reply
  from leadq.job_done d;

comment on view leadq.job_attempt is
    'One row for each attempt and each end of a job, of the last months. '
    'reply is the beginning of what the peer said, without what looks like '
    'an address or a phone.';
