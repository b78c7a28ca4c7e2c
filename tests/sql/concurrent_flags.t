# Many workers at once take the visits of the same advisors' days, all of which
# look invented: each is taken, each flagged, and nobody waits in a circle.

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run slurp spew tempdir);
use Test::More;

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->sql(<<'SQL');
select leadq.config_import('{"points": [{"name": "mega"}],
 "advisors": [{"name": "a1", "point": "mega"}, {"name": "a2", "point": "mega"},
              {"name": "a3", "point": "mega"}]}');
insert into leadq.visit (visit_id, point_id, advisor_id, day, opened_at, age,
       consent_pd, consent_ads, lang, ended_at, outcome, refusal)
select gen_random_uuid(), point_id, advisor_id, '2026-03-01',
       timestamptz '2026-03-01 23:00+03' + n * interval '9 s', 'sure', false,
       false, 'ru', timestamptz '2026-03-01 23:59+03', 'test', 'phone'
  from leadq.advisor, generate_series(1, 100) n;
select leadq._add_jobs('visit', 0, 'rule', array_agg(visit_id order by md5(
           visit_id::text)), array_agg(ended_at))
  from leadq.visit;
SQL

# Rounds of a few at a time, deadlocks repeated as the worker does.
my $dir = tempdir();
spew("$dir/script.sql", "select leadq.run_rules(7);\n");
my ($rc, $out) = run(Leadq::Postgres::bindir() . '/pgbench', '-n', '-c', 8,
    '-j', 2, '-t', 10, '--max-tries=20', '-f', "$dir/script.sql",
    $pg->dsn(user => 'leadq_worker'));
my ($failed) = $out =~ /number of failed transactions: (\d+)/;
ok($rc == 0 && !$failed, 'eight workers take three hundred visits')
    or diag $out;

is($pg->sql('select count(*) from leadq.job_ready'), 0, 'none is left');
is($pg->sql(q(select count(*) from leadq.job_done where outcome = 'dead')), 0,
    'none has failed');
is($pg->sql(q(select string_agg(concat_ws(' ', rule, n), ', ' order by rule)
    from (select rule, count(*) as n from leadq.visit_flag group by rule) f)),
    'after-hours 300, burst 300, unproved 300', 'every visit has its flags');
unlike(slurp($pg->dir . '/postgres.log'), qr/deadlock detected/,
    'nobody waited in a circle');

done_testing();
