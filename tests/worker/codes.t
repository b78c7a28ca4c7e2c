#!/usr/bin/perl

# One-time codes: derived by the worker, in the gateway's request and nowhere
# else; what proves them is told before.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(spew wait_for);
use Leadq::Worker;
use Outside qw(database add_code wait_state http_server json);

my ($id, $seed) = ('0198c000-0000-7000-8000-000000000001',
    '000102030405060708090a0b0c0d0e0f');
my ($a, $b) = (join('', map { sprintf '%02x', $_ } 0 .. 31), '5a' x 32);

sub code {
    my ($key, $digits) = @_;
    my $number = 0;
    $number = ($number * 256 + hex $_) % 10 ** $digits
        for substr(hmac_sha256_hex("$id:$seed:otp", pack 'H*', $key), 0, 16)
            =~ /../g;
    return sprintf "%0${digits}d", $number;
}

sub mac { return hmac_sha256_hex("$id:$_[1]", pack 'H*', $_[0]) }

my $pg = database();
my $net = http_server(undef, sub {
    my ($request) = @_;
    my ($path) = $request->{uri} =~ m{^/(\w+)};
    my $said = "$request->{uri} $request->{body}";
    return (200, $said) if $path eq 'echo';
    return (200, json()->encode({ id => 77, said => $said, op => 'mts' }))
        if $path eq 'take';
    return (200, '{"status":"OK","code":"0417","call_id":"c-1"}')
        if $path eq 'choose';
    return (500, 'no');
});
my $dir = Leadq::Test::tempdir();
spew("$dir/code.key", "3 $a\n1 $b\n");
spew("$dir/check.key", "7 $b\n3 $a\n");
mkdir "$dir/secrets";
spew("$dir/secrets/gate", "k3y\n");
my %conf = (database => $pg->dsn, poll => '50ms', log_level => 'debug',
    code_keys => "$dir/code.key", check_keys => "$dir/check.key",
    secrets_dir => "$dir/secrets");
my $worker = Leadq::Worker->start(conf => \%conf);

sub armed {
    my ($job) = @_;
    return $pg->sql("select concat_ws(' ', code_key, check_key, mac,
        segments, armed) from leadq.arming where job_id = $job");
}

sub sent { return ($net->requests)[-1] }

my $job = add_code($pg, $net->url('/take'), secret => 'gate',
    headers => { Authorization => 'Key {token}', 'X-Id' => '{rand}' });
my $row = wait_state($pg, $job, 'done');
my $code = code($a, 6);
is_deeply(json()->decode(sent()->{body}), { to => '79160000017',
    text => "Code $code.", id => 's-1' }, 'the gateway gets the code');
is(sent()->{headers}{authorization}, 'Key k3y', 'and its headers');
is(sent()->{headers}{'idempotency-key'},
    '0198c000-0000-7000-8000-00000000005e', 'and the id of the send');
is(armed($job), "3 7 ${\ mac($b, $code)} 1 t",
    'SQL was told keys, proof and segments');
is($row->{detail}{provider_id}, 77, 'the id that the gateway gave');
is($row->{detail}{segments}, 1, 'segments');
like($row->{detail}{reply}, qr/Code \*\*\*\..*\*\*\*|\*\*\*.*Code \*\*\*\./,
    'what it says of code and number is not kept');
ok(!exists $row->{detail}{url} && !exists $row->{detail}{body},
    'nothing of the request is kept');

# a key that is named, more digits, a longer text, GET
$job = add_code($pg, $net->url('/echo?to={phone}&mes={text}'),
    method => 'GET', body => undef, answer => { operator => 'op' },
    code => { key => 1, digits => 8,
        text => ("\x{43a}" x 60) . " {code}\n\n\@b.ru #{code}" });
wait_state($pg, $job, 'done');
my $long = code($b, 8);
like(sent()->{uri}, qr/%20$long%0A%0A%40b\.ru%20%23$long$/,
    'a URL has the code wherever the text does');
is(armed($job), "1 7 ${\ mac($b, $long)} 2 t", 'of the key that was named');

# the gateway chooses
$job = add_code($pg, $net->url('/choose'), body => '{"to":"{digits}"}',
    answer => { id => 'call_id', code => 'code' }, code => { digits => 4,
        seed => undef, text => undef, chosen => JSON::PP::true() });
$row = wait_state($pg, $job, 'done');
is(armed($job), '1 t', 'of digits that a gateway will choose nothing is told');
is_deeply([@{ $row->{detail} }{qw(mac check_key provider_id)}],
    [mac($b, '0417'), 7, 'c-1'], 'but their proof, when it has');
unlike($row->{detail}{reply}, qr/0417/, 'and never the digits');

# what is not known, or fails
$job = add_code($pg, $net->url('/take'), code => { key => 2 });
is(wait_state($pg, $job, 'dead')->{detail}{reason}, 'keys',
    'a code of a key that is gone is dead');
like($worker->log, qr/<3>job refuse job=$job kind=code reason="code_keys has/,
    'and a person is told');
is(armed($job), '', 'it was never armed');
$job = add_code($pg, $net->url('/fail'));
$row = wait_state($pg, $job, 'dead');
is_deeply($row->{outcomes}, ['retry', 'dead'], 'a failure is told');
is_deeply([map { $_->{reason} } @{ $row->{details} }], ['status', 'stale'],
    'and what SQL does not arm again is not sent again');

# rotation at SIGHUP
spew("$dir/check.key", "8 $a\n7 $b\n");
$worker->hup;
wait_for('reloaded', 10, sub { $worker->log =~ /conf reload/ });
$job = add_code($pg, $net->url('/take'));
wait_state($pg, $job, 'done');
is(armed($job), "3 8 ${\ mac($a, $code)} 1 t", 'a new key proves at once');
$worker->configure(%conf, code_keys => undef);
$worker->hup;
wait_for('reloaded', 10, sub { 2 == (() = $worker->log =~ /conf reload/g) });
$job = add_code($pg, $net->url('/take'));
is(wait_state($pg, $job, 'dead')->{detail}{reason}, 'keys',
    'without keys there are no codes');

is($worker->term, 0, 'the worker ends well');
my $kept = $pg->sql("select string_agg(details::text || coalesce(payload, ''),
    '') || (select string_agg(a::text, '') from leadq.arming a)
    from leadq.job j");
unlike($worker->log . $kept, qr/\b(?:$code|$long)\b/,
    'no code is in the log or in the database');
unlike($worker->log, qr/0417|9160000017|k3y/, 'nor digits, number or secret');

done_testing();
