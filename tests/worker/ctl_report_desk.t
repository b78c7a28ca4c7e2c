#!/usr/bin/perl

# leadqctl report desk, visits, flags, redemptions, codes: all of it as CSV,
# without a cap and without what is personal.

use strict;
use warnings;

use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/programmes.json');

sub report {
    my ($what, @more) = @_;
    my ($rc, $out) = run(build_dir() . '/leadqctl', 'report', $what, '-d',
        $pg->dsn, @more);
    return ($rc, split /\n/, $out);
}

my ($rc, @lines) = report('desk');
is($rc, 0, 'an empty base has a report');
is("@lines", 'day,point,advisor,visits,tests,sales,underage,verified,refused,'
    . 'activations,trials,redemptions,rolled_back,rewards,flagged',
    'of its columns');

# 2026-03-01 and 02: anna at mega, more visits than anybody's spreadsheet.
$pg->sql(q(insert into leadq.visit (visit_id, point_id, advisor_id, day,
        opened_at, age, answers, consent_pd, consent_ads, lang, ended_at,
        outcome, refusal)
    select gen_random_uuid(), p.point_id, a.advisor_id,
           date '2026-03-01' + n % 2, timestamptz '2026-03-01 12:00+03'
           + n % 2 * interval '1 day', 'sure', '{"taste": "secret"}', true,
           false, 'ru', timestamptz '2026-03-03', 'test', 'phone'
      from leadq.point p, leadq.advisor a, generate_series(1, 120000) n
     where p.name = 'mega' and a.name = 'anna'));
$pg->sql(q(insert into leadq.visit_flag
    select visit_id, 'burst', day, advisor_id, ended_at from leadq.visit
     where day = '2026-03-01' limit 3));
$pg->sql(q(insert into leadq.contact (contact_id, created_at)
    overriding system value values (77, '2026-03-01')));
$pg->sql(q(select leadq.add_codes('cards',
    '00000000-0000-7000-8000-0000000000b1', array['22222222222A'])));
$pg->sql(q(insert into leadq.redemption (redemption_id, code_id, contact_id,
        point_id, advisor_id, state, created_at, redeemed_at, closed_at,
        reason, receipt)
    select gen_random_uuid(), c.code_id, 77, p.point_id, a.advisor_id,
           'rolled_back', timestamptz '2026-03-01 13:00+03',
           timestamptz '2026-03-01 13:00+03',
           timestamptz '2026-03-02 13:00+03', '=1+1, "twice"', '@17'
      from leadq.promo_code c, leadq.point p, leadq.advisor a
     where p.name = 'mega' and a.name = 'anna'));
$pg->sql(q(update leadq.desk_counted set through = '-infinity'));

($rc, @lines) = report('desk', '--since', '2026-03-01', '--until',
    '2026-03-01');
is($lines[1], '2026-03-01,mega,anna,60000,60000,0,0,0,60000,0,0,1,0,0,3',
    'a day of an advisor') or diag "@lines";
is(scalar @lines, 2, 'and no other');

($rc, @lines) = report('visits');
is(scalar @lines, 120_001, 'every visit has its line');
is(scalar(grep { /secret/ } @lines), 0, 'without what was answered');
like($lines[-1], qr/^[\da-f-]{36},2026-03-02,mega,anna,/, 'by day');
is(scalar(() = (report('visits', '--since', '2026-03-02'))) - 2, 60_000,
    'from a day on');

($rc, @lines) = report('flags');
is(scalar @lines, 4, 'flags with their visits');
like($lines[1], qr/,mega,anna,[\da-f-]{36},.*,test,burst,40,/, 'and rules');

($rc, @lines) = report('redemptions');
like($lines[1], qr/,2026-03-01,mega,anna,cards,\d+,rolled_back,/,
    'uses of codes');
like($lines[1], qr/,'\@17,"'=1\+1, ""twice""",f$/,
    'what was typed is no formula');

($rc, @lines) = report('codes');
like($lines[1], qr/^\d+,2222\*{8},cards,promo,/, 'codes nobody can spend');

($rc, @lines) = report('desk', '--since', 'someday');
is($rc, 1, 'a day is a day');
like("@lines", qr/invalid input syntax/, 'and that is said');

$pg->sql('create role analyst login in role leadq_read');
for my $what (qw(desk visits flags redemptions codes)) {
    my ($ok, $out) = run(build_dir() . '/leadqctl', 'report', $what, '-d',
        $pg->dsn(user => 'analyst'), '--until', '2026-03-01');
    is($ok, 0, "who may read may have the $what") or diag $out;
}

open my $full, '-|', 'sh', '-c', build_dir() . "/leadqctl report visits -d '"
    . $pg->dsn . "' 2>&1 > /dev/full; echo \$?" or die "sh: $!\n";
is(join('', <$full>), "leadqctl: cannot print all of it\n1\n",
    'a disk that is full is told');
close $full;

done_testing();
