# One-time codes on the whole site: what strangers learn, what gateways that
# lie or fail can do, keys that change, and where a code can be found
# afterwards: nowhere (threats 10 to 16, 44).

use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(time);

use Leadq::Postgres;
use Leadq::Site;
use Leadq::Test qw(http run slurp spew wait_for);

# Numbers of a prefix each: of one, only few are sent codes in an hour.
my $site = Leadq::Site->start(unlimited => 1, worker => {
    log_level => 'debug', http_per_host => 20 });
my ($pg, $world) = ($site->pg, $site->world);
$pg->sql($_) for 'alter system set log_min_duration_statement = 0',
    'alter system set log_parameter_max_length = -1',
    'select pg_reload_conf()';
$pg->sql(q(update leadq.profile_limit set max = 1000000
    where subject in ('ip', 'ip_phones'))); # all of this comes from one
$world->faults({ gateway => [
    { gateway => 'call', does => 500 },
    { gateway => 'sms', phone => '79161080077', does => 'hang' } ] });

my @codes;

sub post {
    my ($path, $session, $body, $method) = @_;
    my $answer = http($method || 'POST', $site->url($path), { headers => {
        Accept => 'application/json', 'Content-Type' => 'application/json',
        $session ? ('Leadq-Session' => $session) : () },
        content => encode_json($body || {}) });
    my $json = $answer->{content} =~ /^\{/ ? decode_json($answer->{content})
        : {};
    return { %$answer, json => $json,
        session => $answer->{headers}{'leadq-session'} };
}

sub start {
    my ($phone, $session) = @_;
    return post('/v1/verifications', $session, { phone => $phone,
        consent_pd => JSON::PP::true() });
}

# The code that a number got by SMS.
sub code {
    my ($phone) = @_;
    my $sent = wait_for("an SMS to $phone", 20, sub {
        return ($world->sends(gateway => 'sms', phone => $phone))[-1] });
    my ($code) = $sent->{text} =~ /(\d{6})/;
    push @codes, $code;
    return $code;
}

sub check {
    my ($started, $code) = @_;
    return post("/v1/verifications/$started->{json}{id}/check",
        $started->{session}, { code => $code });
}

# Another code than this one.
sub wrong { return sprintf '%06d', ($_[0] + 1) % 1_000_000 }

# --- one code, from the form to the lead --------------------------------------

my $first = start('8 (916) 101-00-01');
is($first->{status}, 202, 'a start is taken');
like($first->{session}, qr/^[\w-]{52}$/, 'and begins a session');
is($first->{json}{phone_masked}, '+7 916 ***-**-01', 'the number is masked');
my $code = code('79161010001');
my $answer = check($first, wrong($code));
is("$answer->{status} $answer->{json}{checks_left}", '422 4',
    'a wrong code is counted');
is(check({ %$first, session => start('+79161020002')->{session} }, $code)
    ->{status}, 410, '11: another session has nothing to check');
is(check($first, $code)->{status}, 200, 'the right one is right');
is(check($first, $code)->{status}, 410, 'once');

my %lead = (email => 'anna@primer.ru', phone => '+79161010001',
    consent_pd => JSON::PP::true(), verification => $first->{json}{id});
is(post('/v1/leads', $first->{session}, { %lead, click_id => 'c1' })->{status},
    202, 'a lead brings the proof along');
is(post('/v1/leads', $first->{session}, { %lead, click_id => 'c2' })->{status},
    409, '12: a second one cannot');

# --- strangers ----------------------------------------------------------------

# What two answers say, but for what each must have of its own.
sub seen {
    my ($answer) = @_;
    my %headers = %{ $answer->{headers} };
    delete @headers{qw(location date set-cookie leadq-session)};
    my %json = %{ $answer->{json} };
    delete @json{qw(id phone_masked)};
    return JSON::PP->new->canonical->encode([$answer->{status}, \%headers,
        \%json]);
}

start('+79161030003') for 1 .. 2;
my $blocked = start('+79161030003');
is($pg->sql("select blocked_by from leadq.verification where verification_id
    = '$blocked->{json}{id}'"), 'open', 'a third session of a number');
my $known = start('+79161010001');
my $unknown = start('+79161040004');
is(seen($_), seen($unknown), '10: hears what everybody hears')
    for $blocked, $known;
is(check($blocked, '123456')->{json}{checks_left}, 4,
    'and is told of each wrong code');

# The time that answers take, of a number that is blocked and of fresh ones, in
# turn: Welch's t says whether they differ (|t| of 4 by chance: 1 in 10,000).
sub mean_var {
    my @sorted = sort { $a <=> $b } @_;
    my @kept = @sorted[0 .. 0.9 * @sorted]; # less what had to wait for others
    my $mean = sum(@kept) / @kept;
    return ($mean, sum(map { ($_ - $mean) ** 2 } @kept) / (@kept - 1) / @kept);
}
my (%took, $n);
for my $round (1 .. 150) {
    for my $kind ($round % 2 ? qw(blocked fresh) : qw(fresh blocked)) {
        my $phone = $kind eq 'blocked' ? '+79161030003'
            : sprintf '+792%04d0001', ++$n;
        my $began = time;
        my $status = start($phone)->{status};
        push @{ $took{$kind} }, time - $began;
        $status == 202 or die "$kind: $status\n";
    }
}
my ($mean_b, $var_b) = mean_var(@{ $took{blocked} });
my ($mean_f, $var_f) = mean_var(@{ $took{fresh} });
my $t = ($mean_b - $mean_f) / sqrt($var_b + $var_f);
cmp_ok(abs $t, '<', 4, sprintf 'nor does the time tell: %.2f and %.2f ms',
    1000 * $mean_b, 1000 * $mean_f);

# --- gateways -----------------------------------------------------------------

my $honest = start('+79161050005');
$code = code('79161050005');
my ($send) = $world->sends(gateway => 'sms', phone => '79161050005');
sub state_of {
    return post("/v1/verifications/$_[0]{json}{id}", $_[0]{session}, undef,
        'GET')->{json}{state};
}
wait_for('the gateway reports', 20, sub {
    state_of($honest) eq 'delivered' });
for my $forged ('secret', 'id') {
    my $receipt = $world->receipt(send => $send->{number},
        state => 'undelivered', forged => $forged);
    is($receipt->{status}, { secret => 403, id => 200 }->{$forged},
        "15: a receipt with a forged $forged");
}
$world->receipt(send => $send->{number}, state => 'undelivered');
wait_for('the receipts are read', 20, sub {
    $pg->sql(q(select count(*) from leadq.job where kind = 'receipt')) == 0
        || $pg->sql("select leadq.shift_time('2 s')") && 0 });
is(state_of($honest), 'delivered', 'changes nothing, nor does a late one');
is(check($honest, $code)->{status}, 200, 'the code is still right');

my $doubtful = start('+79161080077');
$code = code('79161080077');
wait_for('the gateway that never answers is given up', 30, sub {
    $pg->sql(q(select count(*) from leadq.job_done where kind = 'code'
        and detail ->> 'reason' = 'timeout')) });
is(scalar $world->sends(gateway => 'sms', phone => '79161080077'), 1,
    '16: a code that may have left is not sent again at once');
is(check($doubtful, $code)->{status}, 200, 'and right if it has arrived');

# --- keys ---------------------------------------------------------------------

my $old = start('+79161060006');
$code = code('79161060006');
for my $name (qw(checks codes)) {
    my $file = $site->key($name);
    spew($file, '2 ' . Leadq::Site::random_hex(32) . "\n" . slurp($file));
}
$site->worker->hup;
wait_for('the worker has the new keys', 10, sub {
    $site->worker->log =~ /conf reload/ });
$site->nginx->reload;
my $new = start('+79161070007');
my $fresh = code('79161070007');
is($pg->sql("select code_key || ' ' || check_key from leadq.verification
    where verification_id = '$new->{json}{id}'"), '2 2',
    'a new key in front makes what is new');
is(check($new, $fresh)->{status}, 200, 'which is right');
is(check($old, $code)->{status}, 200, '44: the old code is right as well');

# --- what is left of them -----------------------------------------------------

is($site->nginx->alarms, '', 'nginx raised no alarm');
is($site->worker->term, 0, 'the worker ends well');
my ($rc, $dump) = run(Leadq::Postgres::bindir() . '/pg_dump', '--data-only',
    $pg->dsn);
is($rc, 0, 'the base can be dumped');
my %place = (dump => $dump, worker => $site->worker->log,
    nginx => $site->nginx->log, access => slurp($site->nginx->dir . '/../access.log'),
    postgres => slurp($pg->dir . '/postgres.log'));
cmp_ok(length $place{$_}, '>', 1000, "there is something in: $_")
    for sort keys %place;
cmp_ok(scalar @codes, '>=', 5, 'codes were sent');
for my $place (sort keys %place) {
    is(join(' ', grep { $place{$place} =~ /(?<![\w.])$_(?!\w)/ } @codes), '',
        "13, 14: none of them is in: $place");
}
my $bodies = join '', map { JSON::PP->new->encode($_) } $world->sends;
is(scalar(grep { $bodies =~ /$_/ } @codes), scalar @codes,
    'the call to the gateway had each');

done_testing();
