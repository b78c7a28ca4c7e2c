#!/usr/bin/perl

# What a worker shows of itself: /metrics and /healthz.

use strict;
use warnings;

use FindBin ();
use IO::Socket::INET ();
use JSON::PP qw(decode_json);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(http wait_for free_port run spew);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server);

my $pg = database();
my $outside = http_server();
my $port = free_port();
my %conf = (database => $pg->dsn, lease => '5s', poll => '50ms',
    metrics_listen => "127.0.0.1:$port");
my $worker = Leadq::Worker->start(conf => \%conf);

sub get { return http($_[1] || 'GET', "http://127.0.0.1:$port$_[0]") }

# { 'leadq_worker_held_jobs' => 0, ... }
sub figures {
    my %figures = get('/metrics')->{content} =~ /^([a-z]\S*) (\S+)$/mg;
    return \%figures;
}

sub health {
    my $r = get('/healthz');
    return $r->{status} == 599 ? '' : $r->{status} . ' '
        . (decode_json($r->{content})->{reason} || '');
}

wait_for('the worker is healthy', 20, sub { health() eq '200 ' });
pass('a worker with its database is healthy');

# pages and methods
my $page = get('/metrics');
like($page->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4},
    'the type of the text format');
spew($worker->dir . '/metrics', $page->{content});
my ($rc, $out) = run('sh', '-c', 'promtool check metrics < "$1" 2>&1', 'sh',
    $worker->dir . '/metrics');
is("$rc $out", '0 ', 'promtool finds nothing wrong');
is(get('/healthz', 'HEAD')->{content} || '', '', 'HEAD has no body');
is(get('/healthz', 'HEAD')->{status}, 200, 'and the same status');
is(get('/')->{status}, 404, 'there is no other page');
for my $method (qw(POST PUT DELETE OPTIONS)) {
    is(get('/metrics', $method)->{status}, 405, "$method is refused");
}
is(http('GET', "http://127.0.0.1:$port/metrics?" . 'x' x 20000)->{status},
    414, 'a request has a size');

# figures
is(figures()->{'leadq_worker_claimed_jobs_total'}, 0, 'counters begin at 0');
my @ids = add_postback($pg, $outside->url('/200'), n => 5);
wait_state($pg, $_, 'done') for @ids;
wait_for('five are counted', 10, sub {
    my $f = figures()
        ->{'leadq_worker_settled_jobs_total{kind="postback",outcome="done"}'};
    return $f && $f == 5;
});
my $dead = add_postback($pg, $outside->url('/404'));
wait_state($pg, $dead, 'dead');
wait_for('the dead one is counted', 10, sub { figures()
    ->{'leadq_worker_settled_jobs_total{kind="postback",outcome="dead"}'} });
my $f = figures();
is($f->{leadq_worker_claimed_jobs_total}, 6, 'claims are counted');
is($f->{leadq_worker_held_jobs}, 0, 'nothing is held');
is($f->{leadq_worker_database_up}, 1, 'the database is up');
cmp_ok($f->{leadq_worker_resident_memory_bytes}, '>', 1e6, 'memory is told');
cmp_ok($f->{'leadq_worker_loop_busy_seconds_bucket{le="+Inf"}'}, '>', 10,
    'rounds of the loop are measured');
is($f->{'leadq_worker_loop_busy_seconds_bucket{le="+Inf"}'},
    $f->{leadq_worker_loop_busy_seconds_count}, 'all of them');
cmp_ok($f->{leadq_worker_loop_busy_seconds_sum}, '<', 20,
    'waiting is not being busy');
wait_for('what SQL knows', 20,
    sub { defined figures()->{'leadq_queue_ready_jobs{lane="service"}'} });
ok(!grep({ /another/ } keys %{ figures() }), 'an unknown figure is not shown');
like(get('/metrics')->{content}, qr/^\Q$_\E$/m, "codes: $_") for
    'leadq_codes_sent{gateway="sms",operator="МТС ?1"} 3',
    'leadq_limit_denied{profile="landing",limit="ip-hour",by="ip",'
        . 'mode="enforce"} 2',
    'leadq_promo_denied{reason="promo-exhausted"} 1';

# who holds connections open holds up nothing
my @idle = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
    PeerPort => $port) || () } 1 .. 30;
my $id = add_postback($pg, $outside->url('/200'));
wait_state($pg, $id, 'done');
pass('thirty idle connections hold up no job');
close $_ for @idle;
wait_for('pages are back', 30, sub { health() eq '200 ' });

# another worker cannot have the port, and says so
my $other = Leadq::Worker->start(conf => \%conf);
wait_for('it ends', 20, sub { !$other->alive });
is($? >> 8, 1, 'a port that is taken is no start');
like($other->log, qr/<3>worker\ fail\ key=metrics_listen
    \ reason="cannot\ listen/x, 'and the log says why');

# health
$pg->stop('immediate');
wait_for('it is seen', 10, sub { !figures()->{leadq_worker_database_up} });
pass('the database is seen to go');
wait_for('the worker is failing', 20,
    sub { health() eq '503 database away' });
pass('half a lease without a database is not healthy');
$pg->start_again;
wait_for('the worker is healthy again', 30, sub { health() eq '200 ' });
pass('and it recovers');

$id = add_postback($pg, $outside->url('/slow/3000'));
wait_for('a post is under way', 10,
    sub { figures()->{leadq_worker_inflight_transfers} });
kill 'TERM', $worker->pid;
wait_for('it says that it stops', 10, sub { health() eq '503 stopping' });
pass('a worker that stops is not healthy');
wait_for('it ends', 20, sub { !$worker->alive });
is($? >> 8, 0, 'and stops as ever');
unlike($worker->log . $other->log, qr/Sanitizer|runtime error/,
    'no sanitizer has anything to say');

done_testing();
