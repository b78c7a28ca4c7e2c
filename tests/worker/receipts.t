#!/usr/bin/perl

# What gateways report, by themselves or when asked, and what is asked of
# those who judge captchas.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(hmac_sha1_base64);
use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(spew tempdir);
use Leadq::Worker;
use Outside qw(database add_job wait_state http_server json);

my $pg = database();
my %says = ('/status/77' => '{"result":[{"status":"dlv","error":0}]}',
    '/status/78' => '{"error":"not yet"}',
    '/captcha' => '{"success":true,"remoteip":"192.0.2.7"}',
    '/robot' => '{"success":false}');
my $net = http_server(undef, sub {
    my ($path) = $_[0]{uri} =~ /^([^?]*)/;
    return (200, $says{$path});
});
my $dir = tempdir();
spew("$dir/smsc", "s3cret\n");
spew("$dir/twilio", "t0ken\n");
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    poll => '50ms', log_level => 'debug', secrets_dir => "$dir" });

sub told {
    my ($how, $body, %more) = @_;
    my $job = add_job($pg, 'receipt', 'receipt', { gateway => 'g',
        receipts => { status => 'status', id => 'id', states =>
            { 1 => 'delivered', delivered => 'delivered' }, %$how },
        body => $body, signature => undef, %more }, 1, 1);
    my $row = wait_state($pg, $job,
        $more{dead} ? 'dead' : 'done');
    return $row->{detail}{receipts} // $row->{detail}{reason};
}

my @delivered = ({ id => '42', send => undef, state => 'delivered',
    error => 'none' });
my %smsc = (verify => 'smsc', verify_secret => 'smsc');
my %body = (id => '42', phone => '79160000017', status => '1');
my $md5 = md5_hex('42:79160000017:1:s3cret');

is_deeply(told({}, \%body), \@delivered, 'a receipt is read');
is_deeply(told(\%smsc, { %body, md5 => $md5 }), \@delivered,
    'so is one that is signed');
is(told(\%smsc, { %body, md5 => $md5, status => '20' }, dead => 1),
    'signature', 'one that somebody has changed is not');
is(told(\%smsc, \%body, dead => 1), 'signature', 'nor one without');
is(told({}, [], dead => 1), 'receipt', 'nor what nobody understands');
is(told({ verify => 'smsc', verify_secret => 'none' }, \%body, dead => 1),
    'bad-payload', 'a secret that is not there is not made up');
like($worker->log, qr/<3>job refuse job=\d+ kind=receipt/,
    'and a person is told');

my %twilio = (verify => 'twilio', verify_secret => 'twilio',
    verify_url => 'https://leadq.example.ru/v1/receipts/t/abc',
    id => 'MessageSid', status => 'MessageStatus');
my %form = (MessageSid => '42', MessageStatus => 'delivered', To => '+7');
my $signature = hmac_sha1_base64($twilio{verify_url}
    . join('', map { "$_$form{$_}" } sort keys %form), 't0ken') . '=';
is_deeply(told(\%twilio, \%form, signature => $signature), \@delivered,
    'a receipt with a signature in a header');
is(told(\%twilio, { %form, To => '+8' }, signature => $signature, dead => 1),
    'signature', 'which is of every field');

is_deeply(told({ each => 'messages', send => 'options.our' },
    { messages => [{ id => 1, status => 1, options => { our => 's-1' } },
        { id => 2, status => 'lost' }] }), [
    { id => '1', send => 's-1', state => 'delivered', error => 'none' },
    { id => '2', send => undef, state => 'unknown', error => 'none' }],
    'several of one request');

# --- questions

sub asked {
    my ($kind, $path, %more) = @_;
    return add_job($pg, $kind, 'gateway:g', { postback_id => 's-7',
        method => 'GET', url => $net->url($path), ports => [$net->port],
        match => { type => 'any' }, timeout_ms => 10000,
        values => { phone => '+79160000017', digits => '79160000017',
            provider_id => 77, captcha_token => 't/1', ip => '192.0.2.7' },
        %more }, 1, 1);
}

my %poll = (receipts => { status => 'result.0.status',
    states => { dlv => 'delivered' } });
my $job = asked('poll', '/status/{provider_id}?to={digits}', %poll,
    values => { provider_id => '77', digits => '79160000017' });
is_deeply(wait_state($pg, $job, 'done')->{detail}{receipts}, [{ id => undef,
    send => 's-7', state => 'delivered', error => 'none' }],
    'a poll is about our send');
is(($net->requests)[-1]{uri}, '/status/77?to=79160000017',
    'and asks with the id that the gateway gave');
$job = asked('poll', '/status/78', %poll);
my $row;
Leadq::Test::wait_for('an answer without a state', 10, sub {
    $row = $pg->sql("select outcomes[1] || ' ' || (details[1] ->> 'reason')
        from leadq.job where job_id = $job") });
is($row, 'retry receipt', 'an answer without a state is none yet');
$pg->sql("update leadq.job set state = 'gone' where job_id = $job");

my @human = (method => 'POST', body => 'token={captcha_token}&ip={ip}',
    match => { type => 'json_path', value => 'success=true' });
$job = asked('captcha', '/captcha', @human,
    values => { captcha_token => 't/1', ip => '192.0.2.7' });
$row = wait_state($pg, $job, 'done');
is(($net->requests)[-1]{body}, 'token=t%2F1&ip=192.0.2.7',
    'who judges captchas gets the answer');
is($row->{detail}{reply}, '{"success":true,"remoteip":"***"}',
    'of whose words nothing about a person is kept');
ok(!exists $row->{detail}{url} && !exists $row->{detail}{body},
    'nor what was asked');
$job = asked('captcha', '/robot', @human, permanent =>
    { type => 'json_path', value => 'success=false' },
    values => { captcha_token => 't/1', ip => '192.0.2.7' });
is(wait_state($pg, $job, 'dead')->{detail}{reason}, 'permanent',
    'a robot is a robot');

is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/9160000017|192\.0\.2|s3cret|t0ken/,
    'nothing of it is in the log');

done_testing();
