#!/usr/bin/perl

# leadqctl migrate beside others: two runs at once, a run that is killed, a
# table that somebody holds.

use strict;
use warnings;

use File::Path qw(make_path);
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp spew run build_dir wait_for);

my $pg = Leadq::Postgres->start;
my $tmp = tempdir();
my $sql = "$tmp/sql";
make_path(map { "$sql/$_" } qw(migrations functions views));

my @migrate = (build_dir() . '/leadqctl', 'migrate', '-d', $pg->dsn,
    '--sql-dir', $sql);

sub migrate { return run(@migrate, @_) }

# Starts a run in the background: (pid, file of what it prints).
my $logs = 0;

sub start {
    my $log = "$tmp/log" . $logs++;
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', $log or die;
        open STDERR, '>&', \*STDOUT or die;
        exec @migrate or die;
    }
    return ($pid, $log);
}

sub sleepers {
    return $pg->sql(q{select count(*) from pg_stat_activity
        where application_name = 'leadqctl' and wait_event = 'PgSleep'});
}

spew("$sql/bootstrap.sql", slurp('tests/worker/ctl_bootstrap.sql'));
spew("$sql/migrations/0001-a.sql", "create table leadq.a (n int unique);\n");
spew("$sql/grants.sql", "grant usage on schema leadq to public;\n");
is((migrate())[0], 0, 'the schema is installed');

# Two at once: the second waits and finds nothing to do.
spew("$sql/migrations/0002-slow.sql", <<'SQL');
create table leadq.c (n int);
do $$ begin
    for i in 1 .. 3000 loop
        exit when exists (select from pg_locks
            where locktype = 'advisory' and not granted);
        perform pg_sleep(0.01);
    end loop;
end $$;
SQL
my ($first, $first_log) = start();
wait_for('the first run sleeps', 20, sub { sleepers() });
my ($other, $other_log) = start();
waitpid $first, 0;
is($?, 0, 'the first of two runs succeeds');
waitpid $other, 0;
is($?, 0, 'so does the second');
like(slurp($other_log), qr{waiting for another run}, 'which waited');
like(slurp($other_log), qr{nothing to do}, 'and had nothing to do');

# Killed in the middle of a migration.
spew("$sql/migrations/0003-killed.sql", "create table leadq.d (n int);\n"
    . "select pg_sleep(100) where not exists\n"
    . "    (select from leadq.a where n = 7);\n");
my ($killed) = start();
wait_for('the run sleeps', 20, sub { sleepers() });
kill 'KILL', $killed;
waitpid $killed, 0;
wait_for('the server notices', 20, sub { !sleepers() });
is($pg->sql(q{select to_regclass('leadq.d') is null}), 't',
    'a killed run leaves nothing of its migration');
$pg->sql('insert into leadq.a values (7)');
my ($rc, $out) = migrate();
is($rc, 0, 'the next run succeeds') or diag $out;
like($out, qr{^applied migrations/0003-killed\.sql$}m, 'and applies it');

# A lock that somebody holds.
spew("$sql/migrations/0004-lock.sql", "alter table leadq.a add m int;\n");
spew("$tmp/hold.sql", "begin;\nlock table leadq.a;\n\\! "
    . join(' ', map { "'$_'" } @migrate, '--lock-timeout', '50ms')
    . " 2>&1\n");
$out = $pg->sql_file("$tmp/hold.sql");
like($out, qr{0004-lock\.sql:1: ERROR 55P03}, '--lock-timeout ends the wait');
is((migrate())[0], 0, 'the next run succeeds');

done_testing();
