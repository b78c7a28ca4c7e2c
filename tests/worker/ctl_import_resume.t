#!/usr/bin/perl

# leadqctl import is killed, loses its database, is told to stop: whatever
# happens, the same command goes on, and every lead is there once.

use strict;
use warnings;

use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp spew run build_dir wait_for);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/leadq.json');
my $dir = tempdir();
my $base = "$dir/base.csv";
$ENV{LEADQ_DATABASE} = $pg->dsn;

# Every hundredth line is refused; notes have lines of their own.
my $leads = 4000;
my $good = $leads - $leads / 100;
spew($base, "email,note\n" . join '', map {
    $_ % 100 == 7 ? "broken$_,x\n" : "p$_\@x.ru,\"note\n$_\"\n"
} 1 .. $leads);
my $lines = () = slurp($base) =~ /\n/g;
my @command = (build_dir() . '/leadqctl', 'import', $base, '--source',
    'old-base', '--set', 'consent_pd=yes', '--report', "$dir/refused.csv");

# Without letters it is quicker; a lead can be made to wait.
$pg->sql(<<'SQL');
update leadq.source set series_id = null where name = 'old-base';
create table gate (email text);
grant select on gate to public;
create function gate() returns trigger language plpgsql as $$
begin
    while exists (select from public.gate g where g.email = new.email) loop
        perform pg_sleep(0.02);
    end loop;
    return new;
end $$;
create trigger gate before insert on leadq.lead
    for each row execute function gate();
SQL

sub count { return $pg->sql('select count(*) from leadq.lead') }

sub taken { return $pg->sql(q(select sum(value::bigint) from leadq.import,
    jsonb_each_text(outcomes) where key like 'taken %')) }

# Starts an import and waits until it has come to a lead.
sub import_until {
    my ($email) = @_;
    $pg->sql("delete from gate; insert into gate values ('$email')");
    unlink "$dir/out";
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', "$dir/out" or die;
        open STDERR, '>&', \*STDOUT or die;
        exec @command or die;
    }
    wait_for("the import has come to $email", 60, sub { $pg->sql(q(select 1
        from pg_stat_activity where wait_event = 'PgSleep' limit 1)) });
    return $pid;
}

# some lines at a time
my ($rc, $out) = run(@command, '--lines', 400);
is($rc, 0, 'a run of some lines ends well') or diag($out);
like($out, qr/^\Q$base\E: \d+ lines read; the same command goes on$/m,
    'and tells what to do');
my $before = count();
ok($before > 150 && $before < 300, 'their leads are there, no others');

# killed
my $pid = import_until('p1500@x.ru');
kill 'KILL', $pid;
waitpid $pid, 0;
wait_for('its session is gone as well', 60, sub { !$pg->sql(q(
    select count(pg_terminate_backend(pid)) from pg_stat_activity
     where wait_event = 'PgSleep')) });
cmp_ok(count(), '>', $before, 'a run that is killed leaves what it has done');
is(count(), taken(), 'and knows what that is');
$before = count();

# the database is killed
$pid = import_until('p2500@x.ru');
$pg->kill9;
waitpid $pid, 0;
is($? >> 8, 1, 'a database that goes away is a failure');
like(slurp("$dir/out"), qr/stopped behind line \d+; the same command goes on/,
    'which tells what to do');
$pg->start_again;
cmp_ok(count(), '>', $before, 'what was done is there');
is(count(), taken(), 'as it is written down');
$before = count();

# told to stop
$pid = import_until('p3200@x.ru');
kill 'TERM', $pid;
$pg->sql('delete from gate');
waitpid $pid, 0;
is($? >> 8, 1, 'who is told to stop has not come to the end');
like(slurp("$dir/out"), qr/^leadqctl: interrupted$/m, 'and tells');
ok(count() > $before && count() < $good, 'the batch in hand is done');

# two at once
$pid = import_until('p3700@x.ru');
my $second = fork;
defined $second or die "fork: $!\n";
if ($second == 0) {
    open STDOUT, '>', "$dir/second" or die;
    open STDERR, '>&', \*STDOUT or die;
    exec @command or die;
}
wait_for('the second one waits', 60, sub { $pg->sql(q(select 1
    from pg_stat_activity where wait_event_type = 'Lock' limit 1)) });
$pg->sql('delete from gate');
my @ended;
for my $one ($pid, $second) {
    waitpid $one, 0;
    push @ended, $? >> 8;
}
is("@ended", '0 1', 'of two at once the first goes on');
like(slurp("$dir/second"), qr/55000: this file is being imported by somebody/,
    'and the second is told');

# the end
($rc, $out) = run(@command);
like($out, qr/was imported before.*$lines lines read, to the end/s,
    'every line was read');
is(count(), $good, 'every lead is there');
is($pg->sql('select count(distinct email) from leadq.lead'), $good, 'once');
is($pg->sql(q(select count(*) from leadq.consent)), 2 * $good,
    'with its consents');
is($pg->sql(q(select outcomes ->> 'refused email email-no-at'
    from leadq.import)), $leads / 100, 'refused lines are counted once');
my %refused = map { /^(\d+),"email/ ? ($1 => 1) : () }
    split /\n/, slurp("$dir/refused.csv");
is(scalar keys %refused, $leads / 100, 'and each is in the report');

done_testing();
