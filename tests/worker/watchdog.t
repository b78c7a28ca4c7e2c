#!/usr/bin/perl

# The watchdog: only a loop that turns feeds it.  The service manager is
# played by this test: it ends a worker that has been silent for
# WATCHDOG_USEC and starts it again.

use strict;
use warnings;

use FindBin ();
use IO::Select ();
use IO::Socket::UNIX ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for tempdir);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server);

my $limit_s = 2;
my $pg = database();
my $net = http_server();
my $dir = tempdir();
my $socket = IO::Socket::UNIX->new(Type => Socket::SOCK_DGRAM(),
    Local => "$dir/notify") or die "$dir/notify: $!\n";
my $select = IO::Select->new($socket);

# The next message within so many seconds, or nothing.
sub message {
    my ($timeout_s) = @_;
    $select->can_read($timeout_s) or return '';
    defined recv $socket, my $message, 1000, 0 or die "recv: $!\n";
    return $message;
}

local $ENV{WATCHDOG_USEC} = $limit_s * 1_000_000;
local $ENV{NOTIFY_SOCKET} = "$dir/notify";
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    poll => '50ms', lease => '5s' });
wait_for('READY=1', 20, sub { message(1) =~ /^READY=1$/m });

# fed while there is nothing to do, often enough
for (1 .. 3) {
    like(message(20), qr/^WATCHDOG=1$/m, 'an idle loop feeds the watchdog');
}

# a job is under way when the loop stands still
my $job = add_postback($pg, $net->url('/slow/700'));
wait_for('the post', 20, sub { scalar $net->requests });
kill 'STOP', $worker->pid;
1 while message(0); # what was told before
is(message($limit_s), '', 'a loop that stands still feeds nothing');
$worker->kill9;

# the next worker takes the job over when its lease has run out
$worker->start_again;
wait_for('READY=1 again', 20, sub { message(1) =~ /^READY=1$/m });
wait_state($pg, $job, 'done');
pass('what it held is carried out by the next one');
like(message(20), qr/^WATCHDOG=1$/m, 'which feeds the watchdog');
is($worker->term, 0, 'and ends well');

done_testing();
