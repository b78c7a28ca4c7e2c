#!/usr/bin/perl

# Mail servers that misbehave: the loop goes on, the outcome is right.

use strict;
use warnings;

use FindBin ();
use Test::More;
use Time::HiRes qw(time);

use lib $FindBin::Bin;
use Leadq::Test qw(wait_for tempdir spew);
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
    is($mail->count('CONNECT'), 1, 'and not at once');
    is($worker->term, 0, 'the worker ends well');
}

# a connection that the server has closed, as is heard when the next letter
# uses it: that one goes again at once, unless the server may have it
sub then_says { # 250 to a command first, and an answer when it comes again
    my ($command, $answer, $first) = @_;
    my $n = 0;
    return ($command => sub { $n++ ? $answer : $first || '250 ok' });
}

my $idle = '421 4.4.2 Idle for too long';
for my $case (
    ['says 421 to MAIL', 'done', MAIL => $idle],
    ['says 421 to RCPT', 'done', RCPT => $idle],
    ['hangs up at MAIL', 'done', MAIL => ''],
    ['hangs up at DATA', 'done', DATA => '', '354 go on'],
    ['hangs up after the letter', 'scheduled', '.' => ''],
    ['says 450 to MAIL', 'scheduled', MAIL => '450 4.3.2 Later'],
) {
    my ($name, $state, @answers) = @$case;
    $mail = smtp_server(then_says(@answers));
    $worker = worker($mail, smtp_connections => 1);
    wait_state($pg, add_letter($pg), 'done');
    wait_state($pg, add_letter($pg), $state);
    is($mail->count('CONNECT'), $state eq 'done' ? 2 : 1,
        "a used connection that $name: $state");
    is($worker->term, 0, 'the worker ends well');
}

# a second try that ends the same way is the last
my $dir = tempdir();
$mail = smtp_server(MAIL => sub {
    my $first = !-e "$dir/seen";
    spew("$dir/seen", '');
    return $first ? '250 ok' : $idle;
});
$worker = worker($mail, smtp_connections => 1);
wait_state($pg, add_letter($pg), 'done');
$detail = wait_state($pg, add_letter($pg), 'scheduled')->{detail};
is($detail->{smtp}, 421, 'a server that has no time at all is told so');
is($mail->count('MAIL'), 3, 'and asked once more only');
is($worker->term, 0, 'the worker ends well');

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
