#!/usr/bin/perl

# The pages in a real browser, against a whole leadq: runs the tests of
# *.test.js with Node.js's test runner, which prints TAP.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../demo";

use Cwd qw(abs_path);
use File::Path qw(make_path);

use Leadq::Test qw(build_dir);
use Leadq::Site;

$| = 1;

my $shots = abs_path(build_dir()) . '/shots';
make_path($shots);

my $site = Leadq::Site->start;
local $ENV{SITE_URL} = $site->url('/');
local $ENV{SITE_DSN} = $site->pg->dsn;
local $ENV{WORLD_URL} = $site->world->url('/');
local $ENV{SITE_PASSWORD} = $site->password;
local $ENV{SHOTS} = $shots;

my @files = sort glob "$FindBin::Bin/*.test.js";
open my $tap, '-|', 'node', '--test', '--test-reporter=tap', @files
    or die "node: $!\n";
while (my $line = <$tap>) {
    # Details of a failure are not always the YAML that prove expects.
    print $line =~ /^(?:ok|not ok|\d+\.\.\d+)\b/ ? $line : "# $line";
}
close $tap;
my $failed = $?;

my $alarms = $site->nginx->alarms;
print "# nginx: $alarms\n" if $alarms;
exit($failed || $alarms ? 1 : 0);
