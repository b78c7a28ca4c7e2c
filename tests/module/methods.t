#!/usr/bin/perl

# leadq_methods: what mail programs and browsers fetch, and not post, becomes
# a row all the same, and so does what is deleted; other methods are refused.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP ();
use Test::More;

use Door qw(postgres post codes raw);
use Leadq::Nginx;
use Leadq::Test qw(http);

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";),
    server => q(
        location ~ ^/o/(?<what>[^/]+)$ {
            leadq_pass  main echo;
            leadq_methods GET POST;
            leadq_field name text from=$what;
            leadq_set   method $request_method;
            leadq_redirect /ok.html /bad.html;
        }
        location ~ ^/r/(?<where>[^/]+)$ {
            leadq_pass  main send_on;
            leadq_methods GET POST;
            leadq_field name text from=$where;
            leadq_redirect /ok.html /bad.html;
        }
        location = /report {
            leadq_pass  main echo;
            leadq_methods GET POST;
            leadq_args  on;
            leadq_field from date;
        }
        location = /off {
            leadq_pass  main echo;
            leadq_field name text;
        }
        location ~ ^/things/(?<thing>[^/]+)$ {
            leadq_pass    main odd;
            leadq_methods DELETE GET;
            leadq_field   name text from=$thing;
        }
        location = /drop {
            leadq_pass    main echo;
            leadq_methods DELETE;
            leadq_args    on;
            leadq_field   name text;
            leadq_set     method $request_method;
        }
        location = /all {
            leadq_pass    main echo;
            leadq_methods POST DELETE GET;
            leadq_field   name text from=$request_method;
        }
    ));
$pg->sql(q(create function leadq.web_send_on(p_ids uuid[], p_requests text[])
    returns table (n int, status int, headers text, body text) language sql
    as $$ select u.n::int,
                 case when u.request::jsonb ->> 'name' = 'gone' then 410
                      else 302 end,
                 'Location: https://shop.example/'
                     || (u.request::jsonb ->> 'name'),
                 null::text
            from unnest(p_ids, p_requests) with ordinality u (id, request, n)
    $$));

my %browser = (headers => { accept => 'text/html,*/*' });

my $r = http('GET', $ng->url('/o/a'));
is($r->{status}, 201, 'a GET is answered');
is($r->{content}, '{"name":"a","method":"GET"}', 'from its row');
is($r->{headers}{'cache-control'}, 'no-store', 'and kept by nobody');
$r = http('HEAD', $ng->url('/o/b'));
is("$r->{status} " . length($r->{content} // ''), '201 0', 'so is a HEAD');
is($pg->sql(q(select string_agg(request ->> 'method', ' ' order by id)
    from leadq.row)), 'GET HEAD', 'SQL may tell them apart');
is(http('POST', $ng->url('/o/c'))->{status}, 201, 'POST goes on to work');
$r = http('PUT', $ng->url('/o/c'));
is(codes($r), '405 method-not-allowed', 'PUT does not');
is($r->{headers}{allow}, 'GET, HEAD, POST', 'and hears what does');

$r = http('GET', $ng->url('/r/hat'), { %browser });
is("$r->{status} $r->{headers}{location}", '302 https://shop.example/hat',
    'a function that sends a person on is believed');
$r = http('GET', $ng->url('/r/gone'), { %browser });
like("$r->{status} $r->{headers}{location}", qr{^303 \S*/bad\.html\?error=},
    'otherwise there are pages for people');
is(http('GET', $ng->url('/r/gone'))->{status}, 410, 'and not for programs');

$r = http('GET', $ng->url('/report?from=2026-11-01'));
is($r->{content}, '{"from":"2026-11-01"}', 'fields come from the query');
is(codes(http('GET', $ng->url('/report?from=2026-11-31'))),
    '422 from.date-no-such-day', 'and are checked');
is(http('GET', $ng->url('/report'))->{content}, '{}', 'or from nowhere');

$r = http('GET', $ng->url('/off'));
is(codes($r), '405 method-not-allowed', 'by default a GET is refused');
is($r->{headers}{allow}, 'POST', 'in favour of POST');
like($r->{content}, qr/"Only POST is possible here"/, 'in words, too');
is(post($ng->url('/off'), '{"name":"a"}')->{status}, 201, 'which works');

is(http('DELETE', $ng->url('/things/204'))->{status}, 204,
    'a DELETE is a row like any other');
is(http('GET', $ng->url('/things/headers'))->{status}, 200,
    'beside the GET of the same thing');
$r = http('POST', $ng->url('/things/a'), { content => 'a=b' });
is(codes($r) . " $r->{headers}{allow}",
    '405 method-not-allowed GET, HEAD, DELETE', 'POST is not always taken');
like($r->{content}, qr/"Only GET, HEAD, DELETE are possible here"/,
    'and hears why');

my @json = (headers => { 'content-type' => 'application/json' });
for (['{"name":"evil"}', @json], ['[[[', @json], ['x' x 200_000],
    ['zip', headers => { 'content-encoding' => 'gzip' }])
{
    my ($content, @headers) = @$_;
    is(http('DELETE', $ng->url('/drop?name=a'),
        { content => $content, @headers })->{content},
        '{"name":"a","method":"DELETE"}', 'the body of a DELETE means nothing');
    is(http('GET', $ng->url('/report?from=2026-11-01'),
        { content => $content, @headers })->{content},
        '{"from":"2026-11-01"}', 'nor does that of a GET');
}
like(raw($ng->port, "DELETE /drop?name=a HTTP/1.1\r\nHost: a\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n", "0\r\n\r\n",
    "DELETE /drop?name=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    qr/^HTTP\S+ 201 .*"name":"a".*HTTP\S+ 201 .*"name":"b"/s,
    'and the connection stays');
is(codes(http('DELETE', $ng->url('/drop?name=a&x=b'))),
    '422 x.unknown-field', 'its query is checked as any other');

is(http($_, $ng->url('/all'))->{content} // '', $_ eq 'HEAD' ? ''
    : qq({"name":"$_"}), "$_ is taken") for qw(GET HEAD POST DELETE);
$r = http('PUT', $ng->url('/all'));
is($r->{headers}{allow}, 'GET, HEAD, POST, DELETE', 'all that there are');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
