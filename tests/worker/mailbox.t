#!/usr/bin/perl

# The mailbox of bounces, in a real Dovecot: what is told is committed before
# it is moved, and one worker reads at a time.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Mailhost;
use Outside qw(database);

plan skip_all => 'Dovecot wants root' if !Mailhost::may();

my $pg = database();
my $mail = Mailhost->start;

sub bounce {
    my ($who) = @_;
    return "From: <mailer-daemon\@relay.test>\nTo: <bounces\@bounce.test>\n"
        . "MIME-Version: 1.0\nContent-Type: multipart/report; boundary=b; "
        . "report-type=delivery-status\n\n--b\nContent-Type: message/"
        . "delivery-status\n\nReporting-MTA: dns; relay.test\n\n"
        . "Final-Recipient: rfc822; $who\@post.test\nAction: failed\n"
        . "Status: 5.1.1\n\n--b--\n";
}

sub told {
    my ($n) = @_;
    wait_for("$n reports", 30, sub {
        return $pg->sql('select count(*) from leadq.report') == $n });
    return $pg->sql("select string_agg(distinct report ->> 'kind', ',')
        from leadq.report");
}

sub moved {
    my ($n) = @_;
    wait_for("$n messages are moved", 30, sub {
        return $mail->count('leadq') == $n && $mail->count == 0 });
    return 1;
}

$mail->put(bounce("first$_")) for 1 .. 3;
$mail->put("From: <anna\@post.test>\nTo: <bounces\@bounce.test>\n\nHello\n");
$mail->put(bounce('big') . ('x' x 1_000_000));
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    $mail->conf });
is(told(4), 'failed', 'the reports of a mailbox are told');
ok(moved(5), 'and all that was read is moved, with what is of no interest');
is($pg->sql("select report ->> 'recipient' || ' ' || (report ->> 'class')
    from leadq.report where report ->> 'recipient' ~ 'first1'"),
    'first1@post.test hard', 'a report says who and what');
like($worker->log, qr/<6>mailbox read n=5 failed=4 .* ignored=1/,
    'one line tells of a look');

# what is not committed stays
$pg->sql('update leadq.mailbox set trouble = true');
$mail->put(bounce('stays'));
wait_for('two refusals', 30, sub {
    return $worker->log =~ /refuse statement=take_reports/ });
is($mail->count, 1, 'what could not be told stays');
is($mail->count('leadq'), 5, 'where it is');
$pg->sql('update leadq.mailbox set trouble = false');
told(5);
ok(moved(6), 'and is told later');

# another one reads
$pg->sql('update leadq.mailbox set open = false');
$mail->put(bounce('other'));
select undef, undef, undef, 1;
is($mail->count, 1, 'a mailbox that another worker reads is left alone');
$pg->sql('update leadq.mailbox set open = true');
told(6);
moved(7);

# many
$mail->put(bounce("many$_")) for 1 .. 120;
told(126);
ok(moved(127), 'many are read in batches');

# a server that goes away; its children may keep the socket for a while, and
# whoever gets no answer gives up after half a minute
$mail->stop_imap;
wait_for('the server is away', 90, sub {
    return $worker->log =~ /<4>mailbox away/ });
$mail->start_imap;
$mail->put(bounce('back'));
told(127);
like($worker->log, qr/<6>mailbox back/, 'a server that comes back is read on');
is(scalar(() = $worker->log =~ /mailbox away/g), 1,
    'its absence is one line');

# a reload
$worker->configure(database => $pg->dsn);
$worker->hup;
wait_for('the reload', 20, sub { $worker->log =~ /conf reload/ });
$mail->put(bounce('later'));
$worker->configure(database => $pg->dsn, $mail->conf);
$worker->hup;
is(told(128), 'failed', 'a reload ends and begins the reading');
is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/post\.test|secret/, 'nothing personal is in the log');

done_testing();
