package Leadq::Session;

# A psql session that stays open: what it locks stays locked, and it asks
# without the price of a new process.

use strict;
use warnings;

use IPC::Open2 qw(open2);

# $pg: a Leadq::Postgres; options as for its dsn.
sub new {
    my ($class, $pg, %options) = @_;
    my $self = bless { owner => $$ }, $class;
    $self->{pid} = open2($self->{out}, $self->{in}, 'sh', '-c',
        'exec "$@" 2>&1', 'psql', $pg->psql(%options));
    return $self;
}

# Runs one statement and returns what psql prints; dies on an error, which
# ends the session.
sub sql {
    my ($self, $sql) = @_;

    local $SIG{PIPE} = 'IGNORE';
    print { $self->{in} } "$sql\n;\n\\echo end of answer\n";
    $self->{in}->flush;
    my $answer = '';
    while (defined(my $line = readline $self->{out})) {
        if ($line eq "end of answer\n") {
            chomp $answer;
            return $answer;
        }
        $answer .= $line;
    }
    $self->end;
    die "psql: $answer\n";
}

# Ends the session and gives back all it holds.
sub end {
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;
    local $SIG{PIPE} = 'IGNORE';
    # Not by closing the pipe alone: children may have it too.
    print { $self->{in} } "\\q\n";
    close $self->{in};
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    $self->end;
    return;
}

1;
