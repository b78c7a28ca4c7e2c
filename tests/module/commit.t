#!/usr/bin/perl

# What the database raises: nobody hears 2xx without a commit, and a bad row
# hurts only itself.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use Time::HiRes ();

use Door qw(postgres post codes);
use Figures qw(figures);
use Leadq::Nginx;
use Leadq::Session;
use Leadq::Test qw(slurp wait_for);
use Load;

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn" connections=1 depth=1 timeout=20s;),
    server => join '', 'location = /metrics { leadq_metrics; }', map {
        "location = /$_ { leadq_pass main $_; leadq_field name text; }" }
        qw(echo fail late gate));

my $ask = sub { post($ng->url("/$_[0]"), qq({"name":"$_[1]"})) };

is($ask->('late', 'fine')->{status}, 201, 'a commit that works is a 201');
is(codes($ask->('late', 'broken')), '409 conflict',
    'a constraint that fails at commit is not');
is($pg->sql('select count(*) from leadq.late'), 1, 'and leaves no row');

my %told = (
    22023 => '422 refused', 23505 => '409 conflict',
    P0001 => '500 internal-error', '40001' => '503 database-away',
    '40P01' => '503 database-away', 53200 => '503 database-away',
    57014 => '503 database-away', '55P03' => '503 database-away',
    42501 => '500 internal-error', XX000 => '500 internal-error',
);
is(codes($ask->('fail', $_)), $told{$_}, "SQLSTATE $_ for a single row")
    for sort keys %told;
my @tries = $ng->log =~ /batch failed function=fail rows=1 sqlstate=40001/g;
is(@tries, 2, 'a serialization failure was tried twice');
is($ask->('fail', 'fine')->{status}, 201, 'and the lane still works');

# a lane that is lost each time: three attempts, then 503 within the timeout
my $began = Time::HiRes::time();
is(codes($ask->('fail', '57P01')), '503 database-away',
    'a row that costs a connection each time is given up');
cmp_ok(Time::HiRes::time() - $began, '<', 5, 'before its deadline');
is($ask->('fail', 'fine')->{status}, 201, 'and the lane comes back');
unlike($ng->log, qr/secret detail/, 'the message of the server is not logged');

# rows that come while a batch is held up make one batch with bad rows in it
sub batch_with_poison {
    my ($function, $poison, $n) = @_;
    my @pids;
    my $dir = $ng->dir;
    my $before = $pg->sql('select count(*) from leadq.row');
    my $gatekeeper = Leadq::Session->new($pg);
    $gatekeeper->sql('select pg_advisory_lock(1)');
    push @pids, in_background(sub { $ask->('gate', 'first') });
    wait_for('the lane is held up', 10, sub { $pg->sql(
        q(select count(*) from pg_locks where locktype = 'advisory'
          and not granted)) });
    for my $i (1 .. $n) {
        push @pids, in_background(sub {
            my $name = $i % 20 == 7 ? $poison : "row$i";
            my $r = $ask->($function, $name);
            open my $fh, '>>', "$dir/$function.answers";
            syswrite $fh, "$r->{status} $name\n";
        });
    }
    wait_for('all rows wait', 15, sub {
        figures($ng)->{'leadq_queue_waiting_rows{database="main"}'} == $n });
    $gatekeeper->end;
    waitpid $_, 0 for @pids;
    my %seen;
    $seen{$_}++ for split /\n/, slurp("$dir/$function.answers");
    return ($pg->sql('select count(*) from leadq.row') - $before - 1, %seen);
}

sub in_background {
    my ($code) = @_;
    my $pid = fork;
    if ($pid == 0) {
        $code->();
        POSIX::_exit(0);
    }
    return $pid;
}

my ($rows, %seen) = batch_with_poison('fail', '23514', 60);
is($rows, 57, 'sixty rows with three bad ones: all the good ones are stored');
is($seen{'409 23514'}, 3, 'the bad ones are refused');
is((grep { /^201 row/ } keys %seen), 57, 'and only they');
like($ng->log, qr/batch failed function=fail rows=60 sqlstate=23514/,
    'they had travelled together');

# the same under load
$pg->sql('truncate leadq.row');
my $load = Load->start(port => $ng->port, path => '/fail', connections => 64,
    body => sub { $_[1] % 20 ? qq({"name":"$_[0]"}) : '{"name":"22P02"}' });
wait_for('some load', 30, sub {
    $pg->sql('select count(*) from leadq.row') > 2000 });
my $result = $load->stop;
my $good = $result->{status}{201} || 0;
my $bad = $result->{status}{422} || 0;
is($good + $bad, $result->{sent}, 'under load every answer is 201 or 422');
cmp_ok(abs($bad * 19 - $good), '<', 2000, 'and one in twenty is 422')
    or diag("$good good, $bad bad");
is_deeply([Load::compare($result, $pg)], [0, 0],
    'every good row is there once');
is((grep { !/sqlstate=(?:42501|XX000)/ } split /\n/, $ng->alarms), 0,
    'only what is a bug is alarming');
note("$good good, $bad bad");

done_testing();
