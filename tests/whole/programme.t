#!/usr/bin/perl

# The referral programme from end to end, on shifted time: a purchase, the SMS
# next day between 10:00 and 20:00 at the point, three friends with a discount,
# the fourth refused, the gift; and a test, the trial code, the purchase with
# it, the programme (W-6 to W-16, W-25, A-8, A-10).  Real nginx with
# leadq-desk.conf, real SQL, real worker, a gateway of codes and one of
# messages.

use strict;
use warnings;
use utf8;

use JSON::PP ();
use Test::More;

use Leadq::Desk;
use Leadq::Postgres;
use Leadq::Test qw(spew tempdir wait_for);
use Leadq::Worker;
use Leadq::World;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $ZONE = 'Asia/Omsk';
my $dir = tempdir();
my $pg = Leadq::Postgres->start;
$pg->migrate;
my $world = Leadq::World->start;
$world->gateways(map { $_ => { channel => 'sms' } } qw(codes bulk));
my ($port) = $world->url('/') =~ /:(\d+)/;
my @outside = map { $port, $world->url($_) } qw(/gateway/codes /gateway/bulk
    /identity/id/check);
my $doc = sprintf <<'JSON', @outside, $ZONE;
{"gateways": [
  {"name": "codes", "channel": "sms", "ports": [%s], "url": "%s",
   "method": "POST", "content_type": "application/json",
   "body": "{\"phone\":\"{digits}\",\"text\":\"{text}\"}"},
  {"name": "bulk", "channel": "sms", "ports": [%s], "url": "%s",
   "method": "POST", "content_type": "application/json",
   "body": "{\"phone\":\"{digits}\",\"text\":\"{text}\"}"},
  {"name": "id", "channel": "identity", "ports": [%s], "url": "%s",
   "method": "POST", "content_type": "application/json",
   "body": "{\"phone\":\"{digits}\"}",
   "answer": {"id": "operationToken", "state": "resultCode", "states":
     {"0": "passed", "-100": "failed", "*": "unavailable"}}}],
 "verifications": [{"name": "advisor", "kind": "desk", "limits": [],
   "steps": [{"gateway": "codes", "text": {"ru": "Код {code}"}}]}],
 "consent_texts": [
  {"purpose": "pd_processing", "version": "1", "lang": "ru", "text": "Да"},
  {"purpose": "ads", "version": "1", "lang": "ru", "text": "Пишите"}],
 "points": [{"name": "mega", "time_zone": "%s", "text_version": "1"}],
 "advisors": [{"name": "anna", "point": "mega"},
   {"name": "boris", "point": "mega"}],
 "questions": [{"name": "taste"}],
 "programmes": [
  {"name": "friends", "kind": "referral", "discount": "20 %%",
   "message": {"gateway": "bulk", "text":
     {"ru": "Код {code} для трёх друзей до {until}"}}},
  {"name": "trial", "kind": "trial", "discount": "10 %%", "identity": "id",
   "message": {"gateway": "bulk", "text": {"ru": "{code}: {discount}"}}}]}
JSON
utf8::encode($doc);
spew("$dir/doc.json", $doc);
$pg->import_config("$dir/doc.json");
my $desk = Leadq::Desk->start(pg => $pg, users => [qw(anna boris)]);
Leadq::Worker->start(conf => { poll => '100ms',
    database => $pg->dsn(user => 'leadq_worker'),
    keys => $desk->key('links'), code_keys => $desk->key('links'),
    check_keys => $desk->key('checks') });

# Moves the clock to that time at the point, so many days on.
sub clock {
    my ($days, $time) = @_;
    $pg->sql("select leadq.shift_time((((leadq.now() at time zone '$ZONE')
        ::date + $days) + '$time'::time) at time zone '$ZONE'
        - leadq.now())");
    return;
}

