#!/usr/bin/perl

# Leases: a killed worker's jobs are taken over, a lost lease settles
# nothing, several workers share without doing anything twice.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_postback add_letter wait_state job http_server
    mail_server);

my $pg = database();
my $net = http_server();
my %conf = (database => $pg->dsn, poll => '50ms', lease => '5s');

sub posted {
    my ($path, $n) = @_;
    wait_for("$n posts of $path", 20, sub {
        return $n <= grep { $_->{uri} eq $path } $net->requests;
    });
    return;
}

# SIGKILL in the middle of a post
my $first = Leadq::Worker->start(conf => \%conf);
my $id = add_postback($pg, $net->url('/slow/1000'));
posted('/slow/1000', 1);
$first->kill9;
is(job($pg, $id)->{state}, 'leased', 'a killed worker leaves its lease');
my $second = Leadq::Worker->start(conf => \%conf);
my $row = wait_state($pg, $id, 'done', 30);
is($row->{attempt}, 2, 'a second worker takes over when it has run out');
is(scalar(@{ $row->{outcomes} }), 1, 'there is one outcome');
my @tries = $net->requests;
is($tries[0]{headers}{'idempotency-key'}, $tries[1]{headers}{'idempotency-key'},
    'the network can tell that it is the same postback');

# the lease is taken away while the post is under way
$id = add_postback($pg, $net->url('/slow/3000'));
posted('/slow/3000', 1);
$pg->sql("update leadq.job set token = gen_random_uuid(), state = 'done'
    where job_id = $id");
wait_for('the loss is noticed', 10, sub { $second->log =~ /job lose/ });
like($second->log, qr/<4>job lose job=$id kind=postback .*"lease lost"/,
    'and logged');
is(scalar(@{ job($pg, $id)->{outcomes} }), 0, 'nothing was settled');

# SIGSTOP beyond the lease: the late settling is refused
$id = add_postback($pg, $net->url('/slow/3000'));
posted('/slow/3000', 2);
kill 'STOP', $second->pid;
my $third = Leadq::Worker->start(conf => { %conf, lease => '30s' });
$row = wait_state($pg, $id, 'done', 30);
is($row->{attempt}, 2, 'a stopped worker is overtaken');
kill 'CONT', $second->pid;
wait_for('the loss is noticed', 10, sub {
    2 == (() = $second->log =~ /job lose/g);
});
is_deeply(job($pg, $id)->{outcomes}, ['done'], 'it settles nothing');

# two workers share
my $before = () = $net->requests;
my @ids = add_postback($pg, $net->url('/200?n={sub1}'), n => 2000,
    values => { sub1 => '#N#' });
wait_for('2000 jobs are done', 60, sub {
    return $pg->sql("select count(*) from leadq.job
        where state = 'done'") >= 2002;
});
my %seen;
$seen{ $_->{uri} }++ for grep { $_->{uri} =~ /\?n=/ } $net->requests;
is(scalar keys %seen, 2000, 'every postback was sent');
is(scalar(grep { $_ != 1 } values %seen), 0, 'none was sent twice');
is($pg->sql("select count(distinct worker) from leadq.job
    where job_id >= $ids[0]"), 2, 'both workers had their part');

# a letter between 250 and settling: sent again with the same Message-ID
my $mail = mail_server();
$second->term;
$third->configure(%conf, smtp_url => $mail->url);
$third->hup;
wait_for('reloaded', 10, sub { $third->log =~ /conf reload/ });
$pg->sql('alter function leadq.settle_jobs(bigint[], uuid[], text[], text[])
    rename to settle_jobs_off');
$id = add_letter($pg);
wait_for('the letter is out', 20, sub { scalar(() = $mail->letters) });
$third->kill9;
$pg->sql('alter function
    leadq.settle_jobs_off(bigint[], uuid[], text[], text[])
    rename to settle_jobs');
my $fourth = Leadq::Worker->start(conf => { %conf,
    smtp_url => $mail->url });
wait_state($pg, $id, 'done', 30);
my %ids = map { /^Message-ID: (\S+)/m ? ($1 => 1) : () } $mail->letters;
is(scalar(() = $mail->letters), 2, 'the one window: a letter goes out again');
is(scalar keys %ids, 1, 'with the same Message-ID');
is($fourth->term, 0, 'the worker ends well');

done_testing();
