# Providers of mail that report over HTTP, through nginx to the lead.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Leadq::Site;
use Leadq::Test qw(wait_for http slurp);
use Test::More;

my $site = Leadq::Site->start;
my ($pg, $world) = ($site->pg, $site->world);
my $secret = 'a-long-secret';
my $document = JSON::PP::encode_json({ mail_providers => [map { {
    name => $_, secret_sha256 => sha256_hex($secret) } } qw(mailgun sendgrid)] });
$pg->sql("select leadq.config_import('$document')");

sub report {
    my ($path, $body) = @_;
    return http('POST', $site->url("/v1/mail-events/$path"), {
        headers => { 'Content-Type' => 'application/json' },
        content => JSON::PP::encode_json($body) })->{status};
}

http('POST', $site->url('/v1/leads'), { headers => {
    'Content-Type' => 'application/json' }, content =>
    '{"email":"gone@primer.ru","click_id":"gone","consent_pd":true}' });
my $letter = wait_for('the letter', 20, sub { ($world->mail('gone'))[0] });
my ($id) = map { lc $_->{name} eq 'message-id' ? $_->{value} =~ /<(.*)>/ : () }
    @{ $letter->{headers} };
my $event = { signature => { token => 't', timestamp => '1',
        signature => 's' },
    'event-data' => { id => 'e1', event => 'failed', severity => 'permanent',
        recipient => 'gone@primer.ru',
        'delivery-status' => { code => 550, message => '5.1.1 No such user' },
        message => { headers => { 'message-id' => $id } } } };
wait_for('it is settled', 20, sub {
    return $pg->sql(q(select count(*) from leadq.message
        where state = 'sent')) == 1 });

is(report('mailgun/wrong', $event), 404, 'another secret: nothing is here');
is(report('nobody/a', $event), 404, 'nor is a provider that nobody named');
is(report("mailgun/$secret", { what => 1 }), 422, 'no event: refused');
is(report("mailgun/$secret", $event), 202, 'an event is taken');
is(report("mailgun/$secret", $event), 202, 'and so is its repeat');
wait_for('the network hears of it', 20, sub {
    return grep { $_->{query}{status} eq 'rejected' }
        $world->postbacks('gone') });
is($pg->sql(q(select reason from leadq.lead)), 'hard_bounce',
    'the lead is rejected, by the worker\'s own table');
is($pg->sql('select count(*) from leadq.mail_event'), 1, 'once');

# SendGrid's words, hundreds at once, and a few that nobody can read
my @events = map { { email => "person-$_\@primer.ru", event => 'delivered',
    sg_event_id => "sg-$_", timestamp => 1764000000 + $_,
    'smtp-id' => '<some.thing@geopod>', response => '250 ' . 'ok ' x 300 } }
    1 .. 200;
my $many = JSON::PP::encode_json(\@events);
for my $broken ('{"sg_event_id":"\\ud800","event":"open"}', '7', 'what?') {
    $many =~ s/\},\{/},$broken,{/;
}
is(http('POST', $site->url("/v1/mail-events/sendgrid/$secret"), { headers => {
    'Content-Type' => 'application/json' }, content => $many })->{content},
    '{"new":200}', 'two hundred events are taken, whatever is among them');
is(report("sendgrid/$secret", [@events, @events]), 202, 'so is a repeat');
is($pg->sql(q(select count(*) from leadq.mail_event
    where provider = 'sendgrid')), 200, 'and each of them counts once');

unlike(slurp($site->nginx->dir . '/../access.log'), qr/$secret/,
    'the log does not hold the secret');
is($site->nginx->alarms, '', 'nginx raised no alarm');

done_testing();
