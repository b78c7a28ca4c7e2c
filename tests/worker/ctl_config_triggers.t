#!/usr/bin/perl

# leadqctl config check: what it refuses of triggers, series that sell,
# webhooks, limits, events and segments; and config import, what only SQL can
# refuse, with line and path, in a base that stays as it was.

use strict;
use warnings;

use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir spew slurp run build_dir);

my $dir = tempdir();
my $doc = "$dir/doc.json";

sub config {
    my ($what, @more) = @_;
    return run(build_dir() . '/leadqctl', 'config', $what, $doc, @more);
}

my %part = (
    limits => '"quiet": [{"channel": "any", "from": "21:00", "to": "09:00"}],'
        . "\n" . '"caps": [{"channel": "email", "count": 3, "per": "7 days"}]',
    events => '"order.placed", "cart.left"',
    segments => '{"name": "vip", "title": "Best"}',
    webhooks => '{"name": "crm", "url": "https://crm.ru/{event}?s={data_sum}",'
        . "\n" . '"body": "{\"id\": \"{contact_id}\", \"all\": {_data}}",'
        . ' "content_type": "application/json", "sign": "crm.key"}',
    series => '{"name": "w", "kind": "welcome", "next": "p",'
        . ' "stop_on": ["order.placed"],' . "\n"
        . '"window": {"from": "10:00", "to": "20:00"},'
        . ' "steps": [{"template": "t"}]},' . "\n"
        . '{"name": "p", "kind": "promo", "steps": [{"template": "t"}]}',
    triggers => '{"name": "a", "event": "order.placed", "delay": "1 hour",'
        . "\n" . '"window": {"from": "10:00", "to": "20:00", "days": 1},'
        . "\n" . '"condition": "$.event.data.sum > 9", "class": "service",'
        . ' "action": {"message": "t"}, "enabled": true},' . "\n"
        . '{"name": "b", "event": "cart.left",'
        . ' "action": {"cancel": {"trigger": "a"}}}',
);

sub document {
    my ($name, $from, $to) = @_;
    my %p = %part;
    if ($name) {
        $p{$name} =~ s/\Q$from\E/$to/ or die "no $from in $name";
    }
    return qq({"templates": [{"name": "t", "lang": "ru", "subject": "s",)
        . qq( "text": "{{unsubscribe_url}}", "html": "{{unsubscribe_url}}"}],)
        . qq(\n"limits": {\n$p{limits}},\n"events": [\n$p{events}],\n)
        . qq("segments": [\n$p{segments}],\n"webhooks": [\n$p{webhooks}],\n)
        . qq("series": [\n$p{series}],\n"triggers": [\n$p{triggers}]\n}\n);
}

spew($doc, document());
my ($rc, $out) = config('check');
is($rc, 0, 'a good document passes') or diag $out;

