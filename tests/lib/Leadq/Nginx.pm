package Leadq::Nginx;

# nginx with the module under test, on a free port of the loopback: Debian's,
# or the program that LEADQ_NGINX names.

use strict;
use warnings;

use File::Spec ();
use POSIX ();

use Leadq::Test
    qw(wait_for free_port tempdir slurp spew build_dir sanitizers http);

my %running;
my $found;

# A test fails if a sanitizer found something, at its end too: leaks.
END {
    my $status = $?;
    $_->stop for values %running;
    $? = $status || ($found ? 1 : 0);
}

# Writes the configuration of %options (main, http, server: text to put
# there; workers: number, default 1; connections: of a worker process; dir:
# where, default temporary).
sub _prepare {
    my ($class, %options) = @_;

    my $self = bless { owner => $$ }, $class;
    $self->{tempdir} = tempdir() if !$options{dir};
    $self->{dir} = $options{dir} || "$self->{tempdir}";
    $self->{port} = $options{port} || free_port();
    $self->configure(%options);
    return $self;
}

# Writes nginx.conf anew; takes effect at the next reload.
sub configure {
    my ($self, %options) = @_;

    my %text = map { $_ => defined $options{$_} ? $options{$_} : '' }
        qw(main http server);
    my $workers = $options{workers} || 1;
    my $connections = $options{connections} || 4096;
    my $user = $> == 0 ? 'user root;' : '';
    my $module = build_dir() . '/nginx/ngx_http_leadq_module.so';
    my $conf = $self->{dir};
    spew("$conf/nginx.conf", <<"CONF");
load_module $module;
$user
daemon off;
worker_processes $workers;
pid $conf/nginx.pid;
error_log $conf/error.log info;
$text{main}
events {
    worker_connections $connections;
}
http {
    access_log off;
    client_body_temp_path $conf/body;
    proxy_temp_path $conf/proxy;
    fastcgi_temp_path $conf/fastcgi;
    uwsgi_temp_path $conf/uwsgi;
    scgi_temp_path $conf/scgi;
    $text{http}
    server {
        listen 127.0.0.1:$self->{port};
        $text{server}
    }
}
CONF
    return;
}

sub _command {
    my ($self, @more) = @_;
    return ($ENV{LEADQ_NGINX} || 'nginx', '-p', $self->{dir}, '-e', "$self->{dir}/error.log",
        '-c', "$self->{dir}/nginx.conf", @more);
}

sub _spawn {
    my ($self, @command) = @_;

    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/stderr.log";
        open STDERR, '>&', \*STDOUT;
        my $preload = sanitizers();
        if ($preload) {
            $ENV{LD_PRELOAD} = $preload;
            # A check that fails ends without freeing what nginx itself has.
            # nginx has no frame pointers, so its stacks are unwound.
            my $leaks = grep({ $_ eq '-t' } @command) ? 0 : 1;
            # What is found is read from the log, see _end: a leak check that
            # cannot stop a thread in time is no finding, and ends the process.
            $ENV{ASAN_OPTIONS} = "exitcode=0:detect_leaks=$leaks:"
                . 'fast_unwind_on_malloc=0:malloc_context_size=10';
            $ENV{LSAN_OPTIONS} = 'print_suppressions=0:suppressions='
                . File::Spec->rel2abs('tests/lib/lsan.supp');
        }
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    return $pid;
}

sub start {
    my ($class, %options) = @_;

    my $self = $class->_prepare(%options);
    $self->{pid} = $self->_spawn($self->_command);
    $running{ $self->{pid} } = $self;
    wait_for('nginx listens', 20, sub {
        if (waitpid($self->{pid}, POSIX::WNOHANG()) != 0) {
            delete $running{ $self->{pid} };
            die 'nginx ended: ' . $self->stderr . $self->log;
        }
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->{port}, Timeout => 1);
    });
    return $self;
}

# nginx -t over a configuration: (exit code, output).
sub check {
    my ($class, %options) = @_;

    my $self = $class->_prepare(%options);
    my $pid = $self->_spawn($self->_command('-t'));
    waitpid $pid, 0;
    return ($? >> 8, $self->stderr);
}

sub port { return $_[0]{port} }

sub pid { return $_[0]{pid} }

sub dir { return $_[0]{dir} }

sub url {
    my ($self, $path) = @_;
    return "http://127.0.0.1:$self->{port}$path";
}

sub log { return slurp("$_[0]{dir}/error.log") }

sub stderr { return slurp("$_[0]{dir}/stderr.log") }

# The lines of error.log that say a program is wrong, not the world.
sub alarms {
    my ($self) = @_;
    return join "\n", grep { /\[(?:alert|emerg|crit)\]|Sanitizer|runtime error/
            && !/LeakSanitizer (?:has encountered|does not work)/ }
        split /\n/, $self->log . $self->stderr;
}

# The processes of nginx below its master: [pid, title].
sub _workers {
    my ($self) = @_;
    return map { /(\d+) (.*)/ ? [$1, $2] : () }
        `ps -o pid=,args= --ppid $self->{pid}`;
}

sub worker_pids {
    my ($self) = @_;
    return map { $_->[0] } $self->_workers;
}

# Reloads and waits until only new worker processes take requests: those who
# were there are gone, or say by their title that they accept nothing more.
sub reload {
    my ($self) = @_;

    my %old = map { $_ => 1 } $self->worker_pids;
    kill 'HUP', $self->{pid};
    wait_for('nginx has new workers only', 20, sub {
        my @now = $self->_workers;
        return if grep { $old{ $_->[0] } && $_->[1] !~ /shutting down/ } @now;
        return grep { !$old{ $_->[0] } } @now;
    });
    return;
}

# Graceful stop; waits for the end.
sub quit { return $_[0]->_end('QUIT') }

sub stop { return $_[0]->_end('TERM') }

sub _end {
    my ($self, $signal) = @_;

    my $pid = $self->{pid} or return;
    return if $self->{owner} != $$;
    kill $signal, $pid;
    my $end = time + 30;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        if (time > $end) {
            kill 'KILL', $self->worker_pids, $pid;
        }
        Time::HiRes::sleep(0.01);
    }
    delete $running{$pid};
    $self->{pid} = undef;
    if (sanitizers() && $self->alarms =~ /Sanitizer|runtime error/) {
        print STDERR $self->log, $self->stderr;
        $found = 1;
    }
    return;
}

1;
