package Figures;

# What leadq_metrics shows, as a hash, and whether promtool likes it.

use strict;
use warnings;

use Exporter 'import';

use Leadq::Test qw(http run spew);

our @EXPORT_OK = qw(figures lint);

# { 'leadq_requests_total{database="main",...}' => 3, ... }
sub figures {
    my ($nginx, $path) = @_;
    my $r = http('GET', $nginx->url($path || '/metrics'));
    $r->{status} == 200 or die "metrics: $r->{status} $r->{content}\n";
    my %figures;
    for my $line (split /\n/, $r->{content}) {
        next if $line =~ /^#/;
        $line =~ /^(\w+(?:\{[^}]*\})?) (\S+)$/ or die "metrics: $line\n";
        !exists $figures{$1} or die "metrics: $1 twice\n";
        $figures{$1} = $2;
    }
    return \%figures;
}

# What promtool says, nothing if all is well.
sub lint {
    my ($nginx, $path) = @_;
    my $file = $nginx->dir . '/metrics.txt';
    spew($file, http('GET', $nginx->url($path || '/metrics'))->{content});
    my ($rc, $out) = run('sh', '-c', 'promtool check metrics < "$1" 2>&1',
        'sh', $file);
    return $rc == 0 ? $out : "promtool: $rc $out";
}

1;
