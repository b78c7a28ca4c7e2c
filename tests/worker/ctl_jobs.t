#!/usr/bin/perl

# leadqctl jobs: what is there to be seen of jobs.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$ENV{PGTZ} = 'UTC';

sub jobs { return run(build_dir() . '/leadqctl', 'jobs', @_, '-d', $pg->dsn) }

sub rows {
    my ($rc, $out) = jobs(@_, '--json');
    is($rc, 0, "jobs @_ succeeds");
    return decode_json($out);
}

my $ref = 'gen_random_uuid()';
$pg->sql(<<"SQL");
insert into leadq.job_scheduled
       (run_at, lane, job_id, kind, target, ref, created_at)
select now() + make_interval(hours => n), 2, n * 8 + 2,
       case n % 2 when 0 then 'letter' else 'postback' end,
       case n % 2 when 0 then 'smtp' else 'network:' || repeat('n', 55) end,
       $ref, now()
  from generate_series(1, 60) n;
insert into leadq.job_ready
       (lane, job_id, kind, target, ref, created_at, lease_until,
        lease_worker)
values (1, 8001, 'code', 'sms', $ref, now(), null, null),
       (3, 8003, 'letter', 'smtp', $ref, now(), now() + interval '1 h', 'w:1');
insert into leadq.job_done
       (done_at, job_id, kind, target, ref, attempt, outcome, detail)
select now() - make_interval(mins => 10 - n), 8010, 'postback',
       'network:x', '00000000-0000-7000-8000-000000000001', n,
       case n when 3 then 'dead' else 'retry' end,
       jsonb_build_object('ms', n * 10, 'http', 500 + n, 'reason', 'status',
           'reply', E'<anna\@brand.ru> or +7 (999) 123-45-67\\x1b[31m: no')
  from generate_series(1, 3) n;
insert into leadq.job_done
       (done_at, job_id, kind, target, ref, attempt, outcome, detail)
values (now(), 8018, 'letter', 'smtp', $ref, 1, 'dead',
        '{"smtp": 550, "code": "5.1.1", "class": "hard", "ms": 5}');
SQL

# list
my ($rc, $out) = jobs('list');
is($rc, 0, 'jobs are listed');
my @lines = split /\n/, $out;
is(scalar @lines, 51, 'fifty and a header');
like($lines[0], qr/^ +job  state +lane +kind +target +try  due$/, 'columns');
ok(!grep({ length > 80 } @lines), 'eighty columns suffice');
is(scalar @{ rows('list', '--limit', 3) }, 3, 'as many as asked for');
is(scalar @{ rows('list', '--limit', 1000) }, 62, 'or all');
my ($job) = @{ rows('list', '--lane', 'realtime') };
is($job->{job_id}, 8001, 'of a lane');
is($job->{state}, 'ready', 'with its state');
is($job->{lease_until}, undef, 'what is not there is null');
($job) = @{ rows('list', '--state', 'leased') };
is("$job->{job_id} $job->{lease_worker}", '8003 w:1', 'in a state');
is(scalar @{ rows('list', '--kind', 'letter', '--limit', 1000) }, 31,
    'of a kind');
is(scalar @{ rows('list', '--kind', 'letter', '--target', 'smtp', '--state',
    'scheduled', '--limit', 7) }, 7, 'of all of these');
is_deeply(rows('list', '--kind', 'none'), [], 'or none');
for my $case (
    [['--limit', '0'], qr/--limit "0" is not a number 1\.\.10000/],
    [['--limit', '5x'], qr/--limit "5x" is not/],
    [['--lane', 'fast'], qr/there is no lane "fast"/],
    [['--state', 'done'], qr/there is no state "done"/],
) {
    ($rc, $out) = jobs('list', @{ $case->[0] });
    is($rc, 2, "@{ $case->[0] } is a mistake of usage");
    like($out, $case->[1], 'and is told');
}

# show
($rc, $out) = jobs('show', 8010);
is($rc, 0, 'a job is shown');
like($out, qr/^state +dead$/m, 'what became of it');
like($out, qr/^ +1  .* 501  10  status  <\*\*\*> or \+\*\*\*\?\[31m: no$/m,
    'each attempt, without addresses and control characters');
like($out, qr/^ +3  .* dead +503  30 /m, 'the last one too');
my $story = rows('show', 8010);
is(scalar @{ $story->{attempts} }, 3, 'programs get all attempts');
is($story->{attempts}[2]{status}, 503, 'with numbers');
unlike($out . JSON::PP::encode_json($story), qr/anna|999/, 'but no address');
($rc, $out) = jobs('show', 8001);
like($out, qr/^no attempt has ended$/m, 'a job that was not tried yet');
($rc, $out) = jobs('show', 9);
is("$rc $out", "1 leadqctl: there is no job 9\n", 'an unknown job');
($rc, $out) = jobs('show', '8x');
is("$rc $out", "2 leadqctl: \"8x\" is not the id of a job\n", 'no id');

# dead
($rc, $out) = jobs('dead');
is($rc, 0, 'dead letters are listed');
like($out, qr/^ +1  letter +hard$/m, 'by reason');
like($out, qr/^8010  postback  network:x +3  -\d+[sm] +503  status$/m,
    'and one by one');
is(rows('dead', '--kind', 'letter')->{jobs}[0]{job_id}, 8018, 'of a kind');
is(scalar @{ rows('dead')->{reasons} }, 2, 'programs get reasons');
($rc, $out) = jobs('dead', '--target', 'nobody');
is("$rc $out", "0 no dead letters\n", 'or none');

# who may read the views may look
$pg->sql('create role clerk login; grant leadq_read to clerk');
for my $command (['list'], ['dead'], ['show', 8010]) {
    ($rc) = run(build_dir() . '/leadqctl', 'jobs', @$command, '-d',
        $pg->dsn(user => 'clerk'));
    is($rc, 0, "a reader may call jobs @$command");
}

done_testing();
