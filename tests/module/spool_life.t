#!/usr/bin/perl

# What the spool does over the life of nginx, and when SQL is wrong.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Test qw(wait_for);
use Spool qw(spool files records emptied);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = spool();

sub conf {
    my ($locations, $timeout) = @_;
    $timeout ||= '300ms';
    return (http => qq(leadq_database main "$dsn" timeout=$timeout;),
        server => join '', map { "location = /$_ { leadq_pass main $_;
            leadq_field name text; leadq_spool $dir; }" }
            split ' ', $locations);
}

sub nginx { return Leadq::Nginx->start(conf(@_)) }

sub warm {
    my ($ng) = @_;
    return wait_for('the lanes are ready', 10, sub {
        post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
}

sub status {
    my ($ng, $path, $name) = @_;
    return post($ng->url($path), qq({"name":"$name"}))->{status};
}

sub count {
    return $pg->sql(qq(select count(*) from leadq.row
        where request ->> 'name' = '$_[0]'));
}

# --- a graceful stop while rows wait for a database that is away
my $ng = nginx('echo', '2s');
warm($ng);
$pg->stop('immediate');
pipe my $from, my $to;
my $pid = fork;
if (!$pid) {
    print {$to} status($ng, '/echo', 'quit');
    close $to;
    POSIX::_exit(0);
}
close $to;
sleep 0.5;
$ng->quit;
is(scalar <$from>, 202, 'a stop waits until its rows are in the spool');
waitpid $pid, 0;
is(scalar(files($dir, 'spool')), 1, 'in a file that stays');
is($ng->alarms, '', 'nothing alarming is in the log');

# --- a start without a database
$ng = nginx('echo fail', '300ms');
wait_for('a row is taken', 5, sub { status($ng, '/echo', 'cold') == 202 });
pass('an nginx that never saw its database takes rows');
is(status($ng, '/fail', 'fine'), 202, 'of several functions');
$ng->quit;

# --- SQL is wrong: nothing is refused for that, nothing is lost
$pg->start_again;
$pg->sql('alter function leadq.web_echo rename to web_gone');
$ng = nginx('echo fail');
wait_for('the log tells', 10, sub {
    $ng->log =~ /\[error\].*leadq spool .* cannot replay its rows/ });
sleep 1;
is(join(' ', files($dir, 'refused')), '', 'a missing function refuses none');
cmp_ok(scalar(files($dir, 'spool')), '>=', 1, 'the rows stay in their files');
$pg->sql('alter function leadq.web_gone rename to web_echo');
wait_for('the rows', 20, sub { count('quit') == 1 && count('cold') == 1
    && count('fine') == 1 });
emptied($dir);
pass('and are replayed when the function is back');
$ng->quit;

# --- a function that is called by no location any more
$ng = nginx('echo fail');
warm($ng);
$pg->stop('immediate');
wait_for('it is away', 5, sub { status($ng, '/fail', 'orphan') == 202 });
is(status($ng, '/echo', 'heir'), 202, 'another row is behind');
$ng->configure(conf('echo'));
$ng->reload;
$pg->start_again;
emptied($dir);
is(count('heir'), 1, 'the row of the function that is called is replayed');
like(join(' ', map { "$_->[0] $_->[1]" } records($dir, 'refused')),
    qr/^fail \{"name":"orphan"\}/, 'the other one is kept');
like($ng->log, qr/no location calls the function "fail" of \d+ rows/,
    'the log tells');
$ng->quit;
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
