# From a confirmation to the welcome series and an order, by the rows of
# conf/welcome.json alone (M-8, M-9, M-10): triggers, a posted event, a
# signed webhook, a segment, a series that an order ends.

use strict;
use warnings;
use utf8;

use Digest::SHA qw(hmac_sha256_base64);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/../worker";
use Leadq::Site;
use Leadq::Test qw(wait_for http run slurp spew tempdir build_dir);
use Outside qw(http_server);

my $secrets = tempdir();
spew("$secrets/shop.sign", "a key of the shop alone\n");
my $shop = http_server();
my $site = Leadq::Site->start(worker => { secrets_dir => "$secrets" });
my ($pg, $world) = ($site->pg, $site->world);

my $document = JSON::PP::decode_json(slurp('conf/welcome.json'));
$document->{webhooks}[0]{url} = $shop->url('/200');
$document->{webhooks}[0]{ports} = [$shop->url('') =~ /:(\d+)/ ? int $1 : ()];
$_->{enabled} = JSON::PP::true for @{ $document->{triggers} };
$_->{text} = { file => $FindBin::Bin . "/../../conf/$_->{text}{file}" },
    $_->{html} = { file => $FindBin::Bin . "/../../conf/$_->{html}{file}" }
    for @{ $document->{templates} };
spew("$secrets/welcome.json",
    JSON::PP->new->utf8->canonical->pretty->encode($document));
$pg->import_config("$secrets/welcome.json");

# Noon of the next day in Moscow: no quiet hour, whenever the test runs.
$pg->sql(q(select leadq.shift_time(((leadq.now() at time zone 'Europe/Moscow')
    ::date + interval '36 hours') at time zone 'Europe/Moscow'
    - leadq.now())));

sub post {
    my ($path, $content, %headers) = @_;
    return http('POST', $site->url($path), { content => $content,
        headers => { 'Content-Type' => 'application/json', %headers } });
}

sub subjects {
    my ($count) = @_;
    return wait_for("$count letters", 20, sub {
        my @mail = $world->mail('primer.ru');
        return @mail >= $count
            && join '; ', map { s/ — .*//r } map { $_->{subject} } @mail;
    });
}

# --- the confirmation begins the welcome series -------------------------------

is(post('/v1/leads', '{"email": "anna@primer.ru", "consent_pd": true,
    "lang": "en"}')->{status}, 202, 'a lead');
subjects(1);
my ($letter) = $world->mail('primer.ru');
my ($link) = grep { m{/c/} } @{ $letter->{links} };
is($pg->sql('select count(*) from leadq.fired'), 0, 'nothing has fired yet');
is(http('POST', $link =~ s/#.*//r, { headers => { Accept =>
    'application/json' } })->{status}, 200, 'the button is pressed');
like(subjects(2), qr/; Welcome to the Polka club$/,
    'M-8: the welcome series begins');

# --- an order -----------------------------------------------------------------

my $order = '{"event": "order.placed", "email": "anna@primer.ru",
    "data": {"id": "A-1", "sum": 1500}}';
my %key = ('Idempotency-Key' => 'order-A-1');
my $reply = post('/v1/events', $order, %key);
is($reply->{status}, 202, 'an order is posted');
is(post('/v1/events', $order, %key)->{content}, $reply->{content},
    'and once more, with the same answer');
is(post('/v1/events', $order =~ s/1500/15/r, %key)->{status}, 422,
    'but not another one under its name');
like(subjects(3), qr/; Your order is here$/, 'the buyer hears of it at once');

my $call = wait_for('the webhook', 20, sub { ($shop->requests)[0] });
my $told = JSON::PP::decode_json($call->{body});
is_deeply([@$told{qw(type data)}], ['segment.entered',
    { segment => 'buyers' }], 'a webhook tells who became a buyer');
my %header = %{ $call->{headers} };
like($header{'webhook-signature'}, qr/^v1,/, 'it is signed');
is($header{'webhook-signature'} =~ s/=+$//r, 'v1,' . hmac_sha256_base64(
    "$header{'webhook-id'}.$header{'webhook-timestamp'}.$call->{body}",
    'a key of the shop alone'), 'by Standard Webhooks');
wait_for('it is settled', 20, sub {
    return $pg->sql(q(select count(*) from leadq.event
        where kind = 'webhook.done')) == 1 });

is($pg->sql(q(select e.state from leadq.enrolment e join leadq.series r
    using (series_id) where r.name = 'welcome')), 'stopped',
    'an order ends the welcome series');
$pg->sql(q(select leadq.shift_time('10 days')));
wait_for('nothing is left to do', 20, sub {
    return $pg->sql('select count(*) from leadq.job') == 0 });
is(scalar $world->mail('primer.ru'), 3, 'and no promo letter follows');
is(scalar $shop->requests, 1, 'the webhook was called once');

# --- what is no event ---------------------------------------------------------

for my $case (
    ['{"event": "contact.confirmed", "email": "anna@primer.ru"}',
        'event-unknown', 'one of leadq itself'],
    ['{"event": "order.plcaed"}', 'event-unknown', 'one that is misspelt'],
    ['{"event": "order.placed", "data": [1]}', 'json-not-object',
        'data that is no object'],
    ['{"data": {}}', 'required', 'one without a name'],
) {
    my ($content, $code, $what) = @$case;
    my $answer = post('/v1/events', $content);
    is($answer->{status}, 422, "$what is refused");
    is(JSON::PP::decode_json($answer->{content})->{errors}[0]{code}, $code,
        'by name');
}
is(post('/v1/events', '{"event": "order.paid", "email": "x@nobody.ru"}')
    ->{status}, 202, 'an event of somebody unknown is kept');

# --- what the operator sees ---------------------------------------------------

my ($rc, $out) = run(build_dir() . '/leadqctl', 'triggers', 'list', '-d',
    $pg->dsn);
is($rc, 0, 'leadqctl triggers list');
like($out, qr/^order-thanks +order\.placed +message order-1 +on +1 /m,
    'counts what fired');
is($site->nginx->alarms, '', 'nginx raised no alarm');
unlike($site->worker->log, qr/primer|anna|A-1|shop alone/i,
    'the log holds no address, name, order or key');

done_testing();
