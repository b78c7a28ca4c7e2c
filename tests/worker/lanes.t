#!/usr/bin/perl

# Lanes: bulk fills what nobody else needs, and leaves the room that is kept
# for codes and for what leads wait for.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server);

my $pg = database();
my ($slow, $fast) = (http_server(), http_server());
my %conf = (database => $pg->dsn, poll => '10s', max_inflight => 50,
    batch => 8, reserve_realtime => 10, reserve_service => 20);

sub leased {
    my ($lane) = @_;
    return $pg->sql("select count(*) from leadq.job
        where state = 'leased' and job_id % 8 = $lane");
}

# a hundred of bulk, none of which ends
my $worker = Leadq::Worker->start(conf => \%conf);
add_postback($pg, $slow->url('/hang'), n => 100, lane => 3,
    timeout_ms => 60000);
wait_for('bulk fills its room', 20, sub { leased(3) == 35 });
my $id = add_postback($pg, $fast->url('/200?code'), lane => 1);
wait_state($pg, $id, 'done');
is(leased(3), 35, 'of fifty places bulk takes those that are not reserved');
pass('a code is sent although bulk waits for its network');
my @service = add_postback($pg, $fast->url('/200?lead'), n => 200);
wait_for('service is done', 20, sub {
    return $pg->sql("select count(*) from leadq.job
        where state = 'done' and job_id % 8 = 2") == 200;
});
pass('so are the postbacks of leads, far more than their room');

# service does not take what is kept for codes either
add_postback($pg, $slow->url('/hang?lead'), n => 100, timeout_ms => 60000);
wait_for('service fills its room', 20, sub { leased(2) == 10 });
my @codes = add_postback($pg, $fast->url('/200?code'), n => 100, lane => 1);
wait_for('codes are done', 20, sub {
    return $pg->sql("select count(*) from leadq.job
        where state = 'done' and job_id % 8 = 1") == 101;
});
is(leased(2) + leased(3), 45, 'a hundred codes go through the places of codes');
$worker->kill9;

# ids below the cursor are found: given back, promoted, of a slow session
$pg->sql('delete from leadq.job');
$worker = Leadq::Worker->start(conf => { %conf, max_inflight => 2000,
    poll => '100ms' });
my @jobs = add_postback($pg, $fast->url('/slow/3'), n => 1500, lane => 3);
wait_for('some', 20, sub {
    return $pg->sql("select count(*) from leadq.job where state = 'done'");
});
$pg->sql('insert into leadq.job (job_id, payload)
    select 11, payload from leadq.job limit 1');
wait_for('all', 60, sub {
    return $pg->sql("select count(*) from leadq.job
        where state = 'done'") == 1501;
});
pass('an id that comes out of order is found');
is($worker->term, 0, 'the worker ends well');

# what holds vacuum back
$pg->sql(q(update leadq.setting set holder = 'slot name=old'));
$worker = Leadq::Worker->start(conf => \%conf);
wait_for('the warning', 10, sub { $worker->log =~ /chores vacuum/ });
like($worker->log, qr/<4>chores vacuum held_s=1000 holder="slot name=old"/,
    'what holds vacuum back is named in the log');
is($worker->term, 0, 'the worker ends well');

done_testing();
