# Formatting, scripts, manuals.

use strict;
use warnings;

use Leadq::Test qw(run);
use Test::More;

sub passes {
    my ($what, @command) = @_;
    my ($rc, $out) = run(@command);
    ok($rc == 0 && $out !~ /\b(?:WARNING|ERROR|warning|error):/, $what)
        or diag($out);
    return;
}

my @worker = glob 'worker/*.[ch]';
passes('worker/ is formatted by clang-format', 'clang-format', '--dry-run',
    '-Werror', @worker);

for my $script ('.ci/run', glob 'tests/*/*.sh conf/debian/*.postinst') {
    passes("$script passes shellcheck", 'shellcheck', $script);
}

my @perl = grep { /\.(?:pm|t)$/ || m{/run$} }
    split /\n/, (run('git', 'ls-files', 'tests'))[1];
for my $script (@perl) {
    my ($rc, $out) = run($^X, '-wc', '-Itests/lib', '-Itests/worker',
        '-Itests/module', '-Itests/package', $script);
    is($rc . ' ' . ($out =~ s/\S+ syntax OK\n//r), '0 ',
        "$script compiles without a warning");
}

for my $page (glob '{ngx_module,worker}/*.[58]') {
    passes("$page passes mandoc", 'mandoc', '-T', 'lint', '-W', 'warning',
        $page);
}

done_testing();
