#!/usr/bin/perl

# The database or the network stands still under load and goes on: clients
# are told in time, what was answered is there once, nothing is left behind.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Test qw(wait_for);
use Load;
use Probe;
use Wire;

my $pg = postgres(listen => '127.0.0.1');
my ($port) = $pg->dsn =~ /port=(\d+)/;
my $wire = Wire->new($port);

my $ng = Leadq::Nginx->start(
    http => 'leadq_database main "host=127.0.0.1 port=' . $wire->port
        . ' dbname=leadq user=postgres" timeout=2s connect_timeout=1s;',
    server => 'location = /echo { leadq_pass main echo;
        leadq_field name text; }
        location = /alive { return 200 alive; }');

sub rows { return $pg->sql('select count(*) from leadq.row') }

sub backends {
    return split /\n/, $pg->sql(q(select pid from pg_stat_activity
        where application_name = 'leadq'));
}

sub more {
    my $rows = rows();
    return wait_for('load', 30, sub { rows() > $rows + 200 });
}

my %ways = (
    'database frozen for 10 s' => sub {
        $pg->freeze;
        sleep 10;
        $pg->thaw;
    },
    'backends frozen for 3 s' => sub {
        my @stopped = backends();           # one may hold a lock of all others
        kill 'STOP', @stopped;
        sleep 3;
        kill 'CONT', @stopped;
    },
    'network silent for 3 s' => sub {
        $wire->freeze;
        sleep 3;
        $wire->thaw;
    },
    'network cut for 3 s' => sub {
        $wire->cut;
        sleep 3;
        $wire->restore;
    },
);

for my $way (sort keys %ways) {
    $pg->sql('truncate leadq.row');
    my $load = Load->start(port => $ng->port, path => '/echo', pause => 0.05);
    my $probe = Probe->start($ng);
    more();
    $ways{$way}->();
    more();
    my $result = $load->stop;
    my $loop = $probe->stop;
    wait_for('the old backends are gone', 30, sub { backends() <= 2 });
    is_deeply([Load::compare($result, $pg)], [0, 0],
        "$way: nothing answered is lost, nothing is stored twice");
    is((grep { !/^(?:201|503)$/ } keys %{ $result->{status} }), 0,
        "$way: clients got 201 or 503") or diag(explain($result->{status}));
    is($result->{cut}, 0, "$way: no connection was cut");
    ok(!$loop->{stood}, "$way: the event loop never stood still");
    note("$way: $result->{sent} requests, loop $loop->{worst} ms in "
        . "$loop->{n} probes");
}

is($ng->alarms, '', 'nothing alarming is in the log');
cmp_ok(scalar(() = $ng->log =~ /\] .*leadq lane/g), '<', 60,
    'the log is not flooded');

# The measure itself: a loop that is stopped is seen.
my $probe = Probe->start($ng);
wait_for('it looks', 10, sub { $probe->looks });
my ($worker) = $ng->worker_pids;
kill 'STOP', $worker;
select undef, undef, undef, 0.1;
$probe->looks;   # from here on answers are later than the stop
kill 'CONT', $worker;
wait_for('it looks again', 10, sub { $probe->looks });
cmp_ok($probe->stop->{worst}, '>', 50, 'the probe sees a loop that stands');

$ng->quit;
wait_for('connections are gone', 10, sub { backends() == 0 });
pass('nginx leaves no connection behind');

done_testing();
