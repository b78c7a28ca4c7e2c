#!/usr/bin/perl

# Reload, graceful quit, its timeout, and clients that leave.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Socket::INET ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(time);

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Session;
use Leadq::Test qw(slurp spew wait_for);
use Load;

my $pg = postgres();
my $dsn = $pg->dsn;

sub nginx {
    my ($options, %more) = @_;
    return Leadq::Nginx->start(%more,
        http => qq(leadq_database main "$dsn" $options;),
        server => join '', map { "location = /$_ { leadq_pass main $_;"
            . ' leadq_field name text max=2000; }' } qw(echo gate));
}

sub backends {
    return split /\n/, $pg->sql(q(select pid from pg_stat_activity
        where application_name = 'leadq'));
}

sub warm {
    my ($ng) = @_;
    wait_for('the lanes are ready', 10, sub {
        post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
    return;
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

sub sent {
    my ($what, $n) = @_;
    return wait_for("$what is running", 5, sub { $pg->sql(
        qq(select count(*) from pg_stat_activity where query ~ '$what'
           and state = 'active' and pid <> pg_backend_pid())) >= $n });
}

sub rows { return $pg->sql(
    qq(select count(*) from leadq.row where request ->> 'name' ~ '^$_[0]')) }

# --- reload under load
my $ng = nginx('connections=2', workers => 2);
warm($ng);
my $load = Load->start(port => $ng->port, path => '/echo', connections => 32);
for (1 .. 20) {
    my $rows = rows('n');
    wait_for('some load', 30, sub { rows('n') > $rows + 50 });
    $ng->reload;
}
my $result = $load->stop;
is_deeply([Load::compare($result, $pg)], [0, 0],
    'twenty reloads under load: every answered row is there once');
is_deeply([keys %{ $result->{status} }], [201], 'no request was refused')
    or diag(explain($result->{status}));
cmp_ok($result->{cut}, '<=', 20 * 32, 'only idle connections were closed');
wait_for('old workers are gone', 10, sub { $ng->worker_pids == 2 });
is(wait_for('two backends a worker', 10, sub { backends() == 4 }), 1,
    'connections are back to workers x lanes');
note("$result->{sent} requests, $result->{cut} cut");

# a reload with a broken configuration changes nothing
my $conf = slurp($ng->dir . '/nginx.conf');
spew($ng->dir . '/nginx.conf', $conf =~ s/connections=2/connections=0/r);
kill 'HUP', $ng->pid;
wait_for('the complaint', 10, sub { $ng->log =~ /"connections=0"/ });
is(post($ng->url('/echo'), '{"name":"a"}')->{status}, 201,
    'a bad reload changes nothing');
spew($ng->dir . '/nginx.conf', $conf);

# --- graceful quit with rows in flight, backends stopped
my @stopped = backends();
kill 'STOP', @stopped;
my @clients = map { begin($ng, '/echo', "quit$_") } 1 .. 8;
wait_for('rows have arrived', 5, sub {
    !grep { !$_->connected } @clients });
select undef, undef, undef, 0.1;
kill 'QUIT', $ng->pid;
select undef, undef, undef, 0.3;
is(kill(0, $ng->pid), 1, 'a quitting nginx waits for rows in flight');
kill 'CONT', @stopped;
my @answers = map { local $/ = undef; my $fh = $_; scalar <$fh> } @clients;
is((grep { m{^HTTP/1.1 201} } @answers), 8, 'their clients get answers');
$ng->quit;
is(rows('quit'), 8, 'the rows are there');
is(wait_for('backends are gone', 5, sub { backends() == 0 }), 1,
    'and no connection is left behind');
is((grep { !/"connections=0"/ } split /\n/, $ng->alarms), 0,
    'nothing alarming is in the log');

# --- quit when nothing is in flight is immediate
$ng = nginx('');
warm($ng);
my $began = time;
$ng->quit;
cmp_ok(time - $began, '<', 5, 'an idle nginx quits at once');

# --- worker_shutdown_timeout ends it
$ng = nginx('timeout=20s', main => 'worker_shutdown_timeout 500ms;');
warm($ng);
@stopped = backends();
kill 'STOP', @stopped;
@clients = map { begin($ng, '/echo', "cut$_") } 1 .. 3;
select undef, undef, undef, 0.1;
$began = time;
$ng->quit;
cmp_ok(time - $began, '<', 5, 'worker_shutdown_timeout ends even that');
kill 'CONT', @stopped;
is($ng->alarms, '', 'without an alarm');

# --- clients that leave
$ng = nginx('connections=1');
warm($ng);
my $gate = Leadq::Session->new($pg);
$gate->sql('select pg_advisory_lock(1)');
@clients = map { begin($ng, '/gate', "left$_") } 1 .. 30;
sent('web_gate', 1);
for my $i (0 .. $#clients) {
    setsockopt $clients[$i], SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $i % 2;
    close $clients[$i];
}
$gate->end;
wait_for('the rows', 10, sub { rows('left') == 30 });
pass('the rows of clients that left, by FIN or RST, are kept');
is(post($ng->url('/echo'), '{"name":"x"}')->{status}, 201, 'and all goes on');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

# --- a quick stop under load
$ng = nginx('');
warm($ng);
$load = Load->start(port => $ng->port, path => '/echo', connections => 16);
my $rows = rows('n');
wait_for('some load', 30, sub { rows('n') > $rows + 100 });
$ng->stop;
is_deeply([Load::compare($load->stop, $pg)], [0, 0],
    'a quick stop loses nothing that was answered');
is($ng->alarms, '', 'without an alarm');

done_testing();
