#!/usr/bin/perl

# leadqctl letters preview: the letter as somebody would get it, out of the
# base or out of a document, into a file or to an address.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir slurp spew tempdir wait_for);
use Outside qw(mail_server smtp_server);

my $dir = tempdir();
my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/leadq.json');
my @base = ('-d', $pg->dsn);
my @file = ('--document', 'conf/leadq.json');

sub preview {
    return run(build_dir() . '/leadqctl', 'letters', 'preview', @_);
}

sub conf {
    my ($url) = @_;
    spew("$dir/links.key", '1 ' . ('5a' x 32) . "\n");
    spew("$dir/worker.conf", "[leadq]\ndatabase = dbname=x\n"
        . "keys = $dir/links.key\nsmtp_tls = off\nsmtp_url = $url\n");
    return "$dir/worker.conf";
}

for my $from (\@base, \@file) {
    my $what = $from == \@base ? 'base' : 'document';
    my ($rc, $out) = preview('doi-2', '--lang', 'en', @$from);
    is($rc, 0, "$what: a letter is written") or diag $out;
    like($out, qr{^From: \S+ <club\@polka\.example>\r$}m,
        "$what: from the source that sends it");
    like($out, qr{^List-Unsubscribe: <https://club\.polka\.example/u/preview>}m,
        "$what: its links lead to the site");
    like($out, qr/Hello Anna,/, "$what: with a name");
    like($out, qr{^Content-Type: text/html}m, "$what: in both parts");
    is((preview('doi-1', @$from, '--out', "$dir/a.html"))[0], 0,
        "$what: into a file");
    like(slurp("$dir/a.html"), qr{\A<!doctype html>.*/c/preview.*</html>}s,
        "$what: the HTML alone");
    like(slurp("$dir/a.html"), qr/lang="ru"/,
        "$what: in the language of the source");
    preview('doi-1', @$from, '--out', "$dir/a.txt");
    like(slurp("$dir/a.txt"), qr/\A[^<>]*preview/, "$what: or the text");
    ($rc, $out) = preview('doi-9', @$from);
    is($rc, 1, "$what: an unknown letter fails");
    like($out, qr/no template "doi-9"/, "$what: and is told");
    like((preview('doi-1', '--lang', 'fr', @$from))[1],
        qr/no template "doi-1" in fr/, "$what: so is an unknown language");
}

# --- to an address
my $mail = mail_server();
my ($rc, $out) = preview('doi-1', @file, '--to', 'me@brand.ru', '--config',
    conf($mail->url));
is("$rc $out", "0 handed to the relay, for me\@brand.ru\n",
    'a test letter is sent');
wait_for('the letter', 10, sub { $mail->letters });
my ($letter) = $mail->letters;
like($letter, qr/^X-Rcpt-Args: <me\@brand\.ru>/m, 'to that address');
like($letter, qr/^Message-ID: <preview-\d+\@polka\.example>/m,
    'as no other one');

my $smtp = smtp_server(RCPT => '550 5.1.1 No such user');
($rc, $out) = preview('doi-1', @file, '--to', 'me@brand.ru', '--config',
    conf($smtp->url));
is($rc, 1, 'a refusal fails');
like($out, qr/refuses the letter: 550 5\.1\.1 No such user/, 'and is told');
($rc, $out) = preview('doi-1', @file, '--to', 'me@brand.ru', '--config',
    conf('smtp://127.0.0.1:1'));
like("$rc $out", qr/^1 .*the relay does not answer: connect/,
    'so is a relay that is away');
like((preview('doi-1', @file, '--to', 'me@brand.ru'))[1],
    qr/--to needs --config/, 'without --config there is no relay');
is((preview('doi-1', @file, '--to', 'me'))[0], 2, 'an address is an address');

done_testing();
