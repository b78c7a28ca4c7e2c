#!/usr/bin/perl

# leadqctl config check: a good document passes, and of a bad one every
# mistake is told as "file:line: path: reason".

use strict;
use warnings;

use Test::More;

use Leadq::Test qw(tempdir spew run build_dir);

my $dir = tempdir();
my $doc = "$dir/doc.json";

sub check { return run(build_dir() . '/leadqctl', 'config', 'check', $doc) }

my %part = (
    template => '{"name": "t", "lang": "ru", "subject": "Привет, {{name}}",'
        . "\n" . '"text": {"file": "t.txt"}, "html": "<a>{{confirm_url}}'
        . '<b>{{unsubscribe_url}}"}',
    series => '{"name": "s", "steps": [{"template": "t", "delay": "0"},'
        . "\n" . '{"template": "t", "delay": "1 day 02:00:00"}],'
        . ' "grace": "2 days", "link_life": "2 weeks"}',
    network => '{"name": "n", "method": "POST", "url": "https://n.ru/{token}",'
        . "\n" . '"content_type": "application/json", "secret": "n.key",'
        . ' "body": "{\"id\": \"{click_id}\"}", "statuses": ["approved"],'
        . ' "match": {"type": "json_path", "value": "ok=1"}}',
    source => '{"name": "x", "network": "n", "series": "s", "lang": "ru",'
        . "\n" . '"approve_on": "confirm", "expired_as": "none",'
        . ' "on_duplicate": "share", "soft_limit": 3, "payout": "150.00",'
        . "\n" . '"from_email": "a@b.ru", "from_name": "Бренд",'
        . ' "base_url": "https://b.ru", "currency": "RUB", "offer_id": "7"}',
    consent => '{"purpose": "ads", "version": "v1", "lang": "ru", "text": '
        . '"Пишите"},' . "\n" . '{"purpose": "ads", "version": "v1",'
        . ' "lang": "en", "text": {"file": "t.txt"}}',
);

# The document with a part changed by s/from/to/.
sub document {
    my ($name, $from, $to) = @_;
    my %p = %part;
    if ($name) {
        $p{$name} =~ s/\Q$from\E/$to/ or die "no $from in $name";
    }
    return qq({"templates": [\n$p{template}],\n"series": [\n$p{series}],\n)
        . qq("networks": [\n$p{network}],\n"sources": [\n$p{source}],\n)
        . qq("consent_texts": [\n$p{consent}]\n}\n);
}

spew("$dir/t.txt", "Подтвердите:\n{{confirm_url}}\n{{unsubscribe_url}}\n");
spew($doc, document());
my ($rc, $out) = check();
is($rc, 0, 'a good document passes') or diag $out;
is($out, "$doc: good: 1 templates, 1 series, 1 networks, 1 sources, "
    . "2 consent_texts\n", 'and its contents are counted');

