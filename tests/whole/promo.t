#!/usr/bin/perl

# An advisor's day: a customer's phone is proved with a code that a gateway
# sends, a promo code is checked, reserved, redeemed once however often the
# till asks, three times in all; a supervisor takes a sale back.  Real nginx
# with leadq-desk.conf, real SQL, real worker.

use strict;
use warnings;

use Test::More;

use Leadq::Desk;
use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir wait_for build_dir);
use Leadq::Worker;
use Leadq::World;

my $dir = tempdir();
my $pg = Leadq::Postgres->start;
$pg->migrate;
my $world = Leadq::World->start;
$world->gateways(sms => { channel => 'sms' });
my $sms = $world->url('/gateway/sms');
my ($port) = $sms =~ /:(\d+)/;
spew("$dir/doc.json", <<"JSON");
{"gateways": [{"name": "sms", "channel": "sms", "ports": [$port],
   "url": "$sms", "method": "POST", "content_type": "application/json",
   "body": "{\\"phone\\":\\"{digits}\\",\\"text\\":\\"{text}\\"}"}],
 "verifications": [{"name": "advisor", "kind": "desk", "limits": [],
   "steps": [{"gateway": "sms", "text": {"ru": "Код {code}"}}]}],
 "points": [{"name": "mega"}, {"name": "tsum"}],
 "advisors": [{"name": "anna", "point": "mega"},
   {"name": "boris", "point": "tsum"},
   {"name": "olga", "role": "supervisor", "point": "mega"}],
 "staff": ["+79160000099"],
 "programmes": [{"name": "friends", "kind": "referral", "title": "Друзья",
   "discount": "20 %"}]}
JSON
$pg->import_config("$dir/doc.json");
my $desk = Leadq::Desk->start(pg => $pg, users => [qw(anna boris olga ivan)]);
Leadq::Worker->start(conf => { poll => '100ms',
    database => $pg->dsn(user => 'leadq_worker'),
    keys => $desk->key('links'), code_keys => $desk->key('links'),
    check_keys => $desk->key('checks') });

my ($rc, $csv) = run(build_dir() . '/leadqctl', 'codes', 'generate', 'friends',
    2, '-d', $pg->dsn);
my ($code, $other) = $csv =~ /^(\w{4}-\w{4}-\w{4})$/mg;
ok($code && $other, 'codes are made') or diag $csv;

