package Spool;

# A spool directory and what lies in it.

use strict;
use warnings;

use Exporter 'import';

use Leadq::Test qw(slurp tempdir wait_for);

our @EXPORT_OK = qw(spool files records emptied);

my @dirs;

# A new directory for a spool.
sub spool {
    my $dir = tempdir();
    push @dirs, $dir;
    return "$dir/spool";
}

# The paths of files with the suffix, oldest first.
sub files {
    my ($dir, $suffix) = @_;
    my @files = sort glob "$dir/*.$suffix";
    return @files;
}

# The rows in such files: [function, row], in order.
sub records {
    my ($dir, $suffix) = @_;

    my @records;
    for my $text (map { slurp($_) } files($dir, $suffix)) {
        while ($text =~ /\xffleadq\x01\n/g) {
            my $at = pos($text) - 8;
            my ($row_len, $name_len) = unpack 'NN', substr $text, $at + 48, 8;
            push @records, [substr($text, $at + 56, $name_len),
                substr($text, $at + 56 + $name_len, $row_len)];
        }
    }
    return @records;
}

# Waits until everything has been replayed.
sub emptied {
    my ($dir) = @_;
    return wait_for('the spool is empty', 30, sub {
        return !files($dir, 'spool') });
}

1;
