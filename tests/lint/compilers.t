# gcc and clang build everything without a warning.  With WERROR set gcc has
# already built so what the other tests run.

use strict;
use warnings;

use Leadq::Test qw(run build_dir);
use Test::More;

for my $cc ($ENV{WERROR} ? 'clang' : qw(gcc clang)) {
    my $build = build_dir() . "/lint-$cc";
    delete local @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
    my ($rc, $out) = run('make', '-s', '-j2', 'WERROR=1', "CC=$cc",
        "BUILD=$build", 'SANITIZE=', 'all');
    is($rc, 0, "$cc builds the module and the worker with -Werror")
        or diag($out);
}

done_testing();
