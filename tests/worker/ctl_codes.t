#!/usr/bin/perl

# leadqctl codes: what is written is in the base, and is what a till takes;
# whoever is interrupted goes on to the count that was asked for.

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes ();

use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp run build_dir wait_for);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/programmes.json');
my $dir = tempdir();
$ENV{LEADQ_DATABASE} = $pg->dsn;
my @command = (build_dir() . '/leadqctl', 'codes');

sub codes { return run(@command, @_) }

# The codes of a file, without its head and hyphens.
sub codes_of {
    my ($file) = @_;
    my ($head, @codes) = split /\n/, slurp($file);
    is($head, 'code', 'the first line names the column');
    return map { s/^(\w{4})-(\w{4})-(\w{4})$/$1$2$3/r } @codes;
}

sub in_base {
    return split ' ', $pg->sql("select coalesce(string_agg(code, ' ' order by
        code_id), '') from leadq.promo_code where batch_id = '$_[0]'");
}

# What leadq_promo.h says of the last symbol, computed once more.
my @symbols = split //, '23456789ACEHKMPTX';
my %value = map { $symbols[$_] => $_ } 0 .. $#symbols;

sub good {
    my ($code) = @_;
    my @code = split //, $code;
    return 0 if @code != 12 || grep { !defined $value{$_} } @code;
    my $sum = 0;
    $sum += ($_ + 2) * $value{ $code[$_] } for 0 .. 10;
    return $symbols[$sum % 17] eq $code[11] && $code !~ /[A-Z]{4}/;
}

# --- a hundred thousand

my $n = 100_000;
my $began = Time::HiRes::time();
my ($rc, $out) = codes('generate', 'cards', $n, '--out', "$dir/codes.csv");
my $took = Time::HiRes::time() - $began;
diag(sprintf '%.0f codes/s', $n / $took);
is($rc, 0, 'codes are made') or diag $out;
my ($batch) = $out =~ /^batch (\S+): $n codes$/m;
ok(defined $batch, 'and batch and number told') or diag $out;
my @codes = codes_of("$dir/codes.csv");
my %seen = map { $_ => 1 } @codes;
is(scalar keys %seen, $n, 'no code is there twice');
is(scalar(grep { !good($_) } @codes), 0,
    'each has the right last symbol and is no word');
ok("@codes" eq join(' ', in_base($batch)), 'all are in the base, in order');
is($pg->sql("select max_uses || ' ' || (expires_at - starts_at)
    from leadq.promo_code limit 1"), '1 365 days', 'as the programme says');
is((stat "$dir/codes.csv")[2] & 0777, 0600, 'nobody else reads the file');

# --- to standard output; again

($rc, $out) = codes('generate', 'trial', 3);
is($rc, 0, 'without a file they go to standard output');
my ($trial) = $out =~ /^batch (\S+): 3 codes$/m;
is(join("\n", $out =~ /^(\w{4}-\w{4}-\w{4})$/mg),
    join("\n", map { join '-', /(\w{4})/g } in_base($trial)),
    'as people read them');
($rc, $out) = codes('generate', 'trial', 3, '--batch', uc $trial);
is(scalar(my @again = $out =~ /^\w{4}-\w{4}-\w{4}$/mg), 3,
    'a batch that is whole is written again');
is(scalar in_base($trial), 3, 'and nothing is added');

# --- interrupted: by the operator, by a kill, by the database

sub start {
    my ($count, @more) = @_;
    unlink "$dir/many.csv", "$dir/told";
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>', "$dir/told" or die;
        open STDOUT, '>&', \*STDERR or die;
        exec @command, 'generate', 'friends', $count, '--out',
            "$dir/many.csv", @more or die;
    }
    wait_for('codes are written', 60, sub { (-s "$dir/many.csv" // 0) > 20 });
    return $pid;
}

my $pid = start(5_000_000);
kill 'INT', $pid;
waitpid $pid, 0;
is($? >> 8, 1, 'an interrupted run is none that succeeded');
my ($have, $many) = slurp("$dir/told") =~ /^leadqctl:[ ]stopped[ ]at[ ](\d+)[ ]codes
    [ ]of[ ]5000000;[ ]the[ ]same[ ]command[ ]with[ ]--batch[ ](\S+)/mx;
ok($have, 'it tells how many there are') or diag slurp("$dir/told");
is(scalar in_base($many), $have, 'which is true');
ok(join(' ', codes_of("$dir/many.csv")) eq join(' ', in_base($many)),
    'and has written them');

$pid = start(5_000_000, '--batch', $many);
wait_for('more are there', 60, sub { in_base($many) > $have });
kill 'KILL', $pid;
waitpid $pid, 0;
$pid = start(5_000_000, '--batch', $many);
$pg->kill9;
waitpid $pid, 0;
is($? >> 8, 1, 'a database that goes away is a failure');
like(slurp("$dir/told"), qr/stopped at \d+ codes of 5000000/,
    'which is told, too');
$pg->start_again;
my $wanted = 7 + in_base($many);
($rc, $out) = codes('generate', 'friends', $wanted, '--batch', $many, '--out',
    "$dir/many.csv");
like($out, qr/^batch $many: $wanted codes$/m, 'then the count is reached');
@codes = codes_of("$dir/many.csv");
is(scalar @codes, $wanted, 'exactly');
ok("@codes" eq join(' ', in_base($many)), 'and the list is the whole batch');

# --- two at once are one batch

my @pids = map {
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null' or die;
        open STDERR, '>&', \*STDOUT or die;
        exec @command, 'generate', 'trial', 20_003, '--batch', $trial or die;
    }
    $pid;
} 1, 2;
waitpid $_, 0 for @pids;
is(scalar in_base($trial), 20_003, 'two at once make no more than one');

# --- list

$pg->sql("update leadq.promo_code set used = 1 where code_id in (select code_id
    from leadq.promo_code where batch_id = '$trial' limit 2)");
($rc, $out) = codes('list', 'trial');
like($out, qr/^batch\s+made\s+codes\s+used\n\Q$trial\E\s+\d{4}-\d\d-\d\d[ ]
    \d\d:\d\d:\d\d\s+20003\s+2\n\z/x, 'batches are listed, with their uses');
my $list = JSON::PP::decode_json((codes('list', 'trial', '--json'))[1]);
is($list->[0]{used}, 2, 'for programs as well');

# --- what is refused

for my $case (
    [2, qr/codes generate needs NAME COUNT/, 'generate', 'trial'],
    [2, qr/COUNT "0" is not a number 1\.\.10000000/, qw(generate trial 0)],
    [2, qr/COUNT "1e3" is not a number/, qw(generate trial 1e3)],
    [2, qr/COUNT "10000001" is not/, qw(generate trial 10000001)],
    [2, qr/--batch "x" is not a UUID/, qw(generate trial 1 --batch x)],
    [2, qr/one word too many/, qw(generate trial 1 2)],
    [1, qr/there is no programme "none"/, qw(generate none 1)],
    [1, qr/there is no programme "none"/, qw(list none)],
    [1, qr/the batch is of another programme/, 'generate', 'cards', 1,
        '--batch', $trial],
    [1, qr{^leadqctl: /nowhere/x: }m, qw(generate cards 1 --out /nowhere/x)],
) {
    my ($expected, $why, @words) = @$case;
    ($rc, $out) = codes(@words);
    ok($rc == $expected && $out =~ $why, "refused: @words") or diag $out;
}

done_testing();
