#!/usr/bin/perl

# pgbouncer in transaction mode between nginx and the database, under load:
# it lends fewer connections than there are lanes, loses the database, is
# killed and comes back.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use POSIX ();
use Test::More;

use Door qw(postgres post);
use Leadq::Nginx;
use Leadq::Test qw(free_port slurp spew tempdir wait_for);
use Load;
use Probe;

my $bouncer = '/usr/sbin/pgbouncer';
-x $bouncer or die "no $bouncer: make deps installs it\n";

my $pg = postgres();
my ($host, $port) = $pg->dsn =~ /host=(\S+) port=(\d+)/;
my $dir = tempdir();
my $listen = free_port();
chmod 0777, "$dir" or die "chmod: $!\n";
spew("$dir/users", qq("postgres" ""\n));
spew("$dir/ini", <<"INI");
[databases]
leadq = host=$host port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $listen
unix_socket_dir =
auth_type = trust
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
logfile = $dir/log
INI

my $pid;

END { kill 'KILL', $pid if $pid }

sub pooler {
    $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec {$bouncer} 'pgbouncer', ($> == 0 ? ('-u', 'postgres') : ()),
            "$dir/ini" or POSIX::_exit(127);
    }
    return;
}

sub pooler_killed {
    my ($signal) = @_;
    kill $signal, $pid;
    waitpid $pid, 0;
    undef $pid;
    return;
}

sub rows { return $pg->sql('select count(*) from leadq.row') }

pooler();
my $dsn = "host=127.0.0.1 port=$listen dbname=leadq user=postgres "
    . 'target_session_attrs=read-write';
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn" connections=6 timeout=30s
        lifetime=2s;),
    server => 'location = /echo { leadq_pass main echo;
        leadq_field name text; }
        location = /alive { return 200 alive; }');
wait_for('lanes through the pooler', 15, sub {
    post($ng->url('/echo'), '{"name":"a"}')->{status} == 201 });

my %ways = (
    'nothing happens' => sub { },
    'database restarted' => sub { $pg->restart('fast') },
    'database killed' => sub { $pg->kill9; $pg->start_again },
    'pooler restarted' => sub { pooler_killed('TERM'); pooler() },
    'pooler killed' => sub { pooler_killed('KILL'); sleep 1; pooler() },
);

for my $way (sort keys %ways) {
    $pg->sql('truncate leadq.row');
    my $load = Load->start(port => $ng->port, path => '/echo',
        connections => 64);
    my $probe = Probe->start($ng);
    wait_for('some load', 30, sub { rows() > 200 });
    $ways{$way}->();
    my $rows = rows();
    wait_for('more load', 60, sub { rows() > $rows + 200 });
    my ($result, $loop) = ($load->stop, $probe->stop);
    is_deeply([Load::compare($result, $pg)], [0, 0],
        "$way: nothing answered is lost, nothing is stored twice");
    # A database that takes long to come back, behind a pooler that is there:
    # a row is sent three times at most.  64 are under way at a time.
    my $busy = $way =~ /^database/ ? delete $result->{status}{503} || 0 : 0;
    cmp_ok($busy, '<=', 64 + 0.02 * $result->{sent},
        "$way: hardly anybody has to ask again");
    is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
        "$way: clients saw a delay and no error")
        or diag(explain($result->{status}));
    ok(!$loop->{stood}, "$way: the event loop never stood still");
    note("$way: $result->{sent} requests, loop $loop->{worst} ms in "
        . "$loop->{n} probes");
}

cmp_ok($pg->sql(q(select count(*) from pg_stat_activity
    where application_name = 'leadq')), '<=', 3,
    'the server has the connections of the pooler, not of the lanes');
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;
pooler_killed('TERM');

done_testing();
