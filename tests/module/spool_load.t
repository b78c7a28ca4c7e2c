#!/usr/bin/perl

# Under load the database goes away, and nginx is killed, reloaded or crashes
# while rows go to the spool: every answered row is stored exactly once.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use Time::HiRes qw(sleep);

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Test qw(http wait_for);
use Load;
use Spool qw(spool files emptied);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = spool();
my %conf = (
    workers => 2,
    http => qq(leadq_database main "$dsn" timeout=300ms queue=20000;),
    server => qq(location = /echo { leadq_pass main echo;
        leadq_field name text; leadq_spool $dir size=256m; }
        location = /alive { return 200 alive; }));
my $ng = Leadq::Nginx->start(%conf);

sub warm {
    return wait_for('the lanes are ready', 20, sub {
        post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
}

sub rows { return $pg->sql('select count(*) from leadq.row') }

sub spooled {
    my ($bytes) = @_;
    my $sum = 0;
    $sum += -s $_ || 0 for files($dir, 'spool');
    return $sum > $bytes;
}

my @ways = (
    ['database stopped', sub { $pg->stop('fast') }, sub { 1 }],
    ['database killed', sub { $pg->kill9 }, sub { 1 }],
    ['workers killed while spooling', sub { $pg->stop('immediate') }, sub {
        for (1 .. 3) {
            my %old = map { $_ => 1 } $ng->worker_pids;
            kill 'KILL', keys %old;
            wait_for('new workers', 20, sub {
                2 == grep { !$old{$_} } $ng->worker_pids });
            sleep 0.7;
        }
    }],
    ['reload while spooling', sub { $pg->stop('immediate') }, sub {
        for (1 .. 4) {
            $ng->reload;
            sleep 0.3;
        }
    }],
    ['database frozen', sub {
        kill 'STOP', $pg->pid, split ' ', `ps -o pid= --ppid @{[$pg->pid]}`;
    }, sub {
        sleep 3;
        kill 'CONT', $pg->pid, split ' ', `ps -o pid= --ppid @{[$pg->pid]}`;
    }],
    ['workers killed while replaying', sub { $pg->stop('immediate') }, sub {
        wait_for('many rows', 30, sub { spooled(200_000) });
        $pg->start_again;
        for (1 .. 6) {
            my $rows = rows();
            wait_for('a replay', 30, sub { rows() > $rows });
            kill 'KILL', $ng->worker_pids;
            sleep 0.3;
        }
    }],
    ['nginx crashes while spooling', sub { $pg->stop('immediate') }, sub {
        kill 'KILL', $ng->pid, $ng->worker_pids;
        waitpid $ng->pid, 0;
        my $port = $ng->port;
        my $alarms = $ng->alarms;
        is($alarms =~ s/.*signal 9.*\n?//gr, '', 'no alarm but the kills');
        $ng = Leadq::Nginx->start(%conf, port => $port);
    }],
);

for my $way (@ways) {
    my ($what, $fault, $then) = @$way;
    warm();
    $pg->sql('truncate leadq.row');
    my $load = Load->start(port => $ng->port, path => '/echo',
        connections => 24);
    wait_for('some load', 30, sub { rows() > 200 });
    $fault->();
    wait_for('the spool has rows', 30, sub { spooled(20_000) });
    $then->();
    wait_for('and more', 30, sub { spooled(20_000) })
        if $what !~ /frozen|replaying/;
    $pg->start_again if !$pg->pid;
    my $rows = rows();
    wait_for('more load', 30, sub { rows() > $rows + 200 });
    my $result = $load->stop;
    emptied($dir);
    is_deeply([Load::compare($result, $pg)], [0, 0],
        "$what: nothing answered is lost, nothing is stored twice");
    my %status = %{ $result->{status} };
    is(join(' ', grep { !/^20[12]$/ } sort keys %status), '',
        "$what: no client saw an error") or diag(explain(\%status));
    note("$what: ", join ', ', map { "$_: $status{$_}" } sort keys %status);
}

wait_for('all has been replayed', 10, sub { !files($dir, 'spool') });
is(join(' ', files($dir, 'refused')), '', 'no row was refused');
my $alarms = $ng->alarms;
is($alarms =~ s/.*exited on signal 9.*\n?//gr, '',
    'nothing alarming is in the log');
$ng->quit;

done_testing();
