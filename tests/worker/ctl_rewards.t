#!/usr/bin/perl

# leadqctl rewards: gifts are listed with what holds them, approved by hand,
# issued, cancelled, each where it can be.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/programmes.json');
$ENV{LEADQ_DATABASE} = $pg->dsn;
$ENV{PGTZ} = 'UTC';

sub rewards { return run(build_dir() . '/leadqctl', 'rewards', @_) }

my ($rc, $out) = rewards('list');
is($rc, 0, 'no gifts are no failure');
like($out, qr/^reward +programme +code +phone +state +flags/, 'and a head');

$pg->sql(<<'SQL');
with c as (
    insert into leadq.contact (created_at) values (leadq.now())
    returning contact_id
), a as (
    insert into leadq.address (channel, value, contact_id, created_at)
    select 'phone', '+79160000001', c.contact_id, leadq.now() from c
), k as (
    insert into leadq.promo_code (programme_id, code, owner_id, max_uses,
           starts_at, expires_at)
    select p.programme_id, leadq._new_code(), c.contact_id, 3, leadq.now(),
           leadq.now() + interval '90 days'
      from leadq.programme p, c, generate_series(1, 2)
     where p.name = 'friends'
    returning code_id, owner_id, programme_id
)
insert into leadq.reward (programme_id, owner_id, code_id, created_at, due_at)
select k.programme_id, k.owner_id, k.code_id, leadq.now(),
       leadq.now() + interval '14 days'
  from k
SQL
$pg->sql("insert into leadq.promo_flag (at, rule, code_id)
    select leadq.now(), 'too-soon', code_id from leadq.reward
     where reward_id = 1");

($rc, $out) = rewards('list', '--state', 'pending');
like($out, qr/^ +1 +friends +\w{12} +\+7 916 \*\*\*-\*\*-01 +pending +too-soon/m,
    'a gift with its owner, masked, and what holds it') or diag $out;
($rc, $out) = rewards('list', '--json');
is_deeply([sort map { $_->{reward} } @{ JSON::PP::decode_json($out) }],
    [1, 2], 'as JSON');

($rc, $out) = rewards('issue', 1);
is("$rc $out", "1 leadqctl: gift 1 is pending: it cannot be issued\n",
    'what is not approved is not issued');
is((rewards('approve', 1))[1], "gift 1: was pending, is approved\n",
    'somebody approves it, whatever its marks');
is((rewards('issue', 1))[1], "gift 1: was approved, is issued\n",
    'and says that the owner has it');
is((rewards('cancel', 1))[0], 1, 'what was given is not cancelled');
is((rewards('cancel', 2))[1], "gift 2: was pending, is cancelled\n",
    'what was not is');
is((rewards('cancel', 3))[0], 1, 'a gift that is not there');
is((rewards('issue', 'one'))[1],
    "leadqctl: \"one\" is not the number of a gift\n", 'a number is a number');
is((rewards('list', '--state', 'old'))[0], 2, 'a state that there is not');
is($pg->sql("select string_agg(kind, ' ' order by event_id)
      from leadq.event where kind like 'reward.%'"),
    'reward.approved reward.issued reward.cancelled', 'each is an event');

done_testing();
