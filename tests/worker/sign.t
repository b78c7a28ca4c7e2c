#!/usr/bin/perl

# Signatures, reckoned again with Digest::SHA; and secrets that a network
# tells us again are kept nowhere.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_base64 hmac_sha256_hex);
use FindBin ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(tempdir spew);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server);

my $pg = database();
my $net = http_server();
my $secrets = tempdir();
my ($new, $old) = ("\0\1binary key of 24 bytes\xff", 'old-key-0123456789');
spew("$secrets/sign", 'whsec_' . encode_base64($new, '') . "\n$old\n");
spew("$secrets/short", "secret\n");
spew("$secrets/token", "t0ken/s3cret\n");
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    secrets_dir => "$secrets", poll => '50ms' });

my $uuid = '0198c000-0000-7000-8000-000000000001';
my $id = add_postback($pg, $net->url('/flaky'), sign => 'sign',
    method => 'POST', content_type => 'application/json',
    body => '{"click": "{click_id}"}', values => { click_id => 'я' });
wait_state($pg, $id, 'done');
for my $request ($net->requests) {
    my $h = $request->{headers};
    is($h->{'webhook-id'}, $uuid, 'the id is the same in every attempt');
    is($h->{'webhook-id'}, $h->{'idempotency-key'}, 'and the key');
    cmp_ok(abs($h->{'webhook-timestamp'} - $request->{at}), '<', 60,
        'the time is the time of the attempt');
    my $body = $request->{body};
    utf8::downgrade($body);
    my $signed = "$uuid.$h->{'webhook-timestamp'}.$body";
    is($h->{'webhook-signature'}, join(' ', map { 'v1,'
        . hmac_sha256_base64($signed, $_) . '=' } $new, $old),
        'each key has signed');
}

for my $path ('/200?a={click_id}&b=1', '/200') {
    $id = add_postback($pg, $net->url($path), sign => 'sign',
        values => { click_id => 'x y' });
    wait_state($pg, $id, 'done');
    my ($query, $sig) = ($net->requests)[-1]{uri}
        =~ /\?(.*)&sig=([0-9a-f]{64})$/;
    is($sig, hmac_sha256_hex($query, $new), "$path: the query is signed");
    like($query, qr/(?:^|&)ts=\d{10}$/, 'with its time');
    ok(!exists +($net->requests)[-1]{headers}{'webhook-signature'},
        'and has no other signature');
}

for my $case (['short', 'a key that is too short'], ['none', 'no file']) {
    $id = add_postback($pg, $net->url('/200'), sign => $case->[0]);
    is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'bad-payload',
        "$case->[1]: nothing goes out unsigned");
}

# what a network says again
my %echo = (secret => 'token', values => { click_id => 'click-77' },
    method => 'POST', content_type => 'application/json');
for my $case (
    ['/echo?q={click_id}&t={token}', 'a query', body => '{}'],
    ['/echo', 'a body', body => '{"t":"{token}","u":1}'],
) {
    my ($path, $name, @more) = @$case;
    $id = add_postback($pg, $net->url($path), %echo, @more);
    my $reply = wait_state($pg, $id, 'done')->{detail}{reply};
    like($reply, qr/\*\*\*/, "$name with a secret comes back with stars");
    unlike($reply, qr/t0ken|s3cret|click-77/, 'and without it');
}
is($pg->sql(q(select count(*) from leadq.job
    where details::text ~ 't0ken|s3cret|old-key|whsec|sig=[^*]')), 0,
    'no secret is in the database');
is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/t0ken|s3cret|old-key|whsec|sig=|click-77/,
    'and none in the log');

done_testing();
