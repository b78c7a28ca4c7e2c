# Many sessions at once: phones first, e-mails later, everywhere the same
# people; the operator withdraws meanwhile.  Nothing that was said is lost.

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir);
use Test::More;

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $dir = tempdir();
$pg->sql(q(select leadq.config_import('{"sources": [{"name": "till"}]}')));

# Deadlocks are repeated, as the worker does.
spew("$dir/lead.sql", <<'SQL');
\set n random(1, 60)
\set e random(0, 2)
select * from leadq.web_lead(array[gen_random_uuid()], array[
    case when :e = 0
    then '{"source": "till", "email": "p:n@x.ru", "phone": "+7916000:n",
           "consent_pd": true, "consent_ads": true}'
    else '{"source": "till", "phone": "+7916000:n", "consent_pd": true}'
    end]);
SQL
spew("$dir/rules.sql", "select leadq.run_rules(3);\n");
spew("$dir/withdraw.sql", <<'SQL');
\set n random(1, 60)
select leadq.contact_withdraw('phone', '+7916000' || :n, 'pd_processing')
 where leadq._contact_of('phone', '+7916000' || :n) is not null;
SQL
my ($rc, $out) = run(Leadq::Postgres::bindir() . '/pgbench', '-n', '-c', 12,
    '-j', 2, '-t', 60, '--max-tries=50', '-f', "$dir/lead.sql\@5", '-f',
    "$dir/rules.sql\@3", '-f', "$dir/withdraw.sql\@1", $pg->dsn);
my ($failed) = $out =~ /number of failed transactions: (\d+)/;
ok($rc == 0 && !$failed, 'leads come, rules run, people withdraw')
    or diag($out);
$pg->sql('select leadq.run_rules(1000)');

my $leads = $pg->sql('select count(*) from leadq.lead');
cmp_ok($leads, '>', 200, 'there were many');
is($pg->sql(q(select count(*) from leadq.job_done where outcome = 'dead')), 0,
    'no rule failed');
cmp_ok($pg->sql('select count(*) from leadq.contact
    where merged_into is not null'), '>', 5, 'contacts were merged');
is($pg->sql(q(select count(*) from leadq.address a join leadq.contact c
    using (contact_id) where c.merged_into is not null)), 0,
    'no address is left behind');
is($pg->sql(q(select count(*) from leadq.lead l join leadq.contact c
    using (contact_id) where c.merged_into is not null)), 0, 'no lead');
is($pg->sql(q(select count(*) from (select phone from leadq.lead
    group by phone having count(distinct contact_id) > 1) x)), 0,
    'a person is one contact');
is($pg->sql(q(select count(*) from leadq.consent c join leadq.lead l
    using (lead_id) where c.purpose = 'pd_processing'
    and c.contact_id = l.contact_id)), $leads,
    'who has the lead has its consent, once');
is($pg->sql(q(select count(*) from leadq.consent c join leadq.contact o
    using (contact_id) where o.merged_into is not null and not exists (
    select from leadq.consent k where k.contact_id = o.merged_into
    and k.copied_from = coalesce(c.copied_from, c.consent_id)))), 0,
    'every consent came along, withdrawals too');
is($pg->sql(q(select count(*) from leadq.contact c,
    leadq.consent_breaks(c.contact_id))), 0, 'and every chain holds');

done_testing();
