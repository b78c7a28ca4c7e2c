#!/usr/bin/perl

# leadqctl config: points, advisors, staff, programmes and
# rules of visits.  Of a bad document
# every mistake is told as "file:line: path: reason"; a good one is imported,
# exported and compared.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir spew run build_dir);

my $dir = tempdir();
my $doc = "$dir/doc.json";

sub config { return run(build_dir() . '/leadqctl', 'config', @_) }

# Lines 1, 2-3, 4 and 5-6.
my %part = (
    points => '{"name": "mega", "title": "Мега", "time_zone": "Asia/Omsk",'
        . ' "opens": "09:30", "closes": "24:00"}, {"name": "tsum"}',
    advisors => '{"name": "anna", "role": "advisor", "point": "mega"},' . "\n"
        . '{"name": "olga", "role": "supervisor", "active": true}',
    staff => '"+79160000000", "8 916 000-00-01"',
    questions => '{"name": "taste", "type": "choice", "title": {"ru": "Вкус"},'
        . ' "choices": [{"value": "mint"}]}',
    programmes => '{"name": "friends", "kind": "referral", "discount":'
        . ' "20 %", "max_uses": 3, "per_customer": 1, "reward_after": 3,'
        . ' "new_customer_only": true,' . "\n" . '"reserve_for": "15 min",'
        . ' "hold": "14 days", "life": "90 days", "title": "Друзья"}',
    visit_rules => '{"name": "burst", "max": 5, "weight": 70},'
        . ' {"name": "identity", "enabled": false}',
);

sub document {
    my ($name, $from, $to) = @_;
    my %p = %part;
    if ($name) {
        $p{$name} =~ s/\Q$from\E/$to/ or die "no $from in $name";
    }
    return qq({"points": [$p{points}], "advisors": [\n$p{advisors}],\n)
        . qq("staff": [$p{staff}], "questions": [$p{questions}],)
        . qq( "programmes": [\n$p{programmes}],\n)
        . qq("visit_rules": [$p{visit_rules}]}\n);
}

spew($doc, document());
my ($rc, $out) = config('check', $doc);
is($out, "$doc: good: 2 points, 2 advisors, 2 staff, 1 questions,"
    . " 1 programmes, 2 visit_rules\n",
    'a good document passes');

