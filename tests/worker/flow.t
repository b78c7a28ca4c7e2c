#!/usr/bin/perl

# How work flows: bounds, fairness between hosts, hints, schedules, chores.

use strict;
use warnings;

use FindBin ();
use Test::More;
use Time::HiRes qw(time);

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_postback wait_state job http_server);

my $pg = database();
my ($fast, $slow) = (http_server(), http_server());
my %conf = (database => $pg->dsn, poll => '10s',
    http_per_host => 20);

# chores: maintain at start, rules until there are none
my $worker = Leadq::Worker->start(conf => \%conf);
wait_for('maintain', 10, sub {
    $pg->sql("select count(*) from leadq.call where name = 'maintain'");
});
pass('maintain is called at start');
$pg->sql('update leadq.setting set rules = 1234');
$pg->sql('notify leadq_ready');
wait_for('rules', 10, sub { !$pg->sql('select rules from leadq.setting') });
is($pg->sql("select count(*) from leadq.call where name = 'rule'"), 1234,
    'rules run until none is due');

# a hint is enough; so is the time of the next scheduled job
my $begin = time;
my $id = add_postback($pg, $fast->url('/200'));
wait_state($pg, $id, 'done');
cmp_ok(time - $begin, '<', 3, 'a notification is acted upon before the poll');
$begin = time;
$pg->sql('update leadq.setting set retry_s = 1');
$id = add_postback($pg, $fast->url('/flaky'));
wait_state($pg, $id, 'done');
cmp_ok(time - $begin, '>=', 1, 'a retry waits as SQL says');
cmp_ok(time - $begin, '<', 5, 'and no longer, whatever the poll time');

# what a settling sets free is claimed at once
$id = add_postback($pg, $fast->url('/200?first'));
my $next = add_postback($pg, $fast->url('/200?next'));
$pg->sql("update leadq.job set state = 'held' where job_id = $next")
    if job($pg, $next)->{state} eq 'ready';
$next = $pg->sql("insert into leadq.job (state, payload)
    select 'held', payload from leadq.job where job_id = $next
    returning job_id");
$begin = time;
$pg->sql("insert into leadq.job (payload, next_id)
    select payload, $next from leadq.job where job_id = $id");
$pg->sql('notify leadq_ready');
wait_state($pg, $next, 'done');
cmp_ok(time - $begin, '<', 3, 'a job that a settling sets free follows it');

# one host has 20 places, and a slow one takes nobody else's
my @slow = add_postback($pg, $slow->url('/slow/4000'), n => 60);
wait_for('20 slow posts', 20, sub { 20 == (() = $slow->requests) });
my @fast = add_postback($pg, $fast->url('/200'), n => 100);
wait_for('the fast ones', 20, sub {
    return $pg->sql("select count(*) from leadq.job where state = 'done'
        and job_id between $fast[0] and $fast[-1]") == 100;
});
is(scalar(() = $slow->requests), 20,
    'the fast host is served while 20 posts to the slow one are under way');
is($worker->term, 0, 'the worker ends well');

# max_inflight
$pg->sql('delete from leadq.job');
$worker = Leadq::Worker->start(conf => { %conf, max_inflight => 7 });
@slow = add_postback($pg, $slow->url('/slow/500'), n => 40);
my $most = 0;
wait_for('all', 30, sub {
    my ($leased, $done) = split /\|/, $pg->sql("select
        count(*) filter (where state = 'leased'),
        count(*) filter (where state = 'done') from leadq.job");
    $most = $leased if $leased > $most;
    return $done == 40;
});
is($most, 7, 'no more than max_inflight jobs are leased');
$worker->term;

# jobs that cannot begin in time go back
$worker = Leadq::Worker->start(conf => { %conf, poll => '50ms',
    lease => '5s' });
@slow = add_postback($pg, $slow->url('/hang'), n => 26, timeout_ms => 60000);
wait_for('a release', 20, sub { $worker->log =~ /queue release n=6\n/ });
pass('what could not begin in half its lease is given back');
$worker->kill9;

done_testing();
