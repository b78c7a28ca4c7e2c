-- How a network is called: how much at a time, on which ports, signed or
-- not, and which of its answers no repeat will mend.

alter table leadq.network
    add column concurrency  integer,
    add column rate         numeric(9, 3),
    add column ports        integer[] not null default '{}',
    add column sign         text,
    add column permanent    jsonb,
    add constraint network_concurrency_ck
        check (concurrency between 1 and 1000),
    add constraint network_rate_ck check (rate > 0 and rate <= 10000);

comment on column leadq.network.concurrency is
    'Posts at a time; null: as many as a worker gives to any network.';
comment on column leadq.network.rate is
    'Posts a second of each worker; null: no limit.';
comment on column leadq.network.ports is
    'Ports of its URL besides 80 and 443.';
comment on column leadq.network.sign is
    'Names a file of the worker with the keys to sign with, never a value.';
comment on column leadq.network.permanent is
    'A matcher like match: an answer that is no success and matches is '
    'final.';
