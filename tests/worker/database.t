#!/usr/bin/perl

# The database goes, comes back, refuses, or is of another release.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_postback wait_state job http_server);

my $pg = database(listen => '127.0.0.1');
my $net = http_server();
my %conf = (database => $pg->dsn, poll => '50ms', lease => '6s');
$conf{database} =~ s/host=\S+/host=localhost/;

sub count {
    my ($state) = @_;
    return $pg->sql("select count(*) from leadq.job where state = '$state'");
}

# restarts under load
my $worker = Leadq::Worker->start(conf => { %conf, max_inflight => 50 });
my @ids = add_postback($pg, $net->url('/slow/20?n={sub1}'), n => 1500,
    values => { sub1 => '#N#' });
my $ups = 0;
for my $mode (qw(fast immediate)) {
    $ups += 2;
    wait_for('both connections', 30, sub {
        return $ups == (() = $worker->log =~ /^<\d>database up/mg);
    });
    my $done = count('done');
    wait_for('some work', 20, sub { count('done') > $done + 100 });
    $pg->restart($mode);
}
wait_for('all work', 60, sub { count('done') == 1500 });
my %seen;
$seen{ $_->{uri} }++ for $net->requests;
is(scalar keys %seen, 1500, 'two restarts under load lose nothing');
cmp_ok(scalar(grep { $_ > 1 } values %seen), '<=', 150,
    'what went out twice is at most what was under way');
wait_for('all connections are back', 20, sub {
    6 <= (() = $worker->log =~ /^<\d>database up /mg) });
my @lost = $worker->log =~ /^(<\d>database lost .*)$/mg;
my @up = $worker->log =~ /^(<\d>database up .*)$/mg;
is(scalar @lost, 4, 'each loss of a connection is one line');
is(scalar @up, 6, 'each return too');
unlike($worker->log, qr/dbname=/, 'no conninfo in the log');

# away for a while: outcomes are kept and settled later
my $id = add_postback($pg, $net->url('/slow/400'));
wait_for('the post', 10, sub {
    scalar grep { $_->{uri} eq '/slow/400' } $net->requests;
});
$pg->stop('fast');
select undef, undef, undef, 0.8;
$pg->start_again;
is(wait_state($pg, $id, 'done')->{attempt}, 1,
    'an outcome outlives a short absence of the database');
my $away = () = $worker->log =~ /^<\d>database away/mg;
cmp_ok($away, '<=', 6, 'an absence is one line for each connection');

# a job that SQL cannot settle holds up nobody
my @batch = add_postback($pg, $net->url('/slow/2000'), n => 30);
$pg->sql("update leadq.setting set poison = $batch[7]");
wait_for('the others are done', 20, sub {
    return $pg->sql("select count(*) from leadq.job where state = 'done'
        and job_id between $batch[0] and $batch[-1]") == 29;
});
pass('the others are settled');
like($worker->log, qr/<3>job drop job=$batch[7] sqlstate=22000/,
    'the bad one is named');
is(job($pg, $batch[7])->{state}, 'leased', 'and keeps its lease');
$pg->sql('update leadq.setting set poison = null');
wait_state($pg, $batch[7], 'done', 30);
pass('until it runs out');
is($worker->term, 0, 'the worker ends well');

# another release of the schema
$pg->sql('update leadq.setting set api = 9');
$worker = Leadq::Worker->start(conf => \%conf);
$id = add_postback($pg, $net->url('/200'));
wait_for('the refusal', 10, sub { $worker->log =~ /refuse api/ });
like($worker->log, qr/<3>session refuse api=9 want=4/,
    'a schema of another release is refused loudly');
is(job($pg, $id)->{attempt}, 0, 'and nothing is claimed');
$pg->sql('update leadq.setting set api = 4');
wait_state($pg, $id, 'done', 30);
pass('until it is the right one');
is($worker->term, 0, 'the worker ends well');

# begun before the database, which is the last of several hosts
my ($port) = $conf{database} =~ /port=(\d+)/;
my $closed = Leadq::Test::free_port();
$conf{database} =~ s/host=\S+/host=127.0.0.1,no-such.invalid,localhost/;
$conf{database} =~ s/port=\S+/port=$closed,$port,$port/;
$pg->stop('fast');
$worker = Leadq::Worker->start(conf => \%conf);
wait_for('away', 10, sub { $worker->log =~ /database away/ });
$pg->start_again;
$id = add_postback($pg, $net->url('/200'));
wait_state($pg, $id, 'done', 30);
pass('a worker may begin before its database, and finds it');
is($worker->term, 0, 'the worker ends well');

done_testing();
