#!/usr/bin/perl

# A field with mac= reaches the database as MACs, and nothing else as anything:
# no log, no file, no memory of the process has its value afterwards.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP qw(decode_json);
use Test::More;

use Door qw(postgres post form codes raw);
use Leadq::Nginx;
use Leadq::Test qw(run slurp spew tempdir wait_for);
use Spool qw(spool files records);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
my $spool = spool();
my ($old, $new) = ('0123456789abcdef' x 4, 'AB' x 64);
spew("$dir/checks.key", "7 $old\n");

my $uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
my $code = 'leadq_field code digits min=4 max=8 required mac=checks
    for=$what;';
my $ng = Leadq::Nginx->start(
    main => 'error_log debug.log debug;',
    http => qq(leadq_database main "$dsn" timeout=1s;
        leadq_key checks $dir/checks.key;
        log_format leadq '\$request_uri \$request_body';),
    server => qq(
        access_log access.log leadq;
        location ~ "^/check/(?<what>$uuid)\$" {
            leadq_pass main echo; $code
            leadq_spool $spool;
        }
        location ~ ^/once/(?<what>.*)\$ {
            leadq_pass main once; $code
            leadq_idempotency optional key=checks;
        }
        location ~ ^/others/(?<what>[a-z]+)/(?<one>[^/]*)\$ {
            leadq_pass main echo;
            leadq_field word  token mac=checks for=\$what alias=password;
            leadq_field promo promo mac=checks for=\$what;
            leadq_field name  text;
            leadq_field url   digits mac=checks for=\$what from=\$one;
            leadq_set   about \$what;
        }
    ));

# What openssl makes of it.
sub mac {
    my ($key, $text) = @_;
    spew("$dir/text", $text);
    my ($rc, $out) = run(qw(openssl dgst -sha256 -mac HMAC -macopt),
        "hexkey:$key", "$dir/text");
    return $rc == 0 && $out =~ /= ([0-9a-f]{64})$/m ? $1 : "$rc $out";
}

my $id = '0b5e9f3e-1111-4222-8333-444455556666';
my $url = $ng->url("/check/$id");
my $is = '{"code":{"7":"' . mac($old, "$id:001234") . '"}}';

is(post($url, '{"code":"001234"}')->{content}, $is,
    'the row has the MAC that openssl makes');
is(form($url, 'code=+001234+')->{content}, $is, 'of what was normalised');
is(post($url, "--B\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n"
    . "001234\r\n--B--\r\n", 'content-type' => 'multipart/form-data; '
    . 'boundary=B')->{content}, $is, 'in whatever body it came');
is(post($url, '{"code":4321}')->{content},
    '{"code":{"7":"' . mac($old, "$id:4321") . '"}}', 'also as a number');
is(codes(post($url, '{"code":"123"}')), '422 code.too-short',
    'it is checked as ever');
is(codes(form($url, 'code=12a4')), '422 code.digits-bad-chars',
    'and only then a MAC');
is(codes(form($url, '')), '422 code.required', 'or nothing');

my $r = form($ng->url('/others/till/77'),
    'password=S3cret&promo=2222-2222-2222&name=a');
is_deeply(decode_json($r->{content}), {
    word => { 7 => mac($old, 'till:S3cret') },
    promo => { 7 => mac($old, 'till:222222222222') },
    name => 'a', url => { 7 => mac($old, 'till:77') }, about => 'till',
}, 'tokens and promo codes may have MACs, and what the server says');
is(form($ng->url('/others/till/'), 'name=a')->{content},
    '{"name":"a","about":"till"}', 'what is not given has none');

# --- it must be about something
is(codes(form($ng->url('/once/'), 'code=1234')), '500 internal-error',
    'a MAC about nothing is our mistake');
like($ng->log, qr/\[error\].* leadq has nothing in "for=" of leadq_field "code"/,
    'of which the log tells');
is(codes(form($ng->url('/once/' . 'a' x 256), 'code=1234')),
    '500 internal-error', 'about too much, too');
is(form($ng->url('/once/' . 'a' x 255), 'code=1234')->{status}, 201,
    '255 bytes are enough');

# --- repeats
my @key = ('idempotency-key' => 'k-1');
my $first = form($ng->url("/once/$id"), 'code=5555', @key);
is($first->{status}, 201, 'a code may come with an idempotency key');
is(form($ng->url("/once/$id"), 'code=5555', @key)->{content},
    $first->{content}, 'the same code is the same row');
is(form($ng->url("/once/$id"), 'code=5556', @key)->{status}, 422,
    'another code is noticed');
is($pg->sql(q(select request -> 'code' ->> '7' from leadq.row
    where request ? '$fingerprint')), mac($old, "$id:5555"),
    'by the MACs alone');

# --- a new key before the old one
spew("$dir/checks.key", "9 $new\n7 $old\n");
$ng->reload;
is(post($url, '{"code":"001234"}')->{content}, '{"code":{"9":"'
    . mac($new, "$id:001234") . '","7":"' . mac($old, "$id:001234") . '"}}',
    'after a change of the key there are MACs under both');
spew("$dir/checks.key", "9 $new\n");
$ng->reload;
is(post($url, '{"code":"001234"}')->{content},
    '{"code":{"9":"' . mac($new, "$id:001234") . '"}}', 'and then under one');

# --- nowhere
wait_for('the old process is gone', 20, sub { 1 == (() = $ng->worker_pids) });
my ($pid) = $ng->worker_pids;
my $seen = sub {
    my ($word) = @_;
    open my $mem, '<:raw', "/proc/$pid/mem" or die "mem: $!\n";
    my $found = 0;
    for my $line (split /\n/, slurp("/proc/$pid/maps")) {
        my ($from, $to) = map { unpack 'Q>', pack 'H16', substr '0' x 16 . $_,
            -16 } $line =~ /^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
        sysseek $mem, $from, 0 or next;
        sysread $mem, my $bytes, $to - $from or next;
        $found++ while $bytes =~ /\Q$word\E/g;
    }
    return $found;
};
SKIP: {
    skip 'sanitizers keep what was freed', 2 if $ENV{LEADQ_SANITIZE};
    raw($ng->port, "POST /check/$id HTTP/1.1\r\nHost: a\r\nX-Note: 8315" .
        "27940\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        . "Content-Length: 13\r\nConnection: close\r\n\r\ncode=83152794");
    is($seen->('code=83152794'), 0, 'the body of a form is wiped');
    form($url, 'code=61970538');
    is($seen->('61970538'), 0, 'and all that was made of it');
}

$pg->stop('immediate');
$r = post($url, '{"code":"73918264"}');
is($r->{status}, 202, 'without a database the row is spooled');
my @rows = map { $_->[1] } records($spool, 'spool');
is("@rows", '{"code":{"9":"' . mac($new, "$id:73918264") . '"}}',
    'as MACs');
is(codes(post($url, '{"code":"7391826455"}')), '422 code.too-long',
    'a refusal');
my $values = qr/(?<![\dA-F])(?:73918264|7391826455|83152794|61970538|5556)
    (?![\dA-F])|S3cret/x;
ok($_->[1] !~ $values, "$_->[0] has no value") for
    ['the spool', join '', map { slurp($_) } files($spool, '*')],
    ['the error log', $ng->log . $ng->stderr],
    ['not even that for debugging', slurp($ng->dir . '/debug.log')],
    ['an access log of bodies', slurp($ng->dir . '/access.log')];
like(slurp($ng->dir . '/debug.log'), qr/\[debug\].*http process request line/,
    'which was written');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
