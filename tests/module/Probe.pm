package Probe;

# Does the event loop of nginx stand still?  A process of its own asks for a
# static location all the time and looks how long each answer took, less what
# the two processes waited for a processor, which the kernel counts: a busy
# machine is not a module that blocks.

use strict;
use warnings;

use IO::Handle ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

my %running;

END {
    my $status = $?;
    kill 'KILL', grep { $running{$_} == $$ } keys %running;
    $? = $status;
}

# nginx has one worker process and "location = /alive { return 200 alive; }".
sub start {
    my ($class, $nginx) = @_;

    open my $file, '+>', undef or die "a file: $!\n";   # a pipe would fill
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        my $end = 0;
        local $SIG{TERM} = sub { $end = 1 };
        local $SIG{PIPE} = 'IGNORE';
        _run(\$end, $file, $nginx);
        close $file;
        POSIX::_exit(0);
    }
    $running{$pid} = $$;
    return bless { pid => $pid, file => $file }, $class;
}

# Has it written more answers since the last time?
sub looks {
    my ($self) = @_;
    my $size = -s $self->{file};
    my $more = $size > ($self->{size} || 0);
    $self->{size} = $size;
    return $more;
}

# Ends it: { n => probes, worst => ms, late => how many above 10 ms, stood =>
# whether the loop stood still }.  A few probes may be a little late: what a
# host takes from its guests nobody counts.  Sanitizers make handshakes slow.
sub stop {
    my ($self) = @_;

    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $running{ $self->{pid} };
    my $file = $self->{file};
    seek $file, 0, 0;
    my %result = (n => 0, worst => 0, late => 0);
    while (my $ms = <$file>) {
        chomp $ms;
        $result{n}++;
        $result{late}++ if $ms > 10;
        $result{worst} = $ms if $ms > $result{worst};
    }
    # A call that blocks costs its time-out, which is never below 300 ms.
    $result{stood} = $result{worst} > ($ENV{LEADQ_SANITIZE} ? 250 : 100)
        || $result{late} > 3 + $result{n} / 100 && !$ENV{LEADQ_SANITIZE};
    return \%result;
}

# Seconds that a process was ready to run and had no processor.
sub _starved_s {
    my ($fh) = @_;
    sysseek $fh, 0, 0;
    sysread $fh, my $text, 100 or return 0;
    return (split ' ', $text)[1] / 1e9;
}

sub _run {
    my ($end, $file, $nginx) = @_;

    my ($worker) = $nginx->worker_pids;
    open my $its, '<', "/proc/$worker/schedstat" or die "schedstat: $!\n";
    open my $mine, '<', '/proc/self/schedstat' or die "schedstat: $!\n";
    my $socket;
    $file->autoflush(1);
    while (!$$end) {
        $socket ||= IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $nginx->port) or die "connect: $!\n";
        my $starved = _starved_s($its) + _starved_s($mine);
        my $began = time;
        syswrite $socket, "GET /alive HTTP/1.1\r\nHost: a\r\n\r\n";
        my $got = sysread $socket, my $answer, 4096;
        my $took = time - $began;
        $took -= _starved_s($its) + _starved_s($mine) - $starved;
        if (!$got || $answer =~ /^Connection: close/mi) {
            undef $socket;
        }
        printf {$file} "%.3f\n", $took * 1000 if $got;
        sleep 0.001;
    }
    return;
}

1;
