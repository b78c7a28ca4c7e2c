# 5,000 verifications while PostgreSQL, nginx workers and both leadq-workers are
# killed with SIGKILL again and again, and the gateways fail on their own: each
# number gets its code, none gets it twice over one channel unless nobody could
# know whether the first had left, and none gets one that is about to die.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;
use Time::Local qw(timegm);

use Leadq::Load;
use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Test qw(http spew tempdir wait_for);
use Leadq::Worker;
use Leadq::World;

my $CODES = $ENV{LEADQ_CHAOS_CODES} || 5_000;

my $dir = tempdir();
spew("$dir/$_->[0].key", "1 $_->[1]\n") for ['checks', 'c4' x 32],
    ['codes', 'c0' x 32], ['sessions', '5e' x 32];
my $pg = Leadq::Postgres->start;
$pg->migrate;
my $world = Leadq::World->start(keep => 4 * $CODES);
$world->gateways(vk => { channel => 'messenger' }, sms => { channel => 'sms' });
$world->faults({ gateway => [
    { gateway => 'vk', phone => '13', does => 500, times => 100 },
    { gateway => 'vk', phone => '31', does => 'reset', times => 100 },
    { gateway => 'sms', phone => '17', does => 'reset', times => 10 },
] });
my ($port) = $world->url('') =~ /:(\d+)/;
my %url = map { $_ => $world->url("/gateway/$_") } qw(vk sms);
spew("$dir/doc.json", <<"JSON");
{"gateways": [
  {"name": "vk", "channel": "messenger", "ports": [$port], "method": "POST",
   "url": "$url{vk}", "content_type": "application/json",
   "body": "{\\"phone\\":\\"{digits}\\",\\"text\\":\\"{text}\\"}"},
  {"name": "sms", "channel": "sms", "ports": [$port], "method": "POST",
   "url": "$url{sms}", "content_type": "application/json",
   "body": "{\\"phone\\":\\"{digits}\\",\\"text\\":\\"{text}\\"}"}],
 "verifications": [{"name": "landing", "limits": [], "fallbacks": 4,
   "steps": [{"gateway": "vk", "timeout": "5 min", "text": {"ru": "Код {code}"}},
             {"gateway": "sms", "timeout": "5 min",
              "text": {"ru": "Код {code}"}}]}]}
JSON
$pg->import_config("$dir/doc.json");

my $nginx = Leadq::Nginx->start(workers => 2, http => <<"CONF",
    leadq_key checks $dir/checks.key;
    leadq_key sessions $dir/sessions.key;
    leadq_database main "@{[$pg->dsn(user => 'leadq_web')]}" timeout=20s;
CONF
    server => <<'SERVER');
    location = /v1/verifications {
        leadq_pass    main otp_start;
        leadq_field   phone phone required;
        leadq_field   consent_pd bool;
        leadq_set     profile landing;
        leadq_session cookie=sid key=sessions;
    }
    location ~ ^/v1/verifications/(?<vid>[0-9a-f-]+)/check$ {
        leadq_pass    main otp_check;
        leadq_field   id uuid required from=$vid;
        leadq_field   code digits min=4 max=8 required mac=checks for=$vid;
        leadq_session cookie=sid key=sessions;
    }
SERVER
my @workers = map { Leadq::Worker->start(conf => { log_level => 'warn',
    code_keys => "$dir/codes.key", check_keys => "$dir/checks.key",
    database => $pg->dsn(user => 'leadq_worker'), lease => '5s',
    poll => '200ms' }) } 1 .. 2;

# --- what goes wrong ----------------------------------------------------------

my %kills = (postgres => 0, nginx => 0, worker => 0);

sub kill_worker {
    my $worker = $workers[$kills{worker}++ % 2];
    $worker->kill9;
    $worker->start_again;
    return;
}

sub kill_nginx {
    my @pids = $nginx->worker_pids;
    kill 'KILL', $pids[rand @pids] if @pids;
    $kills{nginx}++;
    return;
}

sub kill_postgres {
    $pg->kill9;
    $pg->start_again;
    $kills{postgres}++;
    return;
}

# One killing for each sixteenth of the work, in turn.
sub killer {
    my @plan = (\&kill_worker, \&kill_worker, \&kill_nginx, \&kill_worker,
        \&kill_worker, \&kill_postgres);
    my $killed = 0;
    return sub {
        my ($done) = @_;
        return if $done < ($killed + 1) * $CODES / 16;
        $plan[$killed++ % @plan]->();
        return;
    };
}

