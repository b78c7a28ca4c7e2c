#!/usr/bin/perl

# Signals: the way down, reloading, and what the service manager is told.

use strict;
use warnings;

use FindBin ();
use IO::Socket::UNIX ();
use Test::More;
use Time::HiRes qw(time);

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for spew slurp);
use Leadq::Worker;
use Outside qw(database add_postback wait_state job http_server);

my $pg = database();
my $net = http_server();
my %conf = (database => $pg->dsn, poll => '50ms',
    http_per_host => 20);

sub posted {
    my ($path, $n) = @_;
    wait_for("$n posts of $path", 20, sub {
        return $n <= grep { $_->{uri} eq $path } $net->requests;
    });
    return;
}

# SIGTERM: what posts ends and is settled, what waits is given back
my $worker = Leadq::Worker->start(conf => \%conf);
my @slow = add_postback($pg, $net->url('/slow/3000'), n => 25);
posted('/slow/3000', 20);
my $late = add_postback($pg, $net->url('/slow/2999'));
is($worker->term, 0, 'SIGTERM: exit 0');
is($pg->sql("select string_agg(state || ' ' || n, ', ' order by state) from (
    select state, count(*) n from leadq.job group by state) s"),
    'done 20, ready 6', '20 posts were under way and are settled, '
    . 'the rest is ready for others');
is($pg->sql('select max(attempt) from leadq.job where state = \'ready\''), 0,
    'what was given back has not been tried');
is(scalar(() = $net->requests), 20, 'and was not posted');
like($worker->log, qr/worker end claimed=\d+ done=20 retry=0 dead=0 lost=0/,
    'the log tells what was done');

# shutdown_timeout
$pg->sql('delete from leadq.job');
$worker = Leadq::Worker->start(conf => { %conf, shutdown_timeout => '300ms' });
my $hang = add_postback($pg, $net->url('/hang'));
posted('/hang', 1);
my $begin = time;
is($worker->term, 3, 'work left behind at shutdown_timeout: exit 3');
cmp_ok(time - $begin, '<', 8, 'and soon');
is(job($pg, $hang)->{state}, 'leased', 'its lease runs out');

# a second SIGTERM
$worker = Leadq::Worker->start(conf => \%conf);
add_postback($pg, $net->url('/hang'));
posted('/hang', 2);
kill 'TERM', $worker->pid;
wait_for('the first SIGTERM is seen', 10, sub {
    $worker->log =~ /worker stop signal=15/;
});
$begin = time;
is($worker->term, 3, 'a second SIGTERM: exit 3');
cmp_ok(time - $begin, '<', 2, 'at once');

# SIGTERM with nothing to do, and without a database
$pg->sql('delete from leadq.job');
$worker = Leadq::Worker->start(conf => \%conf);
wait_for('ready', 10, sub { $worker->log =~ /chores maintain/ });
is($worker->term, 0, 'an idle worker ends');
$worker = Leadq::Worker->start(conf => { database => 'host=/nowhere' });
wait_for('away', 10, sub { $worker->log =~ /database away/ });
is($worker->term, 0, 'a worker without a database ends');

# SIGHUP
$worker = Leadq::Worker->start(conf => { %conf, log_level => 'info' });
wait_for('ready', 10, sub { $worker->log =~ /chores maintain/ });
$worker->configure(%conf, max_inflight => 'many');
$worker->hup;
wait_for('refused', 10, sub { $worker->log =~ /conf refuse/ });
like($worker->log, qr/<3>conf\ refuse\ reason=".*worker\.conf:5:
    \ max_inflight\ \\"many\\"\ is\ not\ a\ number"/x,
    'a bad file is refused, with its line');
wait_state($pg, add_postback($pg, $net->url('/200')), 'done');
pass('and changes nothing');
$worker->configure(%conf, log_level => 'debug', schema => 'other');
$worker->hup;
wait_for('reloaded', 10, sub { $worker->log =~ /conf reload/ });
like($worker->log, qr/<4>conf ignore key=schema reason="needs a restart"/,
    'what needs a restart is said');
wait_state($pg, add_postback($pg, $net->url('/200')), 'done');
like($worker->log, qr/<7>job state/, 'a good file takes effect');
is($worker->term, 0, 'the worker ends well');

# the service manager
my $path = $worker->dir . '/notify';
my $socket = IO::Socket::UNIX->new(Type => Socket::SOCK_DGRAM(),
    Local => $path) or die "$path: $!\n";
local $ENV{WATCHDOG_USEC} = 200_000;
$worker->configure(%conf);
$worker->{notify} = $path;
$worker->start_again;
my %told;
sub told {
    my ($what) = @_;
    wait_for($what, 10, sub {
        my $message = '';
        $socket->blocking(0);
        $told{$_}++ for defined recv($socket, $message, 1000, 0)
            ? split /\n/, $message : ();
        return $told{$what};
    });
    return pass("$what is told");
}
told('READY=1');
told('WATCHDOG=1');

# a reload is told; a good one and a bad one end
%told = ();
$worker->hup;
told('RELOADING=1');
told('READY=1');
$worker->configure(%conf, max_inflight => 'many');
%told = ();
$worker->hup;
told('RELOADING=1');
told('READY=1');
ok((grep { /^STATUS=.*refused/ } keys %told), 'with what came of it');
is($worker->term, 0, 'the worker ends well');
told('STOPPING=1');

done_testing();
