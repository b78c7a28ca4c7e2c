#!/usr/bin/perl

# Four workers, 50,000 jobs, networks that fail in every way they know: a
# worker is killed every second, PostgreSQL is restarted as by a power cut
# three times and fails over to its standby once.  Every job ends, done or
# dead, and is settled once; the networks hear of each under one key, and
# twice only where a worker or the database was lost between the two.

use strict;
use warnings;

use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Leadq::Postgres;
use Leadq::Test qw(http wait_for);
use Leadq::Worker;

my $JOBS = $ENV{LEADQ_CHAOS_JOBS} || 50_000;
my $LEADS = $JOBS / 2;    # each has "processed" and "rejected"
my $WORKERS = 4;
my $INFLIGHT = 200;
my @ADDRESSES = map { "127.0.0.$_" } 1 .. 8;

# --- the networks, two clusters, the leads ------------------------------------

pipe my $in, my $stdin or die "pipe: $!\n";
pipe my $out, my $child_out or die "pipe: $!\n";
my $target = fork;
defined $target or die "fork: $!\n";
if ($target == 0) {
    open STDIN, '<&', $in;
    open STDOUT, '>&', $child_out;
    exec 'node', 'tests/lib/target.js', '--addresses', join(',', @ADDRESSES),
        '--seed', 7 or POSIX::_exit(127);
}
close $in;
close $child_out;
my $port = JSON::PP::decode_json(scalar <$out>)->{port};

my %conf = (conf => { wal_retrieve_retry_interval => '200ms' });
my $pg = Leadq::Postgres->start(%conf);
$pg->migrate;
my $other = $pg->standby(%conf);

for my $n (1 .. @ADDRESSES) {
    my $url = "http://$ADDRESSES[$n - 1]:$port/postback"
        . '?click_id={click_id}&status={status}';
    $pg->sql("with n as (insert into leadq.network (name, method, url, statuses,
        ports) values ('n$n', 'GET', '$url', '{processed,rejected}', '{$port}')
        returning network_id),
        s as (insert into leadq.source (name) values ('s$n')
        returning source_id)
        insert into leadq.source_partner (source_id, position, network_id)
        select source_id, 1, network_id from n, s");
}
$pg->sql(sprintf q(select count(*) from generate_series(0, %d) c,
    lateral (select array_agg(gen_random_uuid()) as ids,
        array_agg(format('{"source":"s%%s","click_id":"c%%s"}', n %% %d + 1, n))
        as requests from generate_series(c * 500 + 1, c * 500 + 500) n) b,
    lateral leadq.web_lead(b.ids, b.requests)), $LEADS / 500 - 1,
    scalar @ADDRESSES);

# --- what goes wrong ----------------------------------------------------------

my ($hosts, $ports) = map { my $what = $_;
    join ',', map { $_->dsn =~ /\b$what=(\S+)/ } $pg, $other } qw(host port);
my @workers = map { Leadq::Worker->start(conf => {
    database => "host=$hosts port=$ports dbname=leadq user=leadq_worker "
        . 'target_session_attrs=read-write connect_timeout=2',
    lease => '6s', poll => '200ms', max_inflight => $INFLIGHT,
    log_level => 'warn',
}) } 1 .. $WORKERS;

my %losses = (worker => 0, restart => 0, failover => 0);

sub restart {
    $pg->restart('immediate');
    return $losses{restart}++;
}

sub failover {
    $pg->kill9;
    $other->promote;
    $pg = $other;
    return $losses{failover}++;
}

my @plan = ([0.15, \&restart], [0.3, \&restart], [0.45, \&restart],
    [0.65, \&failover]);

# Retries wait in a time that passes when nothing else is to do.
sub pass_time {
    $pg->sql(q(select leadq.shift_time(max(run_at) - leadq.now()
        + interval '1 s') from leadq.job
        where state = 'scheduled' and run_at < leadq.now() + interval '2 days'
        having count(*) > 0 and not exists (select from leadq.job
            where state in ('ready', 'leased'))));
    return;
}

