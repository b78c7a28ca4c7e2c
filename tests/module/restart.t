#!/usr/bin/perl

# The server goes down under load, politely and otherwise: every answered row
# is there exactly once.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(wait_for);
use Load;

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    workers => 2,
    http => qq(leadq_database main "$dsn" timeout=30s;),
    server => 'location = /echo { leadq_pass main echo;
        leadq_field name text; }');

my %ways = (
    'restart fast' => sub { $pg->restart('fast') },
    'restart immediate' => sub { $pg->restart('immediate') },
    'kill -9 and start' => sub { $pg->kill9; $pg->start_again },
    'backends terminated' => sub { $pg->sql(
        q(select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'leadq')) for 1 .. 5 },
    'backends killed' => sub {
        my ($pid) = split /\n/, $pg->sql(q(select pid from pg_stat_activity
            where application_name = 'leadq'));
        kill 'KILL', $pid if $pid;
    },
);

# -1 while the server cannot tell.
sub rows {
    my $n = eval { $pg->sql('select count(*) from leadq.row') };
    return defined $n ? $n : -1;
}

for my $way (sort keys %ways) {
    $pg->sql('truncate leadq.row');
    my $load = Load->start(port => $ng->port, path => '/echo',
        connections => 32);
    wait_for('some load', 30, sub { rows() > 200 });
    $ways{$way}->();
    wait_for('more load', 60, sub { rows() > 1000 });
    my $result = $load->stop;
    is_deeply([Load::compare($result, $pg)], [0, 0],
        "$way: nothing answered is lost, nothing is stored twice");
    is_deeply([keys %{ $result->{status} }], [201],
        "$way: clients saw a delay and no error")
        or diag(explain($result->{status}));
    is($result->{cut}, 0, "$way: no connection was cut");
    note("$way: $result->{sent} requests");
}

like($ng->log, qr/\[warn\].*leadq lane \d of "main" is lost: /,
    'a lost lane is a warning');
like($ng->log, qr/\[notice\].*leadq lane \d of "main" is ready/,
    'its return is a notice');
cmp_ok(scalar(() = $ng->log =~ /does not come up/g), '<', 30,
    'the log is not flooded meanwhile');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
