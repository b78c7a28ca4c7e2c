#!/usr/bin/perl

# leadqctl leads show, and what all commands have in common: usage, help,
# options, exit codes.

use strict;
use warnings;

use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
my $id = '01890000-0000-7000-8000-000000000001';

sub ctl { return run(build_dir() . '/leadqctl', @_) }

sub show { return ctl('leads', 'show', '-d', $pg->dsn, @_) }

$pg->sql(<<"SQL");
create schema leadq;
create table leadq.lead_story (lead_id uuid, at timestamptz, what text,
    detail text);
insert into leadq.lead_story values
    ('$id', '2026-01-02 10:00:01.5+00', 'letter sent', 'step=1'),
    ('$id', '2026-01-02 10:00:00+00', 'lead received',
     E'source=x name=Анна\\x1b[31m\\n'),
    ('$id', '2026-01-05 10:00:00+00', 'решено', null);
create schema brand;
create table brand.lead_story (like leadq.lead_story);
SQL

$ENV{PGTZ} = 'UTC';
my ($rc, $out) = show($id);
is($rc, 0, 'a lead is shown');
is($out, <<'OUT', 'oldest first, in columns, without control characters');
2026-01-02 10:00:00.000+00  lead received  source=x name=Анна?[31m?
2026-01-02 10:00:01.500+00  letter sent    step=1
2026-01-05 10:00:00.000+00  решено
OUT
($rc, $out) = show('01890000-0000-7000-8000-000000000002');
is($rc, 1, 'an unknown lead fails');
is($out, "leadqctl: there is no lead 01890000-0000-7000-8000-000000000002\n",
    'and is told');
($rc, $out) = show($id, '-s', 'brand');
is($rc, 1, 'another schema has other leads');
($rc, $out) = show('zz');
is($rc, 2, 'what is no id is a mistake of usage');
like($out, qr/"zz" is not the id of a lead/, 'and is told');

# --- what triggers did and will do, in a schema of its own

$pg->sql('create database story');
my $dsn = $pg->dsn(dbname => 'story');
($rc, $out) = ctl('migrate', '-d', $dsn, '--sql-dir', 'sql');
is($rc, 0, 'there is a real schema') or diag($out);
my %lead = (mine => $id, other => $id =~ s/1$/3/r);
$pg->sql(<<"SQL", dbname => 'story');
select leadq.config_import('{"sources": [{"name": "shop"}],
  "events": ["cart.left", "cart.old", "order.placed"],
  "segments": [{"name": "buyers"}],
  "series": [], "triggers": [
    {"name": "reminder", "event": "cart.left", "delay": "1 day",
     "action": {"event": "cart.old"}},
    {"name": "stop", "event": "order.placed",
     "action": {"cancel": {"trigger": "reminder"}}},
    {"name": "came", "event": "lead.received",
     "action": {"segment": "buyers"}}]}');
select leadq.web_lead(array['$lead{mine}', '$lead{other}']::uuid[], array[
    '{"source": "shop", "email": "a\@x.ru"}',
    '{"source": "shop", "email": "b\@x.ru"}']);
select leadq.run_rules(100), leadq.run_rules(100);
select leadq.web_event(array[gen_random_uuid()],
    array['{"event": "cart.left", "email": "a\@x.ru"}']);
select leadq.run_rules(100);
SQL

# What the story has of them, without columns and times.
sub triggers {
    my ($lead) = @_;
    my (undef, $story) = ctl('leads', 'show', '-d', $dsn, $lead);
    return [sort map { s/\S+ \S+ +//r =~ s/ +/ /gr =~ s/=\d[\dT:-]+Z/=TIME/gr }
        grep { /  trigger / } split /\n/, $story];
}

my $times = 'happened=TIME planned=TIME';
my $came = "trigger done trigger=came event=lead.received $times "
    . 'action=segment';
my $reminder = "trigger=reminder event=cart.left $times action=event";
is_deeply(triggers($lead{mine}), [$came, "trigger planned $reminder"],
    'a story tells what triggers have done and what they will do');
$pg->sql(<<'SQL', dbname => 'story');
select leadq.web_event(array[gen_random_uuid()],
    array['{"event": "order.placed", "email": "a@x.ru"}']);
select leadq.run_rules(100);
SQL
is_deeply(triggers($lead{mine}), ["trigger cancelled $reminder", $came,
    "trigger done trigger=stop event=order.placed $times action=cancel"],
    'and what became of that');
is_deeply(triggers($lead{other}), [$came], 'another lead has its own');

# --- what all commands have in common

($rc, $out) = ctl('--version');
is($rc, 0, '--version succeeds');
like($out, qr/^leadqctl \d+\.\d+\.\d+$/, 'and prints the version');
($rc, $out) = ctl('--help');
is($rc, 0, '--help succeeds');
for my $command ('migrate', 'config check', 'config import', 'config export',
    'leads show', 'leads resend', 'networks test', 'triggers list',
    'triggers test', 'report partners',
    'jobs list', 'jobs show', 'jobs dead', 'jobs retry',
    'jobs cancel', 'jobs pause', 'jobs resume', 'jobs paused', 'doctor',
    'import', 'contact export', 'contact withdraw', 'contact erase',
    'contact merge') {
    like($out, qr/^  \Q$command\E /m, "and names $command");
    my ($code, $help) = ctl((split ' ', $command), '--help');
    is($code, 0, "$command --help succeeds");
    like($help, qr/^usage: leadqctl \Q$command\E/, 'and tells its usage');
    like($help, qr/^  -d, --database CONNINFO /m, 'and its options')
        if $command ne 'config check';
}
($rc, $out) = ctl('config', '--help');
is($rc, 0, 'a group of commands has help');
unlike($out, qr/migrate/, 'of its own');

for my $case (
    [[], qr/^usage: /, 'no command'],
    [['conf'], qr/unknown command "conf"/, 'an unknown command'],
    [['config'], qr/^  config check/m, 'half a command'],
    [['config', 'chekc', 'x'], qr/unknown command "config chekc"/,
        'an unknown second word'],
    [['migrate', 'now'], qr/one word too many: "now"/, 'a word too many'],
    [['config', 'check'], qr/config check needs FILE/, 'a word too few'],
    [['migrate', '--nope'], qr/unrecognized option/, 'an unknown option'],
    [['migrate', '-d'], qr/requires an argument/, 'an option without value'],
    [['config', 'check', 'x', '--dry-run'],
        qr/config check takes no option --dry-run/, 'a foreign option'],
    [['migrate', '--schema', 'Brand'], qr/schema "Brand" is not/,
        'a bad schema'],
) {
    my ($args, $expected, $what) = @$case;
    ($rc, $out) = ctl(@$args);
    is($rc, 2, "$what exits with 2");
    like($out, $expected, "$what is told");
}

done_testing();
