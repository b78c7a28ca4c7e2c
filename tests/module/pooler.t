#!/usr/bin/perl

# pgbouncer in transaction mode between nginx and the database, under load:
# it lends fewer connections than there are lanes, loses the database, is
# killed and comes back.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Test qw(wait_for);
use Load;
use Pooler;
use Probe;

my $pg = postgres();
my $pooler = Pooler->start($pg);

sub rows { return $pg->sql('select count(*) from leadq.row') }

my $dsn = $pooler->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn" connections=6 timeout=30s
        lifetime=2s;),
    server => 'location = /echo { leadq_pass main echo;
        leadq_field name text; }
        location = /alive { return 200 alive; }');
wait_for('lanes through the pooler', 15, sub {
    post($ng->url('/echo'), '{"name":"a"}')->{status} == 201 });

my %ways = (
    'nothing happens' => sub { },
    'database restarted' => sub { $pg->restart('fast') },
    'database killed' => sub { $pg->kill9; $pg->start_again },
    'pooler restarted' => sub {
        $pooler->kill('TERM'); $pooler->again },
    'pooler killed' => sub {
        $pooler->kill('KILL'); sleep 1; $pooler->again },
);

for my $way (sort keys %ways) {
    $pg->sql('truncate leadq.row');
    my $load = Load->start(port => $ng->port, path => '/echo',
        connections => 64);
    my $probe = Probe->start($ng);
    wait_for('some load', 30, sub { rows() > 200 });
    $ways{$way}->();
    my $rows = rows();
    wait_for('more load', 60, sub { rows() > $rows + 200 });
    my ($result, $loop) = ($load->stop, $probe->stop);
    is_deeply([Load::compare($result, $pg)], [0, 0],
        "$way: nothing answered is lost, nothing is stored twice");
    is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
        "$way: clients saw a delay and no error")
        or diag(explain($result->{status}));
    ok(!$loop->{stood}, "$way: the event loop never stood still");
    note("$way: $result->{sent} requests, loop $loop->{worst} ms in "
        . "$loop->{n} probes");
}

cmp_ok($pg->sql(q(select count(*) from pg_stat_activity
    where application_name = 'leadq')), '<=', 3,
    'the server has the connections of the pooler, not of the lanes');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;
$pooler->kill('TERM');

done_testing();
