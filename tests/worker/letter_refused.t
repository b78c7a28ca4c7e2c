#!/usr/bin/perl

# What a mail server's refusals become: formats.md C3; facts M-13, M-14, M-15.

use strict;
use warnings;

use FindBin ();
use IO::Socket::INET ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(free_port);
use Leadq::Worker;
use Outside qw(database add_letter wait_state job mail_server);

my $pg = database();
$pg->sql('update leadq.setting set retry_s = 600');

# One letter to such a server: (state, class, code, smtp, reason).
sub fate {
    my ($server, %conf) = @_;
    my $url = ref $server ? $server->url : $server;
    my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
        smtp_url => $url, poll => '50ms', connect_timeout => '2s', %conf });
    my $id = add_letter($pg, %conf ? () : ());
    Leadq::Test::wait_for('an outcome', 20, sub {
        return $pg->sql("select cardinality(outcomes) from leadq.job
            where job_id = $id");
    });
    is($worker->term, 0, 'the worker ends well');
    my $row = job($pg, $id);
    my $detail = $row->{detail};
    return [$row->{state}, map { defined $_ ? $_ : '-' }
        @$detail{qw(class code smtp reason)}];
}

sub refuse {
    my ($command, $reply) = @_;
    my $hard = $reply =~ /^5/;
    return mail_server($hard ? ('-f', $command, '-B', $reply)
        : ('-r', $command, '-b', $reply));
}

my @cases = (
    ['RCPT', '550 5.1.1 No such user', 'dead', 'hard', '5.1.1', 550],
    ['RCPT', '550 User unknown', 'dead', 'hard', '-', 550],
    ['RCPT', '552 5.2.2 Mailbox full', 'dead', 'soft', '5.2.2', 552],
    ['RCPT', '450 4.7.1 Greylisted', 'scheduled', 'greylist', '4.7.1', 450],
    ['RCPT', '451 Try again later', 'scheduled', 'greylist', '-', 451],
    ['RCPT', '452 4.2.2 Over quota', 'scheduled', 'soft', '4.2.2', 452],
    ['MAIL', '550 5.1.8 Bad sender', 'dead', 'block', '5.1.8', 550],
    ['DATA', '554 5.7.1 Spam', 'dead', 'block', '5.7.1', 554],
    ['.', '554 5.7.1 Spam', 'dead', 'block', '5.7.1', 554],
    ['.', '451 4.7.0 Rate limited', 'scheduled', 'block', '4.7.0', 451],
);
my %phase = (RCPT => 'rcpt', MAIL => 'mail', DATA => 'data', '.' => 'data');
for my $case (@cases) {
    my ($command, $reply, $state, $class, $code, $smtp) = @$case;
    is_deeply(fate(refuse($command, $reply)),
        [$state, $class, $code, $smtp, $phase{$command}],
        "$command answered \"$reply\": $state, $class");
}

is_deeply(fate(refuse('CONNECT', '554 5.7.1 Go away'))->[1], 'network',
    'a greeting that refuses says nothing of the address');
is_deeply(fate('smtp://127.0.0.1:' . free_port()),
    ['scheduled', 'network', '-', '-', 'connect'],
    'no mail server: retry, network');
my $mute = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1');
is_deeply(fate('smtp://127.0.0.1:' . $mute->sockport, lease => '5s'),
    ['scheduled', 'network', '-', '-', 'timeout'],
    'a mail server that says nothing: retry, network');
is_deeply(fate(mail_server(), smtp_tls => 'require')->[4], 'tls',
    'without TLS nothing is sent where TLS is required');

# a multi-line reply, and the words that are kept
my $mail = refuse('RCPT', '550 5.1.1 <anna@example.ru> unknown');
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    smtp_url => $mail->url, poll => '50ms' });
my $id = add_letter($pg);
like(wait_state($pg, $id, 'dead')->{detail}{reply}, qr/^5\.1\.1 .*unknown/,
    'the words of the server are kept');
$id = add_letter($pg, text => "{{#open}}\n");
is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'bad-payload',
    'a template that cannot be read: dead');
$id = add_letter($pg, to => "a\@b.ru>\r\nRCPT TO:<c\@d.ru");
is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'bad-payload',
    'an address that is none: dead');
$worker->term;
unlike($worker->log, qr/anna\@/, 'no address is in the log');

# Message-ID is the same in every attempt
$pg->sql('update leadq.setting set retry_s = 0');
my $flaky = mail_server('-r', 'DATA');
$worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    smtp_url => $flaky->url, poll => '20ms' });
$id = add_letter($pg);
Leadq::Test::wait_for('two attempts', 20, sub {
    return $pg->sql("select attempt from leadq.job where job_id = $id") > 1;
});
my $good = mail_server();
$worker->configure(database => $pg->dsn, smtp_url => $good->url);
$worker->hup;
wait_state($pg, $id, 'done');
my ($letter) = $good->letters;
like($letter, qr/^Message-ID: <0198c000-0000-7000-8000-0000000000aa\@brand/m,
    'Message-ID is the message\'s own, whatever the attempt');
is(scalar(() = $good->letters), 1, 'one letter');
$worker->term;

done_testing();
