#!/usr/bin/perl

# Clients that leave at any moment, in the middle of a load, and worker
# processes that are killed in it: the others notice nothing, what was
# answered is there once, no connection is left behind.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Socket::INET ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Test qw(wait_for);
use Load;
use Probe;

my $pg = postgres();
my $dsn = $pg->dsn;

sub nginx {
    my (%options) = @_;
    return Leadq::Nginx->start(%options,
        http => qq(leadq_database main "$dsn" timeout=10s;),
        server => 'location = /echo { leadq_pass main echo;
            leadq_field name text max=2000; }
            location = /alive { return 200 alive; }');
}

sub rows { return $pg->sql('select count(*) from leadq.row') }

sub backends { return $pg->sql(q(select count(*) from pg_stat_activity
    where application_name = 'leadq')) }

# A process that sends a part of a request, or all of it and one more, and
# leaves by FIN or RST without reading.
sub deserter {
    my ($port, $number) = @_;

    my $pid = fork;
    defined $pid or die "fork: $!\n";
    return $pid if $pid;
    srand $number;
    my $end = 0;
    local $SIG{TERM} = sub { $end = 1 };
    local $SIG{PIPE} = 'IGNORE';
    while (!$end) {
        my $fh = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $port) or next;
        my $text = '{"name":"deserter' . 'x' x int(rand 1500) . '"}';
        my $all = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: "
            . 'application/json' . "\r\nContent-Length: " . length($text)
            . "\r\n\r\n$text";
        $all .= $all if rand() < 0.3;
        syswrite $fh, substr $all, 0,
            rand() < 0.5 ? length $all : int rand length $all;
        sleep rand 0.004 if rand() < 0.7;
        setsockopt $fh, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
            if rand() < 0.5;
        close $fh;
    }
    POSIX::_exit(0);
}

# --- clients that leave
my $ng = nginx();
my $load = Load->start(port => $ng->port, path => '/echo');
my $probe = Probe->start($ng);
my @deserters = map { deserter($ng->port, $_) } 1 .. 2;
wait_for('many have left', 60, sub { $pg->sql(q(select count(*)
    from leadq.row where request ->> 'name' ~ '^deserter')) > 1500 });
kill 'TERM', @deserters;
waitpid $_, 0 for @deserters;
my ($result, $loop) = ($load->stop, $probe->stop);
is_deeply([Load::compare($result, $pg)], [0, 0],
    'left: every row of those who stayed is there once');
is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
    'left: who stayed noticed nothing') or diag(explain($result->{status}));
ok(!$loop->{stood}, 'left: the event loop never stood still');
note('left: ' . rows() . " rows, loop $loop->{worst} ms");
is(backends(), 2, 'left: as many connections as lanes');
is($ng->alarms, '', 'left: nothing alarming is in the log');
$ng->quit;

# --- worker processes are killed
$pg->sql('truncate leadq.row');
$ng = nginx(workers => 2);
$load = Load->start(port => $ng->port, path => '/echo', connections => 32);
for (1 .. 5) {
    my $rows = rows();
    wait_for('some load', 30, sub { rows() > $rows + 200 });
    my ($worker) = $ng->worker_pids;
    kill 'KILL', $worker;
    wait_for('another worker', 10, sub {
        my @now = $ng->worker_pids;
        return @now == 2 && !grep { $_ == $worker } @now;
    });
}
my $rows = rows();
wait_for('more load', 30, sub { rows() > $rows + 200 });
$result = $load->stop;
is_deeply([Load::compare($result, $pg)], [0, 0],
    'killed: every answered row is there once');
is_deeply([keys %{ $result->{status} }], [201], 'killed: no request got an '
    . 'error') or diag(explain($result->{status}));
cmp_ok($result->{cut}, '<=', 5 * 32, 'killed: only connections were cut');
is(wait_for('backends', 10, sub { backends() == 4 }), 1,
    'killed: as many connections as lanes');
my @alarms = grep { !/exited on signal 9/ } split /\n/, $ng->alarms;
is_deeply(\@alarms, [], 'killed: nothing else alarming is in the log');
note("killed: $result->{sent} requests, $result->{cut} cut");
$ng->quit;
is(wait_for('backends are gone', 10, sub { backends() == 0 }), 1,
    'nginx leaves no connection behind');

done_testing();
