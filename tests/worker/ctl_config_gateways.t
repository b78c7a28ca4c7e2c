#!/usr/bin/perl

# leadqctl config check: gateways.  Of a bad document every mistake is told as
# "file:line: path: reason".

use strict;
use warnings;

use Test::More;

use Leadq::Test qw(tempdir spew run build_dir);

my $dir = tempdir();
my $doc = "$dir/doc.json";
my $hash = '0123456789abcdef' x 4;

sub check { return run(build_dir() . '/leadqctl', 'config', 'check', $doc) }

# Lines 3-8, 9, 10 and 11.
my %part = (
    sms => '{"name": "sms", "channel": "sms", "url": "https://s.ru/{rand}",'
        . ' "secret": "sms", "sender": "BRAND", "price": 5.49,'
        . ' "method": "POST",' . "\n"
        . '"content_type": "application/json", "body": "{\"to\": \"{digits}\",'
        . ' \"from\": \"{sender}\", \"text\": \"{text}\"}",' . "\n"
        . '"headers": {"Authorization": "Key {_token}", "X-Id": "{send_id}"},'
        . "\n" . '"answer": {"id": "messages.0.messageId"},' . "\n"
        . '"receipts": {"secret_sha256": "' . $hash . '", "id": "id",'
        . ' "status": "s", "states": {"1": "delivered", "-1": "sent"},'
        . ' "error": "e", "errors": {"6": "bad_number"}},' . "\n"
        . '"poll": {"url": "https://s.ru/?id={provider_id}", "status": "s",'
        . ' "states": {"1": "delivered"}}}',
    call => '{"name": "call", "channel": "call", "url": "https://c.ru/{phone}"'
        . ', "chooses_code": true, "answer": {"code": "code"}}',
    judge => '{"name": "judge", "channel": "captcha", "secret": "judge",'
        . ' "url": "https://j.ru/?s={token}&r={captcha_token}&i={ip}"}',
    persons => '{"name": "persons", "channel": "identity",'
        . ' "url": "https://p.ru/?p={digits}", "answer": {"id": "t"},'
        . ' "receipts": {"secret_sha256": "' . $hash . '", "id": "t"},'
        . ' "poll": {"url": "https://p.ru/?t={provider_id}", "status": "c",'
        . ' "states": {"0": "passed", "*": "failed"}}}',
);

sub document {
    my ($name, $from, $to) = @_;
    my %p = %part;
    if ($name) {
        $p{$name} =~ s/\Q$from\E/$to/ or die "no $from in $name";
    }
    return qq({\n"gateways": [\n$p{sms},\n$p{call},\n$p{judge},\n$p{persons}]}\n);
}

spew($doc, document());
my ($rc, $out) = check();
is($rc, 0, 'a good document passes') or diag $out;
is($out, "$doc: good: 4 gateways\n", 'and its contents are counted');

