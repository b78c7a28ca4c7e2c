package Leadq::Load;

# Many HTTP requests at once from one process, through servers that die:
# every connection is used until it breaks, and what was not answered is
# reported as such, never repeated.

use strict;
use warnings;

use IO::Poll qw(POLLIN POLLOUT POLLERR POLLHUP);
use IO::Socket::INET ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time sleep);

# Options: port; connections; next => sub returning the bytes of a request
# with something to know it by, or nothing at the end; done => sub called
# with (that something, status or 0, body); tick => sub called about every
# 10 ms; timeout => seconds for one answer (default 60).  Returns when every
# request was answered or failed.
sub run {
    my ($class, %options) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $self = bless { %options, poll => IO::Poll->new, busy => {},
        timeout => $options{timeout} || 60 }, $class;
    my $ticked = 0;
    my $next = $self->_next;
    while ($next || %{ $self->{busy} }) {
        while ($next && keys %{ $self->{busy} } < $self->{connections}) {
            last if !$self->_send($next);
            $next = $self->_next;
        }
        $self->{poll}->poll(0.01);
        $self->_receive($_)
            for $self->{poll}->handles(POLLIN | POLLERR | POLLHUP);
        if (time - $ticked > 0.01) {
            $ticked = time;
            $self->{tick}->() if $self->{tick};
            $self->_expire;
        }
    }
    close $_ for @{ $self->{idle} || [] };
    return;
}

sub _next {
    my ($self) = @_;
    my @request = $self->{next}->();
    return @request ? \@request : undef;
}

# Puts a request on a connection; false when there is none to be had now.
sub _send {
    my ($self, $request) = @_;

    my $socket = pop @{ $self->{idle} };
    if (!$socket) {
        $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->{port}, Timeout => 5);
        if (!$socket) {
            sleep 0.02;
            return 0;
        }
        setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
        $socket->blocking(0);
    }
    my $sent = syswrite $socket, $request->[0];
    $self->{busy}{$socket} = { socket => $socket, id => $request->[1],
        in => '', end => time + $self->{timeout} };
    $self->{poll}->mask($socket => POLLIN);
    $self->_finish($socket, 0, '')
        if !defined $sent || $sent != length $request->[0];
    return 1;
}

sub _receive {
    my ($self, $socket) = @_;

    my $busy = $self->{busy}{$socket} or return;
    my $got = sysread $socket, $busy->{in}, 65536, length $busy->{in};
    return if !defined $got && $!{EAGAIN};
    return $self->_finish($socket, 0, '') if !$got;
    my ($head, $body) = $busy->{in} =~ /\A(.*?)\r\n\r\n(.*)\z/s or return;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    return if length $body < ($length || 0);
    my ($status) = $head =~ m{\AHTTP/1.1 (\d+)};
    my $close = $head =~ /^Connection: close/mi;
    return $self->_finish($socket, $status, $body, !$close);
}

sub _finish {
    my ($self, $socket, $status, $body, $keep) = @_;

    my $busy = delete $self->{busy}{$socket};
    $self->{poll}->remove($socket);
    if ($keep) {
        push @{ $self->{idle} }, $socket;
    }
    else {
        close $socket;
    }
    $self->{done}->($busy->{id}, $status, $body);
    return;
}

sub _expire {
    my ($self) = @_;
    for my $busy (values %{ $self->{busy} }) {
        $self->_finish($busy->{socket}, 0, '') if time > $busy->{end};
    }
    return;
}

1;
