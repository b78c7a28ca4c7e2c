#!/usr/bin/perl

# A destination that is down, slow or limited: it is spared, probed, and holds
# up nobody.

use strict;
use warnings;

use FindBin ();
use IO::Socket::INET ();
use Test::More;
use Time::HiRes qw(time);

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for free_port);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server);

my $pg = database();
my $net = http_server();
my %conf = (database => $pg->dsn, poll => '100ms', breaker_failures => 5,
    breaker_pause => '1s', breaker_pause_max => '2s', max_inflight => 128,
    http_per_host => 10);

sub count {
    my ($target, $where) = @_;
    return $pg->sql("select count(*) from leadq.job
        where target = 'network:$target' and ($where)");
}

# 2,000 jobs for a port that refuses, before 300 for one that answers
my $dead_port = free_port();
add_postback($pg, "http://127.0.0.1:$dead_port/200", n => 2000,
    target => 'network:dead');
add_postback($pg, $net->url('/200'), n => 300, target => 'network:live');
my $worker = Leadq::Worker->start(conf => \%conf);
wait_for('the live ones', 60, sub {
    return count('live', q(state = 'done')) == 300;
});
cmp_ok(count('dead', 'cardinality(outcomes) > 0'), '<', 100,
    'few of the dead ones were tried meanwhile');
is(count('dead', q(state <> 'leased' and attempt <> cardinality(outcomes))),
    0, 'what was given back counts no attempt');
like($worker->log, qr/<4>destination\ open\ name=network:dead\@127\.0\.0\.1:
    \d+\ failures=5\ pause_ms=\d+/x, 'the breaker is open, and the log says so');
wait_for('a probe that fails', 30, sub {
    2 <= (() = $worker->log =~ /destination open name=network:dead/g);
});

# it comes back
my $listen = IO::Socket::INET->new(Listen => 128, Proto => 'tcp',
    LocalAddr => '127.0.0.1', LocalPort => $dead_port, ReuseAddr => 1)
    or die "listen: $!\n";
my $alive = Outside::http_server($listen);
wait_for('it recovers by itself', 90, sub {
    return count('dead', q(state <> 'done')) == 0;
});
like($worker->log, qr/destination close name=network:dead/,
    'one probe closes the breaker');
is($worker->term, 0, 'the worker ends well');

# failures of jobs open nothing, failures of the destination do
$pg->sql('delete from leadq.job; update leadq.setting set retry_s = 600');
$worker = Leadq::Worker->start(conf => \%conf);
add_postback($pg, $net->url('/404'), n => 20, target => 'network:picky');
wait_for('the 404s', 30, sub { count('picky', q(state = 'dead')) == 20 });
unlike($worker->log, qr/destination open/, '404 is the fault of a job');
for my $path ('/500', '/reset', '/half', '/hang') {
    my $target = 'bad' . $path =~ s{/}{-}r;
    add_postback($pg, $net->url($path), n => 30, timeout_ms => 300,
        target => "network:$target");
    wait_for("$path opens", 30, sub {
        return $worker->log =~ /destination open name=network:$target/;
    });
    cmp_ok(count($target, 'cardinality(outcomes) > 0'), '<=', 20,
        "$path: the breaker opens, the others were not posted");
}

# a rate is kept
my $before = () = $net->requests;
add_postback($pg, $net->url('/200?rate'), n => 60, rate => 20,
    target => 'network:slow');
wait_for('all of them', 60, sub { count('slow', q(state = 'done')) == 60 });
my @at = map { $_->{at} } grep { $_->{uri} eq '/200?rate' } $net->requests;
is(scalar @at, 60, 'each was posted once');
my $most = 0;
for my $i (0 .. $#at) {
    my $n = grep { $_ >= $at[$i] && $_ < $at[$i] + 1 } @at;
    $most = $n if $n > $most;
}
cmp_ok($most, '<=', 24, 'no more than the rate in any second');
is($worker->term, 0, 'the worker ends well');

done_testing();
