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
    ['leadq_limit a;', 'no "leadq_pass"'],
    ['leadq_session cookie=a key=links;', 'no "leadq_pass"'],
    ['leadq_methods GET;', 'no "leadq_pass"'],
    ['leadq_form_token key=links; leadq_session cookie=a key=links;',
        'needs a location of its own'],
    ['leadq_form_token key=links; leadq_limit none;', 'unknown zone "none"'],
    ['leadq_form_token key=no;', 'unknown key "no" in "leadq_form_token"'],
    ['leadq_form_token key=links field=a;', 'invalid parameter "field=a"'],
    ['leadq_form_token key=links once;', 'invalid parameter "once"'],
    ['leadq_form_token key=links; leadq_form_token key=links;',
        'is duplicate'],
    ['if ($arg_a) { leadq_pass main lead; }', 'is not allowed here'],
    ["leadq_spool $dir/spool;", 'no "leadq_pass"'],
    ["leadq_pass main lead; leadq_spool $dir/spool; } location = /y { "
        . "leadq_pass main vote; leadq_spool $dir/other;",
        '"leadq_spool" of database "main" has another path or size'],
    ["leadq_pass main lead; leadq_spool $dir/spool; } location = /y { "
        . "leadq_pass main vote; leadq_spool $dir/spool size=1m;",
        '"leadq_spool" of database "main" has another path or size'],
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
    ['leadq_field name string;', 'int, date, url, promo, json, list and body'],
    ['leadq_field a int min=x;', 'invalid "min=x" of leadq_field "a", '
        . 'allowed is -9223372036854775808..9223372036854775807'],
    ['leadq_field a int max=99999999999999999999;', 'allowed is -92233'],
    ['leadq_field a int min=5 max=-4;', 'has min=5 above max=-4'],
    ['leadq_field a int max=5 default=6;', 'leadq_field "a" is too large'],
    ['leadq_field a date max=5;', 'cannot have "max=5", its type is "date"'],
    ['leadq_field a date default=2025-02-29;', 'is a day that no calendar'],
    ['leadq_field a list max=1048577;', 'allowed is 1..1048576'],
    ['leadq_field a list depth=8;', 'allowed is 1..7'],
    ['leadq_field a list default=[];', 'default of leadq_field "a" '],
    ['leadq_field a list; leadq_field b list;', 'more than one '
        . '"leadq_field" of type "list"'],
    ['leadq_field a body max=65537;', 'allowed is 1..65536'],
    ['leadq_field a body min=5;', 'cannot have "min=5", its type is "body"'],
    ['leadq_field a body depth=2;', 'cannot have "depth=2"'],
    ['leadq_field a body from=$uri;', 'leadq_field "a" of type "body" cannot '
        . 'have "from=", "alias=" or "default="'],
    ['leadq_field a body alias=b;', 'of type "body" cannot have "from="'],
    ['leadq_field a body default=1;', 'of type "body" cannot have "from="'],
    ['leadq_field a body; leadq_field b text;', 'of type "body", so there is '
        . 'no other one that a client fills, nor a trap'],
    ['leadq_field a text; leadq_field b body;', 'no other one that a client'],
    ['leadq_field a body; leadq_field b body;', 'no other one that a client'],
    ['leadq_field a body; leadq_honeypot b;', 'nor a trap'],
    ['leadq_field a body; leadq_form_check key=links;', 'nor a trap'],
    ['leadq_field a body; leadq_methods GET;', 'its fields need "from="'],
    ['leadq_field a url min=5;', 'cannot have "min=5", its type is "url"'],
    ['leadq_field a url max=5000;', 'allowed is 1..4096'],
    ['leadq_field a url default=brand.ru;', 'does not begin with http://'],
    ['leadq_field a promo max=5;', 'cannot have "max=5"'],
    ['leadq_field a promo default=K7MP4TX9A2CK;', 'has a typing error'],
    ['leadq_field a json max=9000;', 'allowed is 1..8192'],
    ['leadq_field a json min=1;', 'cannot have "min=1"'],
    ['leadq_field a json depth=0;', 'invalid "depth=0" of leadq_field "a", '
        . 'allowed is 1..7'],
    ['leadq_field a json depth=8;', 'allowed is 1..7'],
    ['leadq_field a text depth=2;', 'cannot have "depth=2"'],
    ['leadq_field a json default=[;', 'is not valid JSON'],
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
    ['leadq_field a text mac=links for=$uri;', 'leadq_field "a" cannot have '
        . '"mac=links", its type is "text"'],
    ['leadq_field a email for=$uri;', 'cannot have "for=$uri"'],
    ['leadq_field a digits mac=links;', 'leadq_field "a" needs both "mac=" '
        . 'and "for=" or none of them'],
    ['leadq_field a token for=$uri;', 'needs both "mac=" and "for="'],
    ['leadq_field a digits mac=no for=$uri;', 'unknown key "no" of '
        . 'leadq_field "a"'],
    ['leadq_field a digits mac=links for=uri;', 'invalid "for=uri" of '
        . 'leadq_field "a", it names one variable'],
    ['leadq_field a promo mac=links for=$nothing_such;',
        'unknown "nothing_such"'],
    ['leadq_field a digits mac=links for=$uri; leadq_args on;',
        'leadq_field "a" has "mac=", so it must not come from the query'],
    ['leadq_field a token mac=links for=$uri; '
        . 'leadq_idempotency optional key=links field=a;',
        '"leadq_idempotency" names "a", which has "mac="'],
    ['leadq_invalid;', 'invalid number of arguments'],
    ['leadq_invalid maybe;', 'invalid "leadq_invalid maybe"'],
    ['leadq_invalid pass;', 'needs "if=FIELD"'],
    ['leadq_invalid pass if=a;', 'names "a"'],
    ['leadq_field a text; leadq_invalid pass if=a only=b;', 'names "b"'],
    ['leadq_field a text; leadq_invalid pass if=a only=a;', 'names "a"'],
    ['leadq_field a text; leadq_invalid pass if=a x=b;',
        'invalid parameter "x=b"'],
    ['leadq_invalid reject; leadq_invalid reject;', 'is duplicate'],
    ['leadq_args maybe;', 'invalid "leadq_args maybe", it is "on" or "off"'],
    ['leadq_field a text; leadq_args on; leadq_args on;', 'is duplicate'],
    ['leadq_args on;', 'no "leadq_field" that a client fills'],
    ['leadq_field a text from=$uri; leadq_args on;', 'has "leadq_args on"'],
    ['leadq_methods;', 'invalid number of arguments'],
    ['leadq_methods PUT;', 'invalid method "PUT" in "leadq_methods", '
        . 'there are POST, GET and DELETE'],
    ['leadq_methods post;', 'invalid method "post"'],
    ['leadq_methods GET POST GET;', 'duplicate method "GET"'],
    ['leadq_methods GET; leadq_methods POST;', 'is duplicate'],
    ['leadq_field a text; leadq_methods GET;', 'its fields need "from="'],
    ['leadq_field a text; leadq_methods POST DELETE;', 'its fields need'],
    ['leadq_honeypot a; leadq_methods GET;', 'its fields need'],
    ['leadq_idempotency;', 'invalid number of arguments'],
    ['leadq_idempotency on;', 'invalid "leadq_idempotency on", it is "off"'],
    ['leadq_idempotency optional;', 'needs "key=NAME"'],
    ['leadq_idempotency optional key=no;', 'unknown key "no" in '
        . '"leadq_idempotency"'],
    ['leadq_idempotency required key=links ttl=5;',
        'invalid parameter "ttl=5" of "leadq_idempotency"'],
    ['leadq_idempotency required key=links field=a;', 'names "a"'],
    ['leadq_idempotency required key=links scope=$nothing_such;',
        'unknown "nothing_such"'],
    ['leadq_idempotency off; leadq_idempotency off;', 'is duplicate'],
    ['leadq_session cookie=a;', 'invalid number of arguments'],
    ['leadq_session cookie=a life=1h;', 'needs "cookie=NAME" and "key=NAME"'],
    ['leadq_session key=links life=1h;', 'needs "cookie=NAME" and'],
    ['leadq_session cookie=a key=no;', 'unknown key "no" in "leadq_session"'],
    ['leadq_session "cookie=a b" key=links;', 'invalid cookie "a b" in '
        . '"leadq_session": 1..64 letters, digits and !#$%&'],
    ['leadq_session "cookie=a;" key=links;', 'invalid cookie "a;"'],
    ['leadq_session cookie=' . 'a' x 65 . ' key=links;', 'invalid cookie "aa'],
    ['leadq_session cookie=a key=links life=60;', '"life=60" of '
        . '"leadq_session" has no unit, allowed is 1m..30d'],
    ['leadq_session cookie=a key=links life=59s;', 'invalid value "life=59s" '
        . 'in "leadq_session", allowed is 1m..30d'],
    ['leadq_session cookie=a key=links life=31d;', 'allowed is 1m..30d'],
    ['leadq_session cookie=a key=links life=xd;', 'allowed is 1m..30d'],
    ['leadq_session cookie=a key=links path=/;', 'invalid parameter "path=/" '
        . 'of "leadq_session", there are'],
    ['leadq_session cookie=a key=links; leadq_session cookie=b key=links;',
        'is duplicate'],
    ['leadq_honeypot;', 'invalid number of arguments'],
    ['leadq_honeypot "a b";', 'invalid name "a b" in "leadq_honeypot"'],
    ['leadq_honeypot a; leadq_honeypot b;', 'is duplicate'],
    ['leadq_field a text; leadq_honeypot a;', 'trap "a" is the name or an'],
    ['leadq_honeypot a; leadq_field b text alias=a;', 'trap "a" is the name'],
    ['leadq_form_check;', 'invalid number of arguments'],
    ['leadq_form_check min=1s;', 'needs "key=NAME"'],
    ['leadq_form_check key=no;', 'unknown key "no" in "leadq_form_check"'],
    ['leadq_form_check key=links min=3;', '"min=3" of "leadq_form_check" has '
        . 'no unit, allowed is 0s..1h'],
    ['leadq_form_check key=links min=2h;', 'invalid value "min=2h" in '
        . '"leadq_form_check", allowed is 0s..1h'],
    ['leadq_form_check key=links max=8d;', 'allowed is 1s..7d'],
    ['leadq_form_check key=links min=5s max=5s;', 'has min=5000ms, not below'],
    ['leadq_form_check key=links twice;', 'invalid parameter "twice"'],
    ['leadq_form_check key=links once=1;', 'invalid parameter "once=1"'],
    ['leadq_form_check key=links once max=25h;',
        '"leadq_form_check" has "once" and max=90000000ms, above 1d'],
    ['leadq_form_check key=links; leadq_form_check key=links;',
        'is duplicate'],
    ['leadq_form_check key=links field=a; leadq_set a b;', 'trap "a" is'],
    ['leadq_form_check key=links field=a; leadq_honeypot a;',
        'have the same field "a"'],
    ['leadq_form_token key=links;', 'needs a location of its own'],
    ['leadq_limit;', 'invalid number of arguments'],
    ['leadq_limit none;', 'unknown zone "none" in "leadq_limit"'],
    ['leadq_limit a soft;', 'invalid parameter "soft" of "leadq_limit"'],
    ['leadq_limit a; leadq_limit a;', 'duplicate "leadq_limit a"'],
    ['leadq_limit a; leadq_limit b; leadq_limit c; leadq_limit d; '
        . 'leadq_limit e;', 'is one limit too many'],
    ['leadq_same_origin;', 'invalid number of arguments'],
    ['leadq_same_origin maybe;', 'invalid "leadq_same_origin maybe", it is'],
    ['leadq_same_origin on; leadq_same_origin on;', 'is duplicate'],
    ['leadq_redirect /a;', 'invalid number of arguments'],
    ['leadq_redirect /a "/b c";', 'invalid URL "/b c"'],
    ['leadq_redirect /a /b#c;', 'invalid URL "/b#c"'],
    ['leadq_redirect /a /b; leadq_redirect /a /b;', 'is duplicate'],
    ['leadq_spool;', 'invalid number of arguments'],
    ['leadq_spool "";', 'has an empty path'],
    ["leadq_spool $dir/a; leadq_spool $dir/a;", 'is duplicate'],
    ["leadq_spool $dir/a size=;", 'invalid value "size=" in "leadq_spool", '
        . 'allowed is 64k..1024g'],
    ["leadq_spool $dir/a size=1k;", 'allowed is 64k..1024g'],
    ["leadq_spool $dir/a size=2000g;", 'allowed is 64k..1024g'],
    ["leadq_spool $dir/a room=1m;", 'unknown parameter "room=1m" in '
        . '"leadq_spool"'],
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
    ['leadq_limit_zone a 64k;', 'needs "rate="'],
    ['leadq_limit_zone A 64k rate=1r/s;', 'invalid name "A"'],
    ['leadq_limit_zone a 16k rate=1r/s;', 'invalid size "16k" in '
        . '"leadq_limit_zone", allowed is 32k..1g'],
    ['leadq_limit_zone a big rate=1r/s;', 'invalid size "big"'],
    ['leadq_limit_zone a 64k rate=1r/w;', 'invalid value "rate=1r/w" in '
        . '"leadq_limit_zone", allowed is 1..100000'],
    ['leadq_limit_zone a 64k rate=0r/s;', 'invalid value "rate=0r/s"'],
    ['leadq_limit_zone a 64k rate=1r/s burst=x;', 'allowed is 0..100000'],
    ['leadq_limit_zone a 64k rate=1r/s key=x;', 'invalid parameter "key=x"'],
    ['leadq_limit_zone a 64k rate=1r/s; leadq_limit_zone a 64k rate=1r/s;',
        'duplicate leadq_limit_zone "a"'],
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
