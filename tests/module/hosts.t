#!/usr/bin/perl

# Where the database is: several hosts, names, standbys, a wrong schema.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Socket::INET ();
use Test::More;

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(free_port wait_for);
use Names;

my $pg = postgres(listen => '127.0.0.1');
my ($port) = $pg->dsn =~ /port=(\d+)/;
my $dir = $pg->dir;
my $rest = 'dbname=leadq user=postgres';

sub nginx {
    my ($conninfo, $options, $http) = @_;
    return Leadq::Nginx->start(
        http => ($http || '') . qq(leadq_database main "$conninfo" $options;),
        server => 'location = /echo { leadq_pass main echo;
            leadq_field name text; }');
}

sub works {
    my ($ng, $what) = @_;
    wait_for($what, 15, sub {
        post($ng->url('/echo'), '{"name":"a"}')->{status} == 201 });
    is($ng->alarms, '', $what);
    return;
}

my $ng = nginx("host=127.0.0.1 port=$port $rest", '');
works($ng, 'an address');
$ng = nginx("host=localhost port=$port $rest", '');
works($ng, 'a name, resolved once without a resolver');

# the first takes connections and says nothing, the second refuses
my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1');
my $ports = join ',', $silent->sockport, free_port(), $port;
$ng = nginx("host=127.0.0.1,127.0.0.1,$dir port=$ports $rest",
    'connect_timeout=500ms');
works($ng, 'the third of three hosts');
like($ng->log, qr/does not come up: not connected within/,
    'the silent one was given up in time');
$ng->quit;

# --- names by nginx's resolver
my $names = Names->start;
my $resolver = $names->resolver;
$ng = nginx("host=db.test port=$port $rest", '', $resolver);
works($ng, 'a name, by the resolver');
$ng = nginx("host=unknown.example,db.test port=$port $rest", '', $resolver);
works($ng, 'the second name when nobody knows the first');
$ng = nginx("host=unknown.example port=$port $rest", 'timeout=300ms',
    $resolver);
wait_for('the complaint', 10, sub {
    $ng->log =~ /does not come up: no address is known for its hosts/ });
is(codes(post($ng->url('/echo'), '{"name":"a"}')), '503 database-away',
    'a name that nobody knows means no database');
$ng->quit;
$names->stop;
$ng = nginx("host=db.test port=$port $rest", 'timeout=300ms '
    . 'connect_timeout=300ms', $resolver);
wait_for('the complaint', 10, sub { $ng->log =~ /does not come up/ });
is($ng->alarms, '', 'a resolver that is gone is no alarm');
$ng->quit;

# --- what is connected is not what we are made for
$pg->sql('create database empty');
$ng = nginx("host=$dir port=$port dbname=empty user=postgres",
    'timeout=300ms');
wait_for('the complaint', 10, sub {
    $ng->log =~ /\[error\].*does not come up: ERROR:  schema "leadq" does not/ });
pass('a database without the schema is refused with a reason');
$ng->quit;
$pg->sql('create schema other; create function other.web_api() returns int
    language sql as $$ select 2 $$');
$ng = nginx($pg->dsn, 'schema=other timeout=300ms');
wait_for('the complaint', 10, sub {
    $ng->log =~ /web_api\(\) of the schema is 2, this module needs 1/ });
pass('a schema of another version is refused with both versions');
is(codes(post($ng->url('/echo'), '{"name":"a"}')), '503 database-away',
    'and its requests get 503');
$pg->sql('create or replace function other.web_api() returns int
    language sql as $$ select 1 $$;
    create function other.web_echo(uuid[], text[])
    returns table (n int, status int, headers text, body text)
    language sql as $$ select * from leadq.web_echo($1, $2) $$');
works($ng, 'until it is migrated, without a reload');
cmp_ok(scalar(() = $ng->log =~ /does not come up/g), '<=', 3,
    'the log is not flooded meanwhile');
$ng->quit;

done_testing();
