package Pooler;

# pgbouncer in transaction mode before a database, that can be killed and
# started again.
#
#   my $pooler = Pooler->start($pg);      # lends three connections
#   Leadq::Nginx->start(http => 'leadq_database main "' . $pooler->dsn . '"');
#   $pooler->kill('TERM');
#   $pooler->again;

use strict;
use warnings;

use POSIX ();

use Leadq::Test qw(free_port spew tempdir);

my $program = '/usr/sbin/pgbouncer';

sub start {
    my ($class, $pg) = @_;
    -x $program or die "no $program: make deps installs it\n";
    my ($host, $port) = $pg->dsn =~ /host=(\S+) port=(\d+)/;
    my $self = bless { dir => tempdir(), port => free_port() }, $class;
    chmod 0777, "$self->{dir}" or die "chmod: $!\n";
    spew("$self->{dir}/users", qq("postgres" ""\n));
    spew("$self->{dir}/ini", <<"INI");
[databases]
leadq = host=$host port=$port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $self->{port}
unix_socket_dir =
auth_type = trust
auth_file = $self->{dir}/users
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
logfile = $self->{dir}/log
INI
    $self->again;
    return $self;
}

sub dsn {
    my ($self) = @_;
    return "host=127.0.0.1 port=$self->{port} dbname=leadq user=postgres "
        . 'target_session_attrs=read-write';
}

sub again {
    my ($self) = @_;
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec {$program} 'pgbouncer', ($> == 0 ? ('-u', 'postgres') : ()),
            "$self->{dir}/ini" or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    return;
}

sub kill {
    my ($self, $signal) = @_;
    my $pid = delete $self->{pid} or return;
    CORE::kill($signal, $pid);
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    $self->kill('KILL');
    return;
}

1;