# Lines: template 2-3, series 5-6, network 8-9, source 11-13, consent 15-16.
for my $case (split /\n/, <<'CASES') {
template|"t",|"T 1",|2: templates[0].name: "T 1" is not a name
template|"ru"|"RU"|2: templates[0].lang: "RU" is not a language
template|{{name}}|{{who}}|2: templates[0].subject: unknown variable "who"
template|t.txt|u.txt|3: templates[0].text.file: "u.txt": No such file
template|{"file": "t.txt"}|7|3: templates[0].text: is neither a string nor
template|"file"|"fill"|3: templates[0].text.fill: is not a known key
template|{{confirm_url}}|{{#a}}|3: templates[0].html: section "a" is not
template|{{confirm_url}}|hi|3: templates[0].html: does not show {{confirm
template|{{confirm_url}}|{{#name}}{{confirm_url}}{{/name}}|3: templates[0].html: shows no {{confirm_url}} to a person without a name
template|{{unsubscribe_url}}|hi|3: templates[0].html: does not show {{unsubscribe_url}}
template|Привет, {{name}}|{{%name}}{{%confirm_url}}{{# x}}|2: templates[0].subject: section "x" is not
series|"2 days"|"2 moons"|6: series[0].grace: "2 moons" is not an interval
series|"2 days"|"60 weeks"|6: series[0].grace: "60 weeks" is longer than 400
series|"2 weeks"|"0"|6: series[0].link_life: is not longer than 0
series|"0"|0|5: series[0].steps[0].delay: is not a string
series|"template": "t", "delay": "1|"template": "u", "delay": "1|6: series[0].steps[1].template: there is no template "u"
series|, "grace"|, "name": "s", "grace"|6: series[0].name: is here twice, first on line 5
series|"name": "s", ||5: series[0].name: is missing
network|POST|PUT|8: networks[0].method: method is not GET or POST
network|https:|ftp:|8: networks[0].url: the URL does not begin with http
network|{token}|{tokn}|8: networks[0].url: unknown macro "tokn"
network|{token}|{token|8: networks[0].url:
network|{token}|{tid}|8: networks[0].url: the macro "tid" is one thing here and another
network|{token}|{hmac_sha1:a/b,subid}|8: networks[0].url: the key of an HMAC is not the name of a secret
network|{token}|{hmac_crc:k,subid}|8: networks[0].url: an HMAC is {hmac_sha1:KEY,a+b}
network|"application/json"|null|9: networks[0].body: needs a content_type
network|POST|GET|9: networks[0].body: needs the method POST
network|{click_id}|{click}|9: networks[0].body: unknown macro "click"
network|\"}"|\""|9: networks[0].body: the body is not JSON
network|"n.key"|"../n"|9: networks[0].secret: "../n" is not the name of a file
network|"n.key"|null|9: networks[0].secret: is missing, and {token}
network|json_path|regex|9: networks[0].match: match is not any, body_prefix
network|"statuses"|"permanent": {"type": "x"}, "statuses"|9: networks[0].permanent: match is not any
network|"statuses"|"concurrency": 0, "statuses"|9: networks[0].concurrency: is not a whole number from 1 to 1000
network|"statuses"|"rate": "5", "statuses"|9: networks[0].rate: is not a number a second from 0.001 to 10000
network|"statuses"|"sign": "a/b", "statuses"|9: networks[0].sign: "a/b" is not the name of a file
network|"statuses"|"ports": [80, 65536], "statuses"|9: networks[0].ports[1]: is not a whole number from 1 to 65535
network|"statuses"|"ports": [1,2,3,4,5,6,7,8,9], "statuses"|9: networks[0].ports: has more than 8 ports
network|n.ru/|n.ru:22/|8: networks[0].url: port 22 is not 80 or 443: name it in "ports"
network|["approved"]|[]|9: networks[0].statuses: is empty
network|"approved"|"paid"|9: networks[0].statuses[0]: "paid" is not one of
network|"approved"|"approved","approved"|9: networks[0].statuses: has the same
source|"n"|"m"|11: sources[0].network: there is no network "m"
source|"s"|"r"|11: sources[0].series: there is no series "r"
source|"s"|null|11: sources[0].network: a network pays for confirmed leads
source|"confirm"|"hope"|12: sources[0].approve_on: "hope" is not one of
source|"none"|"lost"|12: sources[0].expired_as: "lost" is not one of none,
source|"share"|7|12: sources[0].on_duplicate: is not a string
source|3|0|12: sources[0].soft_limit: is not a number from 1 to 10
source|"150.00"|150.0|12: sources[0].payout: is not a string
source|150.00|150.001|12: sources[0].payout: "150.001" is not an amount
source|a@b.ru|ab.ru|13: sources[0].from_email: has no @
source|"from_email": "a@b.ru", ||11: sources[0].from_email: is missing: the
source|Бренд| |13: sources[0].from_name: is empty
source|https://b.ru|https://b.ru/|13: sources[0].base_url: "https://b.ru/" ends with "/"
source|"RUB"|"rub"|13: sources[0].currency: "rub" is not a currency
source|, "currency": "RUB"||11: sources[0].currency: is missing beside payout
source|"offer_id"|"retention_days": 0, "offer_id"|13: sources[0].retention_days: is not a number of days from 1 to 3650
source|"offer_id"|"retention_days": "7", "offer_id"|13: sources[0].retention_days: is not a number of days
consent|"ads"|"all"|15: consent_texts[0].purpose: "all" is not one of pd_processing, ads
consent|"v1"|"V 1"|15: consent_texts[0].version: "V 1" is not a name
consent|"en"|"EN"|16: consent_texts[1].lang: "EN" is not a language
consent|"Пишите"|""|15: consent_texts[0].text: is empty
consent|"Пишите"|7|15: consent_texts[0].text: is neither a string nor
consent|"t.txt"|"u.txt"|16: consent_texts[1].text.file: "u.txt": No such file
consent|"file"|"fill"|16: consent_texts[1].text.fill: is not a known key
source|"offer_id"|"offer"|13: sources[0].offer: is not a known key
source|"network": "n", ||12: sources[0].payout: needs a network, which pays it
source|"network": "n"|"partners": [{"network": "n"}]|12: sources[0].payout: is a partner beside the list of partners
source|"lang"|"partners": [{"network": "n"}], "lang"|11: sources[0].network: is a partner beside the list
source|"lang"|"partners": [{"network": "m"}], "lang"|11: sources[0].partners[0].network: there is no network "m"
source|"lang"|"partners": [{"offer_id": "7"}], "lang"|11: sources[0].partners[0].network: is missing
source|"lang"|"partners": [{"network": "n", "payout": "1"}], "lang"|11: sources[0].partners[0].currency: is missing beside payout
source|"lang"|"partners": [{"network": "n"}, {"network": "n"}], "lang"|11: sources[0].partners[1].offer_id: the source has this network with this
CASES
    my ($name, $from, $to, $expected) = split /\|/, $case, 4;
    spew($doc, document($name, $from, $to));
    ($rc, $out) = check();
    ok($rc == 1 && $out =~ /^\Q$doc:$expected\E/m, $expected) or diag $out;
}

spew($doc, document());
spew("$dir/t.txt", "1\n{{confirm_url}}{{unsubscribe_url}}\n{{who}} {{name}}\n{{what}}");
($rc, $out) = check();
like($out, qr{^\Q$dir/t.txt:3: templates[0].text: unknown variable "who"
$dir/t.txt:4: templates[0].text: unknown variable "what"\E$}m,
    'mistakes of a letter are told with the lines of its file');
spew("$dir/t.txt", "1\n2\xff");
like((check())[1], qr{:3: templates\[0\]\.text\.file: "t\.txt": is not UTF-8},
    'a letter that is not UTF-8 is refused');

spew($doc, qq({"sources": [],\n "sorces": [7], "networks": {},\n "series": [7],
 "templates": [{"name":"a","lang":"ru","subject":"x","text":"x","html":"x"},
 {"name":"a","lang":"en","subject":"x","text":"x","html":"x"},
 {"name":"a","lang":"ru","subject":"x","text":"x","html":"x"}]}));
($rc, $out) = check();
is($out, <<"OUT", 'all mistakes are told, in the order of the document');
$doc:2: sorces: is not a known key
$doc:2: networks: is not a list
$doc:3: series[0]: is not an object
$doc:6: templates[2].name: "a" is here twice, first in templates[0]
leadqctl: $doc has 4 mistakes
OUT

spew($doc, "{\n\"sources\": [}\n");
like((check())[1], qr{^\Q$doc\E:2: not JSON: }, 'what is no JSON has a line');
spew($doc, '[]');
is((check())[1], "$doc:1: is not an object\nleadqctl: $doc has 1 mistake\n",
    'a document is an object');
spew($doc, '{"sources": [{"name": "x", "network": "n", "series": "s",'
    . '"from_email": "a@b.ru", "base_url": "https://b.ru"}]}');
is((check())[0], 0, 'names of sections that are not there are left to SQL');
spew($doc, '{"templates": [{"name": "t", "lang": "ru", "subject": "{{#name}}x'
    . '{{/name}}", "text": "{{^name}}x{{/name}}", "html": "x"}]}');
is((check())[1], <<"OUT", 'what only shows when a letter is written, too');
$doc:1: templates[0].text: is empty to a person with a name
$doc:1: templates[0].subject: is empty to a person without a name
leadqctl: $doc has 2 mistakes
OUT
spew($doc, '{"series": [{"name": "s", "kind": "promo", "steps": [{"template":'
    . ' "t"}]}], "templates": [{"name": "t", "lang": "ru", "subject": "x",'
    . ' "text": "x", "html": "{{unsubscribe_url}}"}]}');
($rc, $out) = check();
like($out, qr{templates\[0\]\.text: does not show \{\{unsubscribe_url\}\}},
    'a promo letter needs a way out');
unlike($out, qr/confirm_url/, 'and asks for no confirmation');
unlink $doc;
is((check())[1], "leadqctl: $doc: No such file or directory\n",
    'a missing document is told');

done_testing();
