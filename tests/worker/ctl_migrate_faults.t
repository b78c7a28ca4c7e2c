#!/usr/bin/perl

# leadqctl migrate when a file is wrong: errors name file and line, apply
# nothing of their file, and a later run goes on from there.

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

my @migrate = (build_dir() . '/leadqctl', 'migrate', '-d', $pg->dsn,
    '--sql-dir', $sql);

sub migrate { return run(@migrate, @_) }

spew("$sql/bootstrap.sql", slurp('tests/worker/ctl_bootstrap.sql'));
spew("$sql/migrations/0001-a.sql", "create table leadq.a (n int unique);\n");
spew("$sql/grants.sql", "grant usage on schema leadq to public;\n");
is((migrate())[0], 0, 'the schema is installed');

# The line where the server stumbles, or else where the statement begins.
my $second = "$sql/migrations/0002-b.sql";
for my $case (
    ['a syntax error', "-- ёж\ncreate table leadq.b (n int);\n\nselekt 1;\n",
        4, '42601', 'syntax error at or near "selekt"'],
    ['an unknown column', "select 'ёёё',\n    nope\nfrom leadq.a;\n",
        2, '42703', 'column "nope" does not exist'],
    ['an error at run time',
        "create table leadq.b (n int);\n-- ;\n\ninsert into leadq.b\n"
        . "select 1 / 0;\n", 4, '22012', 'division by zero'],
    ['a table that is there',
        "select ';';\ncreate table leadq.b (n int);\ncreate table leadq.a ();",
        3, '42P07', 'relation "a" already exists'],
) {
    my ($what, $text, $line, $state, $message) = @$case;
    spew($second, $text);
    my ($rc, $out) = migrate();
    is($rc, 1, "$what ends the run");
    like($out, qr{^\Q$second\E:$line: ERROR $state: \Q$message\E$}m,
        "$what: file, line and reason") or diag $out;
    is($pg->sql(q{select to_regclass('leadq.b') is null}), 't',
        "$what: nothing of the file is applied");
}

spew($second, q{insert into leadq.a values (1);
insert into leadq.a values (1);});
unlike((migrate())[1], qr/Key \(n\)/,
    'values of rows are not printed, they may be personal');
spew($second, 'copy leadq.a from stdin;');
like((migrate())[1], qr{0002-b\.sql:1: copy from}, 'copy is refused');
spew($second, "create table leadq.b (n int);\ncommit;\n");
like((migrate())[1], qr{must not end the transaction},
    'ending the transaction is refused');
$pg->sql('drop table leadq.b');

# Functions, views and grants are one transaction.
spew($second, "create table leadq.b (n int);\n");
spew("$sql/functions/f.sql", "create or replace function leadq.f()\n"
    . "returns int language sql as \$\$\n    select n from\n    leadq.nope\n"
    . "\$\$;\n");
my ($rc, $out) = migrate();
is($rc, 1, 'a function with a bad body ends the run');
like($out, qr{functions/f\.sql:4: ERROR 42P01: relation "leadq.nope"},
    'and is told with the line of the body') or diag $out;
like($out, qr{^applied migrations/0002-b\.sql$}m,
    'migrations before it stay applied');
is($pg->sql(q{select to_regproc('leadq.f') is null}), 't',
    'no function is left behind');
spew("$sql/functions/f.sql", "create or replace function leadq.f()\n"
    . "returns int language sql as 'select 1';\n");
like((migrate())[1], qr{nothing to do}, 'a later run goes on from there');

# What was applied is never changed.
spew($second, "create table leadq.b (n bigint);\n");
($rc, $out) = migrate();
is($rc, 1, 'a changed migration is refused');
like($out, qr{0002-b\.sql: has changed since it was applied},
    'with its name');
unlike($out, qr{grants}, 'before anything else');
rename $second, "$second.old";
($rc, $out) = migrate();
is($rc, 1, 'an older release is refused');
like($out, qr{0002-b\.sql: was applied .* older release\?}, 'with the name');
spew($second, "create table leadq.b (n int);\n");

done_testing();
