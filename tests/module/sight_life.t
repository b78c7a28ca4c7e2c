#!/usr/bin/perl

# Figures outlive reloads and worker processes; gauges do not, and the status
# follows what happens to the database and to the queue.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Socket::INET ();
use JSON::PP qw(decode_json);
use Test::More;

use Door qw(postgres post);
use Figures qw(figures lint);
use Leadq::Nginx;
use Leadq::Session;
use Leadq::Test
    qw(build_dir free_port http run sanitizers slurp spew wait_for);
use Load;

my $pg = postgres();
my $dsn = $pg->dsn;

# While the session holds its lock, rows of the function gate are in flight.
my $gate = Leadq::Session->new($pg);
my $close = sub { $gate->sql('select pg_advisory_lock(1)') };
my $open = sub { $gate->sql('select pg_advisory_unlock(1)') };

sub conf {
    my ($options, %more) = @_;
    return (%more, http => qq(leadq_database main "$dsn" $options;),
        server => 'location = /metrics { leadq_metrics; }'
            . 'location = /status { leadq_status; }'
            . join '', map { "location = /$_ { leadq_pass main $_;"
            . ' leadq_field name text max=200; }' } qw(echo gate));
}

my $ECHO = 'leadq_requests_total{database="main",function="echo",outcome=';

# All requests to echo, by outcomes that are not 0.
sub outcomes {
    my ($f) = @_;
    return { map { /^\Q$ECHO\E"(\w+)"/ && $f->{$_} ? ($1 => $f->{$_}) : () }
        keys %$f };
}

sub total {
    my ($f, $prefix) = @_;
    my $sum = 0;
    $sum += $f->{$_} for grep { /^\Q$prefix\E/ } keys %$f;
    return $sum;
}

sub ready {
    my ($ng, $lanes) = @_;
    return wait_for("$lanes lanes are ready", 20, sub {
        figures($ng)->{'leadq_lanes_ready{database="main"}'} == $lanes
            && figures($ng)->{'leadq_lanes{database="main"}'} == $lanes });
}

sub status {
    my ($ng) = @_;
    my $r = http('GET', $ng->url('/status'));
    return "$r->{status} " . decode_json($r->{content})->{status};
}

# Begins a request and does not wait for its answer.
sub begin {
    my ($ng, $path, $name) = @_;
    my $text = qq({"name":"$name"});
    my $fh = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ng->port) or die "connect: $!\n";
    syswrite $fh, "POST $path HTTP/1.1\r\nHost: a\r\nContent-Type: "
        . "application/json\r\nConnection: close\r\nContent-Length: "
        . length($text) . "\r\n\r\n$text";
    return $fh;
}

# All that comes for one that begin() returned.
sub answer {
    my ($fh) = @_;
    local $/ = undef;
    return scalar <$fh>;
}

# --- reloads under load, with other numbers of worker processes
my $ng = Leadq::Nginx->start(conf('', workers => 2));
ready($ng, 4);
my $load = Load->start(port => $ng->port, path => '/echo');
for my $workers (3, 1, 2) {
    my $before = total(outcomes(figures($ng)), 'answered');
    wait_for('some load', 30, sub {
        total(outcomes(figures($ng)), 'answered') > $before + 200 });
    $ng->configure(conf('', workers => $workers));
    $ng->reload;
    ready($ng, 2 * $workers);
}
my $result = $load->stop;
wait_for('old workers are gone', 10, sub { $ng->worker_pids == 2 });
my $f = figures($ng);
is_deeply(outcomes($f), { answered => $result->{status}{201} },
    'three reloads under load: every answer is counted once');
is($f->{leadq_worker_processes}, 2, 'those who left do not count as present');
is($f->{'leadq_wait_seconds_count{database="main",function="echo"}'},
    $result->{status}{201}, 'every row is in the histogram of waits');
is($f->{'leadq_batch_rows_sum{database="main",function="echo"}'},
    $result->{status}{201}, 'and in a batch');
is($f->{"leadq_queue_$_"}, 0, "$_ are 0 at rest") for map {
    "$_\{database=\"main\"}" } qw(rows waiting_rows bytes);
is($f->{'leadq_queue_rows_limit{database="main"}'}, 2 * 8192,
    'limits are those of the living');

# --- a worker process that is killed
my ($first) = $ng->worker_pids;
kill 'KILL', $first;
wait_for('another one has come', 10, sub {
    my @now = $ng->worker_pids;
    return @now == 2 && !grep { $_ == $first } @now;
});
ready($ng, 4);
is_deeply(outcomes(figures($ng)), { answered => $result->{status}{201} },
    'a killed process takes no counter with it');
is(figures($ng)->{leadq_worker_processes}, 2, 'and its place is taken');
ok((!grep { !/exited on signal 9/ } split /\n/, $ng->alarms),
    'nothing alarming else');

# --- a function that is gone
my %other = conf('', workers => 2);
$other{server} =~ s/location = \/gate.*//s;
$ng->configure(%other);
$ng->reload;
ok(exists figures($ng)->{'leadq_requests_total{database="main",'
    . 'function="gate",outcome="answered"}'},
    'counters of a function that nobody calls any more stay');
is(lint($ng), '', 'promtool has nothing to say against it');

