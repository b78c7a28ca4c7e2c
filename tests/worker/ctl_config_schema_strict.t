#!/usr/bin/perl

# conf/leadq.schema.json refuses nothing that leadqctl config import takes:
# unsuitable values at every place of a document.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Document qw(rich changed each_place mistakes leadqctl);
use Leadq::Postgres;

my $pg = Leadq::Postgres->start;
$pg->migrate;
my @database = ('-d', $pg->dsn);
is((leadqctl('import', rich(), @database))[0], 0, 'a document is in force');

# What the schema refuses: below items of lists, and elsewhere.
my @VALUES = ('', qw(null true -1 1.5 10001 "" [] {} "A.b"));
my ($n, %below, @alone) = (0);
each_place(rich(), sub {
    my ($place) = @_;
    for my $value (@VALUES) {
        my $document = changed($place, $value);
        mistakes($document) or next;
        $n++;
        my $case = { what => "$place $value", document => $document };
        if ($place =~ /^(\w+)\.(\d+)\./) {
            $case->{item} = $document->{$1}[$2];
            push @{ $below{$1} }, $case;
        } else {
            push @alone, $case;
        }
    }
});

# leadqctl tells of all items at once; what it does not, SQL may refuse.
for my $section (sort keys %below) {
    while (my @cases = splice @{ $below{$section} }, 0, 50) {
        my $out = (leadqctl('check',
            { $section => [map { $_->{item} } @cases] }))[1];
        my %told = map { $_ => 1 } $out =~ /^\S+:1:[ ]\Q$section\E\[(\d+)\]
            \S*:[ ](?!"[^"]*"[ ]is[ ]here[ ]twice)/mgx;
        push @alone, map { $cases[$_] } grep { !$told{$_} } 0 .. $#cases;
    }
}
cmp_ok(scalar @alone, '<', $n / 4, 'leadqctl refuses most without a base');
my @strict = map { $_->{what} }
    grep { (leadqctl('diff', $_->{document}, @database))[0] == 0 } @alone;
is(join(', ', @strict), '', "of $n documents that the schema refuses, none"
    . ' is imported');

done_testing();