my ($ended, $killed_at, $passed_at) = (0, time, time);
wait_for('every job has ended', 300, sub {
    if (time - $killed_at > 1 && $ended < $JOBS) {
        my $worker = $workers[rand @workers];
        $worker->kill9;
        $worker->start_again;
        $losses{worker}++;
        $killed_at = time;
    }
    $ended = $pg->sql(q(select count(*) from leadq.job_done
        where kind = 'postback' and outcome in ('done', 'dead')));
    if (@plan && $ended >= $plan[0][0] * $JOBS) {
        (shift @plan)->[1]->();
    } elsif (time - $passed_at > 1) {
        pass_time();
        $passed_at = time;
    }
    sleep 0.1;
    return $ended >= $JOBS;
});
is(scalar @plan, 0, 'all that was to go wrong went wrong');

# --- what became of it --------------------------------------------------------

is($pg->sql(q(select count(*) from leadq.job where kind = 'postback')), 0,
    'no job is left');
is($pg->sql(q(select count(*) || ' ' || count(distinct ref)
    from leadq.job_done where kind = 'postback'
    and outcome in ('done', 'dead'))), "$JOBS $JOBS",
    'every job is settled once, done or dead');
is($pg->sql(q(select string_agg(distinct j.detail ->> 'http', ',')
    from leadq.job_done j where outcome = 'dead')), '404',
    'dead are those that a network refused');

# A job whose attempts are not all written down was under way when its worker
# or the database was lost.  An answer may also come too late to be heard.
my %lost = map { $_ => 1 } split /\n/, $pg->sql(q(
    select ref from leadq.job_done where kind = 'postback'
     group by ref having count(*) < max(attempt)));
my %unheard = map { $_ => 1 } split /\n/, $pg->sql(q(
    select ref from leadq.job_done where kind = 'postback'
       and detail ->> 'reason' = 'timeout'));

my (%heard, %first, %taken, @strays);
my ($requests, $repeats) = (0, 0);
my $report = http('GET', "http://$ADDRESSES[0]:$port/report");
for my $line (split /\n/, $report->{content}) {
    my ($key, $click, $status, $asked, $taken, $first, $at) = split / /, $line;
    $heard{"$click $status"}++;
    $first{"$click $status"} = $first;
    $taken{"$click $status"} = $at;
    $requests += $asked;
    if ($taken > 1) {
        $repeats++;
        push @strays, $key if !$lost{$key} && !$unheard{$key};
    }
}
is(scalar(keys %heard), $JOBS, 'the networks heard of every job');
is(scalar(grep { $_ != 1 } values %heard), 0, 'and of each under one key');
is(scalar(grep { /(.*) rejected/ && $taken{"$1 processed"}
    && $taken{"$1 processed"} > $first{$_} } keys %first), 0,
    'nobody heard a final status before having taken "processed"');
is("@strays", '', 'heard twice is only what was under way at a loss, or '
    . 'whose answer came too late');
cmp_ok($repeats, '<=', $INFLIGHT * $losses{worker}
    + $WORKERS * $INFLIGHT * ($losses{restart} + $losses{failover}),
    'and no more than could be under way');
diag(sprintf '%d jobs, %d requests; lost: %s; under way at a loss: %d, '
    . 'taken twice: %d (%.2f %%)', $JOBS, $requests,
    join(', ', map { "$losses{$_} $_" } sort keys %losses),
    scalar keys %lost, $repeats, 100 * $repeats / $JOBS);

is(join('', grep { !/^<4>/ } map { split /^/, $_->log } @workers), '',
    'no worker needs a person');
is(join(' ', map { $_->term } @workers), join(' ', (0) x $WORKERS),
    'every worker ends well');
close $stdin;
waitpid $target, 0;

done_testing();
