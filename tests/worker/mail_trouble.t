#!/usr/bin/perl

# Mail servers that misbehave: the loop goes on, the outcome is right.

use strict;
use warnings;

use FindBin ();
use Test::More;
use Time::HiRes qw(time);

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_letter add_postback wait_state job http_server
    smtp_server);

my $pg = database();
my $net = http_server();
$pg->sql('update leadq.setting set retry_s = 600');

sub worker {
    my ($mail, %conf) = @_;
    return Leadq::Worker->start(conf => { database => $pg->dsn,
        smtp_url => $mail->url, poll => '50ms', %conf });
}

# a connection is used again, and QUIT is said at the end
my $mail = smtp_server();
my $worker = worker($mail, smtp_connections => 2);
my @ids = map { add_letter($pg) } 1 .. 20;
wait_state($pg, $_, 'done') for @ids;
cmp_ok($mail->count('CONNECT'), '<=', 2, '20 letters in 2 connections');
is($mail->count('.'), 20, 'each once');
is($worker->term, 0, 'the worker ends well');
is($mail->count('QUIT'), $mail->count('CONNECT'), 'and politely');

# a server that closes idle connections
$mail = smtp_server(idle => 1);
$worker = worker($mail, smtp_connections => 1);
wait_state($pg, add_letter($pg), 'done');
select undef, undef, undef, 1.5;
wait_state($pg, add_letter($pg), 'done');
is($mail->count('CONNECT'), 2, 'a connection that was closed is made anew');
is($worker->term, 0, 'the worker ends well');

# a multi-line refusal
$mail = smtp_server(RCPT => "550-5.1.1 The mailbox\r\n550 5.1.1 is not here");
$worker = worker($mail);
my $detail = wait_state($pg, add_letter($pg), 'dead')->{detail};
is($detail->{class}, 'hard', 'a refusal of several lines is understood');
is($detail->{reply}, '5.1.1 The mailbox 5.1.1 is not here', 'and kept');
is($worker->term, 0, 'the worker ends well');

# a server that hangs up in the middle, or says nonsense
for my $case (
    ['RCPT', '', 'hangs up at RCPT'],
    ['.', '', 'hangs up after the letter'],
    ['MAIL', 'what?', 'says nonsense'],
    ['EHLO', "250-ok\r\n250-ok", 'stops in the middle of a reply'],
) {
    my ($command, $answer, $name) = @$case;
    $mail = smtp_server($command => $answer);
    $worker = worker($mail, lease => '5s');
    $detail = wait_state($pg, add_letter($pg), 'scheduled')->{detail};
    is($detail->{class}, 'network', "a server that $name: retry, network");
    is($worker->term, 0, 'the worker ends well');
}

# a server that never answers QUIT holds up nobody
$mail = smtp_server(RCPT => '550 5.1.1 No', QUIT => undef);
$worker = worker($mail);
wait_state($pg, add_letter($pg), 'dead', 5);
my $begin = time;
my $letter = add_letter($pg);
my $postback = add_postback($pg, $net->url('/200'));
wait_state($pg, $postback, 'done', 5);
wait_state($pg, $letter, 'dead', 5);
cmp_ok(time - $begin, '<', 10, 'a refusal holds up nobody');
is($worker->term, 0, 'the worker ends well');
$mail = smtp_server(QUIT => undef);
$worker = worker($mail);
wait_state($pg, add_letter($pg), 'done');
$begin = time;
is($worker->term, 0, 'the end does not wait for QUIT');
cmp_ok(time - $begin, '<', 10, 'much longer than three seconds');

done_testing();
