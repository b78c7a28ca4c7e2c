#!/usr/bin/perl

# Invented data (A-14, W-26): advisors who make visits up are flagged on the
# same day, honest ones are not, though they make mistakes, too.

use strict;
use warnings;

use FindBin;
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $DAYS = 12;

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->sql_file("$FindBin::Bin/invented.sql");

$pg->sql('select setseed(0.19)');

# Day by day: at its end everything that the day's visits say is said.
my $first = $pg->sql('select leadq.now()::date + 1');
for my $n (0 .. $DAYS - 1) {
    $pg->sql("select leadq.shift_time(((date '$first' + $n + 1)::timestamp"
        . " at time zone 'Europe/Moscow') - leadq.now())");
    $pg->sql("select sim.day(date '$first' + $n)");
    $pg->sql("select leadq._flag_visits(array(select visit_id from"
        . " leadq.visit where day = date '$first' + $n))");
}

my %seen;
for (split /\n/, $pg->sql(q(
    select s.kind, count(*), count(*) filter (where c.shown),
           round(avg(c.score), 1), min(c.score), max(c.score),
           round(avg(c.visits))
      from sim.staff s join leadq.advisor_score c on c.advisor = s.name
     group by 1 order by 1))) {
    my ($kind, $days, $shown, $mean, $least, $most, $visits) = split /\|/;
    $seen{$kind} = [$days, $shown];
    diag(sprintf '%-14s %3d days of %2d visits, %3d shown (%5.1f %%), score'
        . ' %4.1f, from %4.1f to %4.1f', $kind, $days, $visits, $shown,
        100 * $shown / $days, $mean, $least, $most);
}

my ($days, $shown) = @{ delete $seen{honest} };
cmp_ok($days, '>=', 200, 'honest days are many');
cmp_ok($shown, '<=', 0.01 * $days, 'at most one of a hundred is shown');
is(scalar keys %seen, 6, 'data are invented in six ways');
for my $kind (sort keys %seen) {
    is("@{ $seen{$kind} }", "$DAYS $DAYS", "$kind: seen on each same day");
}
is($pg->sql(q(
    select string_agg(r.name, ' ' order by r.name)
      from leadq.visit_rule r
     where r.name <> 'score'
       and not exists (select from leadq.visit_flag f
                        where f.rule = r.name))), 'one-device',
    'every rule but that of shared tablets has found something');

# Threat 19: as he goes on, not at night.
$pg->sql("select leadq.shift_time('1 day')");
my $within;
for my $n (1 .. 25) {
    $pg->sql("select sim.visit('a1', date '$first' + $DAYS, 620 + 20 * $n,"
        . ' sim.phone(), null)');
    $pg->sql("select leadq._flag_visits(array(select visit_id from leadq.visit"
        . " where day = date '$first' + $DAYS order by opened_at desc limit"
        . ' 1))');
    if ($pg->sql("select shown from leadq.advisor_score where advisor = 'a1'"
        . " and day = date '$first' + $DAYS") eq 't') {
        $within = $n;
        last;
    }
}
is($within, 20, 'who invents numbers is shown within twenty of them');

# The same flags once more, and those of the share gone with the share.
my $flags = 'select count(*), min(at) from leadq.visit_flag';
my $before = $pg->sql($flags);
$pg->sql('select leadq._flag_visits(array(select visit_id from leadq.visit))');
is($pg->sql($flags), $before, 'a repeat changes nothing');
$pg->sql("select sim.visit('a1', date '$first' + $DAYS, 1100 + $_, sim.phone(),"
    . ' 1)') for map { 6 * $_ } 1 .. 20;
$pg->sql("select leadq._flag_visits(array(select visit_id from leadq.visit"
    . " where day = date '$first' + $DAYS))");
is($pg->sql(q(select count(*) from leadq.visit_flag where rule in
    ('unproved', 'unverified') and day = (select max(day) from leadq.visit))),
    0, 'a share that fell takes its flags with it');

done_testing();
