# Fifty tills redeem 300 codes for three, through nginx: they reserve, release,
# sell and take back, and ask again until they are answered, while nginx
# workers and PostgreSQL are killed with SIGKILL again and again.  Three uses
# are three, counters are what the rows say, a gift is one, and a key is one
# sale, told in the same words however often it is asked for.

use strict;
use warnings;

use JSON::PP qw(decode_json encode_json);
use Test::More;

use Leadq::Desk;
use Leadq::Load;
use Leadq::Postgres;
use Leadq::Test qw(build_dir run spew tempdir);

my $CODES = $ENV{LEADQ_CHAOS_TILLS} || 300;
my ($TILLS, $CUSTOMERS, $SAME) = (50, 5, 20); # customers of a code
my $TRIES = 8; # of a customer, a verification each
my $ALL = $CODES + $SAME;

my $pg = Leadq::Postgres->start;
$pg->migrate;
my @tills = map { sprintf 'till%02d', $_ } 1 .. $TILLS;
my $dir = tempdir();
my $file = "$dir/doc.json";
spew($file, encode_json({
    gateways => [{ name => 'sms', channel => 'sms',
        url => 'https://s.example/{phone}?t={text}' }],
    verifications => [{ name => 'advisor', kind => 'desk', steps =>
        [{ gateway => 'sms', text => { ru => '{code}' } }] }],
    points => [{ name => 'mega' }],
    advisors => [(map { { name => $_, point => 'mega' } } @tills),
        { name => 'olga', role => 'supervisor', point => 'mega' }],
    programmes => [{ name => 'friends', kind => 'referral',
        discount => '20 %' }] }));
$pg->import_config($file);
my $desk = Leadq::Desk->start(pg => $pg, workers => 2, users =>
    [@tills, 'olga'], database => 'timeout=20s');

# All tills are in one session, in which all customers were proved.
my $r = $desk->ask('till01', 'POST', '/v1/desk/verifications',
    { phone => '+79150000000', consent_pd => JSON::PP::true });
is($r->{status}, 202, 'a session has begun');
my $session = $desk->session('till01');
my ($rc, $csv) = run(build_dir() . '/leadqctl', 'codes', 'generate', 'friends',
    $ALL, '-d', $pg->dsn);
my @codes = $csv =~ /^(\w{4}-\w{4}-\w{4})$/mg;
is(scalar @codes, $ALL, 'codes are made') or diag $csv;
$pg->sql(<<"SQL");
with c as (
    insert into leadq.contact (created_at)
    select now() from generate_series(1, $ALL) returning contact_id)
update leadq.promo_code p
   set owner_id = o.contact_id
  from (select contact_id, row_number() over () as n from c) o,
       (select code_id, row_number() over () as n from leadq.promo_code) k
 where p.code_id = k.code_id and o.n = k.n;
insert into leadq.verification (verification_id, profile_id, phone, session,
       lang, digits, max_checks, seed, created_at, expires_at, state,
       closed_at, result_until, consent_pd)
select ('00000000-0000-7000-8000-' || lpad(g::text, 12, '0'))::uuid,
       v.profile_id, '+7916' || lpad((g / $TRIES)::text, 7, '0'), v.session,
       'ru', 4, 3, v.seed, now(), now() + interval '5 min', 'verified', now(),
       now() + interval '1 day', true
  from leadq.verification v,
       generate_series(0, $ALL * $CUSTOMERS * $TRIES - 1) g;
SQL

# --- what goes wrong ----------------------------------------------------------

my %kills = (postgres => 0, nginx => 0);

sub kill_nginx {
    my @pids = $desk->nginx->worker_pids;
    kill 'KILL', $pids[rand @pids] if @pids;
    return $kills{nginx}++;
}

sub kill_postgres {
    $pg->kill9;
    $pg->start_again;
    return $kills{postgres}++;
}

# One killing for each hundred and fifty answers, in turn.
my ($answers, $killed) = (0, 0);

sub perhaps_kill {
    my @plan = (\&kill_nginx, \&kill_nginx, \&kill_postgres);
    return if $killed == 12 || $answers < ($killed + 1) * $CODES / 2;
    $plan[$killed++ % @plan]->();
    return;
}

# --- tills --------------------------------------------------------------------

my (@todo, %told, %sold, %back, %tried, %answered, %refused);
my $keys = 0;

# A request to be made until it is answered; then $then gets (status, body).
sub step {
    my ($till, $method, $path, $body, $then) = @_;
    return { till => $till, method => $method, path => "/v1/promo/$path",
        body => $body && encode_json($body), then => $then,
        key => 'key' . $keys++ };
}

sub request {
    my ($step) = @_;
    my %headers = ($desk->headers($step->{till}), host => 'x',
        'leadq-session' => $session, 'idempotency-key' => $step->{key},
        defined $step->{body} ? ('content-type' => 'application/json',
            'content-length' => length $step->{body}) : ());
    return join "\r\n", "$step->{method} $step->{path} HTTP/1.1",
        (map { "$_: $headers{$_}" } sort keys %headers), '',
        $step->{body} // '';
}

