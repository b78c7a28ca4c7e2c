# The case of the mission on shifted time: three sources, people who confirm
# after the first letter, after a reminder, never, or whose mailboxes are not
# there or full.  The funnel shows the shares that were put in (M-24, M-25),
# and the network counts as many approved leads as we do (M-16).

use strict;
use warnings;

use Leadq::Site;
use Leadq::Test qw(build_dir run wait_for);
use JSON::PP qw(decode_json);
use Test::More;

# Of a thousandth; 10,000 people by default.
my $MANY = ($ENV{LEADQ_REPLAY_LEADS} || 10_000) / 1000;
my %people = (
    'old-base' => { after1 => 90, after2 => 60, full1 => 10, after3 => 40,
        hard => 50, full => 20, silent => 230 },
    'print-landing' => { after1 => 31, after2 => 19, hard => 10,
        silent => 140 },
    'cpa-landing' => { after1 => 192, after2 => 6, after3 => 2, hard => 30,
        full => 5, silent => 65 },
);

my $site = Leadq::Site->start(people => 1, unlimited => 1,
    worker => { smtp_connections => 20, batch => 500, max_inflight => 1000 });
my ($pg, $world) = ($site->pg, $site->world);

sub count { return $pg->sql("select count(*) from leadq.$_[0]") }

# So many people of a source whose mailboxes begin with these names.
sub people {
    my ($source, @kinds) = @_;
    my $n = 0;
    $n += $people{$source}{$_} || 0 for @kinds;
    return $n * $MANY;
}

for my $source (sort keys %people) {
    for my $kind (sort keys %{ $people{$source} }) {
        my $n = people($source, $kind);
        $pg->sql(qq(select count(*) from leadq.web_lead(
            array(select gen_random_uuid() from generate_series(1, $n)),
            array(select jsonb_build_object('source', '$source',
                'email', '$kind-' || g || '\@$source.test',
                'click_id', '$source-$kind-' || g, 'consent_pd', true,
                'consent_ads', true)::text from generate_series(1, $n) g))));
    }
}
is(count('lead'), 1000 * $MANY, 'everybody has left an address');
$pg->sql('notify leadq_ready');

# Letters that are due have ended, and who was to press a button has.
sub quiet {
    my ($confirmed) = @_;
    wait_for('the letters that are due', 240, sub {
        !count(q(job_ready)) && !$pg->sql(q(select count(*)
            from leadq.message where state = 'planned'
             and due_at <= leadq.now())) });
    wait_for('the buttons', 60, sub {
        my $report = $world->report;
        return @{ $report->{failed} } || !$report->{busy}
            && $report->{confirmed} == $confirmed });
    return;
}

my @all = sort keys %people;
my $confirmed = 0;
for my $step (['after1', '2 days 1 hour'], ['after2', 'full1', '5 days 1 hour'],
    ['after3', '2 days 1 hour'])
{
    my $later = pop @$step;
    $confirmed += people($_, @$step) for @all;
    quiet($confirmed);
    $pg->sql("select leadq.shift_time('$later')");
}
quiet($confirmed);
wait_for('every lead has ended', 60, sub {
    !count(q(lead where final_at is null)) });
wait_for('the network knows all', 60, sub {
    !count(q(postback where state <> 'done')) });

# --- what the report says, as the marketer reads it
my ($rc, $out) = run(build_dir() . '/leadqctl', 'report', 'funnel', '--json',
    '--since', '2000-01-01', '--until', '2100-01-01', '-d', $pg->dsn);
is($rc, 0, 'leadqctl report funnel') or diag($out);
my %letter;
for my $source (@{ decode_json($out)->{sources} }) {
    $letter{ $source->{source} }[$_->{step}] = $_
        for @{ $source->{letters} };
}
for my $source (@all) {
    my @by_step = map { people($source, @$_) }
        ['after1'], ['after2', 'full1'], ['after3'];
    pop @by_step if $source eq 'print-landing';
    is_deeply([map { $_->{confirmed} } grep { $_ } @{ $letter{$source} }],
        \@by_step, "$source: who confirmed after which letter");
}
sub share {
    my ($source, @steps) = @_;
    my $sum = 0;
    $sum += $letter{$source}[$_]{share} for @steps;
    return sprintf '%.0f', $sum;
}
is(share('old-base', 2, 3), 55, 'M-24: more than half after letters 2 and 3');
is(share('print-landing', 2), 38, 'M-24: 38 % from the reminder');
is(share('cpa-landing', 2, 3), 4, 'M-24: reminders added 4 %');

# --- money
is($pg->sql(q(select string_agg(state || coalesce(' ' || reason, '') || ' '
        || n, ', ' order by state, reason) from (select l.state, l.reason,
        count(*) as n from leadq.lead l join leadq.source s using (source_id)
        where s.name = 'cpa-landing' group by 1, 2) x)),
    sprintf('approved %d, expired not_confirmed %d, rejected hard_bounce %d, '
        . 'rejected soft_x3 %d', map { people('cpa-landing', @$_) }
        ['after1', 'after2', 'after3'], ['silent'], ['hard'], ['full']),
    'M-20, M-21: what the leads of the partner are worth');
my $report = $world->report;
is_deeply($report->{failed}, [], 'no button failed');
my %told;
$told{ join ' ', @$_ }++ for values %{ $report->{told} };
is_deeply(\%told, {
    'processed approved' => people('cpa-landing', qw(after1 after2 after3)),
    'processed rejected' => people('cpa-landing', qw(hard full silent)),
}, "M-16: the network's own count is ours, each lead told in order, once");
is((grep { $_ > 3 } values %{ $report->{letters} }), 0,
    'nobody got more letters than there are');

$site->stop;
done_testing();
