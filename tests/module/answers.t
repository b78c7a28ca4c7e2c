#!/usr/bin/perl

# What goes to the database, and what comes back from it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP qw(decode_json);
use Test::More;

use Door qw(postgres post form codes raw);
use Leadq::Nginx;
use Leadq::Test qw(http slurp wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";
        log_format leadq '\$status "\$leadq_id" \$leadq_outcome "\$leadq_batch"'
            ' "\$leadq_wait" "\$leadq_db_time"';),
    server => q(
        access_log access.log leadq;
        location = /lead {
            leadq_pass  main echo;
            leadq_field email email;
            leadq_field phone phone;
            leadq_field name text;
            leadq_field click_id token alias=clickid,sub-id;
            leadq_field consent bool;
            leadq_field lang enum values=ru,en default=ru;
            leadq_set   ip $remote_addr;
            leadq_set   ua $http_user_agent;
            leadq_set   none $arg_none;
        }
        location = /odd { leadq_pass main odd; leadq_field name text; }
        location = /no { leadq_pass main nothing_such; leadq_field a text; }
        location = /page {
            leadq_pass main odd;
            leadq_field name text max=10;
            leadq_redirect /thanks.html /sorry.html?a=b;
        }
        location ~ ^/c/(?<token>[a-z]+)$ {
            leadq_pass main echo;
            leadq_field name text from=$token max=5;
        }
    ));

my $ok = form($ng->url('/lead'),
    'email=Anna%40%D0%BF%D0%BE%D1%87%D1%82%D0%B0.%D1%80%D1%84&phone=8+(916)'
    . '+123-45-67&name=+%D0%90%D0%BD%D0%BD%D0%B0%22+&sub-id=x%5C%22&consent=on',
    'user-agent' => 'test');
is($ok->{status}, 201, 'a good form is answered by the status of SQL');
is_deeply(decode_json($ok->{content}), {
    email => 'Anna@xn--80a1acny.xn--p1ai', phone => '+79161234567',
    name => "\x{410}\x{43d}\x{43d}\x{430}\"", click_id => 'x\\"',
    consent => JSON::PP::true, lang => 'ru', ip => '127.0.0.1',
    ua => 'test',
}, 'and SQL got normalised values');
my $id = $pg->sql('select id from leadq.row');
like($id, qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/,
    'under an id that is a UUID version 7');
like($ok->{headers}{location}, qr{/rows/\Q$id\E$}, 'which SQL was told');
is($ok->{headers}{'content-type'}, 'application/json', 'the body is JSON');
is($ok->{headers}{'cache-control'}, 'no-store', 'and must not be stored');

like(raw($ng->port, "POST /lead HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "User-Agent: caf\xe9\t\"\r\n\r\n"), qr/"ua":"caf\xef\xbf\xbd\\u0009\\""\}$/,
    'whatever a variable holds becomes valid text');
is(post($ng->url('/lead'), '{"phone":79161234567,"consent":false}')->{content},
    '{"phone":"+79161234567","consent":false,"lang":"ru","ip":"127.0.0.1",'
    . '"ua":"' . HTTP::Tiny->new->agent . '"}', 'JSON gives the same kind');

my $odd = sub { post($ng->url('/odd'), qq({"name":"$_[0]"})) };
my $r = $odd->('headers');
is_deeply([@{ $r->{headers} }{qw(content-language retry-after set-cookie)}],
    ['ru', '7', undef], 'SQL may set the headers that are allowed');
$r = $odd->('204');
is($r->{status} . ($r->{content} || ''), '204', 'a status without a body');
is(post($ng->url('/odd'), '{"name":"fine"}', $_ => $_ eq 'if-match' ? '"x"'
    : 'Wed, 25 Nov 2026 00:00:00 GMT')->{status}, 200,
    "what was done is said whatever $_ there is")
    for qw(if-match if-unmodified-since);
is(length $odd->('big')->{content}, 40009, 'a body over 16 kB arrives');
is(codes($odd->('problem')), '409 duplicate', 'a problem of SQL is a problem');
is(codes($odd->($_)), '500 internal-error', "a row with $_ is our fault")
    for qw(null 600 nothing);
like($ng->log, qr/"odd" left 1 of 1 rows without a valid answer/,
    'which is logged');
is(codes(post($ng->url('/no'), '{"a":"b"}')), '500 internal-error',
    'a function that is not there is our fault too');

my $html = { accept => 'text/html,*/*;q=0.8' };
my $page = sub { form($ng->url('/page'), @_) };
$r = $page->('name=fine', %$html);
is("$r->{status} $r->{headers}{location}",
    '303 ' . $ng->url('/thanks.html'), 'a browser is sent to the good page');
$r = $page->('name=01234567890&b%2F%3F=1', %$html);
is("$r->{status} $r->{headers}{location}", '303 ' . $ng->url(
    '/sorry.html?a=b&error=b%2F%3F.unknown-field,name.too-long'),
    'or to the other, with what was wrong');
$r = $page->('name=problem', %$html);
is($r->{headers}{location}, $ng->url('/sorry.html?a=b&error=duplicate'),
    'also when SQL found it');
$r = http('GET', $ng->url('/page'), { headers => $html });
is("$r->{status} $r->{headers}{location}", '303 ' . $ng->url(
    '/sorry.html?a=b&error=method-not-allowed'), 'or nobody posted');
is($page->('name=fine')->{status}, 200, 'a program gets what SQL said');

is(post($ng->url('/c/abc'), 'List-Unsubscribe=One-Click',
    'content-type' => 'multipart/form-data; boundary=x')->{content},
    '{"name":"abc"}', 'a location without fields in the body ignores it');
is(codes(post($ng->url('/c/abcdef'), '')), '422 name.too-long',
    'but checks what comes from a variable');

# A line is written after its answer; the last request was a bad one.
my @log;
wait_for('a bad request is in the access log', 10, sub {
    @log = split /\n/, slurp($ng->dir . '/access.log');
    return grep { /^422 ""/ } @log;
});
like($log[0], qr/^201 "\Q$id\E" answered "1" "0\.\d{3}" "0\.\d{3}"$/,
    'the access log tells id, outcome, batch and times');
like($log[-1], qr/^422 "" invalid "" "" ""$/, 'also of a bad request');

my @crit = grep { !/sqlstate=42883/ } split /\n/, $ng->alarms;
is("@crit", '', 'nothing alarming but the function that is not there');

done_testing();
