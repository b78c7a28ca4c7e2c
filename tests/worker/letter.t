#!/usr/bin/perl

# A letter as a mail server receives it: headers, both parts, links with
# tokens that verify.  Facts M-19, M-22; formats.md D.

use strict;
use warnings;
use utf8;

use Encode qw(decode encode);
use FindBin ();
use MIME::Base64 qw(decode_base64);
use MIME::QuotedPrint qw(decode_qp);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Link;
use Leadq::Test qw(wait_for);
use Leadq::Worker;
use Outside qw(database add_letter wait_state mail_server);

binmode $_, ':utf8' for Test::More->builder->output,
    Test::More->builder->failure_output;

my $pg = database();
my $mail = mail_server();
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    smtp_url => $mail->url, smtp_helo => 'mx.brand.ru', poll => '50ms' });

my $subject = '0198c000-0000-7000-8000-0000000000bb';
my $expires = time + 86400;
my %link = (subject => $subject, expires => $expires);
my $id = add_letter($pg,
    from_name => 'Бренд «Клуб»',
    reply_to => 'help@brand.ru',
    subject => 'Здравствуйте, {{name}}! Подтвердите, пожалуйста, подписку',
    text => "Привет, {{name}}!\n.dot\n{{#name}}\nЕсть имя.\n{{/name}}\n"
        . "{{confirm_url}}\n" . ('длинная строка ' x 20) . "\n",
    html => '<p>{{name}} {{{name}}}</p><a href="{{confirm_url}}">да</a>'
        . '{{^missing}}<a href="{{unsubscribe_url}}">нет</a>{{/missing}}',
    vars => { name => 'Анна & <Ко>', source => 'cpa-landing' },
    links => {
        confirm_url => { base => 'https://brand.ru/c/',
            purpose => 'confirm', %link },
        unsubscribe_url => { base => 'https://brand.ru/u/',
            purpose => 'unsubscribe', %link },
    },
    list_unsubscribe => 'unsubscribe_url', list_id => 'doi-cpa.brand.ru');
my $row = wait_state($pg, $id, 'done');
is($row->{detail}{smtp}, 250, 'the reply code is kept');

my ($letter) = $mail->letters;
$letter =~ s/\r\n/\n/g;
my ($envelope, $head, $body) = parts($letter);
my %head = headers($head);

like($envelope, qr/^X-Mail-Args: <club\@brand\.ru>/m, 'envelope sender');
like($envelope, qr/^X-Rcpt-Args: <anna\@example\.ru>/m,
    'envelope recipient');
like($envelope, qr/^X-Helo-Args: mx\.brand\.ru$/m, 'the name in EHLO');
is($head{from}, 'Бренд «Клуб» <club@brand.ru>', 'From');
is($head{to}, '<anna@example.ru>', 'To');
is($head{subject},
    'Здравствуйте, Анна & <Ко>! Подтвердите, пожалуйста, подписку',
    'Subject, over several encoded words');
is($head{'message-id'}, '<0198c000-0000-7000-8000-0000000000aa@brand.ru>',
    'Message-ID');
like($head{date}, qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/,
    'Date');
is($head{'mime-version'}, '1.0', 'MIME-Version');
is($head{'reply-to'}, '<help@brand.ru>', 'Reply-To');
is($head{'auto-submitted'}, 'auto-generated', 'Auto-Submitted');
is($head{'list-id'}, '<doi-cpa.brand.ru>', 'List-Id');
is($head{'list-unsubscribe-post'}, 'List-Unsubscribe=One-Click',
    'List-Unsubscribe-Post');
like($head, qr{^List-Unsubscribe: <https://brand\.ru/u/[\w-]{52}>$}m,
    'List-Unsubscribe is one line');
ok(!grep({ length > 998 } split /\n/, $letter), 'no line is too long');
ok(!grep({ /[^\x00-\x7f]/ } split /\n/, $letter), 'the letter is ASCII');

like($head{'content-type'}, qr{^multipart/alternative; boundary=},
    'two parts, alternatives');
my ($boundary) = $head{'content-type'} =~ /boundary=["]?([^";\s]+)/;
my (undef, @part) = split /^--\Q$boundary\E(?:--)?\n/m, $body;
my ($text, $html) = map { content($_) } @part;
like($text->{type}, qr{^text/plain; charset=utf-8}, 'the first is text');
like($html->{type}, qr{^text/html; charset=utf-8}, 'the second is HTML');
like($text->{body}, qr/^Привет, Анна & <Ко>!\n\.dot\nЕсть имя\.\nhttps/,
    'the text is as written');
like($html->{body}, qr{^<p>Анна &amp; &lt;Ко&gt; Анна & <Ко></p>},
    'values are escaped in HTML, unless asked not to be');

for my $case (['confirm', 'c', $text], ['unsubscribe', 'u', $html]) {
    my ($purpose, $path, $part) = @$case;
    my ($token) = $part->{body} =~ m{https://brand\.ru/$path/([\w-]{52})};
    is($token, Leadq::Link::token($worker->dir . '/links.key', $subject,
            purpose => $purpose, expires => $expires),
        "the token for $purpose is the one of the specification");
}

is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/anna\@|Анна|brand\.ru\/c/,
    'nothing personal is in the log');

done_testing();

sub parts {
    my ($dump) = @_;
    my ($first, $rest) = split /\n\n/, $dump, 2;
    my @lines = split /\n(?![ \t])/, $first;
    my @envelope = grep { /^X-(?:Client|Helo|Mail|Rcpt)/ } @lines;
    my @head = grep { !/^X-(?:Client|Helo|Mail|Rcpt)/ } @lines;
    return (join("\n", @envelope), join("\n", @head), $rest);
}

sub headers {
    my ($lines) = @_;
    my %value;
    for (split /\n(?![ \t])/, $lines) {
        /^([\w-]+):\s*(.*)$/s or next;
        my ($name, $value) = (lc $1, $2);
        $value =~ s/\n\s/ /g;
        $value{$name} = decode('MIME-Header', $value);
    }
    return %value;
}

sub content {
    my ($part) = @_;
    my ($lines, $body) = split /\n\n/, $part, 2;
    $body = '' if !defined $body;
    my %head = headers($lines);
    my $coding = $head{'content-transfer-encoding'} || '';
    my $bytes = $coding eq 'base64' ? decode_base64($body)
        : $coding eq 'quoted-printable' ? decode_qp($body) : $body;
    $bytes =~ s/\r\n/\n/g;
    return { type => $head{'content-type'}, body => decode('UTF-8', $bytes),
        coding => $coding };
}
