#!/usr/bin/perl

# What conf/leadq.schema.json says of a document, and what leadqctl config
# import says of it: right and wrong documents on which they agree.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin;
use Document qw(rich changed mistakes leadqctl);
use Leadq::Postgres;

my $pg = Leadq::Postgres->start;
$pg->migrate;
my @database = ('-d', $pg->dsn);

# PLACE JSON: a section of the rich document, changed there.
my $RIGHT = <<'CASES';
$schema null
templates null
limits null
mail_providers null
templates.0.lang "rus-Cyrl-1996"
templates.0.subject " 1234567890 "
series.0.grace "0"
series.0.grace "400 days"
series.0.grace "56weeks 1 day 0:5:000059 "
series.0.grace "1 s 2 min 3 hours"
series.0.link_life "00:00:01"
series.0.kind null
series.0.stop_on ["contact.unsubscribed", "order.paid"]
series.0.window {"from": "23:59", "to": "00:00"}
networks.0.url "HTTPS://[::1]:81?{_token}&{hmac_sha1:k,subid+'-'+rand}"
networks.0.match {"type": "not_contains", "value": "x"}
networks.0.match {"type": "any", "value": null}
networks.0.permanent null
networks.0.statuses ["hold", "processed", "approved", "rejected"]
networks.0.concurrency 1
networks.0.rate 10000
networks.1.ports []
sources.0.approve_on null
sources.0.expired_as "none"
sources.0.soft_limit 1
sources.0.time_zone "Etc/GMT+3"
sources.0.time_zone "UTC"
sources.0.from_email " a+b/c@d.example\n"
sources.0.from_name "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678 😀"
sources.0.payout "0123456789.05"
sources.0.retention_days 1
sources.1.partners [{"network": "get"}]
sources.1.base_url "https://c.example/~a%20/b."
consent_texts.0.version "2"
limits.quiet [{"channel": "email", "from": "20:00", "to": "24:00"}]
limits.quiet []
limits.quiet [{"channel": "sms", "from": "20:00", "to": "24:00"}]
limits.caps.0.per "0 days 1 min"
events ["order.placed", "order.paid", "a_1.2._"]
segments.0.title null
webhooks.0.method null
webhooks.0.body null
webhooks.0.secret null
triggers.0.delay "1 week"
triggers.0.window {"from": null, "days": 1}
triggers.0.class "marketing"
triggers.2.action.cancel {"series": "promo", "trigger": null}
mail_providers.0.name "generic"
mail_providers.1.mapping.kinds {}
mail_providers.1.mapping.id null
gateways.0.headers null
gateways.0.headers {"X": " ~"}
gateways.0.rate null
gateways.0.price 0
gateways.0.receipts null
gateways.0.answer.id "*"
gateways.0.poll null
gateways.1.chooses_code true
gateways.2.chooses_code false
gateways.3.poll.states {"*": "pending"}
gateways.3.answer null
gateways.3.receipts null
gateways.3.answer.id "*"
gateways.3.answer {"state": "s", "states": {"a": "failed"}}
verifications.0.kind null
verifications.0.life "10 min"
verifications.0.fallbacks 5
verifications.0.limits []
verifications.0.limits null
verifications.0.limits.0.adapt 0
verifications.0.limits.1.by "profile"
verifications.0.steps.1.text {"ru": "{code}\n{code}", "pt-BR": "{code}."}
verifications.0.steps.0.window {"from": "21:00", "to": "09:00"}
verifications.1.captcha "robots"
verifications.1.limits [{"name": "a", "by": "wrong_ratio", "max": 99, "per": "1 day"}, {"name": "b", "by": "advisor_phone", "max": 100, "per": "1 day"}]
points.0.title null
points.0.opens "23:59"
points.1.closes "00:30"
advisors.0.name "a+b@c-d_e.f"
advisors.0.role null
advisors.1.role "brand"
advisors.1.point "tsum"
staff []
staff null
staff.0 "89160000002"
programmes.0.title null
programmes.0.max_uses 1000000
programmes.0.reward_after null
programmes.0.hold "0"
programmes.0.reserve_for "1 day"
programmes.0.life "400 days"
programmes.1.per_customer 100
programmes.1.reward_after 1
visit_rules.0.name "dead-number"
visit_rules.0.max 0
visit_rules.0.max null
visit_rules.0.weight 0
visit_rules.1.enabled null
CASES

