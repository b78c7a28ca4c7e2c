# Many workers at once hand out letters to the same people: the caps count
# them one after another (V-9).

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir);
use Test::More;

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->sql(<<'SQL');
select leadq.config_import('{
 "templates": [{"name": "t", "lang": "ru", "subject": "s", "text": "t",
                "html": "h"}],
 "limits": {"quiet": [], "caps": [{"count": 2, "per": "1 day"}]},
 "series": [{"name": "s", "steps": [{"template": "t"}]}],
 "sources": [{"name": "cpa", "series": "s", "from_email": "a@b.ru",
              "base_url": "https://b.ru"}],
 "triggers": [{"name": "sale", "event": "shop.sale",
               "action": {"message": "t"}}]}');
select leadq.web_lead(
    (select array_agg(gen_random_uuid()) from generate_series(1, 20)),
    (select array_agg(format('{"source": "cpa", "email": "p%s@x.ru"}', n))
       from generate_series(1, 20) n));
select leadq.run_rules(100);
select leadq._confirm(m.message_id, '192.0.2.1', 'test')
  from leadq.message m;
delete from leadq.job_ready where lane > 0;
insert into leadq.mail_domain (domain, state, asked_at, fresh_until)
values ('x.ru', 'good', now(), now() + interval '1 day');
SQL

# Runs a script by many clients, deadlocks repeated as the worker does.
my $dir = tempdir();
sub crowd {
    my ($what, $clients, $times, $sql, $user) = @_;

    spew("$dir/script.sql", $sql);
    my ($rc, $out) = run(Leadq::Postgres::bindir() . '/pgbench', '-n', '-c',
        $clients, '-j', 2, '-t', $times, '--max-tries=20', '-f',
        "$dir/script.sql", $pg->dsn(user => $user));
    my ($failed) = $out =~ /number of failed transactions: (\d+)/;
    ok($rc == 0 && !$failed, $what) or diag($out);
    return;
}

# Ids of the posts are made of a few numbers: most are repeats.
crowd('eight clients post the same hundred events', 8, 40, <<'SQL',
\set n random(1, 100)
\set m random(1, 100)
select * from leadq.web_event(
    array[lpad(:n::text, 32, '0')::uuid, lpad(:m::text, 32, '0')::uuid],
    array['{"event": "shop.sale", "email": "p' || :n % 20 + 1 || '@x.ru"}',
          '{"event": "shop.sale", "email": "p' || :m % 20 + 1 || '@x.ru"}']);
SQL
    'leadq_web');
my $posted = $pg->sql('select count(*) from leadq.posted');
cmp_ok($posted, '>', 90, 'most of them were posted');
is($pg->sql(q(select count(*) from leadq.event where kind = 'shop.sale')),
    $posted, 'each is one event');

crowd('six workers run the rules', 6, 40, 'select leadq.run_rules(3);',
    'leadq_worker');
is($pg->sql('select count(*) from leadq.event_due'), 0, 'none is left');
is($pg->sql('select count(*) from leadq.fired'), $posted,
    'each fired its trigger once');

crowd('eight workers claim and settle letters', 8, 30, <<'SQL', 'leadq_worker');
select coalesce(array_agg(job_id), '{}') as jobs,
       coalesce(array_agg(token), '{}') as tokens
  from leadq.claim_jobs('w', '{bulk}', '{5}', '{0}', 60) \gset
select count(*) from leadq.settle_jobs(':jobs', ':tokens',
    array_fill('done'::text, array[cardinality(':jobs'::bigint[])]),
    array_fill('{}'::text, array[cardinality(':jobs'::bigint[])]));
SQL
is($pg->sql(q(select string_agg(distinct n::text, ',') from (
    select count(*) filter (where m.state = 'sent') as n
      from leadq.message m where m.occasion > 0 group by m.contact_id) x)),
    2, 'everybody got two letters, as the cap says');
is($pg->sql(q(select count(*) from leadq.message where occasion > 0)),
    $posted, 'no letter is lost');
is($pg->sql(q(select count(*) from leadq.message m
    left join leadq.job_scheduled j on j.ref = m.message_id
    where m.state = 'planned' and (j.ref is null or j.run_at <> m.due_at
       or j.run_at < leadq.now() + interval '23 hours'))), 0,
    'the others wait for the next day');

done_testing();