# --- the load -----------------------------------------------------------------

my $url = 'http://127.0.0.1:' . $nginx->port;
my $session = http('POST', "$url/v1/verifications", { headers => {
    'Content-Type' => 'application/json' }, content => '{}' })
    ->{headers}{'leadq-session'};
like($session, qr/^[\w-]{52}$/, 'a session has begun');

# Posts (path, body) of each until none is left; what was answered, by what
# each is known by.
sub post_all {
    my ($kill, @requests) = @_;
    my %answer;
    Leadq::Load->run(port => $nginx->port, connections => 32,
        next => sub {
            my ($name, $path, $body) = @{ shift @requests || return };
            return ("POST $path HTTP/1.1\r\nHost: x\r\nAccept: application/json"
                . "\r\nLeadq-Session: $session\r\nContent-Type: application/json"
                . "\r\nContent-Length: " . length($body) . "\r\n\r\n$body",
                $name);
        },
        done => sub {
            my ($name, $status, $body) = @_;
            $answer{$name} = { status => $status, body => $body };
            $kill->(scalar keys %answer);
        });
    return %answer;
}

my @phones = map { sprintf '7916%07d', $_ } 1 .. $CODES;
my %started = post_all(killer(), map { [$_, '/v1/verifications',
    qq({"phone": "+$_", "consent_pd": true})] } @phones);
my @taken = grep { $started{$_}{status} == 202 } @phones;
cmp_ok(scalar @taken, '>', 0.9 * $CODES, 'most are taken');
cmp_ok($kills{$_}, '>=', 2, "$_ was killed") for sort keys %kills;

my %verification = map { split / / } split /\n/, $pg->sql(q(
    select ltrim(phone, '+') || ' ' || verification_id
      from leadq.verification));
is(scalar(grep { !$verification{$_} } @taken), 0,
    'none that was taken is lost');

# --- what the gateways got ----------------------------------------------------

my %got;
sub look {
    %got = ();
    push @{ $got{ $_->{phone} } }, $_ for $world->sends;
    return grep { !$got{$_} } keys %verification;
}
wait_for('every code has arrived', 90, sub { !look() });
pass('every number has its code');
wait_for('nothing is under way', 90, sub {
    $pg->sql(q(select count(*) from leadq.job where kind = 'code')) == 0 });
look();

# Sends of which nobody could know whether they had left.
my %doubt = map { $_ => 1 } split /\n/, $pg->sql(q(
    select d.ref from leadq.job_done d where d.kind = 'code' group by d.ref
    having count(*) < max(d.attempt) or count(*) > 1 or bool_or(
        d.detail ->> 'reason' in ('timeout', 'connection-lost', 'stale',
                                  'lease-lost'))));
my ($repeats, $stray, $changed) = (0, 0, 0);
for my $phone (keys %got) {
    my (%times, %text);
    for my $send (@{ $got{$phone} }) {
        $text{ $send->{text} } = 1;
        $repeats++ if $times{ $send->{gateway} }++;
        $stray++ if $times{ $send->{gateway} } > 1 && !$doubt{ $send->{key} };
    }
    $changed++ if keys %text > 1;
}
is($stray, 0, 'no channel has a code twice that was known to have left');
is($changed, 0, 'a number has one code, whatever the channel');
diag('killed: ' . join(', ', map { "$_ $kills{$_}" } sort keys %kills)
    . "; $repeats repeats, " . keys(%doubt) . ' sends in doubt');

my %dies = map { split / / } split /\n/, $pg->sql(q(
    select ltrim(phone, '+') || ' ' || floor(extract(epoch from expires_at))
      from leadq.verification));
my @late = grep { my $send = $_;
    my ($y, $m, $d, $h, $i, $s) = $send->{at} =~ /\d+/g;
    timegm($s, $i, $h, $d, $m - 1, $y) > $dies{ $send->{phone} } - 55
} map { @$_ } values %got;
is(scalar @late, 0, 'none was sent that was about to die');

# --- and they are right -------------------------------------------------------

my %checked = post_all(sub { }, map { [$_,
    "/v1/verifications/$verification{$_}/check",
    '{"code": "' . ($got{$_}[0]{text} =~ /(\d{6})/)[0] . '"}'] } @taken);
is(scalar(grep { $_->{status} != 200 } values %checked), 0,
    'every code that arrived is right');

done_testing();
