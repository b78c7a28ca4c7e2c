package Document;

# A business document that has every key, and two judges of documents: the
# schema for editors, conf/leadq.schema.json, and leadqctl.

use strict;
use warnings;

use Exporter 'import';
use FindBin ();
use IPC::Open2 qw(open2);
use JSON::PP ();

use Leadq::Test qw(tempdir spew run build_dir);

our @EXPORT_OK = qw(rich changed each_place mistakes leadqctl);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $root = "$FindBin::Bin/../..";
my $dir = tempdir();
my ($answers, $documents);

my $RICH = <<'JSON';
{"$schema": "./leadq.schema.json",
 "templates": [
  {"name": "ask", "lang": "ru", "subject": "{{name}}, да?",
   "text": "{{confirm_url}} {{unsubscribe_url}}",
   "html": "{{confirm_url}} {{unsubscribe_url}}"},
  {"name": "sell", "lang": "pt-BR", "subject": "x",
   "text": {"file": "letter"}, "html": {"file": "letter"}}],
 "series": [
  {"name": "doi", "kind": "doi", "grace": "1 day 02:00:00",
   "link_life": "2 weeks", "stop_on": ["order.placed"],
   "steps": [{"template": "ask", "delay": "0"}, {"template": "ask"}]},
  {"name": "welcome", "kind": "welcome", "next": "promo",
   "window": {"from": "10:00", "to": "24:00"},
   "steps": [{"template": "sell"}]},
  {"name": "promo", "kind": "promo", "steps": [{"template": "sell"}]}],
 "networks": [
  {"name": "get", "url": "http://n.example:81/{_token}?s={status:approved=1 rejected=2}",
   "ports": [81, 65535], "method": "GET", "secret": "get", "sign": "get.sign",
   "match": {"type": "json_path", "value": "a.b=1"},
   "permanent": {"type": "any"}, "statuses": ["approved", "hold"],
   "concurrency": 1000, "rate": 0.001},
  {"name": "post", "url": "https://n.example", "method": "POST",
   "content_type": "application/json", "body": "{\"id\": \"{click_id}\"}"}],
 "sources": [
  {"name": "one", "series": "doi", "network": "get", "payout": "150.00",
   "currency": "RUB", "offer_id": "7", "approve_on": "deliverable",
   "expired_as": "hold", "on_duplicate": "share", "soft_limit": 10,
   "lang": "ru", "time_zone": "Asia/Omsk", "from_email": "a.b@c.example",
   "from_name": "Клуб", "base_url": "https://c.example:8080/a/b",
   "retention_days": 3650, "track_opens": true, "track_clicks": false},
  {"name": "two", "series": "doi", "from_email": "a@почта.рф",
   "base_url": "http://c", "partners": [
    {"network": "get", "offer_id": "8", "payout": "9.5", "currency": "EUR"},
    {"network": "post"}]}],
 "consent_texts": [
  {"purpose": "ads", "version": "1", "lang": "ru", "text": "Пишите"},
  {"purpose": "pd_processing", "version": "1", "lang": "ru",
   "text": {"file": "letter"}}],
 "limits": {
  "quiet": [{"channel": "any", "from": "21:00", "to": "09:00"}],
  "caps": [{"channel": "email", "count": 1, "per": "1 day"},
           {"count": 1000, "per": "400 days"}]},
 "events": ["order.placed", "order.paid"],
 "segments": [{"name": "vip", "title": "Лучшие"}],
 "webhooks": [
  {"name": "shop", "url": "https://s.example/{event}", "method": "POST",
   "content_type": "application/x-www-form-urlencoded",
   "body": "sum={data_sum}", "secret": "shop", "sign": "shop.sign",
   "match": {"type": "contains", "value": "ok"},
   "permanent": {"type": "body_prefix", "value": "no"},
   "concurrency": 1, "rate": 10000, "ports": []}],
 "triggers": [
  {"name": "a", "event": "order.placed", "enabled": false, "delay": "0",
   "condition": "$.event.data.sum > 9", "class": "service", "source": "one",
   "window": {"from": "10:00", "to": "19:00", "days": 400},
   "action": {"message": "sell"}},
  {"name": "b", "event": "contact.confirmed", "source": "two",
   "action": {"series": "welcome"}},
  {"name": "c", "event": "order.paid", "window": {"days": 0},
   "action": {"cancel": {"series": "promo"}}},
  {"name": "d", "event": "order.paid", "action": {"cancel": {"trigger": "a"}}},
  {"name": "e", "event": "lead.received", "action": {"event": "order.paid"}},
  {"name": "f", "event": "letter.opened", "action": {"webhook": "shop"}},
  {"name": "g", "event": "webhook.dead", "action": {"segment": "vip"}}],
 "mail_providers": [
  {"name": "mailgun", "secret_sha256":
   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
  {"name": "own", "secret_sha256":
   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
   "mapping": {"id": "$.id", "kind": ["$.a", "$.b"], "kinds":
    {"a b": "failed", "c": "opened"}, "message": "$.m", "email": "$.e",
    "status": ["$.s"], "reply": []}}],
 "gateways": [
  {"name": "sms", "channel": "sms", "method": "POST",
   "url": "https://s.example:444/{_token}", "ports": [444],
   "content_type": "application/json",
   "body": "{\"to\": {digits}, \"text\": \"{text}\"}", "secret": "sms",
   "headers": {"Authorization": "Key {token}", "X-Send": "{send_id}"},
   "match": {"type": "any"}, "permanent": {"type": "contains", "value": "x"},
   "sign": "sms.sign", "concurrency": 5, "rate": 9.5, "sender": "Клуб",
   "price": 5.49, "answer": {"id": "messages.0.id", "operator": "op"},
   "receipts": {"secret_sha256":
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "verify": "twilio", "verify_secret": "sms.receipts",
    "verify_url": "https://b.example/v1/receipts/sms/x", "each": "*",
    "id": "id", "send": "options.send", "status": "s",
    "states": {"-1": "sent", "DONE": "delivered"}, "error": "e",
    "errors": {"7": "bad_number"}},
   "poll": {"method": "POST", "url": "https://s.example:444/{provider_id}",
    "content_type": "application/x-www-form-urlencoded",
    "body": "id={send_id}", "after": "5 s", "every": "00:00:10",
    "status": "s", "states": {"1": "read"}, "error": "e",
    "errors": {"7": "none"}}},
  {"name": "call", "channel": "call", "chooses_code": true,
   "url": "https://c.example/{phone}", "answer": {"code": "code"}},
  {"name": "robots", "channel": "captcha", "secret": "robots",
   "url": "https://r.example/?s={token}&r={captcha_token}&ip={ip}"},
  {"name": "persons", "channel": "identity", "method": "POST",
   "url": "https://i.example/check", "content_type": "application/json",
   "body": "{\"key\": \"{token}\", \"phone\": \"{phone}\", \"id\": \"{send_id}\"}",
   "secret": "persons", "answer": {"id": "token", "state": "code",
    "states": {"0": "passed", "*": "pending"}},
   "receipts": {"secret_sha256":
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "id": "token", "send": "our"},
   "poll": {"method": "POST", "url": "https://i.example/state",
    "content_type": "application/json", "body": "{\"id\": \"{send_id}\"}",
    "status": "code", "states": {"0": "passed", "-100": "failed",
     "9": "unavailable"}}}],
 "verifications": [
  {"name": "landing", "kind": "public", "digits": 6, "life": "5 min",
   "checks": 5, "sends": 3, "resend_after": ["30 s", "00:01:00"],
   "fallbacks": 0, "result_life": "30 min", "lang": "ru",
   "time_zone": "Asia/Omsk", "host": "brand.example",
   "deny": ["+7940", "+7"], "consent": "optional", "captcha": "robots",
   "steps": [
    {"gateway": "call", "timeout": "20 s", "unless_operator": ["mts"],
     "window": {"from": "09:00", "to": "21:00"}},
    {"gateway": "sms", "text": {"ru": "Код {code}", "en": "{code}"}}],
   "limits": [
    {"name": "phones", "by": "phone", "max": 3, "per": "1 hour",
     "mode": "enforce", "hide": true},
    {"name": "prefixes", "by": "prefix", "max": 10, "per": "1 day",
     "mode": "captcha", "adapt": 0.3}]},
  {"name": "desk", "kind": "desk",
   "steps": [{"gateway": "sms", "text": {"ru": "Код {code}"}}]}],
 "points": [
  {"name": "mega", "title": "Мега", "time_zone": "Asia/Omsk",
   "opens": "09:30", "closes": "24:00", "text_version": "1"},
  {"name": "tsum"}],
 "advisors": [
  {"name": "anna", "title": "Анна", "role": "advisor", "point": "mega",
   "active": true},
  {"name": "O.Petrova@brand.example", "role": "supervisor"},
  {"name": "igor", "point": "tsum", "active": false}],
 "staff": ["+79160000000", "8 (916) 000-00-01"],
 "questions": [
  {"name": "taste", "title": {"ru": "Вкус", "en": "Taste"}, "type": "choice",
   "choices": [{"value": "mint", "title": {"ru": "Мята"}}, {"value": "plain"}],
   "required": true},
  {"name": "cups", "type": "int", "required": false}],
 "programmes": [
  {"name": "friends", "title": "Друзья", "kind": "referral",
   "discount": "20 % на первую покупку", "max_uses": 3, "per_customer": 1,
   "new_customer_only": true, "reserve_for": "15 min", "reward_after": 3,
   "hold": "14 days", "life": "90 days", "active": true,
   "message": {"gateway": "sms", "text": {"ru": "{code}: {discount} до {until}"},
    "days": 1, "window": {"from": "10:00", "to": "20:00"}},
   "discount_cost": 300, "reward_cost": 1000.5},
  {"name": "spring", "kind": "promo", "discount": "500 ₽"}],
 "visit_rules": [
  {"name": "burst", "max": 5, "weight": 100, "enabled": true},
  {"name": "identity", "enabled": false}]}
JSON

sub rich { return $json->decode($RICH) }

my %sections;

# One section of the rich document, with the value at "sources.0.name"
# replaced by what the JSON text says; '': without it.
sub changed {
    my ($place, $text) = @_;

    my @path = split /\./, $place;
    if (!%sections) {
        my $rich = rich();
        $sections{$_} = $json->encode($rich->{$_}) for keys %$rich;
    }
    my $document = {};
    $document->{ $path[0] } = $json->decode($sections{ $path[0] })
        if exists $sections{ $path[0] };
    my $last = pop @path;
    my $at = $document;
    $at = ref $at eq 'ARRAY' ? $at->[$_] : $at->{$_} for @path;
    if (ref $at eq 'ARRAY') {
        splice @$at, $last, 1, $text eq '' ? () : $json->decode($text);
    } elsif ($text eq '') {
        delete $at->{$last};
    } else {
        $at->{$last} = $json->decode($text);
    }
    return $document;
}

# Calls $sub with each place below a value, and with what stands there.
sub each_place {
    my ($value, $sub, $place) = @_;

    my %below = ref $value eq 'HASH' ? %$value
        : ref $value eq 'ARRAY' ? map { $_ => $value->[$_] } 0 .. $#$value
        : ();
    for my $key (sort keys %below) {
        my $there = join '.', defined $place ? $place : (), $key;
        $sub->($there, $below{$key});
        each_place($below{$key}, $sub, $there);
    }
    return;
}

# What the schema finds wrong: hashes of at, what and perhaps key.
sub mistakes {
    my ($document) = @_;

    if (!$documents) {
        open2($answers, $documents, 'node', "$root/tests/lib/judge.js",
            "$root/conf/leadq.schema.json");
        defined readline $answers
            or die "judge.js did not start (make deps installs ajv)\n";
    }
    print {$documents} $json->encode($document), "\n";
    $documents->flush;
    return @{ $json->decode(scalar readline $answers) };
}

# (exit code, output) of leadqctl config.
sub leadqctl {
    my ($command, $document, @more) = @_;

    spew("$dir/letter", "{{unsubscribe_url}}\n");
    spew("$dir/document.json", $json->encode($document));
    return run(build_dir() . '/leadqctl', 'config', $command, @more,
        "$dir/document.json");
}

1;
