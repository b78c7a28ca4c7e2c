# Letters through a real Postfix that come back into the mailbox of a real
# Dovecot, one path of each class; domains that take no mail (M-13, M-14).

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/../worker", "$FindBin::Bin/../module";
use Leadq::Site;
use Leadq::Test qw(wait_for http slurp);
use Mailhost;
use Names;
use Outside qw(smtp_server);

plan skip_all => 'Postfix and Dovecot want root' if !Mailhost::may();

# The world behind Postfix, by the local part of the address.
my %answer = (gone => '550 5.1.1 No such user', full => '552 5.2.2 Full',
    spam => '554 5.7.1 Blocked by policy', late => '450 4.4.2 Come later');
my $outside = smtp_server(RCPT => sub {
    my ($who) = $_[0] =~ /<(\w+)\@/;
    return $answer{$who} || '250 ok';
});
my $mail = Mailhost->start(world => $outside->{port});
my $names = Names->start('post.test' => 'MX:mx.big.test',
    'refuses.test' => 'MX:.', 'host.test' => '192.0.2.1');
my $site = Leadq::Site->start(worker => { $mail->conf,
    resolver => '127.0.0.1:' . $names->port });
my ($pg, $world) = ($site->pg, $site->world);

sub lead {
    my ($name, $domain) = @_;
    my $reply = http('POST', $site->url('/v1/leads'), {
        headers => { 'Content-Type' => 'application/json' },
        content => qq({"email":"$name\@$domain","click_id":"$name",)
            . '"consent_pd":true}' });
    $reply->{status} == 202 or die "$name: $reply->{status}\n";
    return;
}

sub state {
    my ($name) = @_;
    return $pg->sql("select concat_ws(' ', l.state, l.reason, m.state,
            m.class, 'soft=' || a.soft_bounces)
        from leadq.lead l
        join leadq.address a on a.channel = 'email' and a.value = l.email
        left join leadq.message m on m.contact_id = l.contact_id
            and m.step = 1
        where l.click_id = '$name'");
}

sub becomes {
    my ($name, $state, $why) = @_;
    eval { wait_for("$name", 30, sub { state($name) eq $state }) };
    is(state($name), $state, $why);
    return;
}

lead($_, 'post.test') for qw(gone full spam late good);
lead('null', 'refuses.test');
lead('plain', 'host.test');

becomes('gone', 'rejected hard_bounce bounced hard soft=0',
    'HARD: a report rejects the lead');
becomes('full', 'pending bounced soft soft=1', 'SOFT: it is counted');
becomes('late', 'pending bounced soft soft=1',
    'SOFT: what the relay gave up to try');
becomes('spam', 'pending failed block soft=0',
    'BLOCK: our own bad name is no word about the lead');
becomes('good', 'pending sent soft=0', 'a letter that arrives');
becomes('null', 'rejected bad_domain bounced hard soft=0',
    'a domain that takes no mail: the letter never leaves');
becomes('plain', 'pending sent soft=0', 'a domain with an address alone');
is($pg->sql("select state || ' ' || mx_group from leadq.mail_domain
    where domain = 'post.test'"), 'good big.test', 'who takes the mail');
is($pg->sql("select count(*) from leadq.job_done where kind = 'mx'
    and ref = (select ref from leadq.mail_domain
        where domain = 'post.test')"), 1, 'one look-up for all its letters');

# the way there and back
wait_for('every message is moved away', 20, sub {
    return $mail->count == 0 && $mail->count('leadq') == 4;
});
pass('what has been read lies in its own folder');
my ($report) = grep { /5\.1\.1/ } map { slurp($_) }
    glob $mail->dir . '/Maildir/.leadq/cur/*';
like($report, qr/^(?:To|Delivered-To): bounces\+[0-9a-z]{25}\.[a-z2-7]{8}\@/m,
    'the return path names the letter, and proves it');
unlike(($report =~ /^To: (.*)$/m)[0], qr/gone/, 'and not the recipient');
like($report, qr/^Original-Envelope-Id: [0-9a-z]{25}/m,
    'so does the envelope id');
like($report, qr/^Original-Recipient: rfc822;gone\@post\.test/m,
    'the relay was told whom to name');
unlike($report, qr/^\s*<p>/m, 'headers only come back');

# a complaint, as a receiver sends it (RFC 5965)
my ($path) = $pg->sql("select m.message_id from leadq.message m
    join leadq.lead l using (contact_id) where l.click_id = 'good'
    and m.step = 1");
$mail->put(<<"ARF");
From: <feedback\@big.test>
To: <abuse\@bounce.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

Spam.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Big/1.0
Version: 1

--b
Content-Type: message/rfc822

From: <club\@brand.ru>
Message-ID: <$path\@brand.ru>

--b--
ARF
becomes('good', 'rejected complaint sent soft=0',
    'a complaint suppresses at once');
is($pg->sql("select reason from leadq.suppression"), 'complaint', 'for ever');

# somebody is on holiday
$mail->put("From: <a\@post.test>\nTo: <bounces\@bounce.test>\n"
    . "Auto-Submitted: auto-replied\nSubject: Out of office\n\n550 5.1.1\n");
wait_for('the holiday is read', 20, sub { $mail->count('leadq') == 6 });
is($pg->sql("select count(*) from leadq.address where state = 'invalid'"), 2,
    'an automatic reply means nothing');
unlike($site->worker->log, qr/post\.test|bounce\.test|<[36]>.*gone/,
    'the log holds no address');

done_testing();