for my $case (split /\n/, <<'CASES') {
points|"mega"|"Mega"|1: points[0].name: "Mega" is not a name
points|"tsum"|"mega"|1: points[1].name: "mega" is here twice, first in points[0]
points|"Мега"|""|1: points[0].title: is empty
points|"09:30"|"9:30"|1: points[0].opens: "9:30" is not a time of the day
points|"09:30"|"24:00"|1: points[0].opens: is the end of the day
points|"24:00"|"09:30"|1: points[0].closes: is the same as opens
points|"tsum"|"tsum", "closes": "10:00"|1: points[1].closes: is the same as opens
points|"tsum"|"tsum", "opens": "22:00"|1: points[1].closes: is the same as opens
advisors|"anna"|"анна"|2: advisors[0].name: "анна" is not the name of a user
advisors|"anna"|"anna:x"|2: advisors[0].name: "anna:x" is not the name of a user
advisors|"olga"|"anna"|3: advisors[1].name: "anna" is here twice
advisors|"advisor"|"boss"|2: advisors[0].role: "boss" is not one of advisor, supervisor, brand
advisors|"mega"|"gum"|2: advisors[0].point: there is no point "gum"
advisors|, "point": "mega"||2: advisors[0].point: is missing: an advisor works at a point
advisors|"role": "supervisor"|"role": null|3: advisors[1].point: is missing
advisors|true|"yes"|3: advisors[1].active: is not true or false
staff|"+79160000000"|"+7916"|4: staff[0]:
staff|-01|-00|4: staff: has "+79160000000" twice
programmes|"discount": "20 %"|"discount": ""|5: programmes[0].discount: is empty
programmes|, "discount": "20 %"||5: programmes[0].discount: is missing
programmes|"referral"|"gift"|5: programmes[0].kind: "gift" is not one of referral, trial, promo
programmes|"max_uses": 3|"max_uses": 1000001|5: programmes[0].max_uses: is not a whole number from 1 to 1000000
programmes|"max_uses": 3|"max_uses": 2|5: programmes[0].reward_after: is more than the 2 uses of a code
programmes|"max_uses": 3, ||
programmes|"per_customer": 1|"per_customer": 101|5: programmes[0].per_customer: is not a whole number from 1 to 100
programmes|"reward_after": 3|"reward_after": 4|5: programmes[0].reward_after: is more than the 3 uses of a code
programmes|15 min|59 s|6: programmes[0].reserve_for: is not from 1 minute to 1 day
programmes|15 min|25 hours|6: programmes[0].reserve_for: is not from 1 minute to 1 day
programmes|"14 days"|"soon"|6: programmes[0].hold: "soon" is not an interval
programmes|"90 days"|"0"|6: programmes[0].life: is not longer than 0
points|"tsum"|"tsum", "text_version": "V 1"|1: points[1].text_version: "V 1" is not a name
questions|"taste"|"Taste"|4: questions[0].name: "Taste" is not a name
questions|"Вкус"|""|4: questions[0].title.ru: is empty
questions|{"ru": "Вкус"}|{}|4: questions[0].title: has not from 1 to 50 languages
questions|"choice"|"number"|4: questions[0].type: "number" is not one of text, choice, bool, int, date
questions|"choice"|"text"|4: questions[0].choices: is for the type choice
questions|, "choices": [{"value": "mint"}]||4: questions[0].choices: is missing
questions|"mint"|""|4: questions[0].choices[0].value: is empty
programmes|"life":|"message": {"gateway": "g", "text": {"ru": "x"}}, "life":|6: programmes[0].message.text.ru: does not say {code}
programmes|"life":|"message": {"gateway": "g", "text": {"ru": "{code} {name}"}}, "life":|6: programmes[0].message.text.ru: has a brace besides those of {code}, {discount} and {until}
programmes|"life":|"message": {"gateway": "g", "text": {"ru": "{code}"}, "days": 31}, "life":|6: programmes[0].message.days: is not a whole number from 0 to 30
programmes|"life":|"message": {"text": {"ru": "{code}"}}, "life":|6: programmes[0].message.gateway: is missing
programmes|"life":|"message": {"gateway": "g", "text": {"ru": "{code}"}, "window": {"from": "10:00"}}, "life":|6: programmes[0].message.window.to: is missing
programmes|"life":|"discount_cost": -1, "life":|6: programmes[0].discount_cost: is not an amount from 0 to 1000000
programmes|"referral"|"promo", "identity": "g"|5: programmes[0].identity: is for the kinds referral and trial
programmes|true|1|5: programmes[0].new_customer_only: is not true or false
visit_rules|"burst"|"luck"|7: visit_rules[0].name: "luck" is not one of after-hours, slow-proof,
visit_rules|"identity"|"burst"|7: visit_rules[1].name: "burst" is here twice
visit_rules|: 5|: 100001|7: visit_rules[0].max: is not a whole number from 0 to 100000
visit_rules|: 70|: 101|7: visit_rules[0].weight: is not a whole number from 0 to 100
visit_rules|false|0|7: visit_rules[1].enabled: is not true or false
CASES
    my ($name, $from, $to, $expected) = split /\|/, $case, 4;
    spew($doc, document($name, $from, $to));
    ($rc, $out) = config('check', $doc);
    if ($expected eq '') {
        is($rc, 0, "good: $name without $from") or diag $out;
    } else {
        ok($rc == 1 && $out =~ /^\Q$doc:$expected\E/m, $expected)
            or diag $out;
    }
}
spew($doc, '{"programmes": [{"name": "p", "discount": "5 %", "reward_after":'
    . ' 2}]}');
like((config('check', $doc))[1], qr/is more than the 1 uses/,
    'without max_uses it is that of the kind');
spew($doc, '{"advisors": [{"name": "ivan", "point": "mega"}]}');
is((config('check', $doc))[0], 0, 'the point may be in force already');

# --- in force

my $pg = Leadq::Postgres->start;
$pg->migrate;
my @database = ('-d', $pg->dsn);
($rc, $out) = config('import', $doc, @database);
is($rc, 1, 'but then it has to be');
like($out, qr/^\Q$doc\E:1: advisors\[0\]\.point: there is no point "mega"$/m,
    'which SQL tells at its place');
spew($doc, document());
($rc, $out) = config('import', $doc, @database);
is($rc, 0, 'a good document is imported') or diag $out;
like($out, qr/^\+ advisors\[olga\]$/m, 'and what it brings is told');
my $export = (config('export', @database))[1];
spew("$dir/export.json", $export);
like((config('import', "$dir/export.json", @database))[1],
    qr/nothing changed/, 'its export says the same');
like($out, qr/^~ visit_rules\[burst\]\.max: 3 -> 5$/m,
    'and what it changes of a rule');
is((grep { $_->{name} eq 'identity' && !$_->{enabled} && $_->{weight} == 50 }
    @{ JSON::PP::decode_json($export)->{visit_rules} }), 1,
    'what it does not say of one stays');
is(join(' ', @{ JSON::PP::decode_json($export)->{staff} }),
    '+79160000000 +79160000001', 'numbers are kept in their normal spelling');
spew($doc, document('advisors', '"active": true', '"active": false'));
like((config('import', $doc, @database))[1],
    qr{^~ advisors\[olga\]\.active: true -> false$}m, 'a change is told');

done_testing();
