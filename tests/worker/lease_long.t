#!/usr/bin/perl

# Long work keeps its lease: it is extended while the post is under way, and
# a post whose lease cannot be kept is stopped before somebody else begins.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_postback wait_state job http_server);

my $pg = database();
my $net = http_server();
my %conf = (database => $pg->dsn, poll => '50ms', lease => '5s');

sub calls {
    my ($name) = @_;
    return $pg->sql("select count(*) from leadq.call where name = '$name'");
}

sub posts {
    my ($path) = @_;
    return scalar grep { $_->{uri} eq $path } $net->requests;
}

# longer than a lease; another worker looks on all the time
my @workers = map { Leadq::Worker->start(conf => \%conf) } 1, 2;
my $short = add_postback($pg, $net->url('/200'));
wait_state($pg, $short, 'done');
is(calls('extend'), 0, 'short work asks for no extension');
my $long = add_postback($pg, $net->url('/slow/6500'), timeout_ms => 20000);
my $row = wait_state($pg, $long, 'done', 30);
is($row->{attempt}, 1, 'a post may last longer than its lease');
is(posts('/slow/6500'), 1, 'and is not begun by anybody else');
cmp_ok(calls('extend'), '>=', 2, 'the lease was extended');
is($workers[0]->term, 0, 'one worker ends well');

# the lease is taken away: at the next extension the post is stopped
my $lost = add_postback($pg, $net->url('/slow/15000'), timeout_ms => 30000);
wait_for('the post', 20, sub { posts('/slow/15000') });
$pg->sql("update leadq.job set token = gen_random_uuid(), state = 'done'
    where job_id = $lost");
wait_for('the loss is noticed', 10, sub {
    $workers[1]->log =~ /<4>job lose job=$lost .*outcome=retry/;
});
pass('a post that has lost its lease is stopped, not waited for');

# the database is away for longer than the lease
my $away = add_postback($pg, $net->url('/slow/14000'), timeout_ms => 30000);
wait_for('the post', 20, sub { posts('/slow/14000') });
$pg->sql('alter function leadq.extend_jobs(bigint[], uuid[], integer)
    rename to extend_jobs_off');
$row = wait_state($pg, $away, 'leased');
wait_for('the end', 20, sub {
    return $pg->sql("select details[1] ->> 'reason' from leadq.job
        where job_id = $away") eq 'lease-lost';
});
is(job($pg, $away)->{outcomes}[0], 'retry',
    'a post whose lease cannot be extended ends before the lease does');
like($workers[1]->log,
    qr/<3>session refuse statement=extend_jobs sqlstate=42883/,
    'and the log says why');
$workers[1]->kill9;

done_testing();
