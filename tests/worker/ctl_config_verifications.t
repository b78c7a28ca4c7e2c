#!/usr/bin/perl

# leadqctl config check: verifications.  Of a bad document every mistake is
# told as "file:line: path: reason"; of a good one each text with what it
# costs.

use strict;
use warnings;

use Test::More;

use Leadq::Test qw(tempdir spew run build_dir);

my $dir = tempdir();
my $doc = "$dir/doc.json";

sub check { return run(build_dir() . '/leadqctl', 'config', 'check', $doc) }

# Lines 1, 2-6 and 7-8.
my %part = (
    gateways => '{"name": "sms", "channel": "sms", "url": "https://s.ru/'
        . '{phone}?t={text}"}, {"name": "call", "channel": "call", "url":'
        . ' "https://c.ru/{phone}", "chooses_code": true, "answer": {"code":'
        . ' "code"}},' . ' {"name": "push", "channel": "push", "url":'
        . ' "https://p.ru/{phone}?t={text}&c={code}"}, {"name": "judge",'
        . ' "channel": "captcha", "url": "https://j.ru/{captcha_token}"}',
    public => '{"name": "landing", "kind": "public", "digits": 6, "life":'
        . ' "5 min", "checks": 5, "sends": 3, "fallbacks": 2, "lang": "ru",'
        . "\n" . '"resend_after": ["30 s", "60 s"], "result_life": "30 min",'
        . ' "host": "brand.ru", "deny": ["+7940"], "consent": "required",'
        . ' "captcha": "judge",' . "\n" . '"steps": [{"gateway": "call",'
        . ' "timeout": "20 s",'
        . ' "unless_operator": ["mts"], "window": {"from": "09:00", "to":'
        . ' "21:00"}},' . "\n" . '{"gateway": "sms", "text": {"ru": "Код'
        . ' {code}", "en": "Code {code}"}}],' . "\n" . '"limits": [{"name":'
        . ' "a", "by": "phone", "max": 3, "per": "1 hour", "hide": true},'
        . ' {"name": "b", "by": "prefix", "max": 9, "per": "1 day", "mode":'
        . ' "captcha", "adapt": 0.3}]}',
    desk => '{"name": "desk", "kind": "desk", "steps": [' . "\n"
        . '{"gateway": "push", "text": {"ru": "Назовите {code}"}}]}',
);

sub document {
    my ($name, $from, $to) = @_;
    my %p = %part;
    if ($name) {
        $p{$name} =~ s/\Q$from\E/$to/ or die "no $from in $name";
    }
    return qq({"gateways": [$p{gateways}], "verifications": [\n)
        . qq($p{public},\n$p{desk}]}\n);
}

spew($doc, document());
my ($rc, $out) = check();
is($rc, 0, 'a good document passes');
is($out, <<"OUT", 'and what its texts cost is told');
$doc: good: 4 gateways, 2 verifications
$doc:5: verifications[0].steps[1].text.ru: 29 characters, 1 segment
$doc:5: verifications[0].steps[1].text.en: 30 characters, 1 segment
$doc:8: verifications[1].steps[0].text.ru: 13 characters
OUT

