#!/usr/bin/perl

# leadqctl leads show and resend, report partners.

use strict;
use warnings;

use FindBin ();
use JSON::PP qw(encode_json);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Test qw(wait_for tempdir slurp spew run build_dir);
use Leadq::Worker;
use Outside qw(http_server);

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $net = http_server();
my $dir = tempdir();
mkdir "$dir/secrets";
spew("$dir/secrets/key", "s3cr&t-s3cr&t-s3cr&t\n");

sub ctl {
    my (@words) = @_;
    return run(build_dir() . '/leadqctl', @words, '-d', $pg->dsn);
}

spew("$dir/doc.json", encode_json({ networks => [
    { name => 'get', ports => [$net->port], secret => 'key',
        url => $net->url('/200/{token}?c={click_id}&s={status}') },
    { name => 'no', ports => [$net->port],
        url => $net->url('/403?c={click_id}') }],
    templates => [{ name => 't', lang => 'ru', subject => 's',
        text => '{{confirm_url}} {{unsubscribe_url}}',
        html => '{{confirm_url}} {{unsubscribe_url}}' }],
    series => [{ name => 's', steps => [{ template => 't' }] }],
    sources => [{ name => 'cpa', series => 's', from_email => 'a@b.ru',
        base_url => 'https://b.ru', partners => [map { { network => $_,
            payout => '10', currency => 'EUR' } } qw(no get)] }] }));
my ($rc, $out) = ctl('config', 'import', "$dir/doc.json");
is($rc, 0, 'a source with two partners is imported') or diag $out;

my $worker = Leadq::Worker->start(conf => { poll => '50ms',
    database => $pg->dsn(user => 'leadq_worker'),
    secrets_dir => "$dir/secrets" });

# --- a lead that its network refuses

sub lead {
    my (%values) = @_;
    my $text = encode_json({ source => 'cpa', '$invalid' =>
        { email => 'required' }, %values }) =~ s/'/''/gr;
    my $id = $pg->sql("select body::json ->> 'id' from leadq.web_lead(
        array[gen_random_uuid()], array['$text'])");
    wait_for("lead $id", 30, sub { !$pg->sql("select count(*)
        from leadq.lead l left join leadq.postback p using (lead_id)
        where l.lead_id = '$id' and (final_at is null or reports
        and (p.state is null or p.state in ('queued', 'waiting')))") });
    return $id;
}

my $id = lead(click_id => '=1+1');
($rc, $out) = ctl('leads', 'show', $id);
is($rc, 0, 'its story is told');
like($out, qr/lead received +source=cpa click_id==1\+1 network=no payout=10/,
    'what arrived and who pays');
my $sent = $net->url('/403?c=%3D1%2B1');
like($out, qr/attempt dead +kind=postback try=1 http=403 reason=status ms=\d+ url=\Q$sent\E$/m,
    'and what was sent where');
my $before = () = $net->requests;
($rc, $out) = ctl('leads', 'resend', $id, 'no');
is($rc, 0, 'it is sent again');
is($out, "no  processed  sent again\nno  rejected   waits for processed\n",
    'in its order');
wait_for('both', 30, sub { $before + 2 == (() = $net->requests) });
my %keys = map { $_->{headers}{'idempotency-key'} => 1 } grep {
    $_->{uri} eq '/403?c=%3D1%2B1' } $net->requests;
is(scalar keys %keys, 2, 'under the same keys');
my $other = lead(click_id => '2', partner => 'get');
($rc, $out) = ctl('leads', 'resend', $other);
is($out, "get  processed  acknowledged before\n"
    . "get  rejected   acknowledged before\n", 'what it has taken is not');
my $silent = lead(click_id => '2', partner => 'get');
for my $case (
    [1, [$silent], qr/^leadqctl: lead $silent speaks to no network$/],
    [1, [$id, 'get'], qr/: lead $id speaks to the network no, not to get$/],
    [2, ['7'], qr/"7" is not the id of a lead/],
    [2, [$id, 'no', 'no'], qr/one word too many: "no"/],
) {
    my ($code, $words, $says) = @$case;
    ($rc, $out) = ctl('leads', 'resend', @$words);
    is($rc, $code, 'leads resend fails');
    like($out, $says, "and says $says");
}

# --- the list of a day

my $today = $pg->sql("select (now() at time zone 'UTC')::date");
($rc, $out) = ctl('report', 'partners', '--date', $today);
is($rc, 0, 'the list of a day is printed');
my @lines = split /\n/, $out;
is($lines[0], 'date,time,network,source,offer_id,click_id,lead_id,status,'
    . 'reason,payout,currency,received_at,state,ended_at', 'with names');
is(scalar @lines, 5, 'each status of each network');
like($lines[3], qr/^$today,[\d:]+,no,cpa,,"'=1\+1",$id,processed,,,EUR,/,
    'a text is no formula');
($rc, $out) = ctl('report', 'partners', '--date', $today, '--network', 'get');
unlike($out, qr/,no,/, 'of one network alone');
($rc, $out) = ctl('report', 'partners');
like($out, qr/^nothing was told on \d{4}-\d\d-\d\d$/, 'of yesterday: nothing');
($rc, $out) = ctl('report', 'partners', '--date', 'soon');
is($rc . $out, "1leadqctl: --date \"soon\" is not a day: 2026-01-31\n", 'no day');
($rc, $out) = ctl('report', 'partners', '--date', $today, '--out', "$dir/no");
like($out, qr{no/get-$today\.csv\.part: No such file}, 'no directory');
$pg->sql('create role clerk login; grant leadq_read to clerk');
($rc, $out) = run(build_dir() . '/leadqctl', 'report', 'partners', '--date',
    $today, '--out', "$dir", '-d', $pg->dsn(user => 'clerk'));
is($out, "$dir/get-$today.csv: 2 rows\n$dir/no-$today.csv: 2 rows\n",
    'a reader of views may write files, one for each network');
is($worker->term, 0, 'the worker ends well');

done_testing();
