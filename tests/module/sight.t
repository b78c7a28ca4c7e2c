#!/usr/bin/perl

# What leadq_metrics and leadq_status show, and what the access log tells.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Socket::INET ();
use JSON::PP qw(decode_json);
use Test::More;

use Door qw(postgres post raw);
use Figures qw(figures lint);
use Leadq::Nginx;
use Leadq::Test qw(http slurp wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn" timeout=2s;
        leadq_database spare "$dsn" connections=1 queue=300;
        log_format leadq '\$uri \$leadq_outcome "\$leadq_attempts"'
            ' "\$leadq_sqlstate"';),
    server => q(
        access_log access.log leadq;
        location = /metrics { leadq_metrics; }
        location = /status { leadq_status; }
        location = /closed { leadq_metrics; limit_except GET { deny all; } }
        location = /small { leadq_pass main echo; client_max_body_size 10;
            leadq_field name text; }
        location = /denied { leadq_pass main echo; deny all;
            leadq_field name text; }
    ) . join '', map { "location = /$_ { leadq_pass main $_;"
        . ' leadq_field name text; }' } qw(echo fail odd slow));

sub requests {
    my ($figures, $function, $outcome) = @_;
    return $figures->{"leadq_requests_total{database=\"main\","
        . "function=\"$function\",outcome=\"$outcome\"}"};
}

wait_for('all lanes are ready', 10, sub {
    my $f = figures($ng);
    return $f->{'leadq_lanes_ready{database="main"}'} == 2
        && $f->{'leadq_lanes_ready{database="spare"}'} == 1;
});
my $first = figures($ng);
is(requests($first, 'echo', 'answered'), 0, 'counters begin at 0');
is($first->{leadq_worker_processes}, 1, 'one process counts');
is($first->{'leadq_database_up{database="main"}'}, 1, 'the database is up');
is($first->{'leadq_lane_events_total{database="main",event="connected"}'}, 2,
    'its lanes have connected');
is($first->{'leadq_queue_rows_limit{database="spare"}'}, 300,
    'the limits of queues are told');

is(post($ng->url('/echo'), '{"name":"a"}')->{status}, 201, 'a row') for 1 .. 3;
is(post($ng->url('/echo'), $_)->{status}, 422, 'a bad field')
    for '{"x":"a"}', '{"name":1.5}';
is(post($ng->url('/small'), '{"name":"abcdefgh"}')->{status}, 413,
    'a body that nginx refuses');
is(post($ng->url('/denied'), '{"name":"a"}')->{status}, 403,
    'an address that nginx refuses');
post($ng->url('/fail'), qq({"name":"$_"}))
    for qw(22023 23505 42883 P0001 40001);
post($ng->url('/odd'), '{"name":"null"}');

# one that is complete, and one whose client leaves within its body
raw($ng->port, "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n"
    . '{"name":"b"}');
my $half = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
    PeerPort => $ng->port) or die "connect: $!\n";
syswrite $half, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: "
    . "application/json\r\nContent-Length: 100\r\n\r\n{";
close $half;

wait_for('the last one is counted', 5,
    sub { requests(figures($ng), 'echo', 'aborted') });
my $f = figures($ng);
is_deeply([map { requests($f, 'echo', $_) } qw(answered invalid refused
    conflict busy away failed aborted)], [4, 4, 0, 0, 0, 0, 0, 1],
    'requests are counted by how they ended');
is($f->{'leadq_gone_clients_total{database="main",function="echo"}'}, 1,
    'a client that left within its body is gone');
is_deeply([map { requests($f, 'fail', $_) } qw(answered invalid refused
    conflict busy away failed aborted)], [0, 0, 1, 1, 0, 1, 2, 0],
    'also those that SQL refuses');
is(requests($f, 'odd', 'failed'), 1, 'or answers wrongly');

my %failed = map { $_ => $f->{'leadq_failed_batches_total{database="main",'
    . qq(class="$_"})} } qw(08 22 23 40 42 53 P0);
is_deeply(\%failed, { '08' => 0, 22 => 1, 23 => 1, 40 => 2, 42 => 1, 53 => 0,
    P0 => 1 }, 'failed batches are counted by class of SQLSTATE');

