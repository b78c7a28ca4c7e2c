#!/usr/bin/perl

# Every mistake in the configuration stops nginx -t, with the value that is
# wrong, what would be right, and the line.

use strict;
use warnings;

use Test::More;

use Leadq::Nginx;
use Leadq::Test qw(spew tempdir);

my $dir = tempdir();
spew("$dir/good.key", '7 ' . ('ab' x 32) . "\n");
spew("$dir/bad.key", "# none\n");
spew("$dir/open.pass", "*:*:*:*:a\n");
chmod 0644, "$dir/open.pass" or die "chmod: $!\n";

my $db = 'leadq_database main "host=/tmp dbname=leadq";';
my $key = "leadq_key links $dir/good.key;";

# server text in location = /x { ... }, expected part of the message
my @location = (
    ['leadq_pass main;', 'invalid number of arguments'],
    ['leadq_pass other lead;', 'unknown database "other" in "leadq_pass"'],
    ['leadq_pass main Lead;', 'invalid function "Lead" in "leadq_pass"'],
    ['leadq_pass main lead; leadq_pass main lead;', 'is duplicate'],
    ['leadq_field name text;', 'no "leadq_pass"'],
    ['leadq_set ip $remote_addr;', 'no "leadq_pass"'],
    ['if ($arg_a) { leadq_pass main lead; }', 'is not allowed here'],
);

# after leadq_pass main lead;
my @field = (
    ['leadq_field Name text;', 'invalid name "Name" in "leadq_field"'],
    ['leadq_field name string;', 'unknown type "string" of leadq_field "name"'],
    ['leadq_field a text; leadq_field a text;', 'duplicate name "a"'],
    ['leadq_field a text; leadq_set a b;', 'duplicate name "a"'],
    ['leadq_set a b; leadq_field a text;', 'duplicate name "a"'],
    ['leadq_set A b;', 'invalid name "A" in "leadq_set"'],
    ['leadq_set a $nothing_such;', 'unknown "nothing_such" variable'],
    ['leadq_field a text max=0;', 'invalid "max=0" of leadq_field "a", '
        . 'allowed is 1..8192'],
    ['leadq_field a text max=9000;', 'allowed is 1..8192'],
    ['leadq_field a text max=;', 'invalid parameter "max="'],
    ['leadq_field a digits max=300;', 'allowed is 1..256'],
    ['leadq_field a text min=5 max=4;', 'has min=5 above max=4'],
    ['leadq_field a email max=5;', 'leadq_field "a" cannot have "max=5", '
        . 'its type is "email"'],
    ['leadq_field a text values=b;', 'cannot have "values=b"'],
    ['leadq_field a enum;', 'needs "values="'],
    ['leadq_field a enum values=a,;', 'empty value'],
    ['leadq_field a phone values=ru,fr;', 'unknown country "fr"'],
    ['leadq_field a text optional;', 'invalid parameter "optional"'],
    ['leadq_field a text requiredx;', 'invalid parameter "requiredx"'],
    ['leadq_field a bool default=maybe;',
        'default of leadq_field "a" is neither true nor false'],
    ['leadq_field a phone default=1;', 'has too few digits'],
    ['leadq_field a text alias=b,b;', 'alias "b" of leadq_field "a"'],
    ['leadq_field a text; leadq_field b text alias=a;', 'alias "a"'],
    ['leadq_field a text alias=b; leadq_field b text;', 'alias "b"'],
    ['leadq_field a text alias=ip; leadq_set ip x;', 'alias "ip"'],
    ["leadq_field a text 'alias=b c';", 'invalid alias "b c"'],
    ['leadq_field a text from=b;', 'invalid "from=b"'],
    ['leadq_field a text from=$nothing_such;', 'unknown "nothing_such"'],
    ['leadq_field a text from=$uri alias=b;', 'both "from=" and "alias="'],
    ['leadq_field a signed;', 'needs "key=" and "purpose="'],
    ['leadq_field a signed key=links;', 'needs "key=" and "purpose="'],
    ['leadq_field a signed key=no purpose=confirm;', 'unknown key "no"'],
    ['leadq_field a signed key=links purpose=A;', 'invalid "purpose=A"'],
    ['leadq_field a text key=links;', 'cannot have "key=links"'],
    ['leadq_invalid;', 'invalid number of arguments'],
    ['leadq_invalid maybe;', 'invalid "leadq_invalid maybe"'],
    ['leadq_invalid pass;', 'needs "if=FIELD"'],
    ['leadq_invalid pass if=a;', 'names "a"'],
    ['leadq_field a text; leadq_invalid pass if=a only=b;', 'names "b"'],
    ['leadq_field a text; leadq_invalid pass if=a only=a;', 'names "a"'],
    ['leadq_field a text; leadq_invalid pass if=a x=b;',
        'invalid parameter "x=b"'],
    ['leadq_invalid reject; leadq_invalid reject;', 'is duplicate'],
    ['leadq_redirect /a;', 'invalid number of arguments'],
    ['leadq_redirect /a "/b c";', 'invalid URL "/b c"'],
    ['leadq_redirect /a /b#c;', 'invalid URL "/b#c"'],
    ['leadq_redirect /a /b; leadq_redirect /a /b;', 'is duplicate'],
);

