package Leadq::Postgres;

# A private PostgreSQL cluster on a unix socket.  As root it runs under the
# user postgres.  Durability is PostgreSQL's default.

use strict;
use warnings;

use Fcntl qw(LOCK_EX);
use File::Path qw(make_path remove_tree);
use POSIX ();

use Leadq::Session;
use Leadq::Test qw(wait_for tempdir slurp spew build_dir unprivileged run);

my %running;

END {
    my $status = $?;
    $_->stop('immediate') for values %running;
    $? = $status;
}

sub bindir {
    my $dir = `pg_config --bindir`;
    chomp $dir;
    $dir or die "pg_config not found\n";
    return $dir;
}

# Options: conf => {name => value}, dir => where to keep it (default: a
# temporary directory), listen => '127.0.0.1' for TCP as well.
sub start {
    my ($class, %options) = @_;

    my $self = bless { conf => {} }, $class;
    $self->{owner} = $$;
    $self->{tempdir} = tempdir() if !$options{dir};
    $self->{dir} = $options{dir} || "$self->{tempdir}";
    $self->{data} = "$self->{dir}/data";
    $self->{log} = "$self->{dir}/postgres.log";
    $self->{port} = Leadq::Test::free_port();
    my @ids = unprivileged();
    if (@ids) {
        chown @ids, $self->{dir} or die "$self->{dir}: $!\n";
    }
    $self->_initdb if !-e "$self->{data}/PG_VERSION";
    my %conf = (
        listen_addresses => $options{listen} || '',
        port => $self->{port},
        unix_socket_directories => $self->{dir},
        max_connections => 100,
        shared_buffers => '128MB',
        log_min_messages => 'warning',
        log_line_prefix => '%m [%p] %u ',
        %{ $options{conf} || {} },
    );
    spew("$self->{data}/postgresql.auto.conf",
        join '', map { "$_ = '$conf{$_}'\n" } sort keys %conf);
    chown @ids, "$self->{data}/postgresql.auto.conf" if @ids;
    $self->start_again;
    $self->sql('create database leadq', dbname => 'postgres')
        if !$self->sql("select 1 from pg_database where datname = 'leadq'",
            dbname => 'postgres');
    return $self;
}

# Runs a command as the user that owns the cluster.
sub _as_owner {
    my ($self, @command) = @_;

    my @ids = unprivileged();
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $self->{log};
        open STDERR, '>&', \*STDOUT;
        chdir '/';
        if (@ids) {
            POSIX::setgid($ids[1]);
            POSIX::setuid($ids[0]);
        }
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    return $pid;
}

# A new cluster is a copy of one that is made once for each build.
sub _initdb {
    my ($self) = @_;

    my ($version) = `pg_config --version` =~ /(\d+)/;
    my $model = build_dir() . "/postgres-$version";
    make_path(build_dir());
    open my $lock, '>', "$model.lock" or die "$model.lock: $!\n";
    flock $lock, LOCK_EX or die "$model.lock: $!\n";
    if (-d $model) {
        _copy($model, $self->{data});
        return;
    }
    my $pid = $self->_as_owner(bindir() . '/initdb', '-N', '-A', 'trust',
        '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '-D',
        $self->{data});
    waitpid $pid, 0;
    $? == 0 or die 'initdb: ' . slurp($self->{log}) . "\n";
    remove_tree("$model.new");
    _copy($self->{data}, "$model.new");
    rename "$model.new", $model or die "$model: $!\n";
    return;
}

sub _copy {
    my ($from, $to) = @_;
    my ($rc, $out) = run('cp', '-a', $from, $to);
    $rc == 0 or die "cp: $out\n";
    return;
}

# Starts the server once more after stop or kill9.
sub start_again {
    my ($self) = @_;

    $self->{pid} = $self->_as_owner(bindir() . '/postgres', '-D',
        $self->{data});
    $running{ $self->{pid} } = $self;
    wait_for('PostgreSQL accepts connections', 60, sub {
        if (waitpid($self->{pid}, POSIX::WNOHANG()) != 0) {
            die 'PostgreSQL ended: ' . substr(slurp($self->{log}), -2000);
        }
        my ($rc) = run(bindir() . '/pg_isready', '-q', '-U', 'postgres', '-h', $self->{dir},
            '-p', $self->{port});
        return $rc == 0;
    });
    return;
}

# Stops by mode fast, smart or immediate.
sub stop {
    my ($self, $mode) = @_;

    my $pid = $self->{pid} or return;
    return if $self->{owner} != $$;
    $self->{sessions} = {};
    my %signal = (smart => 'TERM', fast => 'INT', immediate => 'QUIT');
    kill $signal{ $mode || 'fast' }, $pid;
    waitpid $pid, 0;
    delete $running{$pid};
    $self->{pid} = undef;
    return;
}