# A customer at the advisor's desk; the verification of his phone.
sub proved {
    my ($phone, $advisor) = @_;
    $advisor //= 'anna';
    my $r = $desk->ask($advisor, 'POST', '/v1/desk/verifications',
        { phone => $phone, consent_pd => JSON::PP::true });
    is($r->{status}, 202, "$phone: a code is sent") or diag $r->{text};
    my $id = $r->{body}{id};
    my @sends;
    wait_for("a code for $phone", 20, sub {
        @sends = $world->sends(phone => $phone);
        return $pg->sql("select count(*) from leadq.verification_send s
            join leadq.verification v using (verification_id)
            where v.phone = '$phone'") == @sends;
    });
    my ($digits) = $sends[-1]{text} =~ /(\d{4})/;
    $r = $desk->ask($advisor, 'POST', "/v1/desk/verifications/$id/check",
        { code => $digits });
    is($r->{body}{state}, 'verified', "$phone: and is told to the advisor")
        or diag $r->{text};
    return $id;
}

sub promo {
    my ($advisor, $what, $body, %headers) = @_;
    return $desk->ask($advisor, 'POST', "/v1/promo/$what", $body, %headers);
}

sub refused {
    my ($r, $status, $why, $name) = @_;
    is("$r->{status} $r->{type} " . ($r->{body}{type} // ''), "$status "
        . "application/problem+json urn:leadq:problem:$why", $name)
        or diag $r->{text};
    return;
}

# --- who may ask

is(promo(undef, 'checks', { code => $code })->{status}, 401,
    'without a password nobody asks');
refused(promo('anna', 'checks', { code => $code },
    'sec-fetch-site' => 'cross-site'), 403, 'cross-origin',
    'nor does another site in his name');
refused(promo('ivan', 'checks', { code => $code }), 403, 'not-allowed',
    'nor who has a password alone');

# --- check

my $r = promo('anna', 'checks', { code => lc $code =~ s/-/ /gr });
is_deeply({ map { $_ => $r->{body}{$_} } qw(valid discount uses_left) },
    { valid => JSON::PP::true, discount => '20 %', uses_left => 3 },
    'the code is good, however it is typed');
my $typo = $code =~ s/^(.)/$1 eq '2' ? '3' : '2'/er;
is(promo('anna', 'checks', { code => $typo })->{status}, 422,
    'a typing error is seen before anybody is asked');

# --- reserve, release

my %customer = map { $_ => proved("+7916000000$_") } 1 .. 4;
refused(promo('anna', 'reservations', { code => $code, verification =>
    '00000000-0000-4000-8000-000000000000' }), 409, 'verification-unknown',
    'without a proved phone nothing is reserved');
refused(promo('boris', 'reservations', { code => $code,
    verification => $customer{1} }), 409, 'verification-unknown',
    'nor with one that another till has proved');
$r = promo('anna', 'reservations', { code => $code,
    verification => $customer{1} });
is("$r->{status} $r->{body}{state} $r->{body}{uses_left}", '201 reserved 2',
    'a use is reserved') or diag $r->{text};
my $reserved = $r->{body}{id};
is($desk->ask('anna', 'DELETE', "/v1/promo/reservations/$reserved")->{status},
    204, 'the customer leaves');
is(promo('anna', 'checks', { code => $code })->{body}{uses_left}, 3,
    'and it is free again');
$customer{1} = proved('+79160000001');
$reserved = promo('anna', 'reservations', { code => $code,
    verification => $customer{1} })->{body}{id};

# --- redeem

refused(promo('anna', 'redemptions', { reservation => $reserved }), 400,
    'idempotency-key-required', 'a sale has a key');
my %sale = (reservation => $reserved, receipt => '17');
$r = promo('anna', 'redemptions', { %sale }, 'idempotency-key' => 'sale-1');
is("$r->{status} $r->{body}{state} $r->{body}{uses_left}", '201 redeemed 2',
    'he buys') or diag $r->{text};
my ($first, $text) = ($r->{body}{id}, $r->{text});
$r = promo('anna', 'redemptions', { code => $code,
    verification => $customer{2} }, 'idempotency-key' => 'sale-2');
is("$r->{status} $r->{body}{uses_left}", '201 1',
    'another one buys without a reservation') or diag $r->{text};
$r = promo('anna', 'redemptions', { %sale }, 'idempotency-key' => 'sale-1');
is("$r->{status} $r->{text}", "201 $text",
    'a till that asks again gets the same, word for word');
refused(promo('anna', 'redemptions', { %sale, receipt => '18' },
    'idempotency-key' => 'sale-1'), 422, 'idempotency-key-reused',
    'not for another sale');
is(promo('anna', 'redemptions', { code => $code,
    verification => $customer{3} }, 'idempotency-key' => 'sale-3')->{status},
    201, 'the third');
my %fourth = (code => $code, verification => $customer{4});
refused(promo('anna', 'redemptions', { %fourth },
    'idempotency-key' => 'sale-4'), 409, 'promo-exhausted',
    'the fourth is told that there is nothing left');
refused(promo('anna', 'redemptions', { code => $other,
    verification => proved('+79160000099') }, 'idempotency-key' => 'sale-5'),
    409, 'promo-staff', 'who works here, that it is not for him');
is($pg->sql('select count(*) from leadq.redemption where state = '
    . "'redeemed'"), 3, 'three sales are three');

# --- back

my $back = "redemptions/$first/rollback";
refused(promo('anna', $back, { reason => 'broken' }), 403, 'not-allowed',
    'an advisor takes nothing back');
refused(promo('olga', $back, { reason => 'broken' },
    'sec-fetch-site' => 'cross-site'), 403, 'cross-origin',
    'another site neither');
is(promo('olga', $back, {})->{status}, 422, 'nor anybody without a reason');
$r = promo('olga', $back, { reason => 'broken' });
is("$r->{status} $r->{body}{state}", '200 rolled_back', 'a supervisor does')
    or diag $r->{text};
refused(promo('olga', $back, { reason => 'broken' }), 409, 'already-closed',
    'once');
is(promo('anna', 'redemptions', { %fourth }, 'idempotency-key' => 'sale-6')
    ->{status}, 201, 'then the fourth is the third');
is(promo('anna', 'redemptions', { %sale }, 'idempotency-key' => 'sale-1')
    ->{text}, $text, 'and the first till still hears what it was told');

is($pg->sql(q(select string_agg(concat_ws(' ', programme, point, advisor,
    taken, redeemed, released, rolled_back), ',') from leadq.promo_report)),
    'friends mega anna 5 3 1 1', 'all of it is in the report');
unlike($desk->nginx->log, qr/\Q@{[$code =~ s{-}{}gr]}\E/,
    'the code is in no log');
is($desk->nginx->alarms, '', 'nothing alarming is in the log');

done_testing();
