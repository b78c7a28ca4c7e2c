package Leadq::Session;

# A psql session that stays open: what it locks stays locked, and it asks
# without the price of a new process.

use strict;
use warnings;

use IPC::Open2 qw(open2);

# $pg: a Leadq::Postgres.
sub new {
    my ($class, $pg) = @_;
    my $self = bless { owner => $$ }, $class;
    $self->{pid} = open2($self->{out}, $self->{in}, $pg->psql);
    return $self;
}

# Runs one statement and returns what psql prints.
sub sql {
    my ($self, $sql) = @_;

    print { $self->{in} } "$sql;\n\\echo end of answer\n";
    $self->{in}->flush;
    my $answer = '';
    while (defined(my $line = readline $self->{out})) {
        if ($line eq "end of answer\n") {
            chomp $answer;
            return $answer;
        }
        $answer .= $line;
    }
    die "psql ended at: $sql\n";
}

# Ends the session and gives back all it holds.
sub end {
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;
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
