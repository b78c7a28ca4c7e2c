#!/usr/bin/perl

# The primary dies, or freezes, and its standby is promoted, all under load:
# what was answered is on the new primary, once.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres);
use Leadq::Nginx;
use Leadq::Test qw(wait_for);
use Load;
use Probe;

my @clusters = (postgres());
push @clusters, $clusters[0]->standby;

sub rows { return $_[0]->sql('select count(*) from leadq.row') }

sub nginx {
    my ($options, @hosts) = @_;
    my ($host, $port) = map { my $what = $_;
        join ',', map { $_->dsn =~ /\b$what=(\S+)/ } @hosts } qw(host port);
    my $dsn = "host=$host port=$port dbname=leadq user=postgres "
        . 'target_session_attrs=read-write';
    return Leadq::Nginx->start(
        http => qq(leadq_database main "$dsn" $options;),
        server => 'location = /echo { leadq_pass main echo;
            leadq_field name text; }
            location = /alive { return 200 alive; }');
}

# Load on the primary while something happens to it, until the other one has
# taken over.
sub failover {
    my ($ng, $from, $to, $accident) = @_;

    my $load = Load->start(port => $ng->port, path => '/echo', pause => 0.05);
    my $probe = Probe->start($ng);
    my $before = rows($from);
    wait_for('some load', 30, sub { rows($from) > $before + 200 });
    $accident->();
    $to->promote;
    my $rows = rows($to);
    wait_for('load on the new primary', 30, sub { rows($to) > $rows + 200 });
    return ($load->stop, $probe->stop);
}

# --- the primary is killed; the standby is the first in the list
my $ng = nginx('timeout=30s', @clusters[1, 0]);
my ($result, $probe) = failover($ng, @clusters,
    sub { $clusters[0]->kill9 });
is_deeply([Load::compare($result, $clusters[1])], [0, 0],
    'killed: every answered row is on the new primary, once');
is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
    'killed: clients saw a delay and no error')
    or diag(explain($result->{status}));
ok(!$probe->{stood}, 'killed: the event loop never stood still');
note("killed: $result->{sent} requests, loop $probe->{worst} ms");
is(wait_for('lanes', 10, sub { $clusters[1]->sql(q(select count(*)
    from pg_stat_activity where application_name = 'leadq')) <= 2 }), 1,
    'killed: as many connections as lanes');
is($ng->alarms, '', 'killed: nothing alarming is in the log');
$ng->quit;

# --- the primary freezes: it takes connections and never answers
push @clusters, $clusters[1]->standby;
$ng = nginx('timeout=2s connect_timeout=1s', @clusters[1, 2]);
($result, $probe) = failover($ng, @clusters[1, 2],
    sub { $clusters[1]->freeze });
is_deeply([Load::compare($result, $clusters[2])], [0, 0],
    'frozen: every answered row is on the new primary, once');
is_deeply([sort keys %{ $result->{status} }], [201, 503],
    'frozen: clients whose time was over got 503')
    or diag(explain($result->{status}));
is($result->{cut}, 0, 'frozen: no connection was cut');
ok(!$probe->{stood}, 'frozen: the event loop never stood still');
note("frozen: $result->{sent} requests, loop $probe->{worst} ms");

# --- the old primary comes back, and must not get a row
$clusters[1]->thaw;
wait_for('the old primary is awake', 10, sub {
    eval { $clusters[1]->sql('select 1') } });
my $old = rows($clusters[1]);
my $load = Load->start(port => $ng->port, path => '/echo');
my $rows = rows($clusters[2]);
wait_for('more load', 30, sub { rows($clusters[2]) > $rows + 200 });
is_deeply([Load::compare($load->stop, $clusters[2])], [0, 0],
    'awake: rows go to the new primary');
is(rows($clusters[1]), $old, 'awake: and none to the old one');
is($ng->alarms, '', 'awake: nothing alarming is in the log');

done_testing();
