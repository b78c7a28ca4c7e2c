# Many sessions at once: the same person from everywhere, rules shared by
# several workers, the button pressed by twenty hands (W-19, A-15).

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir);
use Test::More;

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $dir = tempdir();
$pg->sql(<<'SQL');
select leadq.config_import('{
 "templates": [{"name": "t", "lang": "ru", "subject": "s", "text": "t",
                "html": "h"}],
 "series": [{"name": "s", "steps": [{"template": "t"},
                                    {"template": "t", "delay": "2 days"}]}],
 "networks": [{"name": "n", "url": "http://n/{click_id}"}],
 "sources": [{"name": "cpa", "network": "n", "series": "s",
              "from_email": "a@b.ru", "base_url": "https://b.ru"}]}');
SQL

# Runs a script by many clients, deadlocks repeated as the worker does.
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

crowd('sixteen clients send leads of the same forty people', 16, 25, <<'SQL',
\set n random(1, 40)
\set m random(1, 40)
select * from leadq.web_lead(array[gen_random_uuid(), gen_random_uuid()],
    array['{"source": "cpa", "email": "p:n@x.ru", "phone": "+7916000:m",
            "click_id": "' || gen_random_uuid() || '"}',
          '{"source": "cpa", "email": "p:m@x.ru", "phone": "+7916000:n",
            "click_id": "' || gen_random_uuid() || '"}']);
SQL
    'leadq_web');
is($pg->sql('select count(*) from leadq.lead'), 800, 'all are stored');

crowd('eight workers run the rules', 8, 60, 'select leadq.run_rules(3);',
    'leadq_worker');
is($pg->sql(q(select count(*) from leadq.lead where state = 'received')), 0,
    'no lead is left');
is($pg->sql(q(select count(*) from leadq.job_done where outcome = 'dead')), 0,
    'no rule failed');
is($pg->sql(q(select count(*) from leadq.address where channel = 'email')),
    40, 'W-19: forty people are forty contacts');
is($pg->sql(q(select count(*) from leadq.address a where channel = 'phone'
    and not exists (select from leadq.contact c
                     where c.contact_id = a.contact_id))), 0,
    'and every phone has its contact');
is($pg->sql(q(select count(*) from (select email from leadq.lead
    where state = 'pending' group by email having count(*) = 1) x)), 40,
    'one lead of each is worth money');
is($pg->sql(q(select string_agg(distinct state || ' ' || coalesce(reason, ''),
    ',' order by state || ' ' || coalesce(reason, '')) from leadq.lead)),
    'pending ,rejected duplicate', 'the others are duplicates');
is($pg->sql('select count(*) from leadq.message'), 40, 'one letter each');

crowd('twenty hands press the same buttons while letters settle', 20, 40,
    <<'SQL', 'postgres');
\set n random(1, 40)
select leadq._confirm(m.message_id, '192.0.2.1', 'test')
  from leadq.message m join leadq.enrolment e using (enrolment_id)
 where e.email = 'p:n@x.ru' and m.step = 1;
with c as materialized (
    select * from leadq.claim_jobs('w', '{service}', '{3}', '{0}', 60)
)
select count(s.*) from leadq.settle_jobs((select array_agg(job_id) from c),
    (select array_agg(token) from c),
    (select array_agg('done'::text) from c),
    (select array_agg('{}'::text) from c)) s;
SQL
my $confirmed = $pg->sql(q(select count(*) from leadq.address
    where state = 'confirmed'));
cmp_ok($confirmed, '>=', 35, 'people have confirmed');
is($pg->sql(q(select count(*) from leadq.lead where state = 'approved')),
    $confirmed, 'each one lead is approved');
is($pg->sql(q(select count(*) from leadq.consent where purpose = 'ads'
    and action = 'given')), $confirmed, 'each consent is written down once');
is($pg->sql(q(select count(*) from leadq.lead l join leadq.address a
    on a.value = l.email where a.state = 'confirmed'
    and l.state = 'pending')), 0, 'nobody is forgotten');
is($pg->sql(q(select count(*) from leadq.postback f join leadq.postback p
    on p.lead_id = f.lead_id and p.status = 'processed'
    where f.status <> 'processed' and (f.state = 'waiting')
          is distinct from (p.state = 'queued'))), 0,
    'a final status waits exactly while processed is on its way');

done_testing();
