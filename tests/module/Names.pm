package Names;

# A name server of our own: "db.test" and what a test tells it, an address or
# "MX:host"; "*.test" without one exists and has none, "slow.*" is never
# answered, nobody knows the rest.

use strict;
use warnings;

use IO::Socket::INET ();
use POSIX ();

use Leadq::Test qw(slurp spew tempdir);

my %running;

END {
    my $status = $?;
    kill 'KILL', grep { $running{$_} == $$ } keys %running;
    $? = $status;
}

sub start {
    my ($class, %address) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => '127.0.0.1') or die "udp: $!\n";
    my $self = bless { port => $socket->sockport, dir => tempdir() }, $class;
    $self->set('db.test' => '127.0.0.1', %address);
    $self->{pid} = fork;
    defined $self->{pid} or die "fork: $!\n";
    if ($self->{pid} == 0) {
        while (defined $socket->recv(my $question, 512)) {
            $self->_reply($socket, $question);
        }
        POSIX::_exit(0);
    }
    $running{ $self->{pid} } = $$;
    return $self;
}

# From now on these names have these addresses, for a second.
sub set {
    my ($self, %address) = @_;
    %{ $self->{address} } = (%{ $self->{address} || {} }, %address);
    spew("$self->{dir}/names.new", join '',
        map { "$_ $self->{address}{$_}\n" } sort keys %{ $self->{address} });
    rename "$self->{dir}/names.new", "$self->{dir}/names" or die "names: $!\n";
    return;
}

sub port { return $_[0]{port} }

# nginx's directive.
sub resolver {
    my ($self) = @_;
    return "resolver 127.0.0.1:$self->{port} ipv6=off;";
}

sub stop {
    my ($self) = @_;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $running{ $self->{pid} };
    return;
}

sub _reply {
    my ($self, $socket, $question) = @_;

    my $rest = substr $question, 12;
    my ($wire) = $rest =~ /\A(.*?\0)/s;
    my $name = join '.', unpack '(C/a)*', substr $wire, 0, -1;
    return if $name =~ /^slow\./;
    my %address = split ' ', slurp("$self->{dir}/names");
    my $known = $address{$name};
    my $type = unpack 'n', substr $rest, length $wire;
    my $mx = $known && $known =~ s/^MX:// ? $known : undef;
    undef $known if $type != ($mx ? 15 : 1);
    my $data = !$known ? '' : $mx ? _data(15, pack 'n(C/a)*', 10,
            grep({ length } split /[.]/, $mx), '')
        : _data(1, pack 'C4', split /[.]/, $known);
    $socket->send(pack('a2nnnnn', $question,
        $known || $name =~ /test$/ ? 0x8180 : 0x8183, 1, $known ? 1 : 0, 0, 0)
        . substr($rest, 0, length($wire) + 4)
        . $data);
    return;
}

sub _data {
    my ($type, $value) = @_;
    return pack 'nnnNn/a', 0xc00c, $type, 1, 1, $value;
}

1;