sub restart {
    my ($self, $mode) = @_;
    $self->stop($mode);
    $self->start_again;
    return;
}

# Kills the postmaster and every backend at once, as a power cut would.
sub kill9 {
    my ($self) = @_;

    # Stopped first, so that it makes no more children while they are counted.
    $self->{sessions} = {};
    my $pid = $self->{pid};
    kill 'STOP', $pid;
    my @all = ($pid, split ' ', `ps -o pid= --ppid $pid`);
    kill 'KILL', @all;
    waitpid $pid, 0;
    delete $running{$pid};
    $self->{pid} = undef;
    wait_for('backends are gone', 10, sub {
        return !grep { kill 0, $_ } @all;
    });
    return;
}

# A streaming replica of this cluster; options as for start.  Commits wait for
# it from now on.
sub standby {
    my ($self, %options) = @_;

    my $dir = tempdir();
    my @ids = unprivileged();
    chown @ids, "$dir" or die "$dir: $!\n" if @ids;
    my $source = "host=$self->{dir} port=$self->{port} user=postgres";
    my $pid = $self->_as_owner(bindir() . '/pg_basebackup', '-c', 'fast',
        '-D', "$dir/data", '-d', $source);
    waitpid $pid, 0;
    $? == 0 or die 'pg_basebackup: ' . slurp($self->{log}) . "\n";
    spew("$dir/data/standby.signal", '');
    my $standby = ref($self)->start(%options, dir => "$dir",
        conf => { %{ $options{conf} || {} }, primary_conninfo => $source });
    $standby->{tempdir} = $dir;
    $self->sql("alter system set synchronous_standby_names = '*'");
    $self->sql('select pg_reload_conf()');
    wait_for('the standby is in step', 30, sub { $self->sql(
        q(select 1 from pg_stat_replication where sync_state = 'sync')) });
    return $standby;
}

# Makes a primary of a standby.
sub promote {
    my ($self) = @_;
    $self->sql('select pg_promote()');
    return;
}

# Stops every process where it is, and lets them go on.
sub freeze {
    my ($self) = @_;

    my $pid = $self->{pid};
    kill 'STOP', $pid;
    $self->{frozen} = [$pid, split ' ', `ps -o pid= --ppid $pid`];
    kill 'STOP', @{ $self->{frozen} };
    return;
}

sub thaw {
    my ($self) = @_;
    kill 'CONT', @{ $self->{frozen} };
    return;
}

sub pid { return $_[0]{pid} }

sub dir { return $_[0]{dir} }

# A conninfo; options user (default postgres), dbname (default leadq).
sub dsn {
    my ($self, %options) = @_;
    my $user = $options{user} || 'postgres';
    my $dbname = $options{dbname} || 'leadq';
    return "host=$self->{dir} port=$self->{port} dbname=$dbname user=$user";
}

# The command of a psql session; options as for dsn.
sub psql {
    my ($self, %options) = @_;
    return (bindir() . '/psql', '-XAtq', '-v', 'ON_ERROR_STOP=1',
        '-d', $self->dsn(%options));
}

# Runs SQL and returns what psql prints; dies on an error.  A process keeps
# a session for single statements, until the server is gone: a new psql costs
# more than most of what tests ask.
sub sql {
    my ($self, $sql, %options) = @_;

    if ($sql =~ /;\s*\S/) {
        my ($rc, $out) = run($self->psql(%options), '-c', $sql);
        chomp $out;
        $rc == 0 or die "psql: $out\n";
        return $out;
    }
    my $sessions = $self->{sessions}{$$} ||= {};
    my $key = $self->dsn(%options);
    my $old = $sessions->{$key};
    my $session = $old || Leadq::Session->new($self, %options);
    my $answer = eval { $session->sql($sql) };
    if (defined $answer) {
        $sessions->{$key} = $session;
        return $answer;
    }
    my $error = $@;
    delete $sessions->{$key};
    $old && $error =~ /connection|terminat|shutting down/
        or die $error;
    return $self->sql($sql, %options);
}

# Runs a file of SQL.
sub sql_file {
    my ($self, $path, %options) = @_;

    my ($rc, $out) = run($self->psql(%options), '-f', $path);
    $rc == 0 or die "psql: $out\n";
    return $out;
}

# Installs the schema by leadqctl, as an operator would.
sub migrate {
    my ($self, @more) = @_;

    my ($rc, $out) = run(build_dir() . '/leadqctl', 'migrate', '-d',
        $self->dsn, '--sql-dir', 'sql', '--test-database', @more);
    $rc == 0 or die "leadqctl migrate: $out\n";
    return $out;
}

# Imports a business document.
sub import_config {
    my ($self, $path) = @_;

    my ($rc, $out) = run(build_dir() . '/leadqctl', 'config', 'import',
        '-d', $self->dsn, $path);
    $rc == 0 or die "leadqctl config import: $out\n";
    return $out;
}

1;
