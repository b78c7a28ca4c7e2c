#!/usr/bin/perl

# Where postbacks may go: addresses are judged when they are connected to.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server);

my $pg = database();
my $net = http_server();
my $port = $net->port;

# Nothing is allowed besides what is public.
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    private_targets => '', poll => '50ms' });
my @cases = map { [$_, add_postback($pg, $_)] } (
    $net->url('/200'), "http://localhost:$port/200", "http://[::1]:$port/200",
    "http://[::ffff:127.0.0.1]:$port/200", "http://2130706433:$port/200",
    'http://169.254.169.254/latest/meta-data/', 'http://10.0.0.1/',
    'http://[64:ff9b::7f00:1]/', 'http://0.0.0.0/', 'http://224.0.0.1/',
    'http://127.1/',
);
for my $case (@cases) {
    my ($url, $id) = @$case;
    my $row = wait_state($pg, $id, 'dead');
    is($row->{detail}{reason}, 'guard', "$url is refused, for good");
}
is(scalar(() = $net->requests), 0, 'nobody was called');
is($worker->term, 0, 'the worker ends well');

# A proxy of the environment would be a way around.
local $ENV{http_proxy} = $net->url('/');
local $ENV{ALL_PROXY} = $net->url('/');
$worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    private_targets => '127.0.0.0/8', poll => '50ms' });
my $id = add_postback($pg, 'http://[::1]/');
is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'guard',
    'what the operator did not name stays refused');
$id = add_postback($pg, $net->url('/200'));
wait_state($pg, $id, 'done');
is(($net->requests)[-1]{uri}, '/200', 'what is named may be called, directly');

for my $ports ([], [$port + 1]) {
    $id = add_postback($pg, $net->url('/200'), ports => $ports);
    is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'guard',
        'a port that the network does not name is refused: ' . "@$ports");
}
$id = add_postback($pg, 'http://127.0.0.1:22/', ports => []);
is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'guard', 'port 22 too');
is(scalar(() = $net->requests), 1, 'there was no other call');
is($worker->term, 0, 'the worker ends well');

done_testing();
