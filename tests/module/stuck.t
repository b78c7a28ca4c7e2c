#!/usr/bin/perl

# The database is there and does not answer, or is not there at all: 503 in
# time, the rest of nginx lives on.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use Time::HiRes qw(time);

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(http wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
my $server = 'location = /echo { leadq_pass main echo;
    leadq_field name text max=8000; }
    location = /alive { return 200 alive; }';

sub nginx {
    my ($options) = @_;
    my $ng = Leadq::Nginx->start(server => $server,
        http => qq(leadq_database main "$dsn" $options;));
    wait_for('the lanes are ready', 10, sub {
        post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
    return $ng;
}

sub backends {
    return split /\n/, $pg->sql(q(select pid from pg_stat_activity
        where application_name = 'leadq'));
}

sub in_background {
    my ($code) = @_;
    my $pid = fork;
    if ($pid == 0) {
        $code->();
        POSIX::_exit(0);
    }
    return $pid;
}

# Posts in the background; later the status and the time it took.
sub ask {
    my ($ng, $name) = @_;
    pipe my $from, my $to;
    my $pid = in_background(sub {
        my $began = time;
        my $r = post($ng->url('/echo'), qq({"name":"$name"}));
        print {$to} join ' ', $r->{status}, time - $began,
            $r->{headers}{'retry-after'} || '-';
        close $to;
    });
    close $to;
    return sub { my $line = <$from>; waitpid $pid, 0; split / /, $line };
}

# --- every backend stopped
my $ng = nginx('timeout=1s connections=2');
my @stopped = backends();
kill 'STOP', @stopped, $pg->pid;    # so that no new ones are made either
my @asked = map { ask($ng, "stopped$_") } 1 .. 6;
my $began = time;
is(http('GET', $ng->url('/alive'))->{content}, 'alive',
    'another location answers while backends are stopped');
cmp_ok(time - $began, '<', 0.9, 'at once');
my @got = map { [$_->()] } @asked;
is((grep { $_->[0] == 503 } @got), 6, 'rows get 503');
is((grep { $_->[1] > 0.8 && $_->[1] < 2.5 } @got), 6, 'when the timeout ends')
    or diag(explain(\@got));
like($got[0][2], qr/^\d+$/, 'with Retry-After');
kill 'CONT', $pg->pid;
wait_for('new lanes', 10, sub {
    post($ng->url('/echo'), '{"name":"after"}')->{status} == 201 });
pass('the module goes on with new backends');
kill 'CONT', @stopped;
my ($out) = $ng->alarms;
is($out, '', 'nothing alarming is in the log');
like($ng->log, qr/is lost: no answer within the timeout/, 'the log tells');
$ng->quit;

# --- one lane behind a lock: the reserve serves the others
$ng = nginx('timeout=1s connections=2');
my $lock = in_background(sub { eval { $pg->sql(
    'begin; lock table leadq.row; select pg_sleep(0.6); commit') } });
wait_for('the lock', 5, sub { $pg->sql(q(select count(*) from pg_locks
    where relation = 'leadq.row'::regclass and mode = 'AccessExclusiveLock')) });
@asked = map { ask($ng, "locked$_") } 1 .. 3;
@got = map { [$_->()] } @asked;
is((grep { $_->[0] == 201 } @got), 3, 'rows wait for a lock and are stored');
waitpid $lock, 0;
$ng->quit;

# --- a full queue
# (nor does a new connection come to life for those who asked last)
$ng = nginx('timeout=3s connections=1 depth=1 batch=2 queue=5');
@stopped = ($pg->pid, backends());
kill 'STOP', @stopped;
@asked = map { ask($ng, "full$_") } 1 .. 5;
wait_for('the queue is full', 2, sub {
    my $answer = http('POST', $ng->url('/echo'), { timeout => 0.2,
        content => '{"name":"over"}',
        headers => { 'content-type' => 'application/json' } });
    return $answer->{status} == 503;
});
$began = time;
my $r = post($ng->url('/echo'), '{"name":"' . ('x' x 7000));
cmp_ok(time - $began, '<', 1.5, 'a full queue answers at once');
is(codes($r), '503 queue-full', 'with 503, before the body is looked at');
like($r->{headers}{'retry-after'}, qr/^\d+$/, 'and with Retry-After');
@got = map { [$_->()] } @asked;
is((grep { $_->[0] == 503 && $_->[1] < 10 } @got), 5,
    'those in the queue get theirs when their time is over');
kill 'CONT', @stopped;
wait_for('room again', 10, sub {
    post($ng->url('/echo'), '{"name":"room"}')->{status} == 201 });
pass('then there is room again');
$ng->quit;

# --- no database at all
$ng = nginx('timeout=1s');
$pg->stop('immediate');
wait_for('the absence is noticed', 10, sub {
    my $at = time;
    my $answer = post($ng->url('/echo'), '{"name":"away"}');
    return codes($answer) eq '503 database-away' && time - $at < 0.2;
});
pass('after a while without a database 503 comes at once');
is(http('GET', $ng->url('/alive'))->{content}, 'alive', 'nginx lives on');
$pg->start_again;
wait_for('it is back', 15, sub {
    post($ng->url('/echo'), '{"name":"back"}')->{status} == 201 });
pass('the module finds it when it is back');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
