# One lead from the form to the approved postback, as its people see it
# (M-16 ... M-22, A-5).

use strict;
use warnings;
use utf8;

use Leadq::Link;
use Leadq::Site;
use Leadq::Test qw(wait_for http);
use Test::More;

my $site = Leadq::Site->start;
my ($pg, $world) = ($site->pg, $site->world);
my %browser = ('Content-Type' => 'application/x-www-form-urlencoded',
    Accept => 'text/html,application/xhtml+xml');

sub told {
    my ($click, $count) = @_;
    return wait_for("$count statuses for $click", 15, sub {
        my @seen = $world->postbacks($click);
        return @seen >= $count
            && join ', ', map { $_->{query}{status}
                . ($_->{query}{reason} ? " $_->{query}{reason}" : '') } @seen;
    });
}

sub letter {
    my ($to, $number) = @_;
    return wait_for("letter $number to $to", 15, sub {
        return ($world->mail($to))[$number - 1];
    });
}

# --- the form -----------------------------------------------------------------

my $reply = http('POST', $site->url('/v1/leads'), { headers => \%browser,
    content => 'email=Anna%40PRIMER.RU&name=%D0%90%D0%BD%D0%BD%D0%B0'
        . '&click_id=c1&consent_pd=on&text_version=v1' });
is($reply->{status}, 303, 'the form is answered by a redirect');
like($reply->{headers}{location}, qr{/thanks\.html}, 'to the thank-you page');
is(told('c1', 1), 'processed', 'M-18: the network hears processed');

my $letter = letter('primer.ru', 1);
is("@{ $letter->{to} }", 'Anna@primer.ru', 'the domain is in lower case');
like($letter->{text}, qr/^Анна, /, 'the letter greets by name');
my ($link) = grep { m{/c/} } @{ $letter->{links} };
my ($stop) = grep { m{/u/} } @{ $letter->{links} };
s/#.*// for $link, $stop;
my %header = map { lc $_->{name} => $_->{value} } @{ $letter->{headers} };
is($header{'list-unsubscribe'}, "<$stop>", 'List-Unsubscribe has the link');
is($header{'list-unsubscribe-post'}, 'List-Unsubscribe=One-Click',
    'and one click is enough (RFC 8058)');
like($header{'message-id'}, qr/^<[0-9a-f-]{36}\@/, 'Message-ID is our own');

# --- scanners change nothing --------------------------------------------------

my $state = 'select string_agg(state, \',\') from leadq.lead';
for my $visit (['HEAD'], ['GET'], ['GET', 'Sec-Purpose' => 'prefetch'],
    ['GET', 'Purpose' => 'prefetch']) {
    my ($method, %more) = @$visit;
    my $page = http($method, $link, { headers => { %more } });
    is($page->{status}, 200, "$method @{[%more]} of the link is a page");
    is(() = $page->{content} =~ /<button/g, 1, 'with one button')
        if $method eq 'GET';
}
is($pg->sql($state), 'pending', 'and nothing has changed');
is(http('GET', $stop)->{status}, 200, 'GET of the other link is a page too');
is($pg->sql('select count(*) from leadq.suppression'), 0, 'and stops nothing');

# --- links that are not ours --------------------------------------------------

my ($message) = $header{'message-id'} =~ /^<(.*)@/;
my $forged = $link =~ s/(.)(.)$/$2$1/r;
$forged = $link =~ s/.$/A/r if $forged eq $link;
my %json = (Accept => 'application/json',
    'Content-Type' => 'application/x-www-form-urlencoded');
for my $bad ([$forged, 'forged or cut'],
    [$site->url('/c/' . Leadq::Link::token($site->key, $message,
        purpose => 'unsubscribe')), 'made for another purpose'],
    [$site->url('/c/' . Leadq::Link::token($site->key, $message,
        expires => time - 1)), 'expired']) {
    my ($url, $why) = @$bad;
    my $answer = http('POST', $url, { headers => { %json }, content => '' });
    is($answer->{status}, 422, "a link that is $why is refused");
    like($answer->{content}, qr/link-(?:malformed|forged|expired)/, 'by name');
}
my $answer = http('POST', $forged, { headers => \%browser, content => '' });
is($answer->{status}, 303, 'a browser is redirected');
like($answer->{headers}{location}, qr{/link\.html}, 'to the page that says so');
is($pg->sql($state), 'pending', 'and nothing has changed');

# --- a reminder, then the button ----------------------------------------------

$pg->sql(q(select leadq.shift_time('2 days')));
letter('primer.ru', 2);
is($pg->sql('select count(*) from leadq.job'), 1, 'one reminder is pending');
$reply = http('POST', $link, { headers => \%browser, content => '' });
is($reply->{status}, 303, 'the button is answered by a redirect');
like($reply->{headers}{location}, qr{/confirmed\.html}, 'to the good news');
is(told('c1', 2), 'processed, approved', 'M-21: the network hears approved');
ok(wait_for('no job is left', 15, sub {
    return $pg->sql('select count(*) from leadq.job') == 0 }),
    'the reminder is cancelled');
is(http('POST', $link, { headers => \%json, content => '' })->{status}, 200,
    'pressing twice is no error');

my ($rc, $story) = Leadq::Test::run(Leadq::Test::build_dir() . '/leadqctl',
    'leads', 'show', '-d', $pg->dsn,
    $pg->sql(q(select lead_id from leadq.lead where click_id = 'c1')));
is($rc, 0, 'leadqctl leads show tells the story');
like($story, qr/lead received.*letter sent.*lead approved/s, 'in its order');

$pg->sql(q(select leadq.shift_time('30 days')));
wait_for('the worker has looked', 10, sub {
    return $pg->sql(q(select count(*) from leadq.job)) == 0 });
is(scalar $world->mail('primer.ru'), 2, 'no letter follows');
is(told('c1', 2), 'processed, approved', 'and no status');
is($site->nginx->alarms, '', 'nginx raised no alarm');
unlike($site->worker->log, qr/primer|Анна|c1\b|\Q$message\E/,
    'the log holds no address, name, click or link');

done_testing();
