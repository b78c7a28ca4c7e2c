# Nothing a user can type is missing in the manuals and samples.

use strict;
use warnings;

use Leadq::Test qw(run slurp spew tempdir build_dir);
use Test::More;

sub documents {
    my ($page, $word) = @_;
    my $text = slurp($page) =~ s/\\-/-/gr =~ s/\bFl -(?=\w)/--/gr;
    like($text, qr/(?<![\w-])\Q$word\E(?![\w-])/, "$page tells of $word");
    return;
}

# Directives, from the module's command table.
my $module = join '', map { slurp($_) } glob 'ngx_module/*.c';
my @directives = $module =~ /\{ *ngx_string\("(leadq_\w+)"\),\s+NGX_/g;
cmp_ok(scalar @directives, '>=', 6, 'the command table was read');
for my $directive (@directives) {
    documents($_, $directive) for 'ngx_module/README.md',
        'ngx_module/ngx_http_leadq_module.5';
}
my @variables = $module =~ /ngx_string\("(leadq_\w+)"\),\s*NULL,/g;
documents('ngx_module/README.md', $_) for @variables;

# Keys of worker.conf, from its table.
my @keys = slurp('worker/conf.c') =~ /^    \{"(\w+)",/mg;
cmp_ok(scalar @keys, '>=', 15, 'the table of keys was read');
for my $key (@keys) {
    documents($_, $key) for 'worker/README.md', 'worker/leadq-worker.conf.5',
        'conf/worker.conf';
}

# Commands and options of leadqctl, from its own help.
my ($rc, $help) = run(build_dir() . '/leadqctl', '--help');
is($rc, 0, 'leadqctl --help works');
my %words = map { $_ => 1 } $help =~ /(?<![\w-])(--[a-z][a-z-]+)/g,
    $help =~ /^  ([a-z]+)/mg;
cmp_ok(scalar keys %words, '>=', 5, 'its help was read');
for my $word (sort keys %words) {
    documents($_, $word) for 'worker/README.md', 'worker/leadqctl.8';
}

# Keys of the business document, from the tables of its checks; its example.
my @document_keys = map { slurp($_) =~ /\{"(\$?\w+)", [01], \w+\}/g }
    qw(worker/ctl_rules.c worker/ctl_networks.c worker/ctl_partners.c
        worker/ctl_templates.c worker/ctl_consents.c worker/ctl_triggers.c
        worker/ctl_webhooks.c worker/ctl_mail.c worker/ctl_gateways.c
        worker/ctl_receipts.c worker/ctl_verifications.c
        worker/ctl_profile_limits.c worker/ctl_programmes.c
        worker/ctl_visit_rules.c);
cmp_ok(scalar @document_keys, '>=', 30, 'the keys of the document were read');
for my $key (@document_keys) {
    documents('worker/leadq.json.5', $key);
}
my ($example) = slurp('worker/leadq.json.5') =~ /^\.Bd[^\n]*\n(\{.*?)^\.Ed/ms;
my $dir = tempdir();
spew("$dir/leadq.json", $example);
mkdir "$dir/letters" or die;
spew("$dir/$_", '{{confirm_url}} {{unsubscribe_url}}') for $example =~ /"(letters[^"]+)"/g;
my ($rc_example, $out) = run(build_dir() . '/leadqctl', 'config', 'check',
    "$dir/leadq.json");
is($rc_example, 0, "the example of the manual is good: $out");

# Functions that somebody may call, and views, from the grants.
my $grants = slurp('sql/grants.sql');
my @functions = $grants =~ /leadq\.(\w+)/g;
cmp_ok(scalar @functions, '>=', 10, 'the grants were read');
documents('sql/README.md', $_) for @functions;
my @tables = map { slurp($_) =~ /^create table leadq\.(\w+) \(/mg }
    glob 'sql/migrations/*.sql';
documents('sql/README.md', $_) for @tables;

# Targets of the Makefile.
my @targets = slurp('Makefile') =~ /^(\w[\w-]+):/mg;
my ($rc_help, $make_help) = run('make', '-s', 'help');
is($rc_help, 0, 'make help works');
for my $target (@targets) {
    next if $target =~ /^(?:all|help|install-\w+|module|worker|lint)$/;
    like($make_help, qr/\b\Q$target\E\b/, "make help tells of $target");
}

done_testing();