# Lines: limits 3-4, events 5-6, segments 8, webhooks 10-11, series 13-15,
# triggers 17-20.
for my $case (split /\n/, <<'CASES') {
limits|"21:00"|"21"|3: limits.quiet[0].from: "21" is not a time of the day
limits|"09:00"|"21:00"|3: limits.quiet[0].to: is the same as from
limits|"21:00"|"24:00"|3: limits.quiet[0].from: is the end of the day
limits|"any"|"fax"|3: limits.quiet[0].channel: "fax" is not one of any, email, sms
limits|"09:00"}|"09:00"}, {"from": "01:00", "to": "02:00"}|3: limits.quiet[1]: is for the same as [0]
limits|"count": 3|"count": 0|4: limits.caps[0].count: is not a whole number from 1 to 1000
limits|"7 days"|"0"|4: limits.caps[0].per: is not longer than 0
limits|"7 days"}|"7 days"}, {"channel": "email", "count": 1, "per": "1 week"}|4: limits.caps[1]: is for the same as [0]
events|"cart.left"|"cart"|6: events[1]: "cart" is not the name of an event
events|"cart.left"|"order.placed"|5: events: has "order.placed" twice
segments|"vip"|"V I P"|8: segments[0].name: "V I P" is not a name
segments|}|}, {"name": "vip"}|8: segments[1].name: "vip" is here twice, first in segments[0]
webhooks|{event}|{evnt}|10: webhooks[0].url: unknown macro "evnt"
webhooks|https:|ftp:|10: webhooks[0].url: the URL does not begin with http
webhooks|{contact_id}|{contct_id}|11: webhooks[0].body: unknown macro "contct_id"
webhooks|{_data}|{_data|11: webhooks[0].body:
webhooks|crm.ru/|crm.ru:81/|10: webhooks[0].url: port 81 is not 80 or 443
webhooks|"sign"|"statuses": [], "sign"|11: webhooks[0].statuses: is not a known key
webhooks|crm.key|../x|11: webhooks[0].sign: "../x" is not the name of a file
webhooks|"crm.key"}|"x"}, {"name": "crm", "url": "https://x.ru/"}|11: webhooks[1].name: "crm" is here twice
series|"welcome"|"hello"|13: series[0].kind: "hello" is not one of doi, welcome, promo
series|"welcome"|"doi"|13: series[0].next: is for the kinds welcome and promo
series|"next": "p"|"next": "q"|13: series[0].next: there is no series "q"
series|["order.placed"]|["order"]|13: series[0].stop_on[0]: "order" is not the name of an event
series|"20:00"|"10:00"|14: series[0].window.to: is the same as from: that is no time at all
series|"to": "20:00"|"days": 1|14: series[0].window.days: is not a known key
triggers|"a"|"b"|20: triggers[1].name: "b" is here twice, first in triggers[0]
triggers|"1 hour"|"1 moon"|17: triggers[0].delay: "1 moon" is not an interval
triggers|"20:00"|"25:00"|18: triggers[0].window.to: "25:00" is not a time
triggers|"from": "10:00", ||18: triggers[0].window.from: is missing beside to
triggers|"days": 1|"days": 401|18: triggers[0].window.days: is not a whole number from 0 to 400
triggers|{"message": "t"}|{"message": "t", "segment": "vip"}|19: triggers[0].action: is not one of message, series
triggers|{"message": "t"}|{}|19: triggers[0].action: is not one of message, series
triggers|{"message": "t"}|{"segment": "vip"}|19: triggers[0].class: is for the action message
triggers|"service"|"urgent"|19: triggers[0].class: "urgent" is not one of marketing, service
triggers|true|1|19: triggers[0].enabled: is not true or false
triggers|"trigger": "a"|"trigger": "a", "series": "w"|20: triggers[1].action.cancel: names not one series or trigger
triggers|"cancel"|"source": "x", "cancel"|20: triggers[1].action.source: is not a known key
CASES
    my ($name, $from, $to, $expected) = split /\|/, $case, 4;
    spew($doc, document($name, $from, $to));
    ($rc, $out) = config('check');
    ok($rc == 1 && $out =~ /^\Q$doc:$expected\E/m, $expected) or diag $out;
}

# --- what only SQL knows

my $pg = Leadq::Postgres->start;
$pg->migrate;
my @database = ('-d', $pg->dsn);
for my $case (split /\n/, <<'CASES') {
triggers|sum > 9|sum >|19: triggers[0].condition: is not a jsonpath:
triggers|"order.placed"|"order.plcaed"|17: triggers[0].event: "order.plcaed" is not one of the events that are posted
triggers|"order.placed"|"letter.sent"|17: triggers[0].event: sets itself off again
series|"promo"|"promo", "next": "w"|13: series[0].next: goes round for ever: w, p, and again
series|"from": "10:00", "to": "20:00"|"from": "22:00", "to": "23:00"|14: series[0].window: w may never leave
CASES
    my ($name, $from, $to, $expected) = split /\|/, $case, 4;
    spew($doc, document($name, $from, $to));
    ($rc, $out) = config('import', @database);
    ok($rc == 1 && $out =~ /^\Q$doc:$expected\E/m, $expected) or diag $out;
}
is($pg->sql('select count(*) from leadq.trigger, leadq.series'), 0,
    'nothing of them is in force');

spew($doc, document());
is((config('import', @database))[0], 0, 'the good one is imported');
($rc, $out) = run(build_dir() . '/leadqctl', 'config', 'export', @database);
spew($doc, $out);
like((config('import', @database))[1], qr/in force, nothing changed/,
    'and its export changes nothing');
spew($doc, '{' . join(', ', map { qq("$_": null) } qw(templates series networks
    sources consent_texts limits events segments webhooks triggers
    mail_providers)) . '}');
like((config('import', @database))[1], qr/in force, nothing changed/,
    'a section that is null counts as missing');
spew($doc, '{"templates": null, "series": [{"name": "p", "kind": "promo",'
    . ' "steps": [{"template": "t"}]}]}');
is((config('import', @database))[0], 0, 'names of it are left to SQL');

done_testing();
