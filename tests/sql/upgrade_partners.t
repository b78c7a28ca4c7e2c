# A base of the release before partners: what was under way goes on with the
# network that knows of it, clicks stay claimed, and one price is agreed.

use strict;
use warnings;

use File::Copy qw(copy);
use Leadq::Postgres;
use Leadq::Test qw(run tempdir build_dir);
use Test::More;

my $pg = Leadq::Postgres->start;
my $dir = tempdir();
mkdir "$dir/$_" for qw(migrations functions views);
copy("sql/$_", "$dir/$_") or die for 'bootstrap.sql',
    'functions/clock.sql', map { s{^sql/}{}r }
    grep { m{/(\d+)-} && $1 < 8 } glob 'sql/migrations/*.sql';
open my $grants, '>', "$dir/grants.sql" or die;
close $grants;

sub migrate {
    my ($rc, $out) = run(build_dir() . '/leadqctl', 'migrate', '-d', $pg->dsn,
        @_);
    is($rc, 0, 'the schema is migrated') or diag $out;
    return;
}

migrate('--sql-dir', "$dir");
$pg->sql(<<'SQL');
insert into leadq.network (name, method, url, statuses)
select n, 'GET', 'http://' || n, '{processed,approved}'
  from unnest(array['old', 'new']) n;
insert into leadq.source (name, network_id, payout, currency, offer_id)
select n, case n when 'none' then null else 2 end, 150, 'RUB', '7'
  from unnest(array['moved', 'young', 'none']) n;
insert into leadq.lead (lead_id, source_id, received_at, click_id, request,
       reports)
select ('00000000-0000-7000-8000-00000000000' || n)::uuid, n, now(), 'c' || n,
       '{}', true
  from generate_series(1, 3) n;
insert into leadq.lead (lead_id, source_id, received_at, click_id, request)
values ('00000000-0000-7000-8000-000000000004', 1, now(), 'c1', '{}');
insert into leadq.click (source_id, click_id, lead_id)
select source_id, click_id, lead_id from leadq.lead where reports;
insert into leadq.postback (lead_id, network_id, status, state, created_at)
values ('00000000-0000-7000-8000-000000000001', 1, 'processed', 'queued',
        now());
SQL
migrate('--sql-dir', 'sql');

is($pg->sql(q(select string_agg(concat_ws(' ', s.name, w.name, p.position,
    p.offer_id, p.payout, p.currency), ', ' order by s.name)
    from leadq.source_partner p join leadq.source s using (source_id)
    join leadq.network w using (network_id))),
    'moved new 1 7 150.00 RUB, young new 1 7 150.00 RUB',
    'a source has the partner that it had');
is($pg->sql(q(select string_agg(concat_ws(' ', right(l.lead_id::text, 1),
    w.name, l.offer_id, l.payout), ', ' order by l.lead_id)
    from leadq.lead l left join leadq.network w using (network_id))),
    '1 old 7 150.00, 2 new 7 150.00, 3 7 150.00, 4',
    'a lead goes on with the network that has heard of it');
is($pg->sql(q(select string_agg(concat_ws(' ', click_id, network_id), ', '
    order by click_id) from leadq.click)), 'c1 1, c2 2',
    'clicks are claimed at their networks');
is($pg->sql(q(select leadq._plan_postbacks(array_agg(lead_id), 'approved')
    from leadq.lead)), '', 'their ends are told');
is($pg->sql(q(select string_agg(concat_ws(' ', right(lead_id::text, 1),
    network_id, status, state), ', ' order by lead_id, status desc)
    from leadq.postback)), '1 1 processed queued, 1 1 approved waiting, '
    . '2 2 approved queued', 'to whom they belong, and in order');

done_testing();
