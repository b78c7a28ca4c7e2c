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

my $shots = abs_path(build_dir()) . '/shots';
make_path($shots);

my $site = Leadq::Site->start;
$ENV{SITE_URL} = $site->url('/');
$ENV{SITE_DSN} = $site->pg->dsn;
$ENV{WORLD_URL} = $site->world->url('/');
$ENV{SHOTS} = $shots;

my @files = sort glob "$FindBin::Bin/*.test.js";
my $status = system 'node', '--test', '--test-reporter=tap', @files;

my $alarms = $site->nginx->alarms;
print "# nginx: $alarms\n" if $alarms;
exit($status || $alarms ? 1 : 0);
