#!/usr/bin/perl

# leadqctl networks test: the exact request without its secrets; and sent.

use strict;
use warnings;

use FindBin ();
use JSON::PP qw(encode_json);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp spew run build_dir);
use Outside qw(http_server);

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $net = http_server();
my $dir = tempdir();
mkdir "$dir/secrets";
spew("$dir/secrets/key", "s3cr&t-s3cr&t-s3cr&t\n");

sub ctl {
    my (@words) = @_;
    return run(build_dir() . '/leadqctl', @words, '-d', $pg->dsn);
}

my %network = (secret => 'key', ports => [$net->port]);
spew("$dir/doc.json", encode_json({ networks => [
    { %network, name => 'get', sign => 'key',
        url => $net->url('/200/{token}?c={click_id}&s={status}') },
    { %network, name => 'post', method => 'POST', sign => 'key',
        url => $net->url('/json'), content_type => 'application/json',
        body => '{"c":"{click_id}","t":"{token}","r":"{reason}"}',
        match => { type => 'json_path', value => 'a.n=1' } },
    { %network, name => 'no', url => $net->url('/403?c={click_id}') },
    { name => 'far', url => 'http://127.0.0.1:81/' }] })
    =~ s/:81\//:81\//r);
my ($rc, $out) = ctl('config', 'import', "$dir/doc.json");
like($out, qr{networks\[3\]\.url: port 81 is not 80 or 443}, 'a port is named');
spew("$dir/doc.json", slurp("$dir/doc.json") =~ s/:81\//:80\//r);
($rc, $out) = ctl('config', 'import', "$dir/doc.json");
is($rc, 0, 'a good document is imported') or diag $out;

spew("$dir/links.key", '1 ' . ('5a' x 32) . "\n");
spew("$dir/worker.conf", "[leadq]\ndatabase = dbname=leadq\n"
    . "keys = $dir/links.key\nsmtp_url = smtp://127.0.0.1\n"
    . "private_targets = 127.0.0.0/8\nsecrets_dir = $dir/secrets\n");
my @conf = ('-c', "$dir/worker.conf");

my ($get, $post) = map { $net->url($_) } '/200/***?c=test-click&s=approved',
    '/json';
($rc, $out) = ctl('networks', 'test', 'get', @conf);
is($rc, 0, 'a request is printed');
like($out, qr/^GET \Q$get\E&ts=\d+&sig=\*\*\*\nIdempotency-Key: [0-9a-f-]{36}\n$/,
    'exactly, without its secrets');
is(scalar(() = $net->requests), 0, 'and not sent');
($rc, $out) = ctl('networks', 'test', 'post', @conf, '--status', 'rejected',
    '--click-id', 'mine', '--send');
is($rc, 0, 'it is sent when asked');
my @lines = split /\n/, $out;
is($lines[0], "POST $post", 'its URL');
ok((grep { $_ eq 'webhook-signature: ***' } @lines),
    'headers, but not the signature');
is($lines[-4], '{"c":"mine","t":"***","r":"hard_bounce"}', 'its body');
like($lines[-2], qr/^done: status 200 in \d+ ms$/, 'what it led to');
is($lines[-1], '{"a":{"b":"value","n":1,"t":true}}', 'and the answer');
is(($net->requests)[0]{body}, '{"c":"mine","t":"s3cr&t-s3cr&t-s3cr&t",'
    . '"r":"hard_bounce"}', 'the network gets the secret');
($rc, $out) = ctl('networks', 'test', 'no', @conf, '--send');
is($rc, 1, 'a refusal fails');
like($out, qr/^dead, status: status 403 in/m, 'and is told');
for my $case (
    [1, ['get'], qr/no secret is configured; .* --config FILE/],
    [1, ['none'], qr/there is no network "none"/],
    [1, ['far', '--send'], qr/^dead, guard/m],
    [1, ['get', '-c', "$dir/none"], qr/none: /],
    [2, ['get', '--status', 'paid'], qr/--status "paid" is not processed,/],
) {
    my ($code, $words, $says) = @$case;
    ($rc, $out) = ctl('networks', 'test', @$words);
    is($rc, $code, "networks test @$words fails");
    like($out, $says, 'and says why');
}

done_testing();
