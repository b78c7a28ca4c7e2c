package Wire;

# The network between nginx and the database, to be cut: a TCP port of the
# loopback that is passed on to another one, by a process that can be stopped
# (nothing goes through, nobody is told) or killed (everybody is told).

use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET ();
use POSIX ();

use Leadq::Test qw(free_port);

my %running;

END {
    my $status = $?;
    kill 'KILL', grep { $running{$_} == $$ } keys %running;
    $? = $status;
}

sub new {
    my ($class, $target) = @_;
    my $self = bless { target => $target, port => free_port() }, $class;
    $self->restore;
    return $self;
}

sub port { return $_[0]{port} }

# Nothing goes through and nothing is refused; and on again.
sub freeze { kill 'STOP', $_[0]{pid}; return }

sub thaw { kill 'CONT', $_[0]{pid}; return }

# Every connection is reset and new ones are refused, until restored.
sub cut {
    my ($self) = @_;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $running{ $self->{pid} };
    return;
}

sub restore {
    my ($self) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $self->{port}, Listen => 64, ReuseAddr => 1)
        or die "listen: $!\n";
    $self->{pid} = fork;
    defined $self->{pid} or die "fork: $!\n";
    if ($self->{pid} == 0) {
        local $SIG{PIPE} = 'IGNORE';
        _run($listen, $self->{target});
    }
    $running{ $self->{pid} } = $$;
    return;
}

sub _run {
    my ($listen, $target) = @_;

    my $select = IO::Select->new($listen);
    my %other;
    while (1) {
        for my $fh ($select->can_read) {
            if ($fh == $listen) {
                my $client = $listen->accept or next;
                my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                    PeerPort => $target) or next;
                @other{$client, $server} = ($server, $client);
                $select->add($client, $server);
                next;
            }
            my $to = $other{$fh} or next;
            my $n = sysread $fh, my $data, 65536;
            my $sent = 0;
            while ($n && $sent < $n) {
                my $part = syswrite $to, $data, $n - $sent, $sent;
                $n = 0 if !$part;
                $sent += $part || 0;
            }
            next if $n;
            $select->remove($fh, $to);
            delete @other{$fh, $to};
            close $_ for $fh, $to;
        }
    }
    POSIX::_exit(0);
}

1;
