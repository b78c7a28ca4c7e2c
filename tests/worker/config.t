#!/usr/bin/perl

# leadq-worker -t: every mistake has its line and its reason.

use strict;
use warnings;

use Test::More;

use Leadq::Test qw(tempdir spew run build_dir slurp);

my $dir = tempdir();
my $file = "$dir/worker.conf";
my $program = build_dir() . '/leadq-worker';
spew("$dir/links.key", '1 ' . ('5a' x 32) . "\n");
mkdir "$dir/secrets";
spew("$dir/password", "pass word\n");

my %good = (database => 'host=/tmp dbname=leadq', keys => "$dir/links.key",
    smtp_url => 'smtp://127.0.0.1:25');

sub check {
    my ($text) = @_;
    spew($file, $text);
    my ($rc, $out) = run($program, '-c', $file, '-t');
    chomp $out;
    $out =~ s/^\Q$dir\E\///;
    return ($rc, $out);
}

# The good keys with more ("key = value" lines after them).
sub with {
    my (%more) = @_;
    my %all = (%good, %more);
    return join '', "[leadq]\n", map { "$_ = $all{$_}\n" }
        grep { defined $all{$_} } sort keys %all;
}

my ($rc, $out) = check(with());
is($rc, 0, 'a good file is good');
is($out, 'worker.conf: good', 'and it says so');
is((check(with(secrets_dir => "$dir/secrets", code_keys => "$dir/links.key",
    check_keys => "$dir/links.key", smtp_user => 'u',
    smtp_password_file => "$dir/password", smtp_tls => 'require',
    lease => '5m', poll => '500ms', log_level => 'debug')))[0], 0,
    'a full file is good');
is((check("# c\n; c\n\n" . with(database => 'host=/x ' . 'a' x 0 . join ' ',
    map { "options='-c a.b$_=1'" } 1 .. 60)))[0], 0, 'a long line is read');

