# gcc and clang build everything without a warning.  With WERROR set gcc has
# already built so what the other tests run.  clang's warnings do not depend on
# how it optimizes; gcc's do.

use strict;
use warnings;

use Leadq::Test qw(run build_dir);
use Test::More;

for my $cc ($ENV{WERROR} ? 'clang' : qw(gcc clang)) {
    my $build = build_dir() . "/lint-$cc";
    delete local @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
    my @flags = $cc eq 'clang' ? 'CFLAGS=-O0' : ();
    my ($rc, $out) = run('make', '-s', '-j2', 'WERROR=1', "CC=$cc", @flags,
        "BUILD=$build", 'SANITIZE=', 'all');
    is($rc, 0, "$cc builds the module and the worker with -Werror")
        or diag($out);
}

done_testing();
