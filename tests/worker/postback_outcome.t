#!/usr/bin/perl

# What the answers of a CPA network become: formats.md A4, fact M-18.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(free_port);
use Leadq::Worker;
use Outside qw(database add_postback wait_state job http_server);

my $pg = database();
my $net = http_server();
$pg->sql('update leadq.setting set retry_s = 600');
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    poll => '50ms' });

my @status = (
    [200, 'done'], [204, 'done'], [301, 'dead'], [302, 'dead'],
    [400, 'dead'], [401, 'dead'], [403, 'dead'], [404, 'dead'],
    [410, 'dead'], [408, 'scheduled'], [425, 'scheduled'],
    [429, 'scheduled'], [500, 'scheduled'], [503, 'scheduled'],
);
my %job = map { $_->[0] => add_postback($pg, $net->url("/$_->[0]")) } @status;
for my $case (@status) {
    my ($status, $state) = @$case;
    my $row = wait_state($pg, $job{$status}, $state);
    is($row->{detail}{http}, $status, "status $status means $state");
}
is(job($pg, $job{404})->{detail}{reply}, 'status 404',
    'the words of the network are kept');
is(scalar(grep { $_->{uri} eq '/200' } $net->requests), 1,
    'redirects are not followed');

my $id = add_postback($pg, $net->url('/429/30'));
is(wait_state($pg, $id, 'scheduled')->{detail}{retry_after_s}, 30,
    'Retry-After is passed on');

my @trouble = (
    ['/hang', 'timeout', timeout_ms => 300],
    ['/reset', 'connection-lost'],
);
for my $case (@trouble) {
    my ($path, $reason, @more) = @$case;
    $id = add_postback($pg, $net->url($path), @more);
    is(wait_state($pg, $id, 'scheduled')->{detail}{reason}, $reason,
        "$path is a retry: $reason");
}
$id = add_postback($pg, 'http://127.0.0.1:' . free_port() . '/x');
is(wait_state($pg, $id, 'scheduled')->{detail}{reason}, 'connect',
    'a closed port is a retry');
$id = add_postback($pg, 'http://no-such-host.invalid/x');
is(wait_state($pg, $id, 'scheduled', 30)->{detail}{reason}, 'dns',
    'an unknown name is a retry');

my @match = (
    ['/body/success=true;', 'body_prefix', 'success=true;', 'done'],
    ['/body/fail', 'body_prefix', 'success=true;', 'scheduled'],
    ['/body/fine', 'not_contains', 'error', 'done'],
    ['/body/an-error', 'not_contains', 'error', 'scheduled'],
    ['/json', 'json_path', 'a.b=value', 'done'],
    ['/json', 'json_path', 'a.n=1', 'done'],
    ['/json', 'json_path', 'a.t=true', 'done'],
    ['/json', 'json_path', 'a.b=other', 'scheduled'],
    ['/json', 'json_path', 'a.c.d=1', 'scheduled'],
    ['/body/no-json', 'json_path', 'a.b=value', 'scheduled'],
    ['/big', 'any', undef, 'done'],
);
for my $case (@match) {
    my ($path, $type, $value, $state) = @$case;
    $id = add_postback($pg, $net->url($path),
        match => { type => $type, value => $value });
    my $row = wait_state($pg, $id, $state);
    ok($row, "$path with $type " . ($value || '') . " is $state");
}

my @bad = (
    ['unknown macro', 'http://127.0.0.1:1/?a={nothing}'],
    ['another scheme', 'file:///etc/passwd'],
    ['a macro in the host', 'http://{ip}/'],
);
for my $case (@bad) {
    my ($name, $url) = @$case;
    $id = add_postback($pg, $url);
    is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'bad-payload',
        "$name is dead");
}
$pg->sql("insert into leadq.job (kind) values ('pigeon')");
$id = $pg->sql('select max(job_id) from leadq.job');
is(wait_state($pg, $id, 'dead')->{detail}{reason}, 'unknown-kind',
    'a job of an unknown kind is dead');

like($worker->log, qr/job\ settle\ job=\d+\ kind=postback
    \ target=network:test\ try=1\ outcome=retry\ http=503\ reason=status\ ms=\d+
    \ state=scheduled\ next_s=\d+/x, 'a line tells of each settling');
is($worker->term, 0, 'the worker ends well');

done_testing();
