#!/usr/bin/perl

# Host names that are slow, unknown, or mean another host from now on: lanes
# come up in time, follow the name, and the event loop never waits for them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use Time::HiRes qw(time);

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(http wait_for);
use Load;
use Names;
use Probe;

my $pg = postgres(listen => '127.0.0.1,127.0.0.2');
my ($port) = $pg->dsn =~ /port=(\d+)/;
my $rest = "port=$port dbname=leadq user=postgres";
my $names = Names->start;

sub nginx {
    my ($host, $options, $resolver) = @_;
    return Leadq::Nginx->start(
        http => ($resolver || $names->resolver)
            . qq(leadq_database main "host=$host $rest" $options;),
        server => 'location = /echo { leadq_pass main echo;
            leadq_field name text; }
            location = /alive { return 200 alive; }');
}

sub works {
    my ($ng, $what) = @_;
    wait_for($what, 15, sub {
        post($ng->url('/echo'), '{"name":"a"}')->{status} == 201 });
    is($ng->alarms, '', $what);
    return;
}

# How many connections there are to the database at an address.
sub on {
    my ($address) = @_;
    my $hex = join '', map { sprintf '%02X', $_ }
        reverse split /[.]/, $address;
    open my $tcp, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";
    return scalar grep { (split)[2] eq sprintf '%s:%04X', $hex, $port
        and (split)[3] eq '01' } <$tcp>;
}

sub never_stood {
    my ($probe, $what) = @_;
    my $loop = $probe->stop;
    ok(!$loop->{stood}, "$what: the event loop never stood still");
    note("$what: loop $loop->{worst} ms in $loop->{n} probes");
    return;
}

# --- a name that nobody answers for, beside one that is known
my $ng = nginx('slow.test,db.test', 'connect_timeout=1s timeout=10s');
my $probe = Probe->start($ng);
my $began = time;
is(post($ng->url('/echo'), '{"name":"a"}')->{status}, 201,
    'slow: a row waits for the name that is known');
cmp_ok(time - $began, '<', 1.5 * ($ENV{LEADQ_SANITIZE} ? 4 : 1),
    'slow: half the connect_timeout');
never_stood($probe, 'slow');
$ng->quit;

# --- nothing but names that nobody answers for, or knows
for my $host ('slow.test', 'nobody.example', 'empty.test,slow.test') {
    $ng = nginx($host, 'connect_timeout=300ms timeout=1s');
    $probe = Probe->start($ng);
    wait_for('the complaint', 10, sub {
        $ng->log =~ /\[error\].*does not come / });
    is(http('GET', $ng->url('/alive'))->{content}, 'alive',
        "$host: nginx lives on");
    wait_for("$host: 503 at once", 10, sub {
        my $at = time;
        my $r = post($ng->url('/echo'), '{"name":"a"}');
        return codes($r) eq '503 database-away' && time - $at < 0.2;
    });
    never_stood($probe, $host);
    cmp_ok(scalar(() = $ng->log =~ /cannot resolve/g), '<=', 6,
        "$host: the log is not flooded");
    is($ng->alarms, '', "$host: nothing alarming is in the log");
    $began = time;
    $ng->quit;
    cmp_ok(time - $began, '<', $ENV{LEADQ_SANITIZE} ? 20 : 5,
        "$host: quit does not wait for the name");
}

# --- the name server is not there; the name becomes known later
$ng = nginx('later.test', 'connect_timeout=300ms timeout=1s');
wait_for('the complaint', 10, sub { $ng->log =~ /no address is known/ });
$names->set('later.test' => '127.0.0.1');
works($ng, 'a name that becomes known is found without a reload');
$ng->quit;

# --- the name means another host: lanes follow at the end of their life
$ng = nginx('db.test', 'lifetime=1s timeout=10s');
works($ng, 'the name means one host');
my $load = Load->start(port => $ng->port, path => '/echo');
$probe = Probe->start($ng);
is(on('127.0.0.2'), 0, 'moved: no lane to the other host before');
$names->set('db.test' => '127.0.0.2');
wait_for('lanes have moved', 15, sub {
    on('127.0.0.1') == 0 && on('127.0.0.2') == 2 });
pass('moved: lanes under load and idle ones follow the name');
my $result = $load->stop;
is_deeply([Load::compare($result, $pg)], [0, 0],
    'moved: every answered row is there once');
is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
    'moved: clients noticed nothing') or diag(explain($result->{status}));
never_stood($probe, 'moved');

# --- the name server is gone: the addresses known before are good enough
$names->stop;
wait_for('the complaint', 15, sub { $ng->log =~ /cannot resolve/ });
my $before = () = $ng->log =~ /is ready/g;
wait_for('lanes come up', 15, sub {
    (() = $ng->log =~ /is ready/g) > $before + 2 });
is(post($ng->url('/echo'), '{"name":"a"}')->{status}, 201,
    'a name server that is gone does not take the database with it');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

done_testing();
