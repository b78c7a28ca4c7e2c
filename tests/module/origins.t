#!/usr/bin/perl

# Requests from other sites: the ones in the list may use a location by CORS,
# a location of sessions takes none at all.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post form codes);
use Leadq::Nginx;
use Leadq::Test qw(free_port http run slurp spew tempdir wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
my $conf = abs_path("$FindBin::Bin/../../conf/nginx");
spew("$dir/form.key", '7 ' . ('ab' x 32) . "\n");

my $port = free_port();
my $own_only = 'location = /own {
    leadq_pass main echo; leadq_field name text;
    leadq_same_origin on;
}';
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn"; leadq_key form $dir/form.key;
        include $conf/leadq-origins.conf;
        client_max_body_size 1k;
        log_format leadq '\$status "\$leadq_guard"';
        server { listen 127.0.0.1:$port http2; $own_only }),
    server => qq(
        access_log access.log leadq;
        location = /cors {
            leadq_pass main echo; leadq_field name text;
            leadq_idempotency optional key=form;
            include $conf/leadq-cors.conf;
        }
        location = /token {
            leadq_form_token key=form;
            include $conf/leadq-cors.conf;
        }
        $own_only
        location = /dry {
            leadq_pass main echo; leadq_field name text;
            leadq_same_origin dry_run;
        }
        location = /off {
            leadq_pass main echo; leadq_field name text;
            leadq_same_origin off;
        }
    ));

# Status and CORS headers of a response: "201 origin=... methods=..."
sub cors {
    my ($r) = @_;
    my %short = (map { $_ => "access-control-$_" } qw(allow-origin max-age
        allow-methods allow-headers expose-headers allow-credentials));
    my $vary = $r->{headers}{vary} || '';
    return join ' ', $r->{status}, ($vary eq 'Origin' ? () : "vary=$vary"),
        map { my $v = $r->{headers}{ $short{$_} };
            defined $v ? "$_=$v" : () } sort keys %short;
}

my $url = $ng->url('/cors');
my @landing = (origin => 'https://landing.polka.example');
my @evil = (origin => 'https://evil.example');
my $json = '{"name":"a"}';
my $known = "allow-origin=$landing[1] expose-headers=Location, "
    . 'Retry-After, Leadq-Session';

is(cors(post($url, $json, @landing)), "201 $known",
    'a script of a site in the list may post and read the answer');
is(cors(http('OPTIONS', $url, { headers => { @landing,
    'access-control-request-method' => 'POST',
    'access-control-request-headers' => 'content-type' } })),
    '204 allow-headers=Content-Type, Idempotency-Key, '
    . "Leadq-Session allow-methods=GET, HEAD, POST, DELETE $known max-age=600",
    'when the browser asks before, it is told so');
is(cors(post($url, '{"name":', @landing)), "400 $known",
    'a problem can be read as well');
is(cors(post($url, '"' . 'x' x 2000 . '"', @landing)), "413 $known",
    'also one of nginx itself');
is(cors(post($url, $json)), '201', 'a program without Origin needs nothing');
is(cors(http('OPTIONS', $url)), '204', 'OPTIONS without Origin is answered');
for my $origin ('https://evil.example', 'null', 'http://landing.polka.example',
    'https://landing.polka.example.evil.example', 'https://x|',
    'https://landing.polka.example:8443') {
    my $r = post($url, $json, origin => $origin);
    is(cors($r) . ' ' . codes($r), '403 403 forbidden',
        "$origin is refused its JSON");
    is(cors(http('OPTIONS', $url, { headers => { origin => $origin } })),
        '403', 'and its question');
}
is(cors(form($url, 'name=a', @evil)), '201',
    'a plain form from elsewhere needs no permission and gets none');
my $r = http('HEAD', $url, { headers => {@landing} });
is(cors($r) . " $r->{headers}{allow}", "405 $known POST",
    'HEAD says what is possible');
is(cors(http('GET', $ng->url('/token'), { headers => {@landing} })),
    "200 $known", 'a script may fetch a form token');
is(cors(http('HEAD', $ng->url('/token'), { headers => {@landing} })),
    "200 $known", 'or look at it');

my $host = '127.0.0.1:' . $ng->port;
my $own = sub { codes(form($ng->url('/own'), 'name=a', @_)) };
my $taken = '201 application/json';
is($own->('sec-fetch-site' => 'same-origin'), $taken,
    'a page of the site itself may ask');
is($own->('sec-fetch-site' => $_, origin => "http://$host"),
    '403 cross-origin', "$_ may not") for qw(same-site cross-site none);
is($own->(origin => "http://$host"), $taken, 'older browsers send Origin');
is($own->(origin => $_), '403 cross-origin', "not $_")
    for 'null', 'http://127.0.0.1', "http://evil.example/$host";
my $h2 = sub { (run('curl', '-s', '-o', '/dev/null', '-w',
    '%{http_version} %{http_code}', '--http2-prior-knowledge', '-H',
    "Origin: http://$_[0]", '-d', '', "http://127.0.0.1:$port/own"))[1] };
is($h2->("127.0.0.1:$port"), '2 201', 'over HTTP/2 as well');
is($h2->($host), '2 403', 'which knows another origin by its port');
is($own->(), '403 cross-origin', 'without either nobody knows');
is(codes(form($ng->url('/dry'), 'name=a', @evil)), $taken,
    'a dry run refuses nobody');
is(codes(form($ng->url('/off'), 'name=a', @evil)), $taken, 'off is off');

my @log;
wait_for('the access log', 10, sub {
    @log = split /\n/, slurp($ng->dir . '/access.log');
    return @log > 2 && $log[-1] eq '201 ""';
});
is($log[-2], '201 "origin-dry-run"', 'but the access log tells');
is($log[-3], '403 "origin"', 'what the check did');
is($ng->alarms, '', 'nothing alarming is in the log');
unlike($ng->log, qr/uninitialized/, 'and no variable is without a value');

done_testing();
