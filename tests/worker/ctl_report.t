#!/usr/bin/perl

# leadqctl report funnel: the figures of the base, for people, spreadsheets
# and programs, of a period and of a source.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/leadq.json');

sub report {
    return run(build_dir() . '/leadqctl', 'report', 'funnel', '-d', $pg->dsn,
        @_);
}

my ($rc, $out) = report();
is($rc, 0, 'an empty base has a report');
is(scalar(() = $out =~ /none in this period/g), 3, 'that says so');

# Two sources with four people each; one of each confirms, one comes twice.
$pg->sql(q(do $$
declare
    v_source text;
    v_id uuid;
begin
    foreach v_source in array array['cpa-landing', 'print-landing'] loop
        for v_n in 1 .. 4 loop
            perform leadq.web_lead(array[gen_random_uuid()],
                array[jsonb_build_object('source', v_source, 'email',
                    'p' || v_n || '@' || v_source || '.ru', 'click_id',
                    v_n)::text]);
        end loop;
    end loop;
    perform leadq.run_rules(100);
    perform leadq.web_lead(array[gen_random_uuid()], array[
        '{"source": "cpa-landing", "email": "p1@cpa-landing.ru"}']);
    perform leadq.run_rules(100);
    update leadq.message set state = 'sent', ended_at = leadq.now();
    for v_id in select min(message_id::text)::uuid from leadq.message
        group by series_id loop
        perform leadq.web_confirm(array[gen_random_uuid()],
            array[jsonb_build_object('message', v_id)::text]);
    end loop;
end $$));

($rc, $out) = report();
is($rc, 0, 'a report is printed') or diag $out;
like($out, qr/^letters:\nsource +series +step +template +waiting +sent/m,
    'letters in columns');
like($out, qr/^cpa-landing +doi-cpa +1 +doi-1 +0 +4 +4 +0 +0 +0 +\S* *1 +100/m,
    'with what became of them');
like($out, qr/^leads:\n.*^cpa-landing +5 +3 +1 +1 +0 +1 +150\.00 +RUB$/ms,
    'leads and money');
like($out, qr/^rejected and expired:\n.*^cpa-landing +duplicate +1$/ms,
    'and reasons');
unlike((report('--source', 'print-landing'))[1], qr/cpa/, 'of one source');
like((report('--until', '2020-01-31'))[1], qr/none in this period/,
    'of a period');

($rc, $out) = report('--csv');
is($out, <<"OUT", 'CSV for spreadsheets');
source,series,step,template,waiting,sent,delivered,bounced,hard,failed,opened,clicked,confirmed,share
cpa-landing,doi-cpa,1,doi-1,0,4,4,0,0,0,,,1,100.0
print-landing,doi-print,1,doi-1,0,4,4,0,0,0,,,1,100.0
OUT

my $json = JSON::PP->new->utf8;
my $report = $json->decode((report('--json', '--zone', 'Asia/Tokyo'))[1]);
is($report->{zone}, 'Asia/Tokyo', 'JSON for programs');
is(join(' ', map { "$_->{source}=$_->{leads}" } @{ $report->{sources} }),
    'cpa-landing=5 print-landing=4', 'the source with the most leads first');
is($report->{days}[0]{approved}, 2, 'with the days');
$report = $json->decode((report('--json', '--source', 'print-landing'))[1]);
is(scalar @{ $report->{sources} }, 1, 'JSON of one source');

is((report('--csv', '--json'))[0], 2, 'one form at a time');
($rc, $out) = report('--since', '2026-02-02', '--until', '2026-02-01');
is($rc, 1, 'a period needs an order');
like($out, qr/the period ends before it begins/, 'and says so');
like((report('--since', 'someday'))[1], qr/invalid input syntax/,
    'a day is a day');

$pg->sql('create role analyst login in role leadq_read');
is((run(build_dir() . '/leadqctl', 'report', 'funnel', '-d',
    $pg->dsn(user => 'analyst')))[0], 0, 'who may read may have the report');

done_testing();