my @wrong = (
    [with(max_inflight => 0), qr/^worker\.conf:4:\ max_inflight\ "0"
        \ is\ out\ of\ range\ 1\.\.4096$/x, 'a number out of range'],
    [with(batch => '1001'), qr/:2: batch "1001" is out of range 1\.\.1000/,
        'one more'],
    [with(batch => '5x'), qr/:2: batch "5x" is not a number/, 'no number'],
    [with(lease => '4s'), qr/:4: lease "4s" is out of range/, 'a short time'],
    [with(lease => '1h'), qr/:4: lease "1h" is not a time/, 'no time'],
    [with(smtp_tls => 'yes'), qr/:4: smtp_tls "yes" is not off, try or/,
        'a word of three'],
    [with(bounce_address => 'a+b@c.ru'), qr/bounce_address is not an address/,
        'a return path with a plus'],
    [with(bounce_address => 'x' x 30 . '@c.ru'), qr/has more than 29 char/,
        'a return path without room for the token'],
    [with(imap_url => 'pop://x'), qr/imap_url does not begin with imap:/,
        'a mailbox of another protocol'],
    [with(imap_url => 'imap://x'), qr/imap_url needs imap_user and bounce_a/,
        'a mailbox without a login'],
    [with(imap_user => 'u'), qr/imap_user and imap_password_file go together/,
        'half of its login'],
    [with(imap_folder => 'a"b'), qr/imap_folder "a"b" is not \[A-Z/,
        'a folder that needs quoting'],
    [with(resolver => 'ns.example.ru'), qr/resolver "ns.example.ru" is not o/,
        'a name server by name'],
    [with(metrics_listen => '0.0.0.0:9464'), qr/:4:\ metrics_listen
        \ "0\.0\.0\.0:9464"\ is\ not\ on\ the\ loopback/x, 'a public address'],
    [with(metrics_listen => '127.0.0.1'), qr/is not address:port/, 'no port'],
    [with(metrics_listen => '127.0.0.1:0'), qr/has no port 1\.\.65535/,
        'port 0'],
    [with(metrics_listen => '[::2]:1'), qr/is not on the loopback/,
        'a public address of IPv6'],
    [with(metrics_listen => 'localhost:1'), qr/is not address:port/,
        'a name'],
    [with(log_level => 'all'), qr/:4: log_level "all" is not error/,
        'a log level'],
    [with(schema => 'Leadq'), qr/:4: schema "Leadq" is not \[a-z\]/,
        'a schema'],
    [with(smtp_url => 'http://x'), qr/:4: smtp_url does not begin with smtp/,
        'a scheme'],
    [with(smtp_url => 'smtp://'), qr/:4: smtp_url "smtp:\/\/" has no host/,
        'no host'],
    [with(smtp_url => 'smtp://h/x'), qr/:4: smtp_url is not scheme:\/\/host/,
        'a path'],
    [with(smtp_url => 'smtp://h:99999'), qr/:4: smtp_url is not scheme/,
        'a port'],
    [with(smtp_url => undef), qr/^worker\.conf: smtp_url is missing$/,
        'a missing key'],
    [with(nothing => 1), qr/:4: unknown key "nothing"/, 'an unknown key'],
    [with() . "batch = 5\nbatch = 6\n",
        qr/:6: batch is repeated, first on line 5/, 'a repeated key'],
    [with() . "batch\n", qr/:5: not "key = value"/, 'half a line'],
    ["batch = 5\n", qr/:1: "batch" before any section/, 'no section'],
    [with() . "[other]\nbatch = 5\n",
        qr/:6: "batch" in unknown section "other"/, 'another section'],
    [with(database => 'host=x pass'), qr/:2:\ database\ is\ not\ a
        \ connection\ string\ of\ libpq$/x, 'a bad conninfo, which is not quoted'],
    [with(keys => "$dir/none"), qr/:3: keys: .*none.*No such file/,
        'a key file that is not there'],
    [with(keys => "$dir/password"), qr/:3: keys: .*password:1/,
        'a key file without keys'],
    [with(code_keys => "$dir/none"), qr/:2: code_keys: .*none.*No such file/,
        'a file of code keys that is not there'],
    [with(check_keys => "$dir/password"), qr/:2: check_keys: .*password:1/,
        'a file of check keys without keys'],
    [with(secrets_dir => "$dir/none"), qr/:4: secrets_dir ".*No such file/,
        'a directory that is not there'],
    [with(secrets_dir => "$dir/password"), qr/:4: .*Not a directory/,
        'a directory that is a file'],
    [with(smtp_user => 'u'), qr/smtp_user and smtp_password_file go together/,
        'half a login'],
    [with(smtp_user => 'u', smtp_password_file => "$dir/none"),
        qr/:4: smtp_password_file ".*No such file/, 'no password file'],
    [with(smtp_helo => "a b"), qr/:4: smtp_helo "a b" is not a host name/,
        'a host name'],
    [with(database => 'x' x 5000), qr/:2: the line is longer than \d+ bytes/,
        'a line without end'],
);
for my $case (@wrong) {
    my ($text, $message, $name) = @$case;
    ($rc, $out) = check($text);
    is($rc, 1, "$name is refused");
    like($out, $message, "$name is explained");
}

is((run($program, '-c', "$dir/nowhere", '-t'))[0], 1, 'no file');
is((run($program, '-x'))[0], 2, 'an unknown option');
is((run($program, '-V'))[0], 0, 'the version');

# the manual, the reference and the sample know every key
my @keys = slurp('worker/conf.c') =~ /^    \{"(\w+)", AT/mg;
cmp_ok(scalar @keys, '>', 15, 'keys are found in the table');
for my $document (qw(worker/leadq-worker.conf.5 worker/README.md
    conf/worker.conf)) {
    my $text = slurp($document);
    my @missing = grep { $text !~ /\b$_\b/ } @keys;
    is("@missing", '', "$document knows every key");
}
is((run($program, '-c', 'conf/worker.conf', '-t'))[1] =~ /unknown|range/, '',
    'the sample has no unknown key');

done_testing();
