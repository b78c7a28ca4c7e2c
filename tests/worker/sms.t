#!/usr/bin/perl

# Messages with codes, with the rules of the real schema: the gateway gets
# text and number, nobody else does; what nobody knows is not sent twice.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir wait_for);
use Leadq::Worker;
use Outside qw(http_server json);

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $net = http_server(undef, sub {
    my ($request) = @_;
    my ($path) = $request->{uri} =~ m{^/(\w+)};
    return (200, json()->encode({ id => 'm-1', status => 'dlv',
        said => $request->{body} })) if $path eq 'take' || $path eq 'state';
    return (403, "no: $request->{uri} $request->{body}") if $path eq 'refuse';
    return (503, 'later') if $path eq 'busy';
    return (200, 'neither yes nor no');
});
my $silent = http_server();
my $dir = tempdir();
mkdir "$dir/secrets";
spew("$dir/secrets/gate", "k3y\n");
my $body = '{"to":"{digits}","text":"{text}","parts":{segments},'
    . '"from":"{sender}","id":"{send_id}"}';

sub gateway {
    my ($name, %more) = @_;
    return { name => $name, channel => 'sms', method => 'POST',
        ports => [$net->port], url => $net->url("/$name"), secret => 'gate',
        headers => { Authorization => 'Key {token}' }, sender => 'BRAND',
        content_type => 'application/json', body => $body, price => 2,
        match => { type => 'json_path', value => 'id=m-1' },
        answer => { id => 'id' }, %more };
}

my %receipts = (secret_sha256 => sha256_hex('hush'), id => 'id',
    status => 'st', states => { 1 => 'undelivered' }, error => 'err',
    errors => { 6 => 'unreachable' });
spew("$dir/doc.json", json()->encode({ gateways => [
    gateway('take', receipts => \%receipts), gateway('refuse'),
    gateway('busy'), gateway('vague'),
    gateway('away', url => 'http://127.0.0.1:9/', ports => [9]),
    gateway('silent', url => $silent->url('/hang'), ports => [$silent->port]),
    gateway('cut', poll => { url => $net->url('/state?id={provider_id}'),
        status => 'status', states => { dlv => 'delivered' },
        after => '1 s' }, url => $net->url('/take'))],
    points => [{ name => 'mega' }], programmes => [{ name => 'friends',
        kind => 'referral', discount => '20 %' }] }));
$pg->import_config("$dir/doc.json");
my $worker = Leadq::Worker->start(conf => { poll => '50ms', lease => '5s',
    database => $pg->dsn(user => 'leadq_worker'), log_level => 'debug',
    secrets_dir => "$dir/secrets" });
my ($n, @codes) = (0);

# A message over a gateway, at once; its id.
sub message {
    my ($gateway) = @_;
    my $phone = sprintf '+7916000%04d', ++$n;
    my $code = '22222222AC' . (qw(E H K M P T X 2 3 4))[$n] . 'A';
    push @codes, $code, join('-', $code =~ /(.{4})/g), substr $phone, 2;
    return $pg->sql(qq(
        update leadq.programme set send_days = 0, window_from = '00:00',
               window_to = '24:00',
               texts = '{"ru": "Ваш код {code}, {discount}"}', gateway_id =
               (select gateway_id from leadq.gateway g where g.name =
               '$gateway');
        insert into leadq.contact (contact_id, created_at)
        overriding system value values ($n, leadq.now());
        insert into leadq.address (channel, value, contact_id, state,
               confirmed_at, created_at)
        values ('phone', '$phone', $n, 'confirmed', leadq.now(), leadq.now());
        insert into leadq.consent (contact_id, purpose, channel, action,
               evidence, at)
        values ($n, 'ads', 'sms', 'given', 'otp', leadq.now());
        insert into leadq.promo_code (programme_id, code, owner_id, max_uses,
               starts_at, expires_at)
        select programme_id, '$code', $n, 3, leadq.now(), leadq.now()
               + interval '90 days' from leadq.programme;
        select leadq._plan_sms($n, (select max(code_id)
               from leadq.promo_code), (select point_id from leadq.point),
               'ru', leadq.now());
        notify leadq_ready; select sms_id from leadq.sms
         where contact_id = $n)) =~ s/.*\n//sr;
}

sub sms {
    my ($id) = @_;
    return $pg->sql("select concat_ws(' ', state, reason, provider_id,
        segments, trim_scale(cost)) from leadq.sms where sms_id = '$id'");
}

sub is_sms {
    my ($id, $want, $name) = @_;
    eval { wait_for($name, 20, sub { sms($id) eq $want }) };
    return is(sms($id), $want, $name);
}

sub sent { return grep { ($_->{body} || '') =~ /$_[0]/ } $net->requests }

my $id = message('take');
is_sms($id, 'sent m-1 1 2', 'a gateway takes a message');
my ($request) = sent($id);
is_deeply(json()->decode($request->{body}), { to => '79160000001', id => $id,
    text => "\x{412}\x{430}\x{448} \x{43a}\x{43e}\x{434} $codes[1], 20 %",
    parts => 1, from => 'BRAND' }, 'with text, number and segments');
is($request->{headers}{authorization}, 'Key k3y', 'its headers');
is($request->{headers}{'idempotency-key'}, $id, 'and its id');
$pg->sql(q(select status from leadq.web_receipt(array[gen_random_uuid()],
    array['{"gateway": "take", "secret": "hush", "receipt": {"st": "1",
    "id": "m-1", "err": 6}}'])));
is_sms($id, 'undelivered unreachable m-1 1 2', 'a receipt says how it ended');

is_sms(message('refuse'), 'failed status 0', 'a refusal is a failure');
$id = message('busy');
wait_for('it is put off', 20, sub { $pg->sql("select count(*)
    from leadq.job_scheduled where ref = '$id'") == 1 });
is(sms($id), 'planned 0', 'one that is busy is asked again later');
is_sms(message('away'), 'planned 0', 'so is one that is away');
$id = message('vague');
is_sms($id, 'in_doubt no-match 0', 'an answer that nobody understands');
is(scalar sent($id), 1, 'is the last to be heard');
$id = message('cut');
is_sms($id, 'delivered m-1 1 2', 'a gateway without receipts is asked');

# killed while a message is out: nobody knows whether it has left
$id = message('silent');
wait_for('the gateway has it', 20, sub { $silent->requests > 0 });
$worker->kill9;
is(sms($id), 'planned 0', 'a worker dies while a message is out');
$worker->start_again;
is_sms($id, 'in_doubt lease-lost 0', 'which is in doubt when its lease is over');
is(scalar(my @all = $silent->requests), 1, 'and not sent again');

is($worker->term, 0, 'the worker ends well');
my $kept = $worker->log . $pg->sql("select string_agg(d::text, ' ')
    from leadq.job_done d");
is(join(' ', grep { $kept =~ /\Q$_\E/ } @codes), '',
    'neither code nor number is in the log or among the attempts');
unlike($kept, qr/k3y|\x{412}\x{430}\x{448}|Ваш/, 'nor text or secret');
like($kept, qr/kind=sms/, 'though the log tells of it');

done_testing();
