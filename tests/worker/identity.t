#!/usr/bin/perl

# Checks of identity, with the rules of the real schema: who checks persons is
# asked until there is a verdict, callbacks are hints, papers are not kept.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Test qw(slurp spew tempdir wait_for);
use Leadq::Worker;
use Leadq::World;
use Outside qw(json);

my ($pg, $world, $dir) = (Leadq::Postgres->start, Leadq::World->start,
    tempdir());
$pg->migrate;
my $dsn = $pg->dsn(user => 'leadq_web');
my ($log) = slurp("$FindBin::Bin/../../conf/nginx/leadq.conf")
    =~ /^(map \$uri \$leadq_log_path .*?^\})/ms;
my $ng = Leadq::Nginx->start(http => qq(leadq_database main "$dsn"; $log
    log_format calls '\$leadq_log_path \$status';),
    server => 'access_log calls.log calls; '
        . slurp("$FindBin::Bin/../../conf/nginx/leadq-identity.conf"));
my ($port) = $world->url('/') =~ /:(\d+)/;

# The ready-made gateway of IDX, with the sandbox in the place of its host.
my ($idx) = @{ json()->decode(slurp(
    "$FindBin::Bin/../../conf/gateways/idx.json"))->{gateways} };
$_ =~ s{https://api\.id-x\.org/idx/api2/METHOD}{$world->url('/identity/idx/check')}e,
    $_ =~ s{https://api\.id-x\.org/idx/api2/STATUS}{$world->url('/identity/idx/status')}e
    for $idx->{url}, $idx->{poll}{url};
$idx->{body} =~ s{https://brand.example(\S+?)SECRET}{$ng->url("$1hush")}e;
$idx->{receipts}{secret_sha256} = sha256_hex('hush');
$idx->{ports} = [$port + 0];
my $sync = { %$idx, name => 'sync', answer => { id => 'operationToken',
    state => 'resultCode', states => { 0 => 'passed', -100 => 'failed',
    '*' => 'unavailable' } } };
delete $sync->{$_} for qw(match poll receipts);
mkdir "$dir/secrets";
spew("$dir/secrets/idx", "k3y-of-idx\n");
spew("$dir/doc.json", json()->encode({ gateways => [$idx, $sync] }));
$pg->import_config("$dir/doc.json");
my $worker = Leadq::Worker->start(conf => { poll => '50ms', lease => '5s',
    database => $pg->dsn(user => 'leadq_worker'), log_level => 'debug',
    secrets_dir => "$dir/secrets" });

$world->faults({ identity => [
    { phone => '9160000001', silent => JSON::PP::true() },
    { phone => '9160000002', verdict => 'failed' },
    { phone => '9160000003', verdict => 'failed', forged => 'verdict',
        delay_ms => 500 },
    { phone => '9160000004', never => JSON::PP::true() },
    { phone => '9160000005', sync => JSON::PP::true(), verdict => 'failed' },
    { phone => '9160000006', does => 'hang' },
    { phone => '9160000007', sync => JSON::PP::true(),
        verdict => 'unavailable' }] });
my $n = 0;

# Has the next person checked; the check.
sub check_one {
    my ($gateway) = @_;
    my $phone = '+7916' . sprintf '%07d', ++$n;
    return $pg->sql(qq(
        insert into leadq.contact (contact_id, created_at)
        overriding system value values ($n, leadq.now());
        insert into leadq.address (channel, value, contact_id, state,
               confirmed_at, created_at)
        values ('phone', '$phone', $n, 'confirmed', leadq.now(), leadq.now());
        notify leadq_ready;
        select leadq._plan_identity($n, gateway_id, null) from leadq.gateway
         where name = '$gateway')) =~ s/.*\n//sr;
}

sub state_of {
    return $pg->sql("select concat_ws(' ', state, reason)
        from leadq.identity_check where check_id = '$_[0]'");
}

sub is_state {
    my ($id, $want, $name) = @_;
    eval { wait_for($name, 20, sub { state_of($id) eq $want }) };
    return is(state_of($id), $want, $name);
}

# What was asked for, of the person of this number.
sub seen { return ($world->checks("7916000000$_[0]"))[0] || {} }

sub later { $pg->sql("select leadq.shift_time('$_[0]')"); return }

my $id = check_one('idx');
is_state($id, 'pending', 'somebody is asked to check a person');
my $seen = seen(1);
is_deeply({ %{ json()->decode($seen->{body}) }, asyncCallback => '' }, {
    accessKey => 'ACCESS_KEY', secretKey => 'k3y-of-idx', phone =>
    '79160000001', async => JSON::PP::true(), asyncCallback => '' },
    'by the phone alone, with the secret');
is($seen->{headers}{'idempotency-key'}, $id, 'once');
like($seen->{callback}, qr{/v1/identity/idx/hush/$id$},
    'and has an address of its own to call');
later('5 s');
is_state($id, 'passed', 'who calls nobody is asked');
is($pg->sql("select provider_id from leadq.identity_check
    where check_id = '$id'"), $seen->{token}, 'his name of it is kept');

$id = check_one('idx');
is_state($id, 'failed', 'after a callback he is asked at once');
is(seen(2)->{called}, 200, 'which is answered');

$id = check_one('idx');
wait_for('a forged callback', 20, sub {
    seen(3)->{called} });
like(state_of($id), qr/^(?:queued|pending)$/,
    'threat 43: a forged verdict is none');
my $check = seen(3);
wait_for('it is decided', 20, sub {
    defined(seen(3)->{code}) });
is($world->callback(check => $check->{number}, forged => 'secret')->{status},
    403, 'a callback without the secret is refused');
is($world->callback(check => $check->{number}, forged => 'id')->{status}, 200,
    'one of another check says nothing');
later('15 s');
is_state($id, 'failed', 'and the verdict is what he answers');

$id = check_one('idx');
is_state($id, 'pending', 'one that never comes to a verdict');
for my $wait ('5 s', '15 s', '1 min', '5 min', '30 min', '1 day') {
    my $asked = seen(4)->{polls};
    later($wait);
    wait_for("asked after $wait", 20, sub {
        seen(4)->{polls} > $asked });
}
is_state($id, 'unavailable no-answer', 'is given up after a day');

is_state(check_one('sync'), 'failed', 'an answer may have the verdict');
$id = check_one('sync');
wait_for('it hangs', 20, sub { seen(6)->{token} });
is(state_of($id), 'queued', 'without an answer there is none');
is_state(check_one('sync'), 'unavailable said', 'so is any other word');

is($worker->term, 0, 'the worker ends well');
my $kept = $worker->log . $pg->sql("select string_agg(d::text, ' ')
    from leadq.job_done d where d.kind = 'identity'");
unlike($kept, qr/Sandboxova|k3y-of-idx|916000000/,
    'neither papers nor secret nor phone is in the log or in what is kept');
like($kept, qr/kind=identity .*passed|"verdict": "passed"/s, 'the verdict is');
wait_for('the access log', 10, sub { slurp($ng->dir . '/calls.log') =~ /403/ });
unlike(slurp($ng->dir . '/calls.log'), qr/hush/, 'nor is the secret of calls');

done_testing();
