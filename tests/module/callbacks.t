#!/usr/bin/perl

# The type body: whatever a gateway sends back, nobody having listed its
# fields, is one value of the row.

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
    http => qq(leadq_database main "$dsn"; client_max_body_size 100k;),
    server => q(
        location ~ ^/receipts/(?<who>[a-z]+)$ {
            leadq_pass    main echo;
            leadq_methods POST GET;
            leadq_args    on;
            leadq_field   gateway enum values=one,two from=$who;
            leadq_field   receipt body required max=65536;
            leadq_set     method $request_method;
        }
        location = /small {
            leadq_pass  main echo;
            leadq_field receipt body max=40;
        }
        location = /usual {
            leadq_pass  main echo;
            leadq_field receipt body;
        }
    ));
my $url = $ng->url('/receipts/one');
my $small = $ng->url('/small');

# The receipt in a row, as JSON text.
sub taken {
    my ($r) = @_;
    return codes($r) if $r->{status} != 201;
    return $r->{content} =~ s/^\{(?:"gateway":"one",)?"receipt":(.*?)
        (?:,"method":"\w+")?\}$/$1/xsr;
}

# --- JSON
is(post($url, '{"id": 17, "state":"delivered"}')->{content},
    '{"gateway":"one","receipt":{"id":17,"state":"delivered"},'
    . '"method":"POST"}', 'JSON stays what it is');
is(taken(post($small, $_->[0])), $_->[1], "$_->[2] is a value, too") for
    ['[{"a":[]}, 1]', '[{"a":[]},1]', 'an array'],
    [' "text" ', '"text"', 'a string'], ['1.50', '1.50', 'a number'],
    ['{"gateway":"two"}', '{"gateway":"two"}', 'what looks like a field'],
    ['123456789012345678901234', '123456789012345678901234', 'a long number'];
is(post($small, $_->[0])->{content}, '{}', "$_->[1] is none") for
    ['null', 'null'], ['', 'no body'], [" \n", 'a blank one'];
is(codes(post($url, 'null')), '422 receipt.required', 'which may be required');
is(codes(post($url, $_->[0])), "422 receipt.$_->[1]", "$_->[0] is refused")
    for ['{"a":', 'json-bad-value'], ['a=b', 'json-bad-value'],
    ['"\u0000"', 'control-character'], ["\"\xff\"", 'not-utf8'],
    ['[' x 9 . ']' x 9, 'json-too-deep'];
is(post($url, '{"a":1,"a":"twice"}')->{status}, 201, 'a name may come twice');
is($pg->sql(q(select request #>> '{receipt,a}' from leadq.row
    where request ->> 'receipt' like '%twice%')), 'twice',
    'and the last counts, for jsonb');

# --- forms
is(taken(form($url, 'id=17&status=1&text=%D0%94%D0%B0%21')),
    qq({"id":"17","status":"1","text":"\xd0\x94\xd0\xb0!"}),
    'a form is an object of strings');
is(taken(form($url, 'a=1&b=2&a=3&gateway=two')),
    '{"a":["1","3"],"b":"2","gateway":"two"}',
    'with an array for a name that is repeated');
is(taken(form($url, 'a=%FF%00%0A%7F')),
    qq({"a":"\xef\xbf\xbd\xef\xbf\xbd\\u000a\\u007f"}),
    'bytes that are no text are replaced');
is(taken(post($url, join('', map { "--B\r\nContent-Disposition: form-data; "
    . "name=\"$_\"\r\n\r\n$_-1\r\n" } qw(a b a)) . "--B--\r\n",
    'content-type' => 'multipart/form-data; boundary=B')),
    '{"a":["a-1","a-1"],"b":"b-1"}', 'so is a multipart one');
is(codes(form($url, '')), '422 receipt.required', 'an empty one is nothing');
is(codes(form($url, 'a=%4')), '400 a.bad-form', 'a broken one is refused');
is(codes(form($url, join '&', map { "f$_=1" } 1 .. 65)),
    '400 too-many-fields', 'and one of 65 fields');
is(codes(post($url, 'a', 'content-type' => 'text/xml')),
    '415 unsupported-media-type', 'XML is not known');
is(codes(post($url, '{}', 'content-type' => 'application/json; '
    . 'charset=windows-1251')), '415 unsupported-charset', 'nor are charsets');

# --- the query
is(http('GET', $ng->url('/receipts/one?id=17&s=ok&s=%21'))->{content},
    '{"gateway":"one","receipt":{"id":"17","s":["ok","!"]},"method":"GET"}',
    'a GET has it in its query');
is(codes(http('GET', $url)), '422 receipt.required', 'or not at all');
is(http('HEAD', "$url?id=1")->{status}, 201, 'HEAD, too');
is(taken(http('GET', "$url?id=1", { content => '{"id":2}',
    headers => { 'content-type' => 'application/json' } })), '{"id":"1"}',
    'and nothing else');
is(taken(form("$url?id=1", 'id=2')), '{"id":"2"}',
    'a POST has it in its body, the query means nothing');
is(taken(post("$url?id=1", '{"id":2}')), '{"id":2}', 'to nobody');
is(codes(http('GET', $ng->url('/small?a=1'))), '405 method-not-allowed',
    'where GET is possible');
is(codes(form($ng->url('/receipts/three'), 'a=1')),
    '422 gateway.enum-bad-value', 'fields of the server are checked');

# --- how much
my $big = '"' . 'x' x 65534 . '"';
is(length taken(post($url, $big)), 65536, '64 KiB are possible');
is(codes(post($url, "\"$big")), '422 receipt.json-bad-value', 'if valid');
is(codes(post($url, $big =~ s/"$/x"/r)), '422 receipt.too-long', 'not more');
is(taken(post($url, ' ' x 1000 . $big)), $big, 'blanks do not count');
is(codes(form($url, 'a=' . 'x' x 65529)), '422 receipt.too-long',
    'of a form, what it becomes counts');
is(length taken(form($url, 'a=' . 'x' x 65528)), 65536, 'to the byte');
is(codes(form($url, 'a=' . '%01' x 20000)), '422 receipt.too-long',
    'escapes included');
is(post($url, '0.' . '1' x 8192 . 'e-999')->{status}, 201,
    'numbers may be long');
is(codes(post($url, '0.' . '1' x 8193)), '422 receipt.json-bad-value',
    'not longer than jsonb takes');
is(length taken(post($url, '"' . '1' x 65534 . '"')), 65536,
    'which is nothing to strings');
is(codes(post($small, '"' . 'x' x 39 . '"')), '422 receipt.too-long',
    'max= is less');
is(length taken(post($ng->url('/usual'), '"' . 'x' x 16382 . '"')), 16384,
    '16 KiB without it');
is(codes(post($ng->url('/usual'), '"' . 'x' x 16383 . '"')),
    '422 receipt.too-long', 'at most');
is(codes(post($url, 'x' x 110_000)), '413 body-too-large',
    'nginx has its limit before');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
