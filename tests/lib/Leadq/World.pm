package Leadq::World;

# The sandbox outside world: a mail server, a CPA network and gateways of SMS
# and calls, which keep what they get (tests/lib/world.js, gateways.js) or
# behave like people (tests/lib/people.js).  It ends with the program that
# started it, whatever happens to that one, because its standard input closes.

use strict;
use warnings;

use File::Basename qw(dirname);
use JSON::PP ();
use POSIX ();

use Leadq::Test qw(wait_for http slurp);

my $LIB = dirname(__FILE__) . '/..';
my %running;

END {
    my $status = $?;
    $_->stop for values %running;
    $? = $status;
}

# Options: host, smtp, http (ports), landing (URL to link to), log (file);
# people => URL of the site: those of people.js instead.
sub start {
    my ($class, %options) = @_;

    my $log = delete $options{log} || '/dev/null';
    my $self = bless { owner => $$ }, $class;
    my @command = $options{people}
        ? ('node', "$LIB/people.js", '--site', $options{people})
        : ('node', "$LIB/world.js",
            map { ("--$_", $options{$_}) } sort keys %options);

    pipe my $in, $self->{stdin} or die "pipe: $!\n";
    pipe my $out, my $child_out or die "pipe: $!\n";
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<&', $in;
        open STDOUT, '>&', $child_out;
        open STDERR, '>>', $log;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    close $in;
    close $child_out;
    $self->{pid} = $pid;
    $running{$pid} = $self;

    my $line = <$out>;
    defined $line or die "$command[1] did not start: " . slurp($log)
        . "(make deps installs node and its modules)\n";
    $self->{is} = JSON::PP::decode_json($line);
    return $self;
}

sub smtp_url {
    my ($self) = @_;
    my ($host) = $self->{is}{url} =~ m{^http://(.+):\d+/$};
    return "smtp://$host:$self->{is}{smtp}";
}

sub url {
    my ($self, $path) = @_;
    return $self->{is}{url} . substr($path || '/', 1);
}

sub pid { return $_[0]{pid} }

sub _get {
    my ($self, $path) = @_;

    my $reply = http('GET', $self->url($path));
    $reply->{success} or die "$path: $reply->{status} $reply->{content}\n";
    return JSON::PP::decode_json($reply->{content});
}

# Letters to addresses that contain $to, oldest first.
sub mail {
    my ($self, $to) = @_;
    return @{ $self->_get('/api/mail?to=' . ($to || '')) };
}

# Postbacks for a click id (or all), oldest first.
sub postbacks {
    my ($self, $click_id) = @_;
    return @{ $self->_get('/api/postbacks'
        . ($click_id ? "?click_id=$click_id" : '')) };
}

# What people.js has seen.
sub report { return $_[0]->_get('/report') }

sub _post {
    my ($self, $path, $value) = @_;

    my $reply = http('POST', $self->url($path),
        { content => JSON::PP::encode_json($value) });
    $reply->{success} or die "$path: $reply->{content}\n";
    return JSON::PP::decode_json($reply->{content});
}

# What goes wrong from now on; see world.js.
sub faults {
    my ($self, $faults) = @_;
    $self->_post('/api/faults', $faults);
    return;
}

# Who the gateways are, from now on: name => what gateways.js says of one.
sub gateways {
    my ($self, %gateways) = @_;
    $self->_post('/api/gateways', \%gateways);
    return;
}

# What gateways got, oldest first; filter: gateway => name, phone => digits.
sub sends {
    my ($self, %filter) = @_;
    return @{ $self->_get('/api/sends?' . join '&',
        map { "$_=" . $filter{$_} =~ s/\+//r } sort keys %filter) };
}

# Receipts that gateways have sent, oldest first, and what the site answered.
sub receipts { return @{ $_[0]->_get('/api/receipts') } }

# Sends one more receipt of a message now: (send => its number, state =>
# 'delivered', and what gateways.js knows of receipts).  Returns it, with the
# status that the site answered.
sub receipt {
    my ($self, %order) = @_;
    return $self->_post('/api/receipt', \%order);
}

# The checks of persons that were asked for, oldest first; of one phone.
sub checks {
    my ($self, $phone) = @_;
    return @{ $self->_get('/api/checks?phone=' . ($phone // '') =~ s/\+//r) };
}

# One more callback of a check, by its number; forged: what of it is made up
# (identity.js).  Returns what the site answered.
sub callback {
    my ($self, %order) = @_;
    return $self->_post('/api/callback', \%order);
}

# Forgets everything.
sub clear {
    my ($self) = @_;
    http('DELETE', $self->url('/api/all'));
    return;
}

sub stop {
    my ($self) = @_;

    my $pid = $self->{pid} or return;
    return if $self->{owner} != $$;
    close $self->{stdin};
    kill 'TERM', $pid;
    waitpid $pid, 0;
    delete $running{$pid};
    $self->{pid} = undef;
    return;
}

1;
