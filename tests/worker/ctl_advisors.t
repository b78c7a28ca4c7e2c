#!/usr/bin/perl

# leadqctl advisors lift: an advisor whom wrong codes have stopped goes on.

use strict;
use warnings;

use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$ENV{LEADQ_DATABASE} = $pg->dsn;
$pg->sql(<<'SQL');
select leadq.config_import('{"gateways": [{"name": "sms", "channel": "sms",
    "url": "https://sms/"}], "verifications": [{"name": "desk",
    "kind": "desk", "steps": [{"gateway": "sms",
        "text": {"ru": "{code}"}}]}]}'::jsonb);
insert into leadq.verification (verification_id, profile_id, phone, session,
       lang, digits, max_checks, checks, seed, created_at, expires_at, state,
       closed_at, advisor)
select gen_random_uuid(), profile_id, '+7916000000' || n, sha256('s'), 'ru',
       4, 3, 3, uuid_send(gen_random_uuid()), leadq.now(), leadq.now(),
       'locked', leadq.now(), 'boris'
  from leadq.profile, generate_series(1, 9) n;
SQL

sub lift { return join ' ', run(build_dir() . '/leadqctl', 'advisors', @_) }

# The status of a start of his.
sub started {
    return $pg->sql(q(select status from leadq.web_otp_start(
        array[gen_random_uuid()], array['{"profile": "desk", "advisor":
        "boris", "phone": "+79270000001", "$session": "s", "consent_pd":
        true}'])));
}

is(started(), 429, 'he has typed wrong codes alone');
like(lift('lift', 'olga'), qr/^1 .*"olga" has typed no code/s,
    'somebody else cannot be lifted');
is(started(), 429, 'and it helps nobody');
like(lift('lift', 'boris'), qr/^0 boris may go on: /, 'an operator lifts him');
is(started(), 202, 'and he goes on');
like(lift('lift'), qr/^2 /, 'a name is wanted');

done_testing();