for my $case (split /\n/, <<'CASES') {
public|"landing"|"Landing"|2: verifications[0].name: "Landing" is not a name
public|"public"|"private"|2: verifications[0].kind: "private" is not one of public, desk
public|"digits": 6|"digits": 3|2: verifications[0].digits: is not a whole number from 4 to 8
public|"5 min"|"11 min"|2: verifications[0].life: is not from 1 to 10 minutes
public|"5 min"|"59 s"|2: verifications[0].life: is not from 1 to 10 minutes
public|"checks": 5|"checks": 11|2: verifications[0].checks: is not a whole number from 1 to 10
public|"fallbacks": 2|"fallbacks": 6|2: verifications[0].fallbacks: is not a whole number from 0 to 5
public|["30 s", "60 s"]|[]|3: verifications[0].resend_after: has not from 1 to 10 times
public|"60 s"|"0"|3: verifications[0].resend_after[1]: is not from 1 second
public|"30 min"|"2 days"|3: verifications[0].result_life: is not from 1 minute to 1 day
public|brand.ru|https://brand.ru|3: verifications[0].host: "https://brand.ru" is not the name of a host
public|"+7940"|"7940"|3: verifications[0].deny[0]: "7940" is not how a phone begins
public|"+7940"|"+7940", "+7940"|3: verifications[0].deny: has the same beginning twice
public|"required"|"yes"|3: verifications[0].consent: "yes" is not one of required, optional
public|"judge"|"none"|3: verifications[0].captcha: there is no gateway "none"
public|"judge"|"sms"|3: verifications[0].captcha: "sms" is not of the channel captcha
desk|"push"|"judge"|8: verifications[1].steps[0].gateway: "judge" sends no codes
public|"call"|"none"|4: verifications[0].steps[0].gateway: there is no gateway "none"
public|"timeout": "20 s"|"timeout": "20 min"|4: verifications[0].steps[0].timeout: is not from 1 second to 10 minutes
public|["mts"]|[""]|4: verifications[0].steps[0].unless_operator[0]: is empty
public|"21:00"|"9 pm"|4: verifications[0].steps[0].window.to: "9 pm" is not a time
public|"20 s"|"20 s", "text": {"ru": "{code}"}|4: verifications[0].steps[0].text: is not for a call
public|"ru": "Код {code}"|"ru": "Код"|5: verifications[0].steps[1].text.ru: does not say {code}
public|Код {code}|{code} {name}|5: verifications[0].steps[1].text.ru: has a brace besides those of {code}
public|Код|К\tод|5: verifications[0].steps[1].text.ru: has a control character
public|"en"|"EN"|5: verifications[0].steps[1].text.EN: is not a language
public|"ru": "Код|"de": "Код|5: verifications[0].steps[1].text: has not the language of the profile, "ru"
public|"lang": "ru"|"lang": "kk"|5: verifications[0].steps[1].text: has not the language of the profile, "kk"
public|, "text": {"ru": "Код {code}", "en": "Code {code}"}||5: verifications[0].steps[1].text: is missing: the gateway sends it
public|"by": "phone"|"by": "advisor"|6: verifications[0].limits[0].by: "advisor" is for the kind desk
public|"by": "phone"|"by": "wrong_ratio"|6: verifications[0].limits[0].by: "wrong_ratio" is for the kind desk
public|"by": "phone", "max": 3|"by": "wrong_ratio", "max": 100|6: verifications[0].limits[0].max: of wrong_ratio is a percentage, 1 to 99
public|"by": "phone"|"by": "mail"|6: verifications[0].limits[0].by: "mail" is not one of phone, session
public|"max": 3|"max": 0|6: verifications[0].limits[0].max: is not a whole number from 1
public|"1 hour"|"0"|6: verifications[0].limits[0].per: is not longer than 0
public|"captcha", "adapt"|"maybe", "adapt"|6: verifications[0].limits[1].mode: "maybe" is not one of enforce, captcha, record
public|"hide": true|"adapt": 0.3|6: verifications[0].limits[0].adapt: is for prefix and profile
public|0.3|-1|6: verifications[0].limits[1].adapt: is not a number from 0 to 9
public|"b"|"a"|6: verifications[0].limits[1].name: "a" is here twice, first in limits[0]
public|"hide": true|"hide": 1|6: verifications[0].limits[0].hide: is not true or false
desk|"kind": "desk"|"kind": "desk", "host": "brand.ru"|7: verifications[1].host: is for the kind public
desk|"desk", "kind"|"landing", "kind"|7: verifications[1].name: "landing" is here twice
desk|"steps": [|"steps": [], "x": [|7: verifications[1].steps: has not from 1 to 10 steps
gateways|t={text}&||8: verifications[1].steps[0].text: is never sent
CASES
    my ($name, $from, $to, $expected) = split /\|/, $case, 4;
    spew($doc, document($name, $from, $to));
    ($rc, $out) = check();
    ok($rc == 1 && $out =~ /^\Q$doc:$expected\E/m, $expected) or diag $out;
}

sub told {
    my ($digits, $text) = @_;
    spew($doc, qq({"gateways": [$part{gateways}], "verifications": [{"name":)
        . qq("v", "kind": "public", "host": "brand.ru", "digits": $digits,)
        . qq("steps": [{"gateway": "sms", "text": {"ru": "$text"}}]}]}));
    return (check())[1] =~ s/.*text\.ru: //rs;
}

is(told(4, '{code} - ваш код для brand.ru. Никому его не сообщайте.'),
    "70 characters, 1 segment\n", 'a text that fits into one segment');
is(told(5, '{code} - ваш код для brand.ru. Никому его не сообщайте.'),
    "72 characters, 2 segments\n", 'each of its codes counts');
is(told(8, '{code} is your code'), "42 characters, 1 segment\n",
    'a text in GSM-7');
spew($doc, '{"verifications": [{"name": "v", "kind": "desk", "steps":'
    . ' [{"gateway": "far", "text": {"ru": "Код {code}"}}]}]}');
is((check())[1], <<"OUT", 'the gateway may be in force already');
$doc: good: 1 verifications
$doc:1: verifications[0].steps[0].text.ru: 8 characters, 1 segment
OUT

done_testing();
