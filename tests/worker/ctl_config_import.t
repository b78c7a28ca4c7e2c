#!/usr/bin/perl

# leadqctl config import, diff and export against a stub of the two SQL functions:
# what is sent, in whose name, what is printed, what a refusal looks like.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp spew run build_dir);

my $pg = Leadq::Postgres->start;
my $dir = tempdir();
my $doc = "$dir/doc.json";

$ENV{LEADQ_DATABASE} = $pg->dsn;

sub config { return run(build_dir() . '/leadqctl', 'config', @_) }

$pg->sql_file('tests/worker/ctl_bootstrap.sql');
$pg->sql(<<'SQL');
create role brand_owner;
create schema brand authorization brand_owner;
create table leadq.import (document jsonb, who text);
alter table leadq.import owner to leadq_owner;
create function leadq.config_import(jsonb) returns void
language plpgsql as $$
begin
    insert into leadq.import values ($1, current_user);
    if $1 #>> '{sources,0,name}' = 'refused' then
        raise exception 'sources[0].network: there is no network "x"';
    elsif $1 #>> '{sources,0,name}' = 'broken' then
        perform 1 / 0;
    end if;
end $$;
create function leadq.config_export() returns jsonb language sql
as $$ select coalesce((select document - 'templates' from leadq.import limit 1),
    '{"sources": [{"name": "я", "lang": "ru"}], "a": []}'::jsonb) $$;
create function brand.config_export() returns jsonb language sql
as $$ select '{"sources": []}'::jsonb $$;
SQL

sub source {
    my ($name) = @_;
    spew($doc, qq({"sources": [{"name": "$name",\n"network": "x",
        "series": "y", "from_email": " A\@Brand.RU", "from_name": "Бренд",
        "base_url": "https://b.ru"}],\n"templates": [{"name": "t",
        "lang": "ru", "subject": "x", "html": "h {{name}}",
        "text": {"file": "letters/t.txt"}}]}));
    return;
}

mkdir "$dir/letters";
spew("$dir/letters/t.txt", "Здравствуйте, {{name}}");
source('x');
my $CHANGES = "+ sources[x]\n- sources[я]\n- a\n";
my ($rc, $out) = config('diff', $doc);
is($rc, 0, 'a good document is compared') or diag $out;
is($out, "$CHANGES$doc: good, not in force: 1 sources, 1 templates\n",
    'what would change is printed');
is($pg->sql('select count(*) from leadq.import'), 0, 'and nothing done');
($rc, $out) = config('import', $doc);
is($rc, 0, 'it is imported') or diag $out;
is($out, "$CHANGES$doc: in force: 1 sources, 1 templates\n",
    'what has changed is printed');
my $sent = JSON::PP->new->decode($pg->sql('select document from leadq.import'));
is($pg->sql(q{select document #>> '{templates,0,text}' from leadq.import}),
    'Здравствуйте, {{name}}', 'files are replaced by their texts');
is($sent->{sources}[0]{from_email}, 'A@brand.ru', 'addresses are normalised');
is($pg->sql('select who from leadq.import'), 'leadq_owner',
    'it is done by the owner role');

($rc, $out) = config('import', $doc);
is($out, "$doc: in force, nothing changed: 1 sources, 1 templates\n",
    'that nothing changed is said');

$pg->sql('truncate leadq.import');
source('refused');
($rc, $out) = config('import', $doc);
is($rc, 1, 'what SQL refuses fails');
is($out, "$doc:2: sources[0].network: there is no network \"x\"\n"
    . "leadqctl: nothing was imported\n", 'and is told with its line');
source('broken');
($rc, $out) = config('import', $doc);
is($rc, 1, 'an error of the server fails');
like($out, qr/^leadqctl: ERROR 22012: division by zero$/m, 'and is told');
is($pg->sql('select count(*) from leadq.import'), 0,
    'nothing of either is left');

source('Not A Name');
($rc, $out) = config('import', $doc);
is($rc, 1, 'a document with mistakes is not imported');
is($pg->sql('select count(*) from leadq.import'), 0,
    'the database does not hear of it');

($rc, $out) = config('export');
is($rc, 0, 'export succeeds');
is($out, <<'OUT', 'and prints the document, sorted');
{
  "a": [],
  "sources": [
    {
      "lang": "ru",
      "name": "я"
    }
  ]
}
OUT
($rc, $out) = config('export', '--schema', 'brand');
is($out, qq({\n  "sources": []\n}\n), '--schema chooses another');

source('x');
for my $command (['import', $doc], ['export']) {
    ($rc, $out) = config(@$command, '-d', 'host=/nonexistent');
    is($rc, 1, "$command->[0] fails without a server");
    like($out, qr/^leadqctl: connection to server/, 'and says why');
    ($rc, $out) = config(@$command, '--schema', 'nope');
    is($rc, 1, "$command->[0] fails without a schema");
    like($out, qr/^leadqctl: ERROR 22023: role "nope_owner" does not exist$/m,
        'and says what is missing');
}

done_testing();
