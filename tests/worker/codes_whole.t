#!/usr/bin/perl

# Codes with the rules of the real schema: what the gateway sends is what
# counts as right; the cascade, receipts, a captcha, a killed worker.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Session;
use Leadq::Test qw(spew tempdir wait_for);
use Leadq::Worker;
use Gateways ();
use Outside qw(http_server json);

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $net = http_server(undef, \&Gateways::answer);
my $dir = tempdir();
my $key = '5a' x 32;
spew("$dir/code.key", '1 ' . ('a5' x 32) . "\n");
spew("$dir/check.key", "7 $key\n");
spew("$dir/doc.json", Gateways::document($net));
$pg->import_config("$dir/doc.json");

my $worker = Leadq::Worker->start(conf => { poll => '50ms', lease => '5s',
    database => $pg->dsn(user => 'leadq_worker'), log_level => 'debug',
    code_keys => "$dir/code.key", check_keys => "$dir/check.key" });
my ($n, @codes) = (0);

sub start {
    my ($profile, $phone, %more) = @_;
    my $id = sprintf '00000000-0000-7000-8000-%012d', ++$n;
    my $request = json()->encode({ profile => $profile, phone => $phone,
        consent_pd => JSON::PP::true(), '$session' => 's', ip => '10.0.0.1',
        %more });
    my ($status) = $pg->sql("select status from leadq.web_otp_start(
        array['$id'::uuid], array['$request'])");
    return $status == 202 ? $id : $status;
}

sub state_of {
    return $pg->sql("select state from leadq.verification
        where verification_id = '$_[0]'");
}

sub is_state {
    my ($id, $state) = @_;
    wait_for("$id is $state", 20, sub { state_of($id) eq $state });
    return;
}

sub check {
    my ($id, $digits) = @_;
    my $mac = hmac_sha256_hex("$id:$digits", pack 'H*', $key);
    return $pg->sql(qq(select status from leadq.web_otp_check(
        array[gen_random_uuid()], array['{"id": "$id", "\$session": "s",
        "code": {"7": "$mac"}}'])));
}

# The texts that a number got.
sub texts {
    my ($digits) = @_;
    my @texts = map { $_->{text} } grep { $_->{to} eq $digits }
        map { json()->decode($_->{body}) } grep { $_->{body} } $net->requests;
    push @codes, map { /(\d{6})/ } @texts;
    return @texts;
}

my $id = start('sms', '+79160000001');
is_state($id, 'sent');
my ($code) = join('', texts('79160000001')) =~ /^Code (\d{6})\.$/;
is(check($id, $code eq '000000' ? 1 : '000000'), 422, 'a wrong code');
my $provider = $pg->sql("select provider_id from leadq.verification_send");
$pg->sql(qq(select status from leadq.web_receipt(array[gen_random_uuid()],
    array['{"gateway": "sms", "secret": "hush", "receipt": {"st": "1",
    "id": "$provider"}}'])));
is_state($id, 'delivered');
pass('a receipt says that it has arrived');
is(check($id, $code), 200, 'the code that was sent is right');

$id = start('landing', '+79160000002');
is_state($id, 'sent');
is(check($id, '1234'), 200, 'so are the digits that a gateway chose');

$id = start('landing', '+79170000003');
is_state($id, 'sent');
($code) = join('', texts('79170000003')) =~ /^Code (\d{6})\.$/;
is(check($id, $code), 200, 'where a call fails a message follows');

$id = start('vk', '+79160000004');
is_state($id, 'delivered');
pass('a messenger is asked what became of it');

start('careful', '+79160000005');
is(start('careful', '+79160000006'), 429, 'too many are asked for a captcha');
$id = start('careful', '+79160000007', captcha_token => 'human');
is_state($id, 'sent');
$id = start('careful', '+79160000008', captcha_token => 'robot');
wait_for('the robot is judged', 20, sub { $pg->sql("select blocked_by
    from leadq.verification where verification_id = '$id'") });
is_deeply([texts('79160000008')], [], 'a robot gets no code');

# killed between arming and sending; SQL lets it be sent again after 20 s
kill 'STOP', $worker->pid;
$id = start('sms', '+79160000009');
my $lock = Leadq::Session->new($pg);
$lock->sql('begin');
$lock->sql('lock leadq.verification_send in exclusive mode');
kill 'CONT', $worker->pid;
wait_for('arming is held up', 20, sub { $pg->sql(q(select count(*)
    from pg_stat_activity where query like '%arm_codes%'
    and wait_event_type = 'Lock')) == 1 });
$worker->kill9;
$lock->end;
is_state($id, 'sending');
is_deeply([texts('79160000009')], [], 'a worker dies before it sends');
$worker->start_again;
$pg->sql("select leadq.shift_time('21 s')");
is_state($id, 'sent');
($code) = join('', texts('79160000009')) =~ /^Code (\d{6})\.$/;
is(check($id, $code), 200, 'another one sends it, once');

is($worker->term, 0, 'the worker ends well');
my ($rc, $dump) = Leadq::Test::run(Leadq::Postgres::bindir() . '/pg_dump',
    '--data-only', $pg->dsn);
is($rc, 0, 'the database can be dumped');
my $kept = $dump . $worker->log;
is(join(' ', grep { $kept =~ /\b$_\b/ } @codes), '',
    'no code is in it or in the log');
cmp_ok(scalar @codes, '>=', 3, 'of those that were sent');

done_testing();