my @http = (
    ['leadq_database main;', 'invalid number of arguments'],
    ['leadq_database Main "dbname=a";', 'invalid name "Main"'],
    ["$db $db", 'duplicate leadq_database "main"'],
    ['leadq_database main "dbname=a porrt=1";',
        'invalid connection option "porrt"'],
    ['leadq_database main "host=/tmp";', 'no "dbname"'],
    ['leadq_database main "dbname=a service=b";', '"service"'],
    ['leadq_database main "dbname=a host=a,b port=1,2,3";',
        'different lengths'],
    ['leadq_database main "dbname=a host=no-such.invalid";',
        'host not found'],
    ['leadq_database main "dbname=a" connections=0;',
        'invalid value "connections=0" in "leadq_database", allowed is 1..64'],
    ['leadq_database main "dbname=a" batch=2000;', 'allowed is 1..1024'],
    ['leadq_database main "dbname=a" depth=9;', 'allowed is 1..8'],
    ['leadq_database main "dbname=a" queue=x;', 'allowed is 1..1048576'],
    ['leadq_database main "dbname=a" queue=10 batch=11;', 'less than batch=11'],
    ['leadq_database main "dbname=a" queue_bytes=1k;', 'allowed is 64k..1g'],
    ['leadq_database main "dbname=a" timeout=5;', 'has no unit'],
    ['leadq_database main "dbname=a" timeout=10ms;', 'allowed is 100ms..5m'],
    ['leadq_database main "dbname=a" connect_timeout=2m;',
        'allowed is 100ms..1m'],
    ['leadq_database main "dbname=a" lifetime=500ms;', 'allowed is 1s..1d'],
    ['leadq_database main "dbname=a passfile=pass";',
        '"passfile=pass" in the conninfo of "leadq_database" is not an '
        . 'absolute path'],
    ['leadq_database main "dbname=a passfile=/no/such";',
        '"passfile=/no/such" in the conninfo of "leadq_database" cannot be '
        . 'used (2: No such file'],
    ["leadq_database main 'dbname=a passfile=$dir/open.pass';",
        'is open to group or others, it must have mode 0600'],
    ["leadq_database main 'dbname=a sslrootcert=$dir';", 'is not a file'],
    ['leadq_database main "dbname=a sslmode=verify-full";',
        'has "sslmode=verify-full" and no "sslrootcert"'],
    ['leadq_database main "dbname=a" schema=Leadq;', 'invalid schema "Leadq"'],
    ['leadq_database main "dbname=a" pool=5;', 'unknown parameter "pool=5"'],
    ['leadq_key links /no/such/file;', '/no/such/file: No such file'],
    ["leadq_key links $dir/bad.key;", "$dir/bad.key:1: has no key"],
    ["$key $key", 'duplicate leadq_key "links"'],
);

sub refused {
    my ($what, $message, %options) = @_;
    my ($rc, $out) = Leadq::Nginx->check(%options);
    # nginx resolves variables at its end and then knows no line any more
    my $ok = $rc != 0 && index($out, $message) >= 0
        && ($out =~ /nginx\.conf:\d+/ || $message =~ /nothing_such/);
    ok($ok, "$what: $message") or diag("exit code $rc\n$out");
    return;
}

refused($_->[0], $_->[1], http => $_->[0]) for @http;
refused($_->[0], $_->[1], http => "$key $db",
    server => "location = /x { $_->[0] }") for @location;
refused($_->[0], $_->[1], http => "$key $db",
    server => "location = /x {\n leadq_pass main lead;\n $_->[0] }")
    for @field;

done_testing();
