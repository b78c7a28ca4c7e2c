#!/usr/bin/perl

# Receipts of the sandbox world's gateways: signed as the real ones are, and
# late, doubled, out of order or forged on request.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", $FindBin::Bin;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(hmac_sha1_base64);
use IO::Socket::INET ();
use Test::More;
use Time::HiRes qw(time);

use Leadq::Test qw(wait_for http);
use Leadq::World;
use Outside qw(http_server json);

my $PHONE = '79161234567';
my $world = Leadq::World->start;
my $site = http_server(undef, sub {
    my ($request) = @_;
    return $request->{uri} =~ m{/x+$} ? (403, '{}')
        : (200, '{"state":"received"}');
});
my %receipts = map { $_ => $site->url("/v1/receipts/$_/s3cret") }
    qw(sms tw call tg);
$world->gateways(
    sms => { shape => 'smsc', receipts => $receipts{sms}, pause_ms => 0,
        secret => 'md5 key', idempotent => JSON::PP::true() },
    tw => { shape => 'twilio', receipts => $receipts{tw}, pause_ms => 0,
        secret => 'auth token' },
    tg => { shape => 'telegram', receipts => $receipts{tg}, pause_ms => 0 },
    call => { shape => 'smsru-call', receipts => $receipts{call},
        method => 'GET', pause_ms => 0 },
);

sub rules { return $world->faults({ gateway => [@_] }) }

sub send_to {
    my ($name, $fields, %headers) = @_;
    return http('POST', $world->url("/gateway/$name"), { timeout => 1,
        headers => { 'Content-Type' => 'application/json', %headers },
        content => json()->encode($fields) });
}

sub message { return { to => "+$PHONE", text => 'Code 4821.', @_ } }

sub last_send { return ($world->sends)[-1] }

# Receipts of the last message, once there are as many.
sub receipts_of_last {
    my ($count) = @_;
    my $number = last_send()->{number};
    return wait_for("$count receipts", 10, sub {
        my @list = grep { $_->{send} == $number } $world->receipts;
        return @list >= $count ? \@list : undef;
    });
}

send_to('sms', message(), 'Idempotency-Key' => 'two');
my $list = receipts_of_last(2);
is_deeply([map { "$_->{state} $_->{status}" } @$list],
    ['sent 200', 'delivered 200'], 'receipts come by themselves');
my $id = last_send()->{id};
my ($told) = grep { $_->{uri} =~ /sms/ && $_->{body} =~ /status=1&/ }
    $site->requests;
like($told->{body}, qr/md5=${\ md5_hex("$id:$PHONE:1:md5 key")}/,
    'signed in the way of smsc');
is(json()->decode(send_to('sms', message(), 'Idempotency-Key' => 'two')
    ->{content})->{id}, $id, 'a repeated key has the same answer');
ok(!last_send()->{taken}, 'and reaches nobody');
is(json()->decode(http('GET', $world->url("/gateway/sms/status?id=$id"))
    ->{content})->{status}, 1, 'its state may be asked for');

send_to('tw', message());
receipts_of_last(2);
($told) = grep { $_->{body} =~ /MessageStatus=delivered/ } $site->requests;
my %field = map { s/\+/ /g; s/%(..)/chr hex $1/ge; $_ }
    map { split /=/, $_, 2 } split /&/, $told->{body};
is($told->{headers}{'x-twilio-signature'}, hmac_sha1_base64(join('',
    $receipts{tw}, map { $_ . $field{$_} } sort keys %field), 'auth token')
    . '=', 'signed in the way of twilio');

$id = last_send()->{id};
is(json()->decode(http('GET', $world->url("/gateway/tw/Messages/$id.json"))
    ->{content})->{status}, 'delivered', 'and told in its way when asked');

send_to('tg', { phone_number => "+$PHONE", code => '4821', payload => 'our' });
receipts_of_last(2);
is(json()->decode(($site->requests)[-1]{body})->{payload}, 'our',
    'what it was given to tell, it tells');

send_to('call', { phone => $PHONE });
receipts_of_last(1);
like(($site->requests)[-1]{uri}, qr{^/v1/receipts/call/s3cret\?.*status=},
    'receipts may be a GET');

# --- faults -------------------------------------------------------------------

rules({ receipts => { states => [qw(delivered sent)], copies => 2,
    delay_ms => 300, error => 25 } });
my $began = time;
send_to('sms', message());
$list = receipts_of_last(4);
cmp_ok(time - $began, '>=', 0.3, 'receipts may be late');
is_deeply([map { $_->{state} } @$list], [qw(delivered delivered sent sent)],
    'out of order, and doubled');
like($list->[0]{body}, qr/err=25/, 'with an error');
rules({ does => 'hang', receipts => { states => ['delivered'] } });
is(send_to('tw', message())->{status}, 599, 'no answer comes');
is(receipts_of_last(1)->[0]{state}, 'delivered', 'but the receipt does');
rules({ does => 500, receipts => { forged => 'secret' } });
send_to('sms', message());
is(receipts_of_last(1)->[0]{status}, 403, 'forged: another path');
rules();
send_to('tw', message());
my $number = last_send()->{number};
receipts_of_last(2);
$world->receipt(send => $number, state => 'read',
    $_ ? (forged => $_) : ()) for '', 'id', 'signature';
my ($good, $stranger, $unsigned) = ($site->requests)[-3 .. -1];
isnt($stranger->{body}, $good->{body}, 'forged: an id nobody knows');
is($unsigned->{body}, $good->{body}, 'forged: the same words');
isnt($unsigned->{headers}{'x-twilio-signature'},
    $good->{headers}{'x-twilio-signature'}, 'with a wrong signature');
$world->clear;
is(scalar(my @left = $world->receipts), 0, 'all is forgotten');

done_testing();