sub local_time { return $pg->sql("select to_char(leadq.now() at time zone
    '$ZONE', 'HH24:MI')") }

# What somebody with that number was sent by a gateway, at least so many.
sub texts {
    my ($gateway, $phone, $n) = @_;
    my @texts;
    wait_for("$n of $gateway for $phone", 20, sub {
        @texts = map { $_->{text} } $world->sends(gateway => $gateway,
            phone => $phone);
        return @texts >= $n;
    });
    return @texts;
}

# The number is proved as at the desk; the verification.
my %sent;
sub proved {
    my ($advisor, $phone, $visit, $ads) = @_;
    my $r = $desk->ask($advisor, 'POST', '/v1/desk/verifications', {
        phone => $phone, consent_pd => $true, text_version => '1',
        consent_ads => $ads ? $true : $false,
        $visit ? (visit => $visit) : () });
    is($r->{status}, 202, "$phone: a code is sent") or diag $r->{text};
    my $id = $r->{body}{id};
    my ($digits) = (texts('codes', $phone, ++$sent{$phone}))[-1] =~ /(\d{4})/;
    $r = $desk->ask($advisor, 'POST', "/v1/desk/verifications/$id/check",
        { code => $digits });
    is($r->{body}{state}, 'verified', "$phone: and said aloud")
        or diag $r->{text};
    return $id;
}

sub opened {
    my ($advisor, %more) = @_;
    my $r = $desk->ask($advisor, 'POST', '/v1/desk/visits', { age => 'sure',
        consent_pd => $true, consent_ads => $true, text_version => '1',
        answers => { taste => 'mint' }, %more });
    is($r->{status}, 201, 'a form is opened') or diag $r->{text};
    return $r->{body}{id};
}

sub ended {
    my ($advisor, $visit, %more) = @_;
    my $r = $desk->ask($advisor, 'POST', "/v1/desk/visits/$visit/end",
        { %more }, 'idempotency-key' => "end-$visit");
    return $r;
}

# Somebody comes, proves the number, and tries or buys; what follows.
sub visit {
    my ($advisor, $phone, $outcome, $ads) = @_;
    my $visit = opened($advisor);
    my $r = ended($advisor, $visit, outcome => $outcome,
        verification => proved($advisor, $phone, $visit, $ads // 1));
    is($r->{status}, 200, "$phone: $outcome") or diag $r->{text};
    return $r->{body}{follows};
}

# Sells by a code; the answer.
sub sell {
    my ($advisor, $phone, $code) = @_;
    my $verification = proved($advisor, $phone, undef, 1);
    return $desk->ask($advisor, 'POST', '/v1/promo/redemptions',
        { code => $code, verification => $verification },
        'idempotency-key' => "sale-$verification");
}

sub planned {
    my ($phone) = @_;
    return $pg->sql("select string_agg(s.state, ',') from leadq.sms s
        join leadq.address a using (contact_id) where a.value = '$phone'");
}

# --- no age, no consent

my $r = $desk->ask('anna', 'POST', '/v1/desk/visits', { age => 'unproved' });
is("$r->{status} $r->{body}{state}", '201 ended',
    'W-6: without a proved age there is neither a test nor a purchase');
$r = $desk->ask('anna', 'POST', '/v1/desk/visits', { age => 'sure',
    consent_pd => $true, answers => { taste => '' } });
is("$r->{status} $r->{body}{errors}[0]{field}", '422 answers.taste',
    'W-23: an empty field is named');
my $visit = opened('anna');
$r = ended('anna', $visit, outcome => 'purchase');
is("$r->{status} $r->{body}{type}", '422 urn:leadq:problem:proof-required',
    'W-11: no number, then why not');
is(ended('anna', $visit, outcome => 'purchase', refusal => 'phone')
    ->{body}{verified}, $false, 'W-11: a sale needs no number');

# --- a purchase: the code comes next day

clock(1, '18:30');
my $buyer = '+79160000001';
is(visit('anna', $buyer, 'purchase'), 'referral',
    'W-13: who buys joins the programme');
wait_for('the message is planned', 20, sub { planned($buyer) eq 'planned' });
is(scalar $world->sends(gateway => 'bulk'), 0, 'not today');
clock(1, '09:59');
is(visit('boris', '+79160000002', 'test', 0), undef,
    'W-11: who wants no messages is told of none');
is(scalar $world->sends(gateway => 'bulk'), 0,
    'A-8: nor before ten in the morning');
clock(0, '10:00');
my ($text) = texts('bulk', $buyer, 1);
like($text, qr/^Код [\w-]{14} для трёх друзей до \d\d\.\d\d\.\d{4}$/,
    'W-13: next day from ten on the code is there, at ' . local_time());
my ($code) = $text =~ /([2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4})/;

# --- friends

my @friends = map { "+7916000001$_" } 1 .. 4;
my $i = 0;
for my $friend (@friends[0 .. 2]) {
    $r = $desk->ask('anna', 'POST', '/v1/promo/checks', { code => $code,
        phone => $friend });
    is_deeply([@{ $r->{body} }{qw(valid discount uses_left)}],
        [$true, '20 %', 3 - $i], 'W-25: the code is good');
    my $advisor = ++$i == 2 ? 'boris' : 'anna';
    $r = sell($advisor, $friend, $code);
    is("$r->{status} $r->{body}{uses_left}", '201 ' . (3 - $i),
        "friend $i buys with the discount") or diag $r->{text};
    my $end = ended($advisor, opened($advisor), outcome => 'purchase',
        redemption => $r->{body}{id});
    is($end->{body}{follows}, 'referral', 'W-16: and joins the programme')
        or diag $end->{text};
}
$r = sell('anna', $friends[3], $code);
is("$r->{status} $r->{body}{type}", '409 urn:leadq:problem:promo-exhausted',
    'W-25: the fourth is refused');
is($r->{body}{title}, 'This code was used as often as it may be',
    'and told why');
is($pg->sql("select string_agg(w.state, ',') from leadq.reward w
    join leadq.address a on a.contact_id = w.owner_id
    where a.value = '$buyer'"), 'pending', 'A-10: the owner has a gift');
clock(1, '12:00');
is(scalar(texts('bulk', $friends[0], 1)), 1, 'friends have codes of their own');

# --- a test: the trial code, at once; the purchase; the programme

my $visitor = '+79160000021';
is(visit('boris', $visitor, 'test'), 'trial', 'W-15: who tries gets a code');
($text) = texts('bulk', $visitor, 1);
like($text, qr/^[\w-]{14}: 10 %$/, 'A-8: at once, at ' . local_time());
my ($trial) = $text =~ /^([\w-]{14})/;
$r = sell('anna', '+79160000022', $trial);
is($r->{body}{type}, 'urn:leadq:problem:promo-personal',
    'W-15: it is for him alone');
$r = sell('anna', $visitor, $trial);
is($r->{status}, 201, 'he buys with it') or diag $r->{text};
is(ended('anna', opened('anna'), outcome => 'purchase',
    redemption => $r->{body}{id})->{body}{follows}, 'referral',
    'W-15: and only then joins the programme');
clock(1, '11:00');
is(scalar(texts('bulk', $visitor, 2)), 2, 'with a code for friends next day');

# --- who takes his consent back

visit('boris', '+79160000031', 'purchase');
wait_for('it is planned', 20, sub { planned('+79160000031') eq 'planned' });
$pg->sql("select leadq.contact_withdraw('phone', '+79160000031', 'ads')");
clock(1, '10:30');
wait_for('it is dropped', 20, sub { planned('+79160000031') eq 'dropped' });
is(scalar $world->sends(gateway => 'bulk', phone => '+79160000031'), 0,
    'who has taken his consent back is sent nothing');

# --- who has to be of age (W-24, A-12): never a sale, always a message

$world->faults({ identity => [
    { phone => '9160000041', verdict => 'failed', sync => $true },
    { phone => '9160000042', sync => $true, delay_ms => 1500 }] });
for my $case (['+79160000041', 'failed', 'dropped', 0],
    ['+79160000042', 'passed', 'sent', 1]) {
    my ($phone, $verdict, $state, $n) = @$case;
    is(visit('boris', $phone, 'test'), 'trial', "$phone tries");
    my $is = '';
    eval { wait_for('a verdict, and what follows', 30, sub {
        $is = $pg->sql("select i.state || ' ' || s.state
            from leadq.identity_check i
            join leadq.address a using (contact_id)
            join leadq.sms s using (contact_id) where a.value = '$phone'");
        return $is eq "$verdict $state";
    }) };
    is($is, "$verdict $state", "W-24: who has $verdict is " . ($n ? '' : 'not ')
        . 'written to');
    is(scalar $world->sends(gateway => 'bulk', phone => $phone), $n,
        'and the gateway knows');
}

is($pg->sql(q(select count(*) from leadq.sms group by code_id having
    count(*) > 1)), '', 'no code was sent twice');
my @bulk = map { $_->{text} } $world->sends(gateway => 'bulk');
my $log = $desk->nginx->log;
is(scalar(grep { my ($c) = /([\w-]{14})/; index($log, $c) >= 0 } @bulk), 0,
    'no code is in the log of nginx');
is($desk->nginx->alarms, '', 'nothing alarming is in the log');

done_testing();
