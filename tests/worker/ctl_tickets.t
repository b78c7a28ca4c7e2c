#!/usr/bin/perl

# leadqctl tickets: a manager without the page registers trouble at a desk,
# gives it to somebody and answers it (W-28).

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/programmes.json');
$ENV{LEADQ_DATABASE} = $pg->dsn;
$ENV{PGTZ} = 'UTC';

sub tickets { return run(build_dir() . '/leadqctl', 'tickets', @_) }

my $stamp = qr/\d{4}-\d\d-\d\d \d\d:\d\d/;

my ($rc, $out) = tickets('list');
is($rc, 0, 'a list of nothing is no failure');
is($out, "number  reported  state  advisor  point  assignee  text\n",
    'and has a head');

# --- registered: by the page, by phone

my ($id, $asked) = map { "01890000-0000-7000-8000-00000000000$_" } 1, 2;
$pg->sql(<<"SQL");
select leadq.web_ticket(array['$id']::uuid[], array['{"advisor": "anna",
    "text": "the code block \\u001b[31m does nothing when I press the button",
    "page": "/desk/", "ua": "tablet", "requests": ["$asked"]}'])
SQL
($rc, $out) = tickets('add', 'anna', 'Экран белый');
is($rc, 0, 'what was told by phone is registered') or diag $out;
is($out, "ticket 2: open\n", 'under a number');
($rc, $out) = tickets('list');
is($out =~ s/ +/ /gr =~ s/$stamp/TIME/gr =~ s/\A.*\n//r,
    " 1 TIME open anna mega the code block ?[31m does nothing when …\n"
    . " 2 TIME open anna mega Экран белый\n",
    'both are listed, the oldest first, a long text cut') or diag $out;

# --- taken on, answered, seen

($rc, $out) = tickets('assign', 1, 'olga');
is($out, "ticket 1: assigned to olga\n", 'somebody takes it on');
($rc, $out) = tickets('answer', 1, 'Исправлено');
is($rc, 0, 'it is answered');
is($out, "ticket 1: answered\n", 'which is told');
my $seen = JSON::PP::decode_json($pg->sql('select body from
    leadq.web_tickets(array[gen_random_uuid()], array[$${"advisor":
    "anna"}$$])'))->{tickets};
is($seen->[1]{answer}, "\x{418}\x{441}\x{43f}\x{440}\x{430}\x{432}\x{43b}"
    . "\x{435}\x{43d}\x{43e}", 'the advisor sees the answer');
($rc, $out) = tickets('show', 1);
is($out =~ s/$stamp:\d\d/TIME/gr, <<"OUT", 'and a ticket is shown whole');
number    1
reported  TIME
state     answered
advisor   anna
point     mega
page      /desk/
browser   tablet
text      the code block ?[31m does nothing when I press the button
requests  $asked
assignee  olga
answer    Исправлено
answered  TIME
seen      TIME
OUT
my $all = JSON::PP::decode_json((tickets('list', '--json', '--limit', 9))[1]);
is_deeply([map { $_->{number} } @$all], [2, 1], 'the answered come last');
is(JSON::PP::decode_json((tickets('show', 1, '--json'))[1])->{requests},
    "{$asked}", 'programs have the ids that a log is searched for');

# --- what is refused

for my $case (
    [1, qr/there is no ticket 9$/m, 'show', 9],
    [1, qr/there is no ticket 9$/m, 'assign', 9, 'olga'],
    [1, qr/there is no ticket 9$/m, 'answer', 9, 'x'],
    [1, qr/ticket 1 has been answered/, 'answer', 1, 'x'],
    [1, qr/there is no advisor "nobody"/, 'assign', 2, 'nobody'],
    [1, qr/there is no advisor "nobody"/, 'add', 'nobody', 'x'],
    [2, qr/"x" is not the number of a ticket/, 'show', 'x'],
    [2, qr/TEXT has 1001 characters, not 1\.\.1000/, 'answer', 2, 'я' x 1001],
    [2, qr/TEXT has 0 characters/, 'add', 'anna', ''],
    [2, qr/tickets answer needs NUMBER TEXT/, 'answer', 2],
    [2, qr/--limit "0" is not a number/, 'list', '--limit', 0],
) {
    my ($expected, $why, @words) = @$case;
    ($rc, $out) = tickets(@words);
    ok($rc == $expected && $out =~ $why, "refused: @words[0 .. 1]")
        or diag $out;
}

done_testing();
