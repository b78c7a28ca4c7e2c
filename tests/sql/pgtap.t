# Runs every tests/sql/*.sql, each a pgTAP script in a transaction of its own
# that is rolled back, against a schema installed by leadqctl.

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run);
use Test::More;

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->sql('create extension pgtap');

for my $file (sort glob 'tests/sql/*.sql') {
    next if $file =~ m{/setup\.sql$};
    subtest $file => sub {
        my ($rc, $out) = run(Leadq::Postgres::bindir() . '/psql', '-XAtq',
            '-v', 'ON_ERROR_STOP=1', '-d', $pg->dsn, '-f', $file);
        my $failed = '';
        for my $line (split /\n/, $out) {
            if ($line =~ /^(not )?ok \d+(?: - (.*))?/) {
                ok(!$1, $2);
            }
            elsif ($line =~ /^#|ERROR|WARNING/) {
                diag($line);
            }
        }
        is($rc, 0, 'psql got to the end');
    };
}

done_testing();
