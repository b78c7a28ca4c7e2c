package Load;

# Clients that post without pause over keep-alive connections, in a process
# of their own: every request carries a name of its own, so that rows can be
# compared with answers afterwards.

use strict;
use warnings;

use File::Temp ();
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(time);

# Options: port, path, connections (default 16), body => sub { my $name },
# pause => seconds before a connection that got an error goes on.
sub start {
    my ($class, %options) = @_;

    my $file = File::Temp->new;
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        my $end = 0;
        local $SIG{TERM} = sub { $end = 1 };
        local $SIG{PIPE} = 'IGNORE';
        open my $to, '>', $file->filename or POSIX::_exit(1);
        _run(\$end, $to, connections => 16, %options);
        close $to;
        POSIX::_exit(0);
    }
    return bless { pid => $pid, file => $file }, $class;
}

# Ends the load: { status => {code => n}, acked => [names], sent => n,
# cut => n (connections that ended without an answer) }.
sub stop {
    my ($self) = @_;

    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    my %result = (status => {}, acked => [], cut => 0, sent => 0);
    open my $from, '<', $self->{file}->filename or die "load: $!\n";
    while (my $line = <$from>) {
        chomp $line;
        my ($what, $name) = split / /, $line;
        if ($what eq 'cut') {
            $result{cut}++;
            next;
        }
        $result{sent}++;
        $result{status}{$what}++;
        push @{ $result{acked} }, $name if $what =~ /^2/;
    }
    return \%result;
}

sub _run {
    my ($end, $to, %options) = @_;

    my $body = $options{body} || sub { qq({"name":"$_[0]"}) };
    my $select = IO::Select->new;
    my (%open, @later);
    my $number = 0;
    my $prefix = sprintf 'n%d', $$;
    my $parent = getppid;
    my $next = sub {
        my ($fh) = @_;
        my $name = $prefix . 'x' . $number++;
        my $text = $body->($name, $number);
        $open{$fh} = { name => $name, got => '' };
        syswrite $fh, "POST $options{path} HTTP/1.1\r\nHost: a\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($text) . "\r\n\r\n$text";
    };
    while (1) {
        $$end = 1 if getppid != $parent;
        while (!$$end && $select->count < $options{connections}) {
            my $fh = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                PeerPort => $options{port}, Timeout => 5);
            if (!$fh) {
                select undef, undef, undef, 0.01;
                last;
            }
            $select->add($fh);
            $next->($fh);
        }
        last if !$select->count && $$end;
        while (@later && $later[0][0] < time) {
            my $fh = (shift @later)->[1];
            $next->($fh) if $open{$fh};
        }
        for my $fh ($select->can_read(@later ? 0.01 : 0.2)) {
            my $one = $open{$fh};
            my $n = sysread $fh, $one->{got}, 65536, length $one->{got};
            if (!$n) {
                print {$to} "cut $one->{name}\n";
                $select->remove($fh);
                delete $open{$fh};
                next;
            }
            next if $one->{got} !~ /\A(.*?\r\n\r\n)(.*)\z/s;
            my ($head, $rest) = ($1, $2);
            my ($length) = $head =~ /^Content-Length: (\d+)/mi;
            next if defined $length && length $rest < $length;
            my ($status) = $head =~ m{\AHTTP/1\.1 (\d+)};
            print {$to} "$status $one->{name}\n";
            if ($$end || $head =~ /^Connection: close/mi) {
                $select->remove($fh);
                delete $open{$fh};
                next;
            }
            if ($options{pause} && $status >= 500) {
                $one->{got} = '';
                push @later, [time + $options{pause}, $fh];
                next;
            }
            $next->($fh);
        }
        $select->remove(map { $_->[1] } splice @later) if $$end;
    }
    return;
}

# How many of the names are missing in leadq.row, and how many are twice.
sub compare {
    my ($result, $pg) = @_;

    my %rows;
    $rows{$_}++ for split /\n/,
        $pg->sql(q(select request ->> 'name' from leadq.row
                   where request ->> 'name' ~ '^n[0-9]+x'));
    my $missing = grep { !$rows{$_} } @{ $result->{acked} };
    my $twice = grep { $_ > 1 } values %rows;
    return ($missing, $twice);
}

1;
