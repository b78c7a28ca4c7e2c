#!/usr/bin/perl

# Mutated requests, from a seed, against a running nginx: it does not crash
# and does not hang, every answer is well formed, and the rows in the database
# are those whose clients were told so.
#
#   LEADQ_REQUESTS=20000   how many; "make fuzz-door" sends a million
#   LEADQ_SEED=1           what they are

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres);
use Leadq::Link;
use Leadq::Nginx;
use Leadq::Test
    qw(build_dir free_port http run slurp spew tempdir wait_for);

my $requests = $ENV{LEADQ_REQUESTS} || 20_000;
my $seed = $ENV{LEADQ_SEED} || 1;

my $pg = postgres(conf => { max_wal_size => '4GB' });
my $dsn = $pg->dsn;
my $dir = tempdir();
spew("$dir/test.key", '1 ' . ('ab' x 32) . "\n");

my $fields = <<'CONF';
    leadq_field email    email required;
    leadq_field phone    phone values=ru,kz;
    leadq_field name     text  max=20;
    leadq_field click_id token max=20 alias=clickid,subid;
    leadq_field consent  bool  required;
    leadq_field lang     enum  values=ru,en default=ru;
    leadq_field ref      uuid;
    leadq_field amount   int   min=-10 max=1000;
    leadq_field day      date;
    leadq_field page     url;
    leadq_field promo    promo;
    leadq_field quiz     json  max=2000;
    leadq_field code     digits max=6;
    leadq_field message  signed key=test purpose=confirm;
    leadq_set   ip       $remote_addr;
    leadq_set   agent    $http_accept_language$http_cookie;
CONF
my $locations = <<"CONF";
    client_max_body_size 16k;
    client_body_buffer_size 1k;
    lingering_close always;
    add_header X-Id \$leadq_id always;
    add_header X-Outcome \$leadq_outcome always;
    location = /lead { leadq_pass main once; $fields }
    location = /once { leadq_pass main once; $fields
        leadq_idempotency optional key=test; }
    location = /required { leadq_pass main once; $fields
        leadq_idempotency required key=test scope=\$http_origin; }
    location = /args { leadq_pass main once; $fields leadq_args on; }
    location = /trap { leadq_pass main once; $fields leadq_honeypot website;
        leadq_form_check key=test min=0s; }
    location = /pass { leadq_pass main once; $fields
        leadq_invalid pass if=click_id; }
    location = /page { leadq_pass main once; $fields
        leadq_redirect /thanks.html /sorry.html; }
    location = /same { leadq_pass main once; $fields leadq_same_origin on; }
    location = /limit { leadq_pass main once; $fields leadq_limit some; }
    location = /secret { leadq_pass main once; $fields
        leadq_field secret digits max=8 mac=test for=\$uri;
        leadq_session cookie=sid key=test; }
    location = /callback { leadq_pass main once;
        leadq_methods POST GET DELETE; leadq_args on;
        leadq_field receipt body max=8000; leadq_set agent \$http_cookie;
        leadq_session cookie=sid key=test; }
    location = /token { leadq_form_token key=test; }
    location = /status { leadq_status; }
    location = /metrics { leadq_metrics; }
CONF

my $wild = free_port();
my $nginx = Leadq::Nginx->start(workers => 2, server => $locations,
    http => qq(leadq_database main "$dsn" timeout=60s;
        leadq_key test $dir/test.key;
        leadq_limit_zone some 1m rate=60r/m burst=2;
        server {
            listen 127.0.0.1:$wild;
            client_header_timeout 300ms;
            client_body_timeout 300ms;
            keepalive_timeout 300ms;
            $locations
        }));
my @workers;
wait_for('both worker processes', 20, sub {
    @workers = sort $nginx->worker_pids;
    return @workers == 2 });

my ($token) = http('GET', $nginx->url('/token'))->{content}
    =~ /"token":"([\w-]+)"/ or die "no form token\n";
my $link = Leadq::Link::token("$dir/test.key",
    '0b5e9f3e-1111-4222-8333-444455556666');

my ($rc, $out) = run(build_dir() . '/tests/door', $nginx->port, $wild, $seed,
    $requests, $ENV{LEADQ_SANITIZE} ? 60_000 : 10_000, "$dir/ids", $token,
    $link);
is($rc, 0, "every answer to $requests requests of seed $seed is well formed");
diag($out) if $rc || $requests > 20_000;

is(join(' ', sort $nginx->worker_pids), "@workers",
    'the worker processes are those of the beginning');
is($nginx->alarms, '', 'and logged no alarm');
is(http('GET', $nginx->url('/status'))->{status}, 200, 'and are well');

my %told = map { $_ => 1 } split /\n/, slurp("$dir/ids");
my %rows = map { $_ => 1 } split /\n/, $pg->sql('select id from leadq.row');
cmp_ok(scalar keys %told, '>', $requests / 5, 'many requests were leads');
is(scalar(grep { !$rows{$_} } keys %told), 0,
    'each row that a client was told of is there');
is(scalar(grep { !$told{$_} } keys %rows), 0, 'and no other');

done_testing();
