#!/usr/bin/perl

# The demo is the first thing a newcomer runs: it must reach its end, and
# leave nothing behind, however it is ended.

use strict;
use warnings;

use Test::More;

use Leadq::Test qw(wait_for tempdir slurp run);

my $tempdir = tempdir();
$ENV{DEMO_DIR} = "$tempdir/demo";

# Processes that were started by a demo of this test and still run; those
# that write over their environment have the directory among their arguments.
sub leftovers {
    my @pids;
    for my $file (glob '/proc/[0-9]*/cmdline') {
        my ($pid) = $file =~ /(\d+)/;
        next if $pid == $$;
        my $arguments = slurp($file);
        push @pids, $pid if $arguments =~ /\Q$ENV{DEMO_DIR}\E/
            || $arguments ne ''
            && slurp("/proc/$pid/environ") =~ /\Q$ENV{DEMO_DIR}\E/;
    }
    return @pids;
}

sub start_demo {
    my ($log) = @_;

    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        setpgrp;
        open STDOUT, '>', $log or die "$log: $!\n";
        open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
        exec $^X, '-Itests/lib', 'tests/demo/run' or die "perl: $!\n";
    }
    return $pid;
}

my ($rc, $out);
{
    local $ENV{DEMO_ONCE} = 1;
    ($rc, $out) = run($^X, '-Itests/lib', 'tests/demo/run');
}
is($rc, 0, 'the demo walks a lead to its end') or diag($out);
like($out, qr/status=processed.*status=approved/s, 'the network hears both');
like($out, qr/the lead is still pending/, 'a visit of the link is harmless');
like($out, qr/processed, then rejected, reason=bad_format/,
    'a wrong address is rejected');
like($out, qr/a reminder:/, 'two days later a reminder comes');
like($out, qr/the code itself is found 0 times.*the right one 200, verified/s,
    'a phone is proved by a code that nobody keeps');
like($out, qr/four digits told aloud.*an SMS: ".*код/s,
    'a visitor of a point gets a code');
is_deeply([leftovers()], [], 'nothing runs on');

my $log = "$tempdir/demo.log";
my $pid = start_demo($log);
wait_for('the demo waits for its user', 60, sub {
    waitpid($pid, 1) == 0 or die 'the demo ended: ' . slurp($log);
    return slurp($log) =~ /Ctrl-C stops everything/;
});
cmp_ok(scalar(my @all = leftovers()), '>=', 5, 'until Ctrl-C all of it runs');
kill 'INT', -$pid;
waitpid $pid, 0;
is($?, 0, 'Ctrl-C ends it well');
is_deeply([leftovers()], [], 'and nothing runs on');

$pid = start_demo($log);
wait_for('the demo starts its servers', 60, sub {
    return slurp($log) =~ /a private PostgreSQL/;
});
kill 'TERM', $pid;
waitpid $pid, 0;
is_deeply([leftovers()], [], 'nor after it was ended half-way');

{
    local $ENV{DEMO_ONCE} = 1;
    local $ENV{LEADQ_BUILD} = "$tempdir/nothing";
    ($rc, $out) = run($^X, '-Itests/lib', 'tests/demo/run');
}
is($rc, 1, 'a step that fails ends the demo with 1');
like($out, qr/The demo failed: /, 'and it says so');
is_deeply([leftovers()], [], 'and nothing runs on after that either');

done_testing();
