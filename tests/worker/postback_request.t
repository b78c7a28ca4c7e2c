#!/usr/bin/perl

# What a CPA network receives: encoding, maps, bodies, the idempotency key.
# Facts M-17, M-18; formats.md A1, A2.

use strict;
use warnings;
use utf8;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(tempdir spew);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server json);

my $pg = database();
my $net = http_server();
my $secrets = tempdir();
spew("$secrets/keitaro", "s3cr&t\nsecond line\n");
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    secrets_dir => "$secrets", poll => '50ms' });

my %values = (click_id => 'a b&c=я', lead_id => '17', status => 'approved',
    payout => '150.00', sub1 => 'x', reason => undef);

sub received {
    my ($url, %more) = @_;
    my $id = add_postback($pg, $net->url($url), values => \%values, %more);
    wait_state($pg, $id, 'done');
    return ($net->requests)[-1];
}

my $get = received('/200?s={click_id}&st={status:processed=lead'
    . ' approved=sale rejected=rejected}&tid={lead_id}&r={reason}&s2={sub2}');
is($get->{uri}, '/200?s=a%20b%26c%3D%D1%8F&st=sale&tid=17&r=&s2=',
    'values are encoded and mapped; what is missing is empty');
is($get->{method}, 'GET', 'GET');
is($get->{headers}{'idempotency-key'},
    '0198c000-0000-7000-8000-000000000001', 'Idempotency-Key');
like($get->{headers}{'user-agent'}, qr{^leadq/\d}, 'User-Agent');
ok(!exists $get->{headers}{'content-type'}, 'GET has no Content-Type');

is(received('/200?s={status:processed=lead}')->{uri}, '/200?s=approved',
    'a value that is not mapped stays');
is(received('/200?p={_payout}&q={payout}&r={rand}')->{uri},
    '/200?p=150.00&q=150.00&r=0198c000-0000-7000-8000-000000000001',
    'raw values and the random one');
is(received('/200?t={token}', secret => 'keitaro')->{uri},
    '/200?t=s3cr%26t', 'the token is the first line of its file');

my $form = received('/200', method => 'POST',
    content_type => 'application/x-www-form-urlencoded',
    body => 'click={click_id}&payout={payout}');
is($form->{method}, 'POST', 'POST');
is($form->{headers}{'content-type'}, 'application/x-www-form-urlencoded',
    'Content-Type of a form');
is($form->{body}, 'click=a%20b%26c%3D%D1%8F&payout=150.00', 'a form');

$values{click_id} = "q\"\\\n\tя";
my $json = received('/200', method => 'POST',
    content_type => 'application/json',
    body => '{"click":"{click_id}","sum":{payout},"x":{"s":"{status}"}}');
is($json->{headers}{'content-type'}, 'application/json',
    'Content-Type of JSON');
is_deeply(json()->decode($json->{body}),
    { click => "q\"\\\n\tя", sum => 150.00, x => { s => 'approved' } },
    'JSON, with its values escaped');
is(received('/200', method => 'POST')->{headers}{'content-length'}, 0,
    'POST without a body');

my $before = () = $net->requests;
my $id = add_postback($pg, $net->url('/flaky'));
my $row = wait_state($pg, $id, 'done');
is_deeply($row->{outcomes}, ['retry', 'done'], 'a failure, then a success');
my @tries = ($net->requests)[$before .. $before + 1];
is($tries[0]{headers}{'idempotency-key'},
    $tries[1]{headers}{'idempotency-key'},
    'the key is the same in every attempt');

for my $case (
    ['no secret in the payload', {}],
    ['a missing file', { secret => 'binom' }],
    ['a path instead of a name', { secret => '../keitaro' }],
) {
    my ($name, $more) = @$case;
    $id = add_postback($pg, $net->url('/200?t={token}'), %$more);
    is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'bad-payload',
        "$name: dead");
}

is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/s3cr|150\.00|a%20b/, 'no value is in the log');

done_testing();
