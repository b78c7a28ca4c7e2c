package Leadq::Worker;

# leadq-worker under test, with a configuration of its own.

use strict;
use warnings;

use POSIX ();

use Leadq::Test qw(wait_for tempdir slurp spew build_dir);

my %running;

END {
    my $status = $?;
    $_->kill9 for values %running;
    $? = $status;
}

# Options: conf => {key => value} of section [leadq]; dir.  A key file is
# made when conf names none.
sub start {
    my ($class, %options) = @_;

    my $self = bless { owner => $$ }, $class;
    $self->{tempdir} = tempdir() if !$options{dir};
    $self->{dir} = $options{dir} || "$self->{tempdir}";
    $self->configure(%{ $options{conf} || {} });
    $self->_spawn;
    return $self;
}

# Writes worker.conf anew; takes effect at the next start or SIGHUP.
sub configure {
    my ($self, %conf) = @_;

    if (!$conf{keys}) {
        $conf{keys} = "$self->{dir}/links.key";
        spew($conf{keys}, '1 ' . ('5a' x 32) . "\n") if !-e $conf{keys};
    }
    $conf{resolver} ||= 'off'; # no test asks the world's name servers
    $conf{smtp_url} ||= 'smtp://127.0.0.1:9';
    $conf{private_targets} //= '127.0.0.0/8, ::1'; # where the tests listen
    spew("$self->{dir}/worker.conf", "[leadq]\n"
        . join '', map { "$_ = $conf{$_}\n" } grep { length $conf{$_} }
            sort keys %conf);
    return;
}

sub _spawn {
    my ($self) = @_;

    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/worker.log";
        open STDERR, '>&', \*STDOUT;
        $ENV{NOTIFY_SOCKET} = $self->{notify} if $self->{notify};
        my $program = build_dir() . '/leadq-worker';
        exec { $program } $program, '-c', "$self->{dir}/worker.conf"
            or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    $running{$pid} = $self;
    return;
}

sub start_again { return $_[0]->_spawn }

sub pid { return $_[0]{pid} }

sub dir { return $_[0]{dir} }

sub log { return slurp("$_[0]{dir}/worker.log") }

# True while the process runs.
sub alive {
    my ($self) = @_;
    return $self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG()) == 0;
}

sub hup {
    kill 'HUP', $_[0]{pid};
    return;
}

# SIGTERM; waits for the end and returns the exit status.
sub term {
    my ($self) = @_;

    kill 'TERM', $self->{pid} || return;
    return $self->ended;
}

# The same without the signal.
sub ended {
    my ($self) = @_;

    my ($pid, $status) = ($self->{pid});
    wait_for('the worker ends', 60, sub {
        return 0 if waitpid($pid, POSIX::WNOHANG()) == 0;
        $status = $?;
        return 1;
    });
    delete $running{$pid};
    $self->{pid} = undef;
    return $status & 127 ? 128 + ($status & 127) : $status >> 8;
}

sub kill9 {
    my ($self) = @_;

    my $pid = $self->{pid} or return;
    return if $self->{owner} != $$;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    delete $running{$pid};
    $self->{pid} = undef;
    return;
}

1;
