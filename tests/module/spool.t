#!/usr/bin/perl

# The database is away: rows go to a local file, and to the database later.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

use Door qw(postgres post form codes);
use Leadq::Nginx;
use Leadq::Test qw(http wait_for);
use Load;
use Spool qw(spool files records emptied);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = spool();

sub nginx {
    my ($options, %more) = @_;
    my $path = $more{spool} || "$dir size=16m";
    my $ng = Leadq::Nginx->start(workers => $more{workers} || 1,
        main => $more{main} || '',
        http => qq(leadq_database main "$dsn" $options;
            log_format leadq "\$leadq_outcome";),
        server => qq(
        location = /echo { leadq_pass main echo; leadq_spool $path;
            leadq_field name text max=8000; access_log outcome.log leadq;
            leadq_redirect /ok /sorry; }
        location = /fail { leadq_pass main fail; leadq_spool $path;
            leadq_field name text; }
        location = /odd { leadq_pass main odd; leadq_spool $path;
            leadq_field name text; }
        location = /now { leadq_pass main echo; leadq_field name text; }
        location = /alive { return 200 alive; }));
    wait_for('the lanes are ready', 10, sub {
        post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
    return $ng;
}

sub names {
    my ($like) = @_;
    return $pg->sql(qq(select coalesce(string_agg(request ->> 'name', ' '
        order by at, id), '') from leadq.row
        where request ->> 'name' like '$like%'));
}

# --- nothing is written while the database is there
my $ng = nginx('timeout=1s');
is(join(' ', files($dir, 'spool')), '', 'no file while the database is there');

# --- away
$pg->stop('immediate');
my $began = time;
my $r = post($ng->url('/echo'), '{"name":"a1"}');
is($r->{status}, 202, 'a row is taken without a database');
cmp_ok(time - $began, '>', 0.8, 'when the timeout is over');
my $answer = JSON::PP->new->decode($r->{content});
is($answer->{durable}, 'local', 'the answer says where it is');
like($answer->{id}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-7/, 'and its id');
is($r->{headers}{'content-type'}, 'application/json', 'as JSON');
wait_for('the database is known to be away', 5, sub {
    $began = time;
    post($ng->url('/echo'), '{"name":"b"}')->{status} == 202
        && time - $began < 0.3 });
pass('later rows do not wait for the timeout');
$r = form($ng->url('/echo'), 'name=html', accept => 'text/html');
like("$r->{status} $r->{headers}{location}", qr{^303 .*/ok$},
    'a person with a browser sees the page for success');
post($ng->url('/echo'), qq({"name":"a$_"})) for 2 .. 20;
is(codes(post($ng->url('/now'), '{"name":"x"}')), '503 database-away',
    'a location without leadq_spool answers 503');
post($ng->url('/fail'), '{"name":"22023"}');
post($ng->url('/fail'), '{"name":"a21"}');
post($ng->url('/odd'), '{"name":"problem"}');
post($ng->url('/echo'), '{"name":"a22"}');
my ($mode) = map { sprintf '%o', 07777 & (stat $_)[2] } files($dir, 'spool');
is($mode, '600', 'only its owner may read the file');

# --- back
$pg->start_again;
emptied($dir);
is(names('a'), join(' ', map { "a$_" } 1 .. 22),
    'all rows are there, in the order they came');
is($pg->sql("select count(*) from leadq.row where id = '$answer->{id}'"), 1,
    'with the id that was told');
is(join(' ', map { "$_->[0]:$_->[1]" } records($dir, 'refused')),
    'fail:{"name":"22023"} odd:{"name":"problem"}',
    'those that the database refuses are kept');
unlike($ng->log, qr/22023"|secret/, 'the log has no data of rows');
like($ng->log, qr/rows are replayed, 2 of them were refused/,
    'and tells how many');
$ng->quit;
like(Leadq::Test::slurp($ng->dir . '/outcome.log'), qr/^spooled$/m,
    'the access log has the outcome');
is($ng->alarms, '', 'nothing alarming is in the log');

# --- refused rows come again, by their file's name
unlink files($dir, 'spool');
rename "$dir/main.refused", "$dir/main.refused.spool";
$ng = nginx('timeout=1s');
wait_for('the refused rows', 10, sub { records($dir, 'refused') == 2 });
is(join(' ', files($dir, 'damaged')), '', 'a renamed file is replayed');

# --- a database that hangs: the row is in flight, and in the spool
my @stopped = split /\n/, $pg->sql(q(select pid from pg_stat_activity
    where application_name = 'leadq'));
kill 'STOP', @stopped;
$r = post($ng->url('/echo'), '{"name":"hang"}');
is($r->{status}, 202, 'a row in flight goes to the spool at its deadline');
is(http('GET', $ng->url('/alive'))->{content}, 'alive', 'nginx lives');
kill 'CONT', @stopped;
emptied($dir);
wait_for('the row', 5, sub { names('hang') eq 'hang' });
pass('and is there once');
$ng->quit;

# --- a full spool
my $small = spool();
$ng = nginx('timeout=500ms', spool => "$small size=64k");
$pg->stop('fast');
my %status;
for my $i (1 .. 30) {
    $r = post($ng->url('/echo'), sprintf '{"name":"f%d%s"}', $i, 'x' x 5000);
    push @{ $status{ $r->{status} } }, $i;
}
is(join(' ', sort keys %status), '202 503', 'a full spool answers 503');
like($ng->log, qr/cannot take more rows, it is full \(28:/, 'the log tells');
$pg->start_again;
emptied($small);
is($pg->sql(q(select count(*) from leadq.row
    where request ->> 'name' like 'f%x')), scalar @{ $status{202} },
    'the rows with 202 are there, no other');
post($ng->url('/echo'), '{"name":"warm"}');
$ng->quit;
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