my $of = '{database="main",function="echo"';
is($f->{"leadq_wait_seconds_count$of}"}, 4, 'every row has waited once');
is($f->{"leadq_database_seconds_count$of}"}, 4, 'every batch took its time');
cmp_ok($f->{"leadq_database_seconds_sum$of}"}, '>', 0, 'which is not nothing');
is($f->{"leadq_database_seconds_bucket$of,le=\"+Inf\"}"}, 4, 'and is in +Inf');
is($f->{"leadq_batch_rows_bucket$of,le=\"1\"}"}, 4, 'batches had one row each');
is($f->{"leadq_batch_rows_sum$of}"}, 4, 'which makes four');
is($f->{"leadq_queue_${_}{database=\"main\"}"}, 0, "$_ are 0 at rest")
    for qw(rows waiting_rows bytes);
is(lint($ng), '', 'promtool has nothing to say against it');

# --- the pages themselves
my $r = http('GET', $ng->url('/metrics'));
is($r->{headers}{'content-type'},
    'text/plain; version=0.0.4; charset=utf-8', 'the type is Prometheus\' own');
is($r->{headers}{'cache-control'}, 'no-store', 'nobody may store it');
$r = http('HEAD', $ng->url('/metrics'));
is($r->{status} . ($r->{content} || ''), '200', 'HEAD has no body');
cmp_ok($r->{headers}{'content-length'}, '>', 1000, 'but its length');
is(post($ng->url('/metrics'), '{}')->{status}, 405, 'POST is refused');
is(http('GET', $ng->url('/closed'))->{status}, 200, 'limit_except lets GET');
is(post($ng->url('/closed'), '{}')->{status}, 403, 'and nothing else');

$r = http('GET', $ng->url('/status'));
is("$r->{status} $r->{headers}{'content-type'}", '200 application/json',
    'the status is JSON');
my $status = decode_json($r->{content});
is($status->{status}, 'ok', 'all is well');
is_deeply([map { $_->{name} } @{ $status->{databases} }], ['main', 'spare'],
    'with every database');
is_deeply($status->{databases}[1], { name => 'spare', status => 'ok',
    reachable => JSON::PP::true,
    lanes => { ready => 1, of => 1, processes_without => 0 },
    queue => { rows => 0, waiting => 0, of => 300, bytes => 0,
        of_bytes => 16 * 1024 * 1024, processes_full => 0 } },
    'its lanes and its queue');

# --- the access log
my %log = map { my ($uri, $rest) = split / /, $_, 2; ("$uri $rest" => 1) }
    split /\n/, slurp($ng->dir . '/access.log');
ok($log{$_}, "the access log has $_") for
    '/echo answered "1" ""', '/echo invalid "" ""', '/echo aborted "" ""',
    '/fail refused "1" "22023"', '/fail away "2" "40001"',
    '/fail failed "1" "42883"', '/denied invalid "" ""';

my @crit = grep { !/sqlstate=42883/ } split /\n/, $ng->alarms;
is("@crit", '', 'nothing alarming is in the log');
$ng->quit;

# --- more functions than there is room for
$ng = Leadq::Nginx->start(http => qq(leadq_database main "$dsn";),
    server => 'location = /metrics { leadq_metrics; }' . join '', map {
        "location = /f$_ { leadq_pass main f$_; leadq_field a text; }" }
        1 .. 70);
like($ng->log, qr/leadq counts 7 functions together: only 63 names/,
    'the log tells of functions without a place');
post($ng->url("/f$_"), '{"b":1}') for 1, 63, 64, 70;
$f = figures($ng);
is_deeply([requests($f, 'f1', 'invalid'), requests($f, 'f63', 'invalid'),
    requests($f, 'f64', 'invalid'), $f->{'leadq_requests_total{'
    . 'database="(other)",function="(other)",outcome="invalid"}'}],
    [1, 1, undef, 2], 'they are counted together');
is(lint($ng), '', 'which promtool does not mind');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

# --- what nginx -t says
for my $case (
    ['leadq_metrics; leadq_status;', qr/"leadq_status" directive is not poss/],
    ['leadq_metrics; leadq_metrics;', qr/"leadq_metrics" directive is dupl/],
    ['leadq_metrics on;', qr/number of arguments in "leadq_metrics"/],
    ['leadq_status; leadq_field a text;', qr/location shows figures, it cann/],
    ['leadq_pass main echo; leadq_status;', qr/location shows figures, it ca/],
) {
    my ($rc, $out) = Leadq::Nginx->check(
        http => qq(leadq_database main "$dsn";),
        server => "location = /x { $case->[0] }");
    like("$rc $out", qr/^1 .*$case->[1].* in \S+:\d+/s, "refused: $case->[0]");
}
my ($rc, $out) = Leadq::Nginx->check(
    server => 'location = /x { leadq_status; }');
like("$rc $out", qr/^1 .*there is no "leadq_database" in \S+:\d+/s,
    'a status of nothing is refused');

done_testing();
