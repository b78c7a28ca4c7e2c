#!/usr/bin/perl

# The dashboard and the alert rules ask for figures that there are: what
# nginx and the worker print is compared with each name that they use.

use strict;
use warnings;

use File::Copy qw(copy);
use JSON::PP qw(decode_json);
use Test::More;

use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Test qw(http wait_for free_port run slurp tempdir);
use Leadq::Worker;

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $port = free_port();
my $worker = Leadq::Worker->start(conf => {
    database => $pg->dsn(user => 'leadq_worker'), poll => '50ms',
    metrics_listen => "127.0.0.1:$port" });
my $dsn = $pg->dsn(user => 'leadq_web');
my $nginx = Leadq::Nginx->start(http => qq(leadq_database main "$dsn";),
    server => q(location = /metrics { leadq_metrics; }
        location = /lead { leadq_pass main lead; leadq_field email email; }));

my $page;
wait_for('the worker has asked SQL', 30, sub {
    $page = http('GET', "http://127.0.0.1:$port/metrics")->{content};
    return $page =~ /^leadq_queue_vacuum_horizon_xids \d/m;
});
pass('the worker shows what SQL knows');
like($page, qr/^leadq_queue_ready_jobs\{lane="$_"\} 0$/m, "of lane $_")
    for qw(rule realtime service bulk);
unlike($page, qr/^leadq_queue_\w+ (?!\d)/m, 'in numbers');

# { name => type }
my %type = ($page . http('GET', $nginx->url('/metrics'))->{content})
    =~ /^# TYPE (\S+) (\S+)$/mg;
cmp_ok(scalar(keys %type), '>', 40, 'both were read');

# The names in an expression that nobody prints, and histograms used bare.
sub unknown {
    my ($expr) = @_;
    my @bad;
    for my $name ($expr =~ /\b(leadq_\w+)/g) {
        my $histogram = $name =~ s/_(?:bucket|sum|count)$//r;
        push @bad, $name if !(($type{$name} || 'histogram') ne 'histogram'
            || $name ne $histogram
            && ($type{$histogram} || '') eq 'histogram');
    }
    return "@bad";
}

my $dashboard = decode_json(slurp('conf/grafana/leadq.json'));
my @panels = grep { $_->{type} ne 'row' } @{ $dashboard->{panels} };
cmp_ok(scalar @panels, '>', 15, 'the dashboard has panels');
my @exprs = map { $_->{expr} } map { @{ $_->{targets} } } @panels;
is(unknown($_), '', "the dashboard may ask for $_") for @exprs;

# Each figure is on the dashboard.
my %shown = map { $_ => 1 } "@exprs" =~ /\b(leadq_\w+)/g;
is(join(' ', grep { !$shown{$_} && !$shown{"${_}_bucket"} } sort keys %type),
    '', 'no figure is missing on the dashboard');

my $rules = slurp('conf/prometheus/leadq.rules.yml');
my @alerts = $rules =~ /- alert: (\w+)\n\s+expr: (.+?)\n\s+(?:for|labels):/gs;
cmp_ok(scalar @alerts, '>=', 2 * 12, 'there are alerts');
while (my ($alert, $expr) = splice @alerts, 0, 2) {
    is(unknown($expr), '', "$alert may ask for what it asks");
    like($rules, qr/alert: $alert\n(?:(?!- alert:).)*\n\s+action: "?\w/s,
        'and says what to do');
}

my $dir = tempdir();
copy('conf/prometheus/leadq.rules.yml', "$dir/leadq.rules.yml");
copy('tests/whole/alerts.yml', "$dir/alerts.yml");
my ($rc, $out) = run('promtool', 'check', 'rules', "$dir/leadq.rules.yml");
is($rc, 0, 'promtool reads the rules') or diag($out);
($rc, $out) = run('promtool', 'test', 'rules', "$dir/alerts.yml");
is($rc, 0, 'alerts fire when they should, and not before') or diag($out);

is($worker->term, 0, 'the worker ends');
is($nginx->alarms, '', 'nginx has nothing to say');

done_testing();