sub answered {
    my ($step, $status, $text) = @_;
    $answers++;
    $answered{$status}++;
    if ($status == 0 || $status >= 500) {
        push @todo, $step;
        return;
    }
    $told{ $step->{key} }{"$status $text"}++
        if $step->{path} eq '/v1/promo/redemptions';
    $refused{$1}++ if $status >= 400 && $text =~ /urn:leadq:problem:([\w-]+)/;
    $step->{then}->($status, $text =~ /^\{/ ? decode_json($text) : {});
    return;
}

sub work {
    while (@todo) {
        Leadq::Load->run(port => $desk->nginx->port, connections => $TILLS,
            next => sub {
                my $step = shift @todo or return;
                return (request($step), $step);
            },
            done => \&answered, tick => \&perhaps_kill);
    }
    return;
}

# A fresh verification of a customer of a code.
sub proved {
    my ($code, $customer) = @_;
    my $who = $code * $CUSTOMERS + $customer;
    my $try = $tried{$who}++;
    $try < $TRIES or die "customer $who has tried $try times\n";
    return sprintf '00000000-0000-7000-8000-%012d', $who * $TRIES + $try;
}

my $till = 0;
sub next_till { return $tills[$till++ % @tills] }

# What a customer does, by its kind.
sub sell {
    my ($code, $customer, $then) = @_;
    return step(next_till(), 'POST', 'redemptions', { code => $codes[$code],
        verification => proved($code, $customer) }, sub {
            my ($status, $body) = @_;
            $sold{ $body->{id} } = 1 if $status == 201;
            $then->($status, $body);
        });
}

sub take_back {
    my ($status, $body) = @_;
    return if $status != 201;
    my $id = $body->{id};
    push @todo, step('olga', 'POST', "redemptions/$id/rollback",
        { reason => 'test' }, sub { $back{$id} = $_[0] });
    return;
}

sub reserve {
    my ($code, $customer, $stays) = @_;
    my $at = next_till();
    return step($at, 'POST', 'reservations', { code => $codes[$code],
        verification => proved($code, $customer) }, sub {
            my ($status, $body) = @_;
            return if $status != 201;
            unshift @todo, $stays
                ? step($at, 'POST', 'redemptions',
                    { reservation => $body->{id} }, sub {
                        $sold{ $_[1]{id} } = 1 if $_[0] == 201;
                    })
                : step($at, 'DELETE', "reservations/$body->{id}", undef,
                    sub { });
        });
}

for my $customer (0 .. $CUSTOMERS - 1) {
    for my $code (0 .. $CODES - 1) {
        my $kind = int rand 10;
        push @todo, $kind < 4 ? sell($code, $customer, sub { })
            : $kind < 6 ? sell($code, $customer, \&take_back)
            : reserve($code, $customer, $kind < 8);
    }
}
# Tills whose answers are lost, fifty times each.
my @same = map { sell($_, 0, sub { }) } $CODES .. $ALL - 1;
for my $step (@same) {
    splice @todo, int rand @todo, 0, { %$step } for 1 .. 50;
}
work();
cmp_ok($kills{$_}, '>=', 3, "$_ was killed") for sort keys %kills;

# The rest of the day: everybody who has not bought tries once more.
for my $customer (0 .. $CUSTOMERS - 1) {
    push @todo, map { sell($_, $customer, sub { }) } 0 .. $CODES - 1;
}
work();
diag('answers: ' . join ', ', map { "$_: $answered{$_}" } sort keys %answered);
diag('killed: ' . join ', ', map { "$_: $kills{$_}" } sort keys %kills);

is(join(' ', grep { !/^promo-(?:exhausted|already-used|too-many-open)$/ }
    sort keys %refused), '', 'who was refused has bought, or nothing is left');

# --- what is in the base ------------------------------------------------------

my $first = join ', ', map { "'" . s/-//gr . "'" } @codes[0 .. $CODES - 1];
is($pg->sql("select string_agg(distinct used || ' ' || reserved, ',')
    from leadq.promo_code where code in ($first)"), '3 0',
    'every code was used three times');
is($pg->sql(q(select count(*) from leadq.promo_code c
    where used || ' ' || reserved <> (
        select count(*) filter (where state = 'redeemed') || ' '
            || count(*) filter (where state = 'reserved')
          from leadq.redemption r where r.code_id = c.code_id))), 0,
    'counters are what the rows say');
is($pg->sql(q(select count(*) || ' ' || count(distinct code_id) || ' '
    || count(*) filter (where state = 'pending') from leadq.reward)),
    "$CODES $CODES $CODES", 'one gift for each');
is($pg->sql(q(select count(*) from (select from leadq.redemption
    where state = 'redeemed' group by contact_id having count(*) > 1) d)), 0,
    'no customer has bought twice');

my %state = map { split / / } split /\n/, $pg->sql(
    "select redemption_id || ' ' || state from leadq.redemption");
is(scalar(grep { ($state{$_} // '') !~ /^(?:redeemed|rolled_back)$/ }
    keys %sold), 0, 'every sale that was answered is there');
is(scalar(grep { $state{$_} eq 'redeemed' || $state{$_} eq 'rolled_back' }
    keys %state), scalar keys %sold, 'and no other');
is(scalar(grep { $back{$_} != 200 || $state{$_} ne 'rolled_back' } keys %back),
    0, 'what was taken back is taken back');
cmp_ok(scalar keys %back, '>', $CODES / 4, 'and that was done');

is(scalar(grep { keys %$_ != 1 } values %told), 0,
    'a key is always answered in the same words');
is(scalar(grep { join(' ', values %{ $told{ $_->{key} } }) ne '50' } @same), 0,
    'fifty times, too');
is($pg->sql("select count(*) || ' ' || sum(used) from leadq.promo_code
    where code not in ($first)"), "$SAME $SAME", 'of one sale');
is($desk->nginx->alarms =~ s/.*exited on signal 9.*\n?//gr, '',
    'nginx raised no alarm but for the kills');

done_testing();
