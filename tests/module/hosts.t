#!/usr/bin/perl

# Where the database is: several hosts, names, standbys, a wrong schema,
# pgbouncer in between.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Socket::INET ();
use Test::More;

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(free_port http run spew tempdir wait_for);

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

# --- names by nginx's resolver, from a name server of our own
my $dns = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1')
    or die "udp: $!\n";
my $server = fork;
if ($server == 0) {
    while (defined $dns->recv(my $question, 512)) {
        my ($id) = unpack 'n', $question;
        my $rest_of = substr $question, 12;
        my ($name) = $rest_of =~ /\A(.*?\0)/s;
        my $type = unpack 'n', substr $rest_of, length $name;
        my $known = $name eq "\x02db\x04test\0" && $type == 1;
        $dns->send(pack('nnnnnn', $id, $known || $name =~ /test/ ? 0x8180
            : 0x8183, 1, $known ? 1 : 0, 0, 0) . substr($rest_of, 0,
            length($name) + 4) . ($known ? pack('nnnNnC4', 0xc00c, 1, 1, 5, 4,
            127, 0, 0, 1) : ''));
    }
    POSIX::_exit(0);
}
my $resolver = 'resolver 127.0.0.1:' . $dns->sockport . ';';
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
kill 'KILL', $server;
waitpid $server, 0;
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

# --- pgbouncer, transaction pooling
SKIP: {
    skip 'no pgbouncer', 1 if !-x '/usr/sbin/pgbouncer';
    my $home = tempdir();
    my $bouncer_port = free_port();
    spew("$home/users", qq("postgres" ""\n));
    spew("$home/ini", "[databases]\nleadq = host=$dir port=$port\n[pgbouncer]\n"
        . "listen_addr = 127.0.0.1\nlisten_port = $bouncer_port\n"
        . "auth_type = trust\nauth_file = $home/users\npool_mode = transaction\n"
        . "unix_socket_dir =\ndefault_pool_size = 3\nlogfile = $home/log\n"
        . "ignore_startup_parameters = extra_float_digits\n");
    chmod 0777, "$home";
    my $bouncer = fork;
    if ($bouncer == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec {'/usr/sbin/pgbouncer'} 'pgbouncer',
            ($> == 0 ? ('-u', 'postgres') : ()), "$home/ini"
            or POSIX::_exit(127);
    }
    $ng = nginx("host=127.0.0.1 port=$bouncer_port $rest", '');
    works($ng, 'pgbouncer in transaction mode');
    $ng->quit;
    kill 'TERM', $bouncer;
    waitpid $bouncer, 0;
}

done_testing();
