#!/usr/bin/perl

# Nothing is sent before SQL has said, and committed, that it may be: with a
# statement that is slow, refused, lost, or whose worker is killed.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Session;
use Leadq::Test qw(spew tempdir wait_for);
use Leadq::Worker;
use Outside qw(database add_code wait_state job http_server);

my $pg = database();
my $net = http_server();
my $dir = tempdir();
spew("$dir/$_.key", '1 ' . ('5a' x 32) . "\n") for qw(code check);
my %conf = (database => $pg->dsn, poll => '50ms', lease => '5s',
    code_keys => "$dir/code.key", check_keys => "$dir/check.key");
my $worker = Leadq::Worker->start(conf => \%conf);

sub posts {
    my ($path) = @_;
    return scalar grep { $_->{uri} eq $path } $net->requests;
}

# Holds up every arming until the session ends.
sub hold {
    my $session = Leadq::Session->new($pg);
    $session->sql('begin');
    $session->sql('lock leadq.arming');
    return $session;
}

sub is_held {
    wait_for('an arming is held up', 10, sub { $pg->sql(q(select count(*)
        from pg_stat_activity where query like '%arm_codes%'
        and wait_event_type = 'Lock')) == 1 });
    return;
}

# --- slow

my $lock = hold();
my $job = add_code($pg, $net->url('/200?slow'));
is_held();
my @more = add_code($pg, $net->url('/200?more'), n => 20);
is(posts('/200?slow'), 0, 'before SQL has answered nothing is sent');
my $before = $pg->sql(q(select count(*) from leadq.call where name = 'arm'));
$lock->end;
wait_state($pg, $job, 'done');
wait_state($pg, $_, 'done') for @more;
is(posts('/200?slow'), 1, 'then it is, once');
is(posts('/200?more'), 20, 'and what came meanwhile');
is($pg->sql(q(select count(*) from leadq.call where name = 'arm'))
    - $before, 2, 'which was one statement');

# --- not to be sent

$lock = hold();
$job = add_code($pg, $net->url('/200?stale'));
is_held();
$pg->sql("update leadq.setting set stale = $job");
$lock->end;
my $row = wait_state($pg, $job, 'dead');
is($row->{detail}{reason}, 'stale', 'what SQL does not arm is dead');
is(posts('/200?stale'), 0, 'and never sent');

# --- refused, at the last moment

$pg->sql(q(create function leadq.no() returns trigger language plpgsql as
    'begin raise exception using errcode = ''23000''; end';
    create constraint trigger no after insert on leadq.arming
        deferrable initially deferred for each row
        execute function leadq.no()));
$job = add_code($pg, $net->url('/200?refused'));
wait_for('it is given back', 10, sub { $worker->log =~ /queue release n=1\b/ });
like($worker->log, qr/<3>session refuse statement=arm_codes sqlstate=23000/,
    'a refusal is logged');
is(posts('/200?refused'), 0, 'an answer that was not committed sends nothing');
$pg->sql('drop trigger no on leadq.arming');
wait_state($pg, $job, 'done');
is(posts('/200?refused'), 1, 'it is sent when SQL agrees');

# --- refused for one of many

$lock = hold();
$job = add_code($pg, $net->url('/200?first'));
is_held();
@more = add_code($pg, $net->url('/200?batch'), n => 20);
$pg->sql("update leadq.setting set poison = $more[7]");
$lock->end;
wait_for('the others are done', 20, sub { 19 == $pg->sql("select count(*)
    from leadq.job where state = 'done' and job_id between $more[0]
    and $more[-1]") });
is(posts('/200?batch'), 19, 'what SQL has against one keeps no other');
$pg->sql('update leadq.setting set poison = null');
wait_state($pg, $more[7], 'done');
is(posts('/200?batch'), 20, 'and that one comes again');

# --- lost

$lock = hold();
$job = add_code($pg, $net->url('/200?lost'));
is_held();
$pg->sql(q(select pg_terminate_backend(pid) from pg_stat_activity
    where query like '%arm_codes%' and wait_event_type = 'Lock'));
wait_for('the loss is noticed', 10, sub { $worker->log =~ /database lost/ });
$lock->end;
$row = wait_state($pg, $job, 'done', 30);
is(posts('/200?lost'), 1, 'a lost arming sends nothing');
is($row->{attempt}, 2, 'until its lease has run out');

# --- SIGTERM

$lock = hold();
$job = add_code($pg, $net->url('/200?term'));
is_held();
kill 'TERM', $worker->pid;
wait_for('SIGTERM is heard', 10, sub { $worker->log =~ /worker stop/ });
$lock->end;
is($worker->ended, 0, 'SIGTERM waits for the answer');
$row = job($pg, $job);
is("$row->{state} " . ($row->{armed_at} // 'unarmed'), 'ready unarmed',
    'and gives back what it armed');
is(posts('/200?term'), 0, 'unsent');

# --- SIGKILL between arming and sending

$pg->sql("update leadq.job set state = 'gone' where job_id = $job");
my $second = Leadq::Worker->start(conf => \%conf);
$lock = hold();
$job = add_code($pg, $net->url('/200?kill'));
is_held();
$second->kill9;
$lock->end;
wait_for('it is armed', 10, sub { job($pg, $job)->{armed_at} });
my $third = Leadq::Worker->start(conf => \%conf);
$row = wait_state($pg, $job, 'dead', 30);
is("$row->{attempt} $row->{detail}{reason}", '2 stale',
    'of a code that a killed worker may have sent SQL has the last word');
is(posts('/200?kill'), 0, 'nobody sends it again by himself');
is($third->term, 0, 'the worker ends well');

done_testing();
