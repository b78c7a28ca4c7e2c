#!/usr/bin/perl

# However the body comes: in pieces, chunked, over HTTP/2, through a file.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post form codes raw);
use Leadq::Nginx;
use Leadq::Test qw(free_port http run);

my $pg = postgres();
my $dsn = $pg->dsn;
my $h2 = free_port();
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";
        server {
            listen 127.0.0.1:$h2 http2;
            location = /n {
                leadq_pass main echo; leadq_field name text max=8000;
            }
        }),
    server => q(
        location /n { leadq_pass main echo; leadq_field name text max=8000; }
        location = /n/file {
            client_body_in_file_only clean;
            leadq_pass main echo; leadq_field name text max=8000;
        }
        location = /n/small {
            client_body_buffer_size 1k;
            leadq_pass main echo; leadq_field name text max=8000;
        }
        location = /n/limit {
            client_max_body_size 1k;
            leadq_pass main echo; leadq_field name text max=8000;
        }
        location = /n/big {
            client_max_body_size 20m;
            leadq_pass main echo; leadq_field name text max=8000;
        }
        location = /none { leadq_pass main echo; leadq_set a b; }
    ));

my $long = 'x' x 7000;
is(post($ng->url($_), qq({"name":"$long"}))->{content}, qq({"name":"$long"}),
    "a long body by $_") for qw(/n /n/file /n/small);

my $head = "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "Content-Type: application/json\r\n";
like(raw($ng->port, sprintf("${head}Content-Length: 13\r\n\r\n{", '/n'),
    '"name"', ':"', 'ab', '"}'), qr/\{"name":"ab"\}$/, 'a body in pieces');
like(raw($ng->port, sprintf("${head}Transfer-Encoding: chunked\r\n\r\n", $_),
    "5\r\n{\"nam\r\n", "7\r\ne\":\"ab\"\r\n", "1\r\n}\r\n0\r\n\r\n"),
    qr/\{"name":"ab"\}$/, "a chunked body by $_") for qw(/n /n/file /n/small);
like(raw($ng->port, sprintf("${head}Transfer-Encoding: chunked\r\n\r\n",
    '/n/limit'), "800\r\n" . ('x' x 2048) . "\r\n0\r\n\r\n"),
    qr{^HTTP/1.1 413.*"urn:leadq:problem:body-too-large"}s,
    'a chunked body that is too large');
is(codes(post($ng->url('/n/big'), 'x' x (3 * 1024 * 1024))),
    '413 body-too-large', 'a body over what the module takes');
like(raw($ng->port, sprintf("${head}Expect: 100-continue\r\n"
    . "Content-Length: 13\r\n\r\n", '/n'), '{"name":"abc"}'),
    qr{^HTTP/1.1 100 .*HTTP/1.1 400}s, 'a body cut by its own length');
like(raw($ng->port, "POST /n HTTP/1.0\r\n\r\n"), qr{^HTTP/1.1 201}m,
    'HTTP/1.0 without a body');

my $two = "POST /n HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    . "Content-Length: 13\r\n\r\n{\"name\":\"%d\"}";
like(raw($ng->port, join('', map { sprintf $two, 10 + $_ } 1 .. 8)
    . "GET /n HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    qr/(?:201 Created.*){8}405 Not/s, 'requests that do not wait for answers');

SKIP: {
    my ($rc, $version) = run('curl', '--version');
    skip 'curl without HTTP/2', 1 if $rc || $version !~ /HTTP2/;
    my ($code, $out) = run('curl', '-s', '--http2-prior-knowledge',
        '-H', 'Content-Type: application/json', '-d', qq({"name":"$long"}),
        "http://127.0.0.1:$h2/n");
    is($out, qq({"name":"$long"}), 'HTTP/2');
}

is(post($ng->url('/none'), 'x' x 100_000, 'content-type' => 'text/plain')
    ->{content}, '{"a":"b"}', 'a body that nobody wants is thrown away');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

done_testing();
