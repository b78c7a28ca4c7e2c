#!/usr/bin/perl

# leadq-verifications.conf and leadq-desk.conf: what each of their locations
# tells SQL, and that the sample site has all that they need.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use lib $FindBin::Bin;

use JSON::PP qw(decode_json);
use Digest::SHA qw(hmac_sha256_hex);
use Test::More;

use Door qw(postgres post form codes);
use Leadq::Nginx;
use Leadq::Test qw(http slurp spew tempdir wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
$pg->sql("create function leadq.web_$_(p_ids uuid[], p_requests text[])
    returns table (n int, status int, headers text, body text) language sql
    as 'select * from leadq.web_echo(p_ids, p_requests)'")
    for qw(otp_start otp_check otp_resend otp receipt promo_check
        promo_reserve promo_release promo_redeem promo_rollback);

my $dir = tempdir();
my $conf = abs_path("$FindBin::Bin/../../conf/nginx");
spew("$dir/$_.key", '3 ' . ('ab' x 32) . "\n") for qw(links checks);
spew("$dir/users", "anna:{PLAIN}secret\nolga:{PLAIN}secret\n");
my $include = slurp("$conf/leadq-verifications.conf")
    . slurp("$conf/leadq-desk.conf")
    =~ s{/etc/leadq/desk\.htpasswd}{$dir/users}gr;

# What the sample site has inside http.
my $sample = slurp("$conf/leadq.conf");
my $http = join "\n", $sample =~ /^(leadq_key [^;]*;|leadq_limit_zone [^;]*;
    |map .*?^\}|log_format .*?;)/msgx;
$http =~ s{/etc/leadq/}{$dir/}g;
like($sample, qr{^    include \S+/leadq-$_\.conf;}m,
    "the sample site includes leadq-$_.conf") for qw(verifications desk);

my $ng = Leadq::Nginx->start(http => qq(leadq_database main "$dsn";
        leadq_database report "$dsn"; $http),
    server => "access_log access.log leadq; $include");
my @browser = ('sec-fetch-site' => 'same-origin', 'user-agent' => 'test',
    referer => 'https://club.example/');
my @anna = (authorization => 'Basic YW5uYTpzZWNyZXQ=');   # anna:secret
my $id = '0b5e9f3e-1111-4222-8333-444455556666';
my $session;

# The row of a request, without its session, which must be the first one's.
sub row {
    my ($method, $path, $text, @headers) = @_;
    my $r = http($method, $ng->url($path), { defined $text
        ? (content => $text) : (), headers => { @browser, @headers,
        defined $text ? ('content-type' => $text =~ /^\{/
            ? 'application/json' : 'application/x-www-form-urlencoded') : (),
        $session ? ('leadq-session' => $session) : () } });
    return codes($r) if $r->{status} != 201;
    my $row = decode_json($r->{content});
    my $own = delete $row->{'$session'};
    like($own, qr/^[0-9a-f]{32}$/, "$method $path has a session")
        if $path !~ m{receipts|/promo/checks|reservations/|rollback};
    $session ||= $r->{headers}{'leadq-session'};
    return $row;
}
my %client = (ip => '127.0.0.1', ua => 'test',
    page_url => 'https://club.example/');

# --- the landing
is_deeply(row('POST', '/v1/verifications', '{"phone":"8 916 123-45-67",'
    . '"lang":"ru","consent_pd":true,"consent_ads":false,"text_version":"v1",'
    . '"channel":"call","captcha_token":"' . 'x' x 2048 . '"}'),
    { phone => '+79161234567', lang => 'ru', consent_pd => JSON::PP::true,
    consent_ads => JSON::PP::false, text_version => 'v1', channel => 'call',
    captcha_token => 'x' x 2048, profile => 'landing', %client },
    'a verification is started');
is(row('POST', '/v1/verifications', 'profile=advisor&phone=1&channel=fax'),
    '422 profile.unknown-field phone.phone-too-short channel.enum-bad-value',
    'nobody chooses the rules himself');
is_deeply(row('POST', "/v1/verifications/$id/check", '{"code":"012345"}'),
    { id => $id, code => { 3 => hmac_sha256_hex("$id:012345",
        pack 'H*', 'ab' x 32) } }, 'a code is checked by its MAC');
is_deeply(row('POST', "/v1/verifications/$id/resend", 'channel=sms'),
    { id => $id, channel => 'sms' }, 'it is sent again');
is_deeply(row('GET', "/v1/verifications/$id"), { id => $id, method => 'GET' },
    'a page asks how far it is');
is_deeply(row('DELETE', "/v1/verifications/$id"),
    { id => $id, method => 'DELETE' }, 'and gives up');
is(row('POST', "/v1/verifications/$id", ''), '405 method-not-allowed',
    'nothing else is done to it');
is(http('GET', $ng->url('/v1/verifications/' . uc $id))->{status}, 404,
    'ids have one spelling, as MACs have');

# --- the desk
is(codes(http('POST', $ng->url('/v1/desk/verifications'))),
    '401 unauthorized', 'the desk is for advisors');
is(codes(form($ng->url('/v1/desk/verifications'), '', @anna)),
    '403 cross-origin', 'on their own page');
is_deeply(row('POST', '/v1/desk/verifications', 'phone=89161234567', @anna),
    { phone => '+79161234567', profile => 'advisor', advisor => 'anna',
    point => 'main-street', %client }, 'who start with their name and point');
is_deeply(row('POST', '/v1/desk/verifications', 'phone=89161234567',
    authorization => 'Basic b2xnYTpzZWNyZXQ='),
    { phone => '+79161234567', profile => 'advisor', advisor => 'olga',
    %client }, 'if they have one');
is_deeply(row('POST', "/v1/desk/verifications/$id/check", 'code=1234', @anna),
    { id => $id, code => { 3 => hmac_sha256_hex("$id:1234",
        pack 'H*', 'ab' x 32) } }, 'check');
is_deeply(row('POST', "/v1/desk/verifications/$id/resend", '', @anna),
    { id => $id }, 'send again');
is_deeply(row($_, "/v1/desk/verifications/$id", undef, @anna),
    { id => $id, method => $_ }, "and $_") for qw(GET DELETE);
is(row('GET', "/v1/desk/verifications/$id"), '401 unauthorized',
    'each by a password');

# --- codes at the till
my $code = '222222222222';
is(codes(http('POST', $ng->url('/v1/promo/checks'))), '401 unauthorized',
    'codes are for advisors');
is(codes(form($ng->url("/v1/promo/$_"), '', @anna)), '403 cross-origin',
    "$_: on their own page") for 'checks', 'reservations', 'redemptions',
    "redemptions/$id/rollback";
is_deeply(row('POST', '/v1/promo/checks', 'code=2222-2222-2222&phone='
    . '89161234567', @anna), { code => $code, phone => '+79161234567',
    advisor => 'anna' }, 'is a code good?');
is(row('POST', '/v1/promo/checks', 'code=2222-2222-2223&advisor=olga', @anna),
    '422 advisor.unknown-field code.code-typo', 'a typing error costs nothing');
is_deeply(row('POST', '/v1/promo/reservations', qq({"code":"$code",)
    . qq("verification":"$id"}), @anna), { code => $code,
    verification => $id, advisor => 'anna' }, 'a use is reserved');
is_deeply(row('DELETE', "/v1/promo/reservations/$id", undef, @anna),
    { id => $id, advisor => 'anna' }, 'and released');
is(row('POST', '/v1/promo/redemptions', "reservation=$id", @anna),
    '400 idempotency-key-required', 'a sale has a key of its own');
is_deeply(row('POST', '/v1/promo/redemptions', "reservation=$id&receipt=17",
    @anna, 'idempotency-key' => 'a')->{reservation}, $id, 'and is kept');
is(row('POST', "/v1/promo/redemptions/$id/rollback", '', @anna),
    '422 reason.required', 'there is a reason to take it back');
is_deeply(row('POST', "/v1/promo/redemptions/$id/rollback", 'reason=broken',
    @anna), { id => $id, reason => 'broken', advisor => 'anna' },
    'which is told');

# --- receipts
is_deeply(row('POST', '/v1/receipts/smsc.ru/S3-cret', 'id=1&status=1',
    'x-twilio-signature' => 'abc='),
    { receipt => { id => '1', status => '1' }, gateway => 'smsc.ru',
    secret => 'S3-cret', signature => 'abc=' }, 'gateways report by forms');
is_deeply(row('POST', '/v1/receipts/a/b', '{"m":[{"id":1}]}'),
    { receipt => { m => [{ id => 1 }] }, gateway => 'a', secret => 'b' },
    'by JSON');
is_deeply(row('GET', '/v1/receipts/a/b?id=1&status=2'),
    { receipt => { id => '1', status => '2' }, gateway => 'a',
    secret => 'b' }, 'and by a query');

# --- limits
my $n = 0;
$n++ while $n < 500 && form($ng->url('/v1/verifications'),
    'phone=89161234567')->{status} == 201;
cmp_ok($n, '>', 40, 'a whole office may start at once');
cmp_ok($n, '<', 100, 'and not more');
is(row('POST', "/v1/verifications/$id/resend", ''), '429 too-many-requests',
    'sending again counts as well');
isnt(row('POST', "/v1/verifications/$id/check", 'code=1234'),
    '429 too-many-requests', 'a check does not');

my $log;
wait_for('the access log', 10, sub {
    $log = slurp($ng->dir . '/access.log');
    return $log =~ /receipts.*receipts.*receipts/s;
});
unlike($log, qr/S3-cret|status=/, 'the secret is in no access log');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
