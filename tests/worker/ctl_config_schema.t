#!/usr/bin/perl

# conf/leadq.schema.json: it passes ajv's strict mode, the samples and an
# export pass it, and it has the keys that leadqctl knows, at every place.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib $FindBin::Bin;
use Document qw(rich each_place mistakes leadqctl);
use Leadq::Postgres;
use Leadq::Test qw(slurp run build_dir);

my $root = "$FindBin::Bin/../..";
my $schema = JSON::PP::decode_json(slurp("$root/conf/leadq.schema.json"));

sub passes {
    my ($what, $document) = @_;
    my @mistakes = map { "$_->{at} $_->{what}" } mistakes($document);
    is("@mistakes", '', "$what passes");
    return;
}

# --- documents

for my $file (glob "$root/conf/leadq.json $root/conf/welcome.json"
    . " $root/conf/verifications.json $root/conf/programmes.json"
    . " $root/conf/networks/*.json $root/conf/gateways/*.json")
{
    my $sample = JSON::PP::decode_json(slurp($file));
    passes($file =~ s{.*/conf/}{}r, $sample);
    my ($where) = $file =~ m{(.*)/};
    ok(-e "$where/$sample->{'$schema'}", 'and names the schema');
}
passes('a document with every key', rich());

my $pg = Leadq::Postgres->start;
$pg->migrate;
my @database = ('-d', $pg->dsn);
my ($rc, $out) = leadqctl('import', rich(), @database);
is($rc, 0, 'which is imported') or diag $out;
($rc, $out) = leadqctl('import', rich(), @database);
like($out, qr/nothing changed/, 'and says the same again');
my $export = JSON::PP::decode_json(
    (run(build_dir() . '/leadqctl', 'config', 'export', @database))[1]);
passes('its export', $export);
like((leadqctl('import', $export, @database))[1], qr/nothing changed/,
    'and is imported');
is($export->{'$schema'}, undef, 'the name of the schema is not kept');

# --- keys: all names there are, in every object, for both to say which they
# do not know

my %known;
each_place($schema, sub {
    my ($place, $value) = @_;
    @known{ keys %$value } = () if $place =~ /(?:^|\.)properties$/;
});
my %names = map { $_ => 1 } keys %known, map { slurp($_)
    =~ /\{"(\$?\w+)", [01], \w+\}/g } glob "$root/worker/ctl_*.c";
cmp_ok(scalar keys %names, '>', 60, 'there are names of keys');

my @objects = ('');
each_place(rich(), sub {
    my ($place, $value) = @_;
    push @objects, $place
        if ref $value eq 'HASH' && $place !~ /\.(?:kinds|headers|states|errors)$
            |^verifications\..*\.text$/x;
});
my %met;
for my $place (@objects) {
    my $document = rich();
    my $object = $document;
    $object = ref $object eq 'ARRAY' ? $object->[$_] : $object->{$_}
        for split /\./, $place;
    $object->{$_} //= undef for keys %names;

    my $path = $place =~ s/\.(\d+)/[$1]/gr;
    my $before = $path eq '' ? '' : "$path.";
    my $told = (leadqctl('check', $document))[1];
    my %refused = map { $_ => 1 }
        $told =~ /: \Q$before\E(\$?\w+): is not a known key$/mg;
    my $at = join '', map { "/$_" } split /\./, $place;
    my %unknown = map { $_->{key} => 1 }
        grep { $_->{at} eq $at && defined $_->{key} } mistakes($document);
    is(join(' ', sort keys %unknown), join(' ', sort keys %refused),
        "the keys of '$path' are those that leadqctl knows");
    $met{$_} = 1 for grep { !$refused{$_} } keys %names;
}
is(join(' ', grep { !$met{$_} } sort keys %names), '',
    'the document has every key');

# Every property tells what it is.
my @silent;
each_place($schema, sub {
    my ($place, $value) = @_;
    push @silent, $place
        if $place =~ /^(?:\$defs\.\w+\.)?properties\.[^.]+$/
        && $place !~ /^\$defs\.(?:has|names|sends|begins|is|\w+_needs)_/
        && ($value->{description} // '') !~ /^[A-Z][^\n]+\.$/;
});
is("@silent", '', 'every key is described by a sentence');

# --- events: leadq's own are those of SQL

my ($own) = $schema->{'$defs'}{event}{anyOf}[0]{enum};
is(join(' ', sort @$own), $pg->sql(q{select string_agg(k, ' ' order by k
    collate "C") from unnest(leadq._event_kinds()) k}),
    'the events of leadq are those that SQL knows');

done_testing();
