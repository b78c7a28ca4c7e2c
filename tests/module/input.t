#!/usr/bin/perl

# What is wrong with a request is told as a problem, and nothing is stored.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post form codes);
use Leadq::Nginx;
use Leadq::Test qw(http);

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";),
    server => q(
        client_max_body_size 20k;
        location = /lead {
            leadq_pass  main echo;
            leadq_field email email required;
            leadq_field phone phone;
            leadq_field name text max=20;
            leadq_field note text max=8000;
            leadq_field click_id token max=20 alias=subid,aff_sub;
            leadq_field consent bool required;
            leadq_field lang enum values=ru,en default=ru;
            leadq_set   ip $remote_addr;
        }
        location = /denied { deny all; leadq_pass main echo; }
    ));

my $url = $ng->url('/lead');
my $good = '"email":"a@b.ru","consent":true';

for my $method (qw(GET HEAD PUT DELETE OPTIONS)) {
    my $r = http($method, $url);
    is($r->{status}, 405, "$method is not allowed");
    is($r->{headers}{allow}, 'POST', "and $method is told what is");
    is(codes($r), '405 method-not-allowed', "by a problem")
        if $method ne 'HEAD';
}

for my $type ('text/plain', 'multipart/mixed; boundary=x', 'a', '',
    'application/json charset=utf-8', 'application/json; charset')
{
    is(codes(post($url, '{}', 'content-type' => $type)),
        '415 unsupported-media-type', "the type '$type' is refused");
}
for my $type ('application/json; charset=windows-1251',
    'application/x-www-form-urlencoded; charset="koi8-r"')
{
    is(codes(post($url, '{}', 'content-type' => $type)),
        '415 unsupported-charset', "the type '$type' is refused");
}
for my $encoding ('gzip', 'br', 'deflate', 'gzip, identity') {
    my $r = post($url, "{$good}", 'content-encoding' => $encoding);
    is(codes($r), '415 unsupported-encoding', "$encoding is refused");
    is($r->{headers}{'accept-encoding'}, 'identity', 'and told what is not');
}
is(codes(post($url, '{"note":"' . ('x' x 30000) . '"}')),
    '413 body-too-large', 'a body over client_max_body_size is refused');
is(codes(post($ng->url('/denied'), '{}')), '403 forbidden',
    'what nginx itself denies is a problem too');

my %bad_json = (
    '' => '400 bad-json', '{' => '400 bad-json', '[]' => '400 bad-json',
    '{"a":1}}' => '400 bad-json', "{$good,}" => '400 bad-json',
    '{"a":"\ud800"}' => '400 bad-json',
    "{\"name\":\"\xff\"}" => '400 bad-encoding',
    "{\"name\":\"\xc0\x80\"}" => '400 bad-encoding',
    '{"a":' . ('[' x 20) . (']' x 20) . '}' => '400 bad-json',
    "{$good,\"name\":\"a\",\"name\":\"b\"}" => '422 name.duplicate-field',
    '{' . join(',', map { "\"f$_\":1" } 1 .. 65) . '}'
        => '400 too-many-fields',
);
is(codes(post($url, $_)), $bad_json{$_}, 'JSON ' . substr($_, 0, 40))
    for sort keys %bad_json;

my %bad_field = (
    'x=1' => 'x.unknown-field', 'ip=1.2.3.4' => 'ip.unknown-field',
    'name=a%00b' => 'name.control-character',
    'name=a%0Ab' => 'name.control-character',
    'name=a%ffb' => 'name.not-utf8', 'name=' . ('a' x 21) => 'name.too-long',
    'note=' . ('a' x 8001) => 'note.too-long',
    'note=' . ('a' x 9000) => 'note.too-long',
    'name=a&name=a' => 'name.duplicate-field',
    'subid=a&aff_sub=b' => 'click_id.duplicate-field',
    'click_id=a+b' => 'click_id.token-bad-chars',
    'phone=123' => 'phone.phone-too-short',
    'phone=8-495-123-45-67' => 'phone.phone-not-mobile',
    'lang=fr' => 'lang.enum-bad-value',
);
is(codes(form($url, "email=a%40b.ru&consent=on&$_")), "422 $bad_field{$_}",
    'form ' . substr($_, 0, 40)) for sort keys %bad_field;

my %bad_whole = (
    'a=%' => '400 a.bad-form', 'a=%zz' => '400 a.bad-form',
    '=1' => '400 bad-form', '%ff=1' => '400 bad-encoding',
    '' => '422 email.required consent.required',
    'consent=on' => '422 email.required',
    'email=a%40b.ru' => '422 consent.required',
    'email=a%40b.ru&consent=0' => '422 consent.required',
    'email=myaccount%40mail&consent=on' => '422 email.email-no-domain',
    'email=a+b%40mail.ru&consent=on' => '422 email.email-space',
    'email=mail.ru&consent=on' => '422 email.email-no-at',
    'email=&consent=perhaps&y=1'
        => '422 y.unknown-field email.required consent.bool-bad-value',
);
is(codes(form($url, $_)), $bad_whole{$_}, "form $_") for sort keys %bad_whole;

is(codes(post($url, '{"email":["a"],"consent":{},"name":1.5}')),
    '422 email.bad-type name.bad-type consent.bad-type',
    'values must be scalars');
is(codes(http('POST', $url)), '422 email.required consent.required',
    'no body at all is an empty form');

is($pg->sql('select count(*) from leadq.row'), 0, 'nothing has been stored');
is($ng->alarms, '', 'and nothing alarming is in the log');
unlike($ng->log, qr/a\@b\.ru|myaccount/, 'and no value of anybody');

done_testing();
