#!/usr/bin/perl

# Bad values that travel on along with a click id (A-5), and signed links.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Test::More;

use Door qw(postgres post form codes);
use Leadq::Nginx;
use Leadq::Test qw(http spew tempdir);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
my ($key, $old) = ("\x5a" x 32, "\xa5" x 40);
spew("$dir/links.key", "2 " . unpack('H*', $key) . " # signs\n1 "
    . unpack('H*', $old) . "\n");

my $ng = Leadq::Nginx->start(
    http => qq(leadq_key links $dir/links.key; leadq_database main "$dsn";),
    server => q(
        location = /all {
            leadq_pass    main echo;
            leadq_field   email email required;
            leadq_field   phone phone;
            leadq_field   consent bool required;
            leadq_field   click_id token max=10;
            leadq_set     source test;
            leadq_invalid pass if=click_id;
        }
        location = /only {
            leadq_pass    main echo;
            leadq_field   email email required;
            leadq_field   consent bool required;
            leadq_field   click_id token max=10;
            leadq_invalid pass if=click_id only=email;
        }
        location = /reject {
            leadq_pass    main echo;
            leadq_field   email email required;
            leadq_field   click_id token;
            leadq_invalid reject;
        }
        location ~ ^/c/(?<token>[^/]+)$ {
            leadq_pass    main echo;
            leadq_field   message signed required key=links purpose=confirm
                          from=$token;
        }
        location = /post {
            leadq_pass    main echo;
            leadq_field   message signed required key=links purpose=confirm;
        }
    ));

my $all = $ng->url('/all');
is(form($all, 'email=myaccount%40brand&phone=12&consent=on&click_id=c1')->{content},
    '{"consent":true,"click_id":"c1","source":"test","$invalid":'
    . '{"email":"email-no-domain","phone":"phone-too-short"}}',
    'with a click id bad values travel on by name');
is(form($all, 'consent=on&click_id=c1')->{content},
    '{"consent":true,"click_id":"c1","source":"test","$invalid":'
    . '{"email":"required"}}', 'a missing value too');
is(form($all, 'email=a%40b.ru&click_id=c1')->{content},
    '{"email":"a@b.ru","click_id":"c1","source":"test","$invalid":'
    . '{"consent":"required"}}', 'and a box that was not ticked');
is(form($all, 'email=a%40b.ru&consent=on&click_id=c1')->{content},
    '{"email":"a@b.ru","consent":true,"click_id":"c1","source":"test"}',
    'a good request says nothing of it');
is(codes(form($all, 'email=a%40b&consent=on')), '422 email.email-no-domain',
    'without a click id bad values are refused');
is(codes(form($all, 'email=a%40b&consent=on&click_id=a%20b')),
    '422 click_id.token-bad-chars email.email-no-domain',
    'with a bad click id as well');
is(codes(form($all, 'email=a%40b&consent=on&click_id=c1&x=1')),
    '422 x.unknown-field', 'unknown fields never pass');

my $only = $ng->url('/only');
like(form($only, 'email=a%40b&consent=on&click_id=c1')->{content},
    qr/"\$invalid":\{"email":"email-no-domain"\}/, 'only= lets the email pass');
is(codes(form($only, 'email=a%40b&click_id=c1')), '422 consent.required',
    'and not the consent');
is(codes(form($ng->url('/reject'), 'email=a%40b&click_id=c1')),
    '422 email.email-no-domain', 'reject refuses');

my $subject = '01923a4b-5c6d-7000-8000-00000000002a';

# The token as contract says, not as our C says.
sub token {
    my ($secret, $id, $purpose, $expires) = @_;
    (my $hex = $subject) =~ tr/-//d;
    my $payload = pack('CC', 1, $id) . substr(pack('Q>', $expires), 3)
        . pack('H*', $hex);
    return encode_base64url($payload
        . substr(hmac_sha256("$purpose\0$payload", $secret), 0, 16));
}

my $token = token($key, 2, 'confirm', time + 60);
my $link = sub { http('POST', $ng->url("/c/$_[0]"), {
    content => 'List-Unsubscribe=One-Click', headers => {
    'content-type' => 'application/x-www-form-urlencoded' } }) };
is($link->($token)->{content}, qq({"message":"$subject"}),
    'a signed link becomes what it is about');
is(form($ng->url('/post'), "message=$token")->{content},
    qq({"message":"$subject"}), 'also from a form');
is($link->(token($old, 1, 'confirm', time + 60))->{status}, 201,
    'the older key still verifies');
is(codes($link->(token($key, 2, 'unsubscribe', time + 60))),
    '422 message.link-forged', 'a link for something else does not');
is(codes($link->(token($old, 2, 'confirm', time + 60))),
    '422 message.link-forged', 'nor one by another key');
is(codes($link->(token($key, 2, 'confirm', time - 1))),
    '422 message.link-expired', 'nor an old one');
is(codes($link->(substr $token, 0, 40)), '422 message.link-malformed',
    'nor a piece of one');
is(codes(form($ng->url('/post'), 'message=')), '422 message.required',
    'nor none');
is($ng->alarms, '', 'nothing alarming is in the log');
unlike($ng->log, qr/\Q$token\E.*leadq/, 'and no token in what leadq says');

done_testing();