# --- another file of the module, as an upgrade brings one
SKIP: {
    skip('sanitizers allow a module only once', 2) if sanitizers();
    my $module = $ng->dir . '/new.so';
    spew($module, slurp(build_dir() . '/nginx/ngx_http_leadq_module.so'));
    my $conf = $ng->dir . '/nginx.conf';
    spew($conf, slurp($conf) =~ s/^load_module \S+;/load_module $module;/r);
    $ng->reload;
    ready($ng, 4);
    is(post($ng->url('/echo'), '{"name":"new"}')->{status}, 201,
        'a reload with a new file of the module works');
    # a request is counted when its answer is out already
    wait_for('it is counted', 10, sub { %{ outcomes(figures($ng)) } });
    is_deeply(outcomes(figures($ng)), { answered => 1 },
        'and its figures begin at 0');
}
$ng->quit;

# --- clients that leave while their rows are on their way
my $h2 = free_port();
my %two = conf('');
$ng = Leadq::Nginx->start(%two,
    server => "listen 127.0.0.1:$h2 http2; $two{server}");
ready($ng, 2);
$close->();
my $curl = open my $leaves, '-|', 'curl', '-s', '--http2-prior-knowledge',
    '-H', 'content-type: application/json', '-d', '{"name":"left"}',
    "http://127.0.0.1:$h2/gate";
my @others = map { begin($ng, '/gate', 'left') } 1, 2;
wait_for('the rows are on their way', 10, sub {
    figures($ng)->{'leadq_queue_rows{database="main"}'} == 3 });
close shift @others;
kill 'KILL', $curl;
close $leaves;
wait_for('both have left', 10, sub {
    # by the kernel's choice
    $ng->log =~ /(?:closed connection|reset by peer\)) while processing HTTP\/2/
    });
$open->();
wait_for('the rows are there', 10, sub { $pg->sql(q(select count(*)
    from leadq.row where request ->> 'name' = 'left')) == 3 });
wait_for('nothing is in flight', 5, sub {
    !figures($ng)->{'leadq_queue_rows{database="main"}'} });
like(answer($others[0]), qr{^HTTP/1.1 201}, 'the one that stays is answered');
wait_for('all have ended', 5, sub { figures($ng)->{
    'leadq_requests_total{database="main",function="gate",outcome="answered"}'
} == 3 });
is(figures($ng)->{'leadq_gone_clients_total{database="main",'
    . 'function="gate"}'}, 2, 'clients that leave, by HTTP/1 or 2, are counted');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

# --- the database goes away, comes back; the queue is full
$ng = Leadq::Nginx->start(conf('queue=4 batch=4 timeout=1s connections=1'));
ready($ng, 1);
is(status($ng), '200 ok', 'the database is there');
$close->();
my @held = map { begin($ng, '/gate', "full$_") } 1 .. 4;
wait_for('the queue is full', 5, sub { status($ng) eq '503 full' });
pass('a queue that is full makes the status 503');
is(post($ng->url('/echo'), '{"name":"x"}')->{status}, 503, 'as for rows');
$open->();
wait_for('the queue is empty', 5, sub { status($ng) eq '200 ok' });
is(figures($ng)->{$ECHO . '"busy"}'}, 1, 'which is counted as busy');
close $_ for @held;

$pg->stop('immediate');
wait_for('the lane is lost', 5, sub { status($ng) eq '200 waiting' });
pass('without a lane rows wait, the status is still 200');
my $late = post($ng->url('/echo'), '{"name":"late"}');
is($late->{status}, 503, 'a row waits no longer than its timeout');
wait_for('the status says so', 5, sub { status($ng) eq '503 away' });
pass('nor is the status 200 for longer');
$f = figures($ng);
is($f->{'leadq_database_up{database="main"}'}, 0, 'the database is not up');
is($f->{'leadq_expired_rows_total{database="main",function="echo",'
    . 'state="waiting"}'}, 1, 'the row is counted as expired');
is($f->{$ECHO . '"away"}'}, 1, 'its request as away');
is($f->{'leadq_lane_events_total{database="main",event="lost"}'}, 1,
    'one lane was lost');
cmp_ok($f->{'leadq_lane_events_total{database="main",event="failed"}'}, '>=',
    1, 'and did not come up');
$pg->start_again;
wait_for('the status is well again', 15, sub { status($ng) eq '200 ok' });
is(figures($ng)->{
    'leadq_lane_events_total{database="main",event="reconnected"}'}, 1,
    'it has reconnected');

# --- a batch in flight: its lane is cut, or hangs past the timeout
$gate = Leadq::Session->new($pg);
$close->();
my $cut = begin($ng, '/gate', 'cut');
wait_for('its lane is cut', 10, sub { $gate->sql(q(
    select count(pg_terminate_backend(pid)) from pg_stat_activity
     where query ~ 'web_gate' and state = 'active'
       and pid <> pg_backend_pid())) });
$open->();
like(answer($cut), qr{^HTTP/1.1 201}, 'a row of a lost lane is sent again');
is(figures($ng)->{
    'leadq_failed_batches_total{database="main",class="57"}'}, 1,
    'its batch is counted as failed');
kill 'STOP', my $backend = $pg->sql(q(select pid from pg_stat_activity
    where application_name = 'leadq'));
is(post($ng->url('/echo'), '{"name":"hang"}')->{status}, 503,
    'a row in flight past its timeout');
wait_for('it is counted', 5, sub { figures($ng)->{
    'leadq_expired_rows_total{database="main",function="echo",state="flying"}'
} });
pass('is counted as flying');
kill 'CONT', $backend;
wait_for('a lane without an answer is given up', 10, sub { figures($ng)->{
    'leadq_failed_batches_total{database="main",class="08"}'} });
pass('and its batch as one that lost its connection');
is(figures($ng)->{'leadq_expired_rows_total{database="main",'
    . 'function="echo",state="waiting"}'}, 1, 'no row expires twice');
is(lint($ng), '', 'promtool has nothing to say against it');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
