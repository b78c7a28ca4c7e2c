#!/usr/bin/perl

# leadqctl migrate: what is applied, when, and in whose name.

use strict;
use warnings;

use File::Path qw(make_path);
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp spew run build_dir);

my $pg = Leadq::Postgres->start;
my $tmp = tempdir();
my $sql = "$tmp/sql";
make_path(map { "$sql/$_" } qw(migrations functions views));

sub migrate {
    my (@more) = @_;
    return run(build_dir() . '/leadqctl', 'migrate', '-d', $pg->dsn,
        '--sql-dir', $sql, @more);
}

spew("$sql/bootstrap.sql", slurp('tests/worker/ctl_bootstrap.sql'));
spew("$sql/migrations/0001-clock.sql", <<'SQL');
create table leadq.clock (test boolean not null);
insert into leadq.clock values (false);
SQL
spew("$sql/migrations/0002-item.sql", "create table leadq.item (n int);\n");
spew("$sql/migrations/README", "not sql\n");
# first() calls second(), which comes after it, and reads a view.
spew("$sql/functions/a.sql", <<'SQL');
create or replace function leadq.first() returns int language sql
as 'select leadq.second() + (select count(*)::int from leadq.items)';
SQL
spew("$sql/functions/b.sql", <<'SQL');
create or replace function leadq.second() returns int language sql
as 'select 40';
SQL
spew("$sql/views/items.sql",
    "create or replace view leadq.items as select n from leadq.item;\n");
spew("$sql/grants.sql", "grant usage on schema leadq to public;\n");

my ($rc, $out) = migrate('--dry-run');
is($rc, 0, 'a dry run before the first one succeeds');
like($out, qr{^would apply migrations/0001-clock\.sql$}m,
    'and names what it would apply');
is($pg->sql(q{select to_regnamespace('leadq') is null}), 't',
    'and changes nothing');

($rc, $out) = migrate();
is($rc, 0, 'the first run succeeds') or diag $out;
is($out, <<'OUT', 'and tells what it applied, in order');
applied bootstrap.sql
applied migrations/0001-clock.sql
applied migrations/0002-item.sql
applied functions/a.sql
applied functions/b.sql
applied views/items.sql
applied grants.sql
schema leadq: migrations: 2 applied; code: 4 files
OUT
is($pg->sql('select leadq.first()'), 40,
    'functions may call what comes later');
is($pg->sql(q{select string_agg(distinct r.rolname, ' ') from pg_class c
    join pg_roles r on r.oid = c.relowner
    where c.relnamespace = 'leadq'::regnamespace}), 'leadq_owner',
    'everything belongs to the owner role');
is($pg->sql('select name, sha256 from leadq.migration order by name limit 1'),
    '0001-clock.sql|' . (split ' ', `sha256sum $sql/migrations/0001-clock.sql`)[0],
    'the checksum is the one of the file');

spew("$sql/functions/b.sql", <<'SQL');
create or replace function leadq.second() returns int language sql
as 'select 41';
SQL
($rc, $out) = migrate();
is($rc, 0, 'the second run succeeds');
like($out, qr{migrations: nothing to do; code: 4 files$},
    'and has no migrations to do');
is($pg->sql('select leadq.first()'), 41, 'and applies the code again');

spew("$sql/migrations/0003-more.sql", "create table leadq.more (n int);\n");
($rc, $out) = migrate();
like($out, qr{^applied migrations/0003-more\.sql$}m,
    'a later migration is applied');
unlike($out, qr{0001}, 'alone');

($rc, $out) = migrate('--schema', 'brand');
is($rc, 0, 'a second schema is installed beside the first') or diag $out;
is($pg->sql('insert into brand.item values (1); select brand.first()'), 42,
    'it has tables and code of its own');
is($pg->sql('select count(*) from leadq.item'), 0,
    'the first one is untouched');
is($pg->sql(q{select count(*) from pg_roles where rolname = 'brand_owner'}),
    1, 'it has roles of its own');

is($pg->sql('select test from leadq.clock'), 'f', 'no test database yet');
($rc, $out) = migrate('--test-database');
is($pg->sql('select test from leadq.clock'), 't',
    '--test-database makes it one');
is($pg->sql('select test from brand.clock'), 'f', 'and no other');

# A role that may create roles and schemas is enough.
$pg->sql('create role deployer login createrole;
    grant create on database leadq to deployer');
($rc, $out) = run(build_dir() . '/leadqctl', 'migrate', '-d',
    $pg->dsn(user => 'deployer'), '--sql-dir', $sql, '--schema', 'third');
is($rc, 1, 'a role outside the owner role cannot become it');
like($out, qr/ERROR 42501/, 'and is told so');

$ENV{LEADQ_DATABASE} = $pg->dsn;
$ENV{LEADQ_SQL_DIR} = $sql;
($rc, $out) = run(build_dir() . '/leadqctl', 'migrate', '--dry-run');
is($rc, 0, 'database and directory may come from the environment');

done_testing();