for my $case (split /\n/, <<'CASES') {
sms|"sms", "channel"|"SMS", "channel"|3: gateways[0].name: "SMS" is not a name
sms|"channel": "sms"|"channel": "fax"|3: gateways[0].channel: "fax" is not one of sms, call, messenger, push, captcha, identity
sms|"channel": "sms", ||3: gateways[0].channel: is missing
sms|s.ru/{rand}|s.ru/{click_id}|3: gateways[0].url: unknown macro "click_id"
sms|s.ru/{rand}|s.ru/{provider_id}|3: gateways[0].url: unknown macro "provider_id"
sms|//s.ru/{rand}|//{phone}.ru/|3: gateways[0].url: a macro in the host
sms|s.ru/{rand}|s.ru:22/|3: gateways[0].url: port 22 is not 80 or 443
sms|"method": "POST"|"method": "GET"|4: gateways[0].body: needs the method POST
sms|{digits}|{lead_id}|4: gateways[0].body: unknown macro "lead_id"
sms|{digits}|7|3: gateways[0]: names neither {phone} nor {digits}
sms|{text}|x|3: gateways[0]: sends neither {text} nor {code}
sms|"secret": "sms", ||3: gateways[0].secret: is missing, and {token} stands
sms|"sender": "BRAND", ||3: gateways[0].sender: is missing, and {sender}
sms|"BRAND"|""|3: gateways[0].sender: is empty
sms|5.49|-1|3: gateways[0].price: is not a number of roubles from 0 to 1000
sms|"price"|"chooses_code": "no", "price"|3: gateways[0].chooses_code: is not true or false
sms|"price"|"statuses": [], "price"|3: gateways[0].statuses: is not a known key
sms|"X-Id"|"X Id"|5: gateways[0].headers.X Id: is not the name of a header
sms|"X-Id"|"content-TYPE"|5: gateways[0].headers.content-TYPE: is set by leadq
sms|"X-Id"|"AUTHORIZATION"|5: gateways[0].headers.AUTHORIZATION: is here twice
sms|{send_id}|{send_id}\r\nX: y|5: gateways[0].headers.X-Id: is not of 1 to 1000 printable
sms|{send_id}|{code}|5: gateways[0].headers.X-Id: unknown macro "code"
sms|"{send_id}"|7|5: gateways[0].headers.X-Id: is not a string
sms|{"Authorization"|{"A":"1","B":"1","C":"1","D":"1","E":"1","F":"1","G":"1","Authorization"|5: gateways[0].headers: has more than 8 headers
sms|messages.0.|messages[0].|6: gateways[0].answer.id: "messages[0].messageId" is not a path
sms|"id": "messages.0.messageId"||6: gateways[0].answer.id: is missing, and {provider_id}
sms|{"id": "messages|{"code": "a", "id": "messages|6: gateways[0].answer.code: is for a gateway with chooses_code
sms|0123456789abcdef|abc|7: gateways[0].receipts.secret_sha256: "abc
sms|"id": "id"|"verify": "smsc", "id": "id"|7: gateways[0].receipts.verify_secret: is missing beside verify
sms|"id": "id"|"verify": "twilio", "verify_secret": "t", "id": "id"|7: gateways[0].receipts.verify_url: is missing beside verify
sms|"id": "id"|"verify_url": "https://a.ru/", "id": "id"|7: gateways[0].receipts.verify_url: is for another way
sms|"id": "id", ||7: gateways[0].receipts.id: is missing, and so is send
sms|"status": "s", "states": {"1": "delivered", "-1"|"states": {"1"|7: gateways[0].receipts.status: is missing
sms|"-1": "sent"|"-1": "done"|7: gateways[0].receipts.states.-1: "done" is not one of queued, sent, delivered
sms|"states": {"1": "delivered", "-1": "sent"}|"states": {}|7: gateways[0].receipts.states: has not from 1 to 200 words
sms|"bad_number"|"bad"|7: gateways[0].receipts.errors.6: "bad" is not one of none, bad_number
sms|"error": "e", ||7: gateways[0].receipts.error: is missing beside errors
sms|id={provider_id}|t={text}|8: gateways[0].poll.url: unknown macro "text"
sms|id={provider_id}|id=1|8: gateways[0].poll: names neither {provider_id} nor {send_id}
sms|"poll": {"url"|"poll": {"after": "1 hour", "url"|8: gateways[0].poll.after: is not from 1 second to 10 minutes
sms|"poll": {"url"|"poll": {"body": "{}", "content_type": "application/json", "url"|8: gateways[0].poll.body: needs the method POST
call|, "answer": {"code": "code"}||9: gateways[1].answer.code: is missing: it says
call|{phone}|{phone}?{code}|9: gateways[1].chooses_code: is true, and {text} or {code}
judge|{captcha_token}|x|10: gateways[2]: does not name {captcha_token}
judge|{ip}|{phone}|10: gateways[2].url: unknown macro "phone"
judge|"url"|"sender": "x", "url"|10: gateways[2].sender: is for a gateway of codes
persons|{digits}|x|11: gateways[3]: names neither {phone} nor {digits}
persons|{digits}|{digits}&t={text}|11: gateways[3].url: unknown macro "text"
persons|"url"|"sender": "x", "url"|11: gateways[3].sender: is for a gateway of codes
persons|"id": "t"}|"state": "s"}|11: gateways[3].answer: has one of state and states without the other
persons|"passed"|"delivered"|11: gateways[3].poll.states.0: "delivered" is not one of pending, passed, failed, unavailable
persons|"poll"|"poll": null, "x"|11: gateways[3].x: is not a known key
persons|"status": "c", |"status": "c", "every": "1 min", |11: gateways[3].poll.every: is not a known key
persons|"id": "t"}|"id": "t", "status": "s"}|11: gateways[3].answer.status: is not a known key
persons|{"id": "t"}|{"operator": "t"}|11: gateways[3].answer.operator: is not a known key
CASES
    my ($name, $from, $to, $expected) = split /\|/, $case, 4;
    spew($doc, document($name, $from, $to));
    ($rc, $out) = check();
    ok($rc == 1 && $out =~ /^\Q$doc:$expected\E/m, $expected) or diag $out;
}

spew($doc, qq({"gateways": [$part{call},\n$part{call}]}));
like((check())[1], qr/:2: gateways\[1\]\.name: "call" is here twice/,
    'names are different');

done_testing();
