#!/usr/bin/perl

# The disk of the spool: full, gone, slow, and files that are torn.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use Time::HiRes qw(sleep time);

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(http run slurp spew tempdir wait_for);
use Load;
use Spool qw(spool files records emptied);

my $pg = postgres();
my $dsn = $pg->dsn;

sub nginx {
    my ($dir, $size) = @_;
    return Leadq::Nginx->start(
        http => qq(leadq_database main "$dsn" timeout=300ms;),
        server => qq(location = /echo { leadq_pass main echo;
            leadq_field name text max=8000; leadq_spool $dir size=$size; }
            location = /alive { return 200 alive; }));
}

sub warm {
    my ($ng) = @_;
    return wait_for('the lanes are ready', 10, sub {
        post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
}

sub status { return post($_[0]->url('/echo'), qq({"name":"$_[1]"}))->{status} }

sub count {
    return $pg->sql(qq(select count(*) from leadq.row
        where request ->> 'name' like '$_[0]%'));
}

# --- a full disk
my $mount = tempdir();
my ($rc) = run('mount', '-t', 'tmpfs', '-o', 'size=256k', 'leadq', "$mount");
SKIP: {
    skip 'no right to mount a small disk', 4 if $rc != 0;
    my $ng = nginx("$mount/spool", '64m');
    warm($ng);
    $pg->stop('immediate');
    my %got;
    my $long = 'x' x 7000;
    $got{ status($ng, "d$_-$long") }++ for 1 .. 60;
    is(join(' ', sort keys %got), '202 503', 'a full disk answers 503');
    like($ng->log, qr/leadq spool .* cannot write \(28: /, 'the log tells');
    $pg->start_again;
    emptied("$mount/spool");
    is(count('d'), $got{202}, 'the rows with 202 are there, no other');
    $ng->quit;
    is($ng->alarms, '', 'nothing alarming is in the log');
}
run('umount', "$mount") if $rc == 0;

# --- torn and damaged files
my $dir = spool();
my $ng = nginx($dir, '16m');
warm($ng);
$pg->stop('immediate');
is(status($ng, "t$_"), 202, "row $_ is taken") for 1 .. 9;
kill 'KILL', $ng->worker_pids, $ng->pid;
waitpid $ng->pid, 0;
my ($file) = files($dir, 'spool');
my $text = slurp($file);
my $at = index $text, '"t5"';
substr($text, $at, 4) = '"tX"';
spew($file, $text . substr $text, 0, 60);
$pg->start_again;
$ng = nginx($dir, '16m');
warm($ng);
emptied($dir);
is(count('t'), 8, 'the neighbours of a damaged row and a torn tail are there');
is(count('tX'), 0, 'what was changed is not');
is(scalar(my @damaged = files($dir, 'damaged')), 1, 'their file is kept');
my $broken = qr/\[warn\].*\d+ bytes were no whole rows/;
wait_for('a line of the log', 10, sub { $ng->log =~ $broken });
like($ng->log, $broken, 'the log tells');

# --- the directory goes and comes back
$pg->stop('immediate');
wait_for('it is away', 5, sub { status($ng, 'g1') == 202 });
$pg->start_again;
emptied($dir);
warm($ng);
rename $dir, "$dir.gone";
$pg->stop('immediate');
wait_for('503 without a directory', 5, sub { status($ng, 'lost') == 503 });
like($ng->log, qr/cannot read the directory \(2: /, 'the log tells');
rename "$dir.gone", $dir;
wait_for('202 with it', 5, sub { status($ng, 'g2') == 202 });
$pg->start_again;
wait_for('both are there', 10, sub { count('g1') && count('g2') == 1 });
is(count('lost'), 0, 'a row that got 503 is not');
$ng->quit;
is($ng->alarms, '', 'nothing alarming is in the log');

# --- a slow disk does not hold up the others
SKIP: {
    skip 'another library is preloaded', 4 if $ENV{LEADQ_SANITIZE};
    my $lib = tempdir();
    spew("$lib/slow.c", '#include <time.h>
        int fdatasync(int fd) { struct timespec t = { 0, 300000000 };
        (void) fd; return nanosleep(&t, 0); }');
    is((run('cc', '-shared', '-fPIC', '-o', "$lib/slow.so", "$lib/slow.c"))[0],
        0, 'an fsync of 300 ms is made');
    local $ENV{LD_PRELOAD} = "$lib/slow.so";
    $ng = nginx($dir, '16m');
    delete $ENV{LD_PRELOAD};
    warm($ng);
    $pg->stop('immediate');
    wait_for('it is away', 5, sub { status($ng, 's') == 202 });
    my $load = Load->start(port => $ng->port, path => '/echo',
        connections => 64);
    my @times;
    my $end = time + 3;
    while (time < $end) {
        my $began = time;
        http('GET', $ng->url('/alive'));
        push @times, 1000 * (time - $began);
        sleep 0.005;
    }
    @times = sort { $a <=> $b } @times;
    note(sprintf 'static location: median %.1f ms, 99 %% %.1f ms, most '
        . '%.1f ms', @times[@times / 2, @times * 0.99, -1]);
    cmp_ok($times[@times * 0.99], '<', 100, 'others do not wait for the disk');
    $pg->start_again;
    my $result = $load->stop;
    cmp_ok($result->{status}{202}, '>', 300, 'one fsync serves many rows');
    emptied($dir);
    is_deeply([Load::compare($result, $pg)], [0, 0], 'nothing is lost');
    $ng->quit;
}

done_testing();