my $WRONG = <<'CASES';
sorces []
$schema 7
templates {}
templates.0.lang "RU"
templates.0.lang "ru-"
templates.0.name "Ask"
templates.0.name null
templates.0.name "1234567890123456789012345678901234567890123456789012345678901234"
templates.0.subject " "
templates.0.subject "a\tb"
templates.0.text ""
templates.1.text {"file": null}
templates.1.text {"file": "letter", "charset": "x"}
series.0.steps []
series.0.steps.0.delay 0
series.0.steps.0 "ask"
series.0.grace "2 moons"
series.0.grace "401 days"
series.0.grace "58 weeks"
series.0.grace "1 day 2 days"
series.0.grace "1 hour 02:00"
series.0.grace "02:00 1 s"
series.0.grace "01:60"
series.0.link_life "0 days 00:00"
series.0.kind "trigger"
series.0.next "promo"
series.0.stop_on ["contact.unconfirmed"]
series.0.stop_on ["order.paid", "order.paid"]
series.1.window {"from": "24:00", "to": "09:00"}
series.1.window {"from": "10:00"}
series.1.window {"from": "10:00", "to": "11:00", "days": 1}
networks.0.url "ftp://n.example"
networks.0.url "http://{token}.example"
networks.0.url "http://n.example/a b"
networks.0.url "http://n.example/}"
networks.0.method "PUT"
networks.0.secret null
networks.0.secret "a/b"
networks.0.sign ".a"
networks.0.match {"type": "regex", "value": "x"}
networks.0.match {"type": "contains"}
networks.0.match {"type": "json_path", "value": "=x"}
networks.0.permanent {"value": "x"}
networks.0.statuses []
networks.0.statuses ["paid"]
networks.0.concurrency 1001
networks.0.concurrency "1"
networks.0.rate 0
networks.0.rate "5"
networks.0.ports [81, 1, 2, 3, 4, 5, 6, 7, 8]
networks.0.ports [81, 0]
networks.1.method null
networks.1.content_type "text/plain"
networks.1.content_type null
networks.1.body 7
sources.0.series null
sources.0.network null
sources.0.partners []
sources.0.approve_on "hope"
sources.1.expired_as "lost"
sources.0.on_duplicate true
sources.0.soft_limit 11
sources.0.soft_limit 1.5
sources.0.time_zone "moscow"
sources.0.from_email null
sources.0.from_email "a..b@c.example"
sources.0.from_email "a@b@c.example"
sources.0.from_name ""
sources.0.base_url "https://c.example/"
sources.0.base_url "https://c.example?x"
sources.0.payout 150
sources.0.payout "150.001"
sources.0.currency null
sources.0.currency "rub"
sources.0.retention_days 3651
sources.0.track_opens "yes"
sources.1.offer_id "7"
sources.1.partners [{"network": "get"}, {"network": "get"}]
sources.1.partners [{"network": "get", "payout": "1"}]
sources.1.partners [{"offer_id": "1"}]
consent_texts.0.purpose "all"
consent_texts.0.text ""
limits.quiet [{"from": "1:00", "to": "02:00"}]
limits.quiet.0.channel "fax"
limits.caps.0.count 0
limits.caps.0.per "0"
events ["order.placed", "order.paid", "order"]
events ["order.placed", "order.paid", "series.begun"]
segments.0.title " "
webhooks.0.method "GET"
webhooks.0.statuses ["hold"]
triggers.0.event "order"
triggers.0.event "contact.moved"
triggers.0.condition ""
triggers.0.window {}
triggers.0.window.days 401
triggers.0.window.to null
triggers.0.enabled 1
triggers.0.class "urgent"
triggers.1.class "service"
triggers.3.source "one"
triggers.0.action {}
triggers.0.action {"message": "sell", "segment": "vip"}
triggers.0.action {"message": "sell", "segment": null}
triggers.2.action.cancel {"series": "promo", "trigger": "a"}
triggers.4.action.event "lead.received"
mail_providers.0.name "other"
mail_providers.0.secret_sha256 "0123"
mail_providers.1.mapping.message null
mail_providers.1.mapping.kind ["a"]
mail_providers.1.mapping.kinds.c "seen"
gateways.0.channel "fax"
gateways.0.method "GET"
gateways.0.url "https://{phone}.example/"
gateways.0.headers {"Host": "x"}
gateways.0.headers {"content-TYPE": "x"}
gateways.0.headers {"a b": "x"}
gateways.0.headers {"X": "a\r\nb"}
gateways.0.secret null
gateways.0.sender ""
gateways.0.price -1
gateways.0.price "5"
gateways.0.answer.id "$.id"
gateways.0.answer.code "code"
gateways.0.receipts.secret_sha256 "x"
gateways.0.receipts.verify "none"
gateways.0.receipts.verify_secret null
gateways.0.receipts.verify_url null
gateways.0.receipts.each "a[0]"
gateways.0.receipts.states {}
gateways.0.receipts.states.DONE "done"
gateways.0.receipts.error null
gateways.0.poll.method "GET"
gateways.0.poll.states null
gateways.0.poll.errors.7 "bad"
gateways.1.answer null
gateways.3.sender "x"
gateways.3.price -1
gateways.3.chooses_code true
gateways.3.answer.code "x"
gateways.3.answer.state null
gateways.3.answer.states null
gateways.3.answer.states {"a": "delivered"}
gateways.3.receipts {"secret_sha256": "x"}
gateways.3.receipts.status "x"
gateways.3.poll null
gateways.3.poll.after "5 s"
gateways.3.poll.status null
gateways.3.poll.states {}
gateways.3.poll.states {"1": "sent"}
gateways.2.poll {"url": "https://r.example/{send_id}", "status": "s", "states": {"1": "sent"}}
verifications.0.kind "till"
verifications.0.digits 3
verifications.0.digits 9
verifications.0.checks 0
verifications.0.resend_after []
verifications.0.resend_after ["0"]
verifications.0.host "Brand.example"
verifications.0.host "localhost"
verifications.0.deny ["7940"]
verifications.0.deny ["+7", "+7"]
verifications.0.consent true
verifications.0.steps []
verifications.0.steps.0.timeout "0"
verifications.0.steps.1.text {"ru": "Код"}
verifications.0.steps.1.text {"ru": "{code} {name}"}
verifications.0.steps.1.text {"RU": "{code}", "ru": "{code}"}
verifications.0.limits.0.by "mail"
verifications.0.limits.0.by "advisor"
verifications.0.limits.0.by "wrong_ratio"
verifications.1.limits [{"name": "a", "by": "wrong_ratio", "max": 100, "per": "1 day"}]
verifications.0.limits.0.max 1.5
verifications.0.limits.0.per "0"
verifications.0.limits.0.adapt 0.3
verifications.1.host "brand.example"
points.0.name "Mega"
points.0.title ""
points.0.opens "24:00"
points.0.closes "24:01"
points.0.opens "9:30"
points.0.hours "10-22"
advisors.0.name "anna:secret"
advisors.0.name "Анна"
advisors.0.name ""
advisors.0.role "boss"
advisors.0.point null
advisors.0.active 1
advisors.2.point ""
staff {}
staff.0 "12345"
staff.0 79160000000
programmes.0.name null
programmes.0.discount null
programmes.0.discount " "
programmes.0.kind "gift"
programmes.0.max_uses 0
programmes.0.max_uses 1000001
programmes.0.per_customer 101
programmes.0.new_customer_only "yes"
programmes.0.reserve_for "0"
programmes.0.reward_after 0
programmes.0.hold "-1 day"
programmes.0.life "0 days"
programmes.0.codes 5
visit_rules.0.name "luck"
visit_rules.0.name null
visit_rules.0.max -1
visit_rules.0.max 100001
visit_rules.0.weight 101
visit_rules.0.enabled 1
visit_rules.0.days 5
CASES

sub verdicts {
    my ($document) = @_;
    my ($rc, $out) = leadqctl('diff', $document, @database);
    my @mistakes = map { "$_->{at} $_->{what}" } mistakes($document);
    note($out, join "\n", @mistakes);
    return ($rc == 0 ? 'right' : 'wrong') . ', '
        . (@mistakes ? 'wrong' : 'right');
}

is((leadqctl('import', rich(), @database))[0], 0, 'a document is in force');
is(verdicts(changed(split / /, $_, 2)), 'right, right', "right: $_")
    for split /\n/, $RIGHT;
is(verdicts(changed(split / /, $_, 2)), 'wrong, wrong', "wrong: $_")
    for split /\n/, $WRONG;

done_testing();
