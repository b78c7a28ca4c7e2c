# What a reader counts on: the top level, sizes, complexity, no left-overs.

use strict;
use warnings;

use Leadq::Test qw(run slurp);
use Test::More;

my @files = split /\n/, (run('git', 'ls-files', '--cached', '--others',
    '--exclude-standard'))[1];

my %top = map { $_ => 1 } qw(ngx_module worker sql conf tests config Makefile
    README.md LICENSE);
is(join(' ', grep { !$top{$_} && !/^\./ } map { m{^([^/]+)} } @files), '',
    'the top level holds what the layout names');

my @source = grep { m{^(?:ngx_module|worker|tests/unit|tests/fuzz)/.*\.[ch]$}
    || m{^sql/.*\.sql$} || m{\.(?:pm|t)$} || m{^tests/(?:bench|demo)/run$} }
    @files;
my (@long, @wide, @blank, @words);
for my $file (@source) {
    my @lines = split /\n/, slurp($file);
    push @long, $file if @lines > 700;
    for my $i (0 .. $#lines) {
        my $line = $lines[$i];
        utf8::decode($line);
        my $at = "$file:" . ($i + 1);
        push @wide, $at if $file =~ /\.[ch]$/ && length $line > 79;
        push @blank, $at if $line =~ /[ \t]$/ || ($line =~ /\t/
            && $file =~ /\.[ch]$/);
        push @words, $at
            if $line =~ /\b(?:TO(?:)DO|FIX(?:)ME|XX(?:)X|HA(?:)CK)\b/;
    }
}
is("@long", '', 'no file is over 700 lines');
is("@wide", '', 'no line of C is over 79 columns');
is("@blank", '', 'no tab and no blank at the end of a line');
is("@words", '', 'nothing was left for later');

my ($rc, $out) = run('sh', '-c', 'pmccabe ngx_module/*.c worker/*.c');
is($rc, 0, 'pmccabe reads every file');
my @hard;
for my $line (split /\n/, $out) {
    # modified complexity, traditional, statements, first line, lines, name
    my ($complexity, undef, undef, undef, $lines, $name) = split /\t/, $line;
    push @hard, "$name ($complexity, $lines lines)"
        if $complexity > 15 || $lines > 80;
}
is(join(', ', @hard), '',
    'no function is over 80 lines or complexity 15');

done_testing();
