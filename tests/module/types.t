#!/usr/bin/perl

# Numbers, dates, URLs, promo codes, nested JSON and suggested addresses, from
# the request to PostgreSQL and back.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP ();
use Test::More;

use Door qw(postgres post form codes);
use Leadq::Nginx;

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";),
    server => q(
        location = /t {
            leadq_pass  main echo;
            leadq_field age int min=18 max=120;
            leadq_field n int;
            leadq_field born date;
            leadq_field site url;
            leadq_field code promo;
            leadq_field quiz json max=200 depth=3;
            leadq_field lang json 'default={"ui": "ru"}';
        }
        location = /mail {
            leadq_pass  main echo;
            leadq_field email email required;
            leadq_field second email;
            leadq_field name text max=20;
        }
        location = /pass {
            leadq_pass  main echo;
            leadq_field email email;
            leadq_field click_id token;
            leadq_invalid pass if=click_id;
            leadq_redirect /ok /bad?x=1;
        }
        location = /odd { leadq_pass main odd; leadq_field name text;
            leadq_field email email; }
    ));

my $url = $ng->url('/t');
my $default = '"lang":{"ui":"ru"}';

# [JSON text, row without lang]
for my $case (
    ['{"age":18,"n":-7}', '{"age":18,"n":-7,'],
    ['{"age":"+0120","n":"9223372036854775807"}',
        '{"age":120,"n":9223372036854775807,'],
    ['{"born":"2024-02-29"}', '{"born":"2024-02-29",'],
    ['{"site":"HTTP://Brand.ru:80"}', '{"site":"http://brand.ru/",'],
    ["{\"site\":\"https://\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0."
        . "\xd1\x80\xd1\x84/\xd1\x8f\"}",
        '{"site":"https://xn--80a1acny.xn--p1ai/%D1%8F",'],
    ['{"code":" k7mp-4tx9-a2ch"}', '{"code":"K7MP4TX9A2CH",'],
    ["{\"code\":\"\\u041a7\\u041c\\u04204\\u0422\\u04259\\u04102\\u0421"
        . "\\u041d\"}", '{"code":"K7MP4TX9A2CH",'],
    ["{\"code\":\"\xd0\xbb7\xd1\x8c\xd0\xb74\xd0\xb5\xd1\x879\xd1\x842"
        . "\xd1\x81\xd1\x80\"}", '{"code":"K7MP4TX9A2CH",'],
    ['{"quiz": {"q1" : [1.50, "a \\n", {}], "z":null} }',
        '{"quiz":{"q1":[1.50,"a \\n",{}],"z":null},'],
    ['{"quiz":[]}', '{"quiz":[],'], ['{"quiz":"text"}', '{"quiz":"text",'],
    ['{"quiz":1e300}', '{"quiz":1e300,'], ['{"quiz":null}', '{'],
) {
    is(post($url, $case->[0])->{content}, "$case->[1]$default}",
        "JSON $case->[0]");
}
is(form($url, 'quiz=%7B%22a%22%3A+%5B1%5D%7D&age=42&lang=1')->{content},
    '{"age":42,"quiz":{"a":[1]},"lang":1}', 'JSON inside a form');
is($pg->sql(q(select request #>> '{quiz,a,0}' from leadq.row
    where request ->> 'age' = '42')), 1, 'PostgreSQL sees what is inside');

