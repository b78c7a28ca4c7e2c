#!/usr/bin/perl

# leadqctl jobs: retry, cancel, pause, resume.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;

sub jobs { return run(build_dir() . '/leadqctl', 'jobs', @_, '-d', $pg->dsn) }

# { id => result }
sub results {
    my (@command) = @_;
    my ($rc, $out) = jobs(@command, '--json');
    return ($rc, { map { $_->{job} => $_->{result} } @{ decode_json($out) } });
}

$pg->sql(<<'SQL');
insert into leadq.job_scheduled
       (run_at, lane, job_id, kind, target, ref, created_at)
select now() + interval '1 day', 2, n * 8 + 2, 'test', 'target:a',
       gen_random_uuid(), now()
  from generate_series(1, 6) n;
insert into leadq.job_ready
       (lane, job_id, kind, target, ref, created_at, lease_until)
values (2, 802, 'test', 'target:b', gen_random_uuid(), now(), null),
       (2, 810, 'test', 'target:b', gen_random_uuid(), now(),
        now() + interval '1 hour');
insert into leadq.job_done
       (done_at, job_id, kind, target, ref, attempt, outcome)
select now(), 8002 + n * 8, 'test', 'target:b', gen_random_uuid(), 3, 'dead'
  from generate_series(1, 3) n;
insert into leadq.job_done
       (done_at, job_id, kind, target, ref, attempt, outcome)
values (now(), 9002, 'test', 'target:b', gen_random_uuid(), 1, 'done');
SQL

# retry
my ($rc, $is) = results('retry', 10, 8010);
is($rc, 0, 'jobs are retried by their ids');
is_deeply($is, { 10 => 'ready', 8010 => 'ready' },
    'a scheduled one comes forward, a dead one back');
is($pg->sql('select count(*) from leadq.job_ready where job_id in (10, 8010)'),
    2, 'both are ready, under their ids');
($rc, $is) = results('retry', 810, 9002, 77);
is($rc, 1, 'what cannot be retried is a failure');
is_deeply($is, { 810 => 'leased', 9002 => 'over', 77 => 'unknown' },
    'and each is told why');
is($pg->sql('select count(*) from leadq.job_dead'), 2,
    'what was brought back is no dead letter any more');
($rc, my $out) = jobs('retry', '--kind', 'test');
is($rc, 2, 'many are not retried without --yes');
is($out, "leadqctl: 2 jobs match; say --yes to retry them\n",
    'but counted');
($rc, $out) = jobs('retry', '--target', 'target:b', '--yes');
is($rc, 0, 'with --yes they are');
like($out, qr/^ready +2$/m, 'and counted');

# cancel
($rc, $is) = results('cancel', 18, 802, 810);
is($rc, 1, 'a job under a lease is not cancelled');
is_deeply($is, { 18 => 'cancelled', 802 => 'cancelled', 810 => 'leased' },
    'the others are');
is($pg->sql(q(select count(*) from leadq.job_attempt
    where outcome = 'cancelled')), 2, 'and that is kept');
($rc, $out) = jobs('cancel', '--target', 'target:a');
is("$rc $out", "2 leadqctl: 5 jobs match; say --yes to cancel them\n",
    'many are counted first');
($rc, $out) = jobs('cancel', '--target', 'target:a', '--yes');
is($rc, 0, 'and then cancelled');
is($pg->sql(q(select count(*) from leadq.job where target = 'target:a')), 0,
    'all of them');

# pause and resume
($rc, $out) = jobs('paused');
is("$rc $out", "0 nothing is paused\n", 'nothing is paused at first');
($rc, $out) = jobs('pause', '--kind', 'test', '--reason', 'they move house');
is($rc, 0, 'a kind is paused');
like($out, qr/^held back now: 3 jobs$/m, 'what waits for it is told');
like($out, qr/^test  every   .{19}  they move house$/m, 'and why');
($rc, $out) = jobs('pause', '--target', 'target:b', '--json');
is(scalar @{ decode_json($out) }, 2, 'a target too');
is(decode_json($out)->[1]{kind}, undef, 'of every kind');
($rc, $out) = jobs('resume', '--kind', 'test');
is($rc, 0, 'a kind is resumed');
unlike($out, qr/they move house/, 'and its pause gone');
like($out, qr/^every  target:b /m, 'not the other one');
($rc, $out) = jobs('resume', '--yes');
like($out, qr/^nothing is paused$/m, 'all at once');

# usage
for my $case (
    [['retry'], qr/jobs retry needs ids, or --kind or --target/],
    [['cancel', 1, '--kind', 'x'], qr/takes ids, or --kind and --target, not/],
    [['retry', 'a1'], qr/"a1" is not the id of a job/],
    [['cancel', '-1'], qr/invalid option/],
    [['pause'], qr/jobs pause needs --kind or --target, or --yes/],
    [['resume'], qr/jobs resume needs --kind or --target, or --yes/],
    [['paused', '--kind', 'x'], qr/jobs paused takes no option --kind/],
) {
    ($rc, $out) = jobs(@{ $case->[0] });
    is($rc, 2, "jobs @{ $case->[0] } is a mistake of usage");
    like($out, $case->[1], 'and is told');
}

# only the owner changes anything
$pg->sql('create role clerk login; grant leadq_read to clerk');
for my $command (['pause', '--kind', 'x'], ['retry', 1], ['cancel', 1]) {
    ($rc, $out) = run(build_dir() . '/leadqctl', 'jobs', @$command, '-d',
        $pg->dsn(user => 'clerk'));
    is($rc, 1, "a reader may not call jobs @$command");
    like($out, qr/42501/, 'and is told');
}

done_testing();
