# How leads end that are not confirmed (M-13, M-15, M-20, A-3, A-5).

use strict;
use warnings;

use Leadq::Site;
use Leadq::Test qw(wait_for http);
use Test::More;

my $site = Leadq::Site->start;
my ($pg, $world) = ($site->pg, $site->world);

sub post {
    my ($content, $accept) = @_;
    return http('POST', $site->url('/v1/leads'), { content => $content,
        headers => { 'Content-Type' => 'application/x-www-form-urlencoded',
            Accept => $accept || 'application/json' } });
}

sub told {
    my ($click, $count) = @_;
    return wait_for("$count statuses for $click", 20, sub {
        my @seen = $world->postbacks($click);
        return @seen >= $count
            && join ', ', map { $_->{query}{status}
                . ($_->{query}{reason} ? " $_->{query}{reason}" : '') } @seen;
    });
}

# --- bad e-mails --------------------------------------------------------------

is(post('email=myaccount%40mail&click_id=m1&consent_pd=1')->{status}, 202,
    'A-5: a malformed e-mail with a click id is taken');
is(told('m1', 2), 'processed, rejected bad_format',
    'M-20: the network hears processed, then rejected');
is(post('email=&click_id=m2&consent_pd=1')->{status}, 202,
    'an empty one as well');
is(told('m2', 2), 'processed, rejected empty_email', 'with its reason');
is($pg->sql('select count(*) from leadq.address'), 0,
    'M-12: no bad address enters the base');

my $leads = $pg->sql('select count(*) from leadq.lead');
my $reply = post('email=myaccount%40mail&consent_pd=1');
is($reply->{status}, 422, 'without a click id the submitter is told');
like($reply->{content}, qr/"field":"email"/, 'which field it was');
$reply = post('email=myaccount%40mail&consent_pd=1', 'text/html');
is($reply->{status}, 303, 'a browser is redirected');
like($reply->{headers}{location}, qr{/sorry\.html\?error=email\.email-no-domain},
    'to the page that names the field');
is(post('email=a%40b.ru&click_id=m3')->{status}, 422,
    'without consent nothing is taken, click id or not');
is($pg->sql('select count(*) from leadq.lead'), $leads,
    'and nothing of it is stored');

# --- refusals by SMTP ---------------------------------------------------------

$world->faults({ smtp => { reject => {
    'gone@' => '550 5.1.1 no such user',
    'full@' => '552 5.2.2 mailbox full',
    'spam@' => '554 5.7.1 blocked by policy',
} } });
post("email=$_%40primer.ru&click_id=$_&consent_pd=1") for qw(gone full spam);
is(told('gone', 2), 'processed, rejected hard_bounce',
    'M-13: one hard bounce rejects');
wait_for('the soft bounce is counted', 10, sub {
    return $pg->sql(q(select soft_bounces from leadq.address
        where value = 'full@primer.ru')) == 1 });
for my $days (2, 5) {
    $pg->sql(qq(select leadq.shift_time('$days days 1 min')));
    my $bounces = $days == 2 ? 2 : 3;
    wait_for("soft bounce $bounces", 20, sub {
        return $pg->sql(q(select soft_bounces from leadq.address
            where value = 'full@primer.ru')) == $bounces });
}
is(told('full', 2), 'processed, rejected soft_x3',
    'M-13: three soft ones reject');
is($pg->sql(q(select state from leadq.lead where click_id = 'spam')),
    'pending', 'a policy refusal is our trouble, not the lead\'s');

# --- nobody answers -----------------------------------------------------------

post('email=never%40primer.ru&click_id=never&consent_pd=1');
wait_for('the first letter', 15, sub {
    return scalar $world->mail('never@') });
for my $step (['2 days', 2], ['5 days', 3]) {
    $pg->sql(qq(select leadq.shift_time('$step->[0]')));
    wait_for("letter $step->[1]", 15, sub {
        my @letters = $world->mail('never@');
        return @letters == $step->[1] });
}
is($pg->sql(q(select state from leadq.lead where click_id = 'never')),
    'pending', 'after three letters there is a grace');
$pg->sql(q(select leadq.shift_time('2 days')));
is(told('never', 2), 'processed, rejected not_confirmed',
    'A-3: then it has expired, and the network hears rejected');

# --- this was not me ----------------------------------------------------------

post('email=other%40primer.ru&click_id=other&consent_pd=1');
my $letter = wait_for('the letter', 15, sub {
    return ($world->mail('other@'))[0] });
my ($stop) = grep { m{/u/} } @{ $letter->{links} };
$stop =~ s/#.*//;
my $one_click = { content => 'List-Unsubscribe=One-Click', headers => {
    'Content-Type' => 'application/x-www-form-urlencoded' } };
is(http('POST', $stop, $one_click)->{status}, 200,
    'RFC 8058: one click, no redirect');
is(told('other', 2), 'processed, rejected unsubscribed',
    'who was never asked is not paid for');
$pg->sql(q(select leadq.shift_time('3 days')));
post('email=other%40primer.ru&click_id=other2&consent_pd=1');
is(told('other2', 2), 'processed, rejected blocked',
    'and is not written to again');
is(scalar $world->mail('other@'), 1, 'not once');
is($site->nginx->alarms, '', 'nginx raised no alarm');

done_testing();