my %bad = (
    '{"age":17}' => 'age.int-too-small', '{"age":121}' => 'age.int-too-large',
    '{"age":1.5}' => 'age.bad-type', '{"age":"x"}' => 'age.int-bad-value',
    '{"n":"9223372036854775808"}' => 'n.int-too-large',
    '{"born":"2025-02-29"}' => 'born.date-no-such-day',
    '{"born":"29.02.2024"}' => 'born.date-bad-format',
    '{"site":"brand.ru"}' => 'site.url-bad-scheme',
    '{"site":"https://bank.ru@evil.ru/"}' => 'site.url-user',
    '{"site":"http://a.ru:0"}' => 'site.url-bad-port',
    '{"site":"http://a..ru"}' => 'site.url-bad-host',
    '{"site":"http://a.ru/ b"}' => 'site.url-bad-chars',
    '{"code":"K7MP4TX9A2CK"}' => 'code.code-typo',
    '{"code":"K7MP4TX9A2CB"}' => 'code.promo-bad-chars',
    '{"code":"K7MP"}' => 'code.too-short', '{"code":[]}' => 'code.bad-type',
    '{"quiz":[[[[]]]]}' => 'quiz.json-too-deep',
    '{"quiz":"' . ('x' x 199) . '"}' => 'quiz.too-long',
    '{"quiz":["\u0000"]}' => 'quiz.control-character',
    '{"quiz":1e-5000}' => 'quiz.json-bad-value',
);
is(codes(post($url, $_)), "422 $bad{$_}", substr "JSON $_", 0, 50)
    for sort keys %bad;
is(codes(form($url, 'quiz=%7B')), '422 quiz.json-bad-value', 'a cut value');
is(codes(post($url, '{"quiz":{"a":1,"a":2}}')), '422 a.duplicate-field',
    'a name twice inside');

# Suggestions
sub suggest {
    my ($r) = @_;
    my $answer = JSON::PP->new->utf8->canonical->decode($r->{content});
    return $r->{status} . ' ' . JSON::PP->new->canonical->encode(
        $answer->{suggest} || {});
}

my $mail = $ng->url('/mail');
is(suggest(form($mail, 'email=Anna%40gmial.com')),
    '201 {"email":"Anna@gmail.com"}', 'a likelier address is in the answer');
is($pg->sql(q(select request ->> 'email', request #>> '{$suggest,email}'
    from leadq.row where request ->> 'email' like 'Anna%')),
    'Anna@gmial.com|Anna@gmail.com', 'and in the row, beside what was typed');
is(suggest(form($mail, 'email=a%40gmail.com')), '201 {}',
    'a good address has none');
is(suggest(form($mail, 'email=a%40gmail&second=b%40mail.ur')),
    '422 {"email":"a@gmail.com","second":"b@mail.ru"}',
    'an invalid one has one as well');
is(codes(form($mail, 'email=a%40gmail&second=b%40mail.ur')),
    '422 email.email-no-domain', 'and is still invalid');
is(suggest(form($mail, 'email=a%40gmail.con&name=' . 'x' x 30)),
    '422 {"email":"a@gmail.com"}', 'something else may be wrong');
is(suggest(form($mail, 'email=a+b%40gmail.con')), '422 {}',
    'none that would be refused');

my $odd = $ng->url('/odd');
my $slip = 'email=a%40gmail.con';
is(form($odd, $slip)->{content}, '{"suggest":{"email":"a@gmail.com"}}',
    'an empty object of SQL');
is(form($odd, "$slip&name=204")->{status}, 204, 'no body, no suggestion');
is(form($odd, "$slip&name=problem")->{content},
    '{"type":"urn:leadq:problem:duplicate","title":"Twice","status":409}',
    'another problem stays as it is');

my $pass = $ng->url('/pass');
is(form($pass, 'email=a%40gmail&click_id=c')->{content},
    '{"click_id":"c","$invalid":{"email":"email-no-domain"},'
    . '"$suggest":{"email":"a@gmail.com"},"suggest":{"email":"a@gmail.com"}}',
    'a bad address that passes takes its suggestion along');
my $page = form($pass, 'email=a%40gmail', accept => 'text/html');
is($page->{headers}{location},
    $ng->url('/bad?x=1&error=email.email-no-domain'),
    'no address gets into a URL');

is($ng->alarms, '', 'nothing alarming is in the log');
unlike($ng->log, qr/gmial|gmail|K7MP/, 'and no value of anybody');
$ng->quit;

done_testing();
