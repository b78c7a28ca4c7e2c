#!/usr/bin/perl

# A row that kills its server does so three times and no more, directly and
# behind a pooler, and those who are served meanwhile do not pay for it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(slurp wait_for);
use Load;
use Pooler;

my $pg = postgres();
$pg->sql(<<'SQL');
create function leadq.web_kill(p_ids uuid[], p_requests text[])
returns table (n int, status int, headers text, body text)
language plpgsql as $$
begin
    copy (select) to program 'echo killed >> killed; kill -9 $PPID';
    perform pg_sleep(60);
end $$;
SQL

my $killed = $pg->dir . '/data/killed';
my $locations = 'location = /kill { leadq_pass main kill; }
    location = /echo { leadq_pass main echo; leadq_field name text; }';

# How often the server was killed for the row, and what its client was told.
sub poisoned {
    my ($ng) = @_;
    my $told = codes(post($ng->url('/kill'), '{}'));
    my $times = () = slurp($killed) =~ /killed/g;
    unlink $killed;
    return "$times times, $told";
}

my $ng = Leadq::Nginx->start(server => $locations,
    http => 'leadq_database main "' . $pg->dsn . '" connections=3
        timeout=30s;');
my $load = Load->start(port => $ng->port, path => '/echo', connections => 16);
wait_for('some load', 30, sub {
    $pg->sql('select count(*) from leadq.row') > 200 });
is(poisoned($ng), '3 times, 503 database-away',
    'a row that kills its server does so three times');
my $result = $load->stop;
wait_for('the server is back', 30, sub { eval { $pg->sql('select 1') } });
is_deeply([Load::compare($result, $pg)], [0, 0],
    'nothing answered is lost, nothing is stored twice');
is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
    'those who were served meanwhile saw a delay and no error')
    or diag(explain($result->{status}));
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

my $pooler = Pooler->start($pg);
$ng = Leadq::Nginx->start(server => $locations,
    http => 'leadq_database main "' . $pooler->dsn . '" connections=6
        timeout=30s;');
wait_for('lanes through the pooler', 15, sub {
    post($ng->url('/echo'), '{"name":"a"}')->{status} == 201 });
is(poisoned($ng), '3 times, 503 database-away',
    'and three times behind a pooler, which has six lanes to it');
wait_for('who comes later is served', 30, sub {
    post($ng->url('/echo'), '{"name":"b"}')->{status} == 201 });
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
