#!/usr/bin/perl

# The gateways of the sandbox world: what goes wrong with them on request
# really goes wrong, or tests that lean on it would prove nothing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", $FindBin::Bin;

use IO::Socket::INET ();
use Test::More;
use Time::HiRes qw(time);

use Leadq::Test qw(http);
use Leadq::World;
use Outside qw(json);

my $PHONE = '79161234567';
my $world = Leadq::World->start;
$world->gateways(plain => {}, sms => { shape => 'smsc' },
    call => { shape => 'smsru-call' });

sub rules { return $world->faults({ gateway => [@_] }) }

sub send_to {
    my ($name, $fields, %headers) = @_;
    my $timeout_s = delete $headers{timeout_s} || 10;
    return http('POST', $world->url("/gateway/$name"), {
        timeout => $timeout_s,
        headers => { 'Content-Type' => 'application/json', %headers },
        content => json()->encode($fields) });
}

sub message { return { to => "+$PHONE", text => 'Code 4821.', @_ } }

sub last_send { return ($world->sends)[-1] }

# --- what is taken ------------------------------------------------------------

my $reply = send_to('plain', { messages => [{ to => $PHONE, from => 'Brand',
    text => "Код 4821.\n\@brand.ru #4821" }] }, 'Idempotency-Key' => 'one',
    'Authorization' => 'Key k');
is($reply->{status}, 200, 'a message in JSON is taken');
my $send = last_send();
is_deeply([@{$send}{qw(phone code key gateway channel answered)}],
    [$PHONE, 4821, 'one', 'plain', 'sms', 'ok'], 'and understood');
is(json()->decode($reply->{content})->{id}, $send->{id}, 'its id is told');
is($send->{headers}{authorization}, 'Key k', 'headers are kept');
is($send->{repeat}, JSON::PP::false(), 'a key is new');
send_to('plain', message(), 'Idempotency-Key' => 'one');
is(last_send()->{repeat}, JSON::PP::true(), 'and then repeated');
http('POST', $world->url('/gateway/plain/sys/send.php'), { headers => {
    'Content-Type' => 'application/x-www-form-urlencoded' },
    content => 'login=a&phones=79160000001&mes=%D0%9A+123456' });
is_deeply([@{ last_send() }{qw(phone code)}], ['79160000001', 123456],
    'a form, too');
http('GET', $world->url('/gateway/plain?msg=77777&to=79160000002'));
is_deeply([@{ last_send() }{qw(phone code)}], ['79160000002', 77777],
    'and a query');
is(send_to('plain', { text => 'x' })->{status}, 400, 'no phone, no message');
is(scalar(my @of = $world->sends(phone => '79160000002')), 1,
    'one finds them by phone');

$reply = send_to('call', { phone => $PHONE });
like(json()->decode($reply->{content})->{code}, qr/^\d{4}$/,
    'a flash call has digits of its own');
is(last_send()->{code}, json()->decode($reply->{content})->{code}, 'known');

# --- faults of answers --------------------------------------------------------

rules({ gateway => 'plain', phone => '7916', times => 1, does => 500 });
is(send_to('plain', message())->{status}, 500, 'a status');
ok(!last_send()->{taken}, 'reaches nobody');
is(send_to('plain', message())->{status}, 200, 'once, if told so');
rules({ does => 429, retry_after => 7 });
is(send_to('plain', message())->{headers}{'retry-after'}, 7, '429 says when');
rules({ does => 'refuse' });
$reply = send_to('sms', message());
is($reply->{status}, 200, 'a refusal in a 200');
is(json()->decode($reply->{content})->{error_code}, 3, 'says why');
rules({ does => 'garbage' });
$reply = send_to('plain', message());
ok(!eval { json()->decode($reply->{content}); 1 }, 'wrong JSON is wrong');
rules({ delay_ms => 400 });
my $began = time;
send_to('plain', message());
cmp_ok(time - $began, '>=', 0.4, 'slow is slow');
rules({ text => 'Code', does => 'hang' });
is(send_to('plain', message(), timeout_s => 1)->{status}, 599,
    'an answer that never comes');
ok(last_send()->{taken}, 'yet the person has the code');
for my $does (qw(reset half)) {
    rules({ does => $does });
    is(send_to('plain', message())->{status}, 599, "$does ends badly");
    ok(last_send()->{taken}, "$does has taken it");
}
rules({ does => 'reset' });
my $socket = IO::Socket::INET->new(PeerAddr => $world->url('/')
    =~ m{//([^/]+)/});
print {$socket} "GET /gateway/plain?to=$PHONE HTTP/1.1\r\nHost: x\r\n\r\n";
is(sysread($socket, my $got, 1), undef, 'a reset is a reset');
ok($!{ECONNRESET}, 'of the connection');
rules();
is(http('GET', $world->url("/gateway/plain?to=$PHONE&does=503"))->{status},
    503, 'a request may say what is to go wrong');

$world->clear;
is(scalar(my @left = $world->sends), 0, 'all is forgotten');

done_testing();
