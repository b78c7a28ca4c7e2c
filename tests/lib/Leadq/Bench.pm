package Leadq::Bench;

# Measures what takes leads over HTTP into a database: leads a second,
# latency, CPU per lead of every process that has a part in it, and whether
# what was answered is what is stored.

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use Time::HiRes qw(time);

use Leadq::Postgres;
use Leadq::Test qw(build_dir run slurp spew tempdir wait_for);

our @EXPORT_OK = qw($FIELDS median percentile record);

# The fields of the leads of leads.lua.
our $FIELDS = <<'CONF';
    leadq_field email        email required;
    leadq_field phone        phone;
    leadq_field name         text  max=100;
    leadq_field click_id     token max=255;
    leadq_field consent_pd   bool  required;
    leadq_field consent_ads  bool;
    leadq_field text_version token max=64;
    leadq_set   source bench;
    leadq_set   ip     $remote_addr;
    leadq_set   ua     $http_user_agent;
CONF

my $TICKS_S = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# A cluster with the schema and a source of leads in it.  Options: seconds of
# one measurement.
sub new {
    my ($class, %options) = @_;

    my $self = bless { %options, runs => 0, pids => {} }, $class;
    $self->{pg} = Leadq::Postgres->start(conf => { max_wal_size => '4GB',
        checkpoint_timeout => '30min', shared_buffers => '512MB' });
    $self->{pg}->migrate;
    $self->{pg}->sql(q(insert into leadq.source (name) values ('bench')));
    $self->count('postgres', $self->{pg}->pid);
    return $self;
}

sub pg { return $_[0]{pg} }

# The CPU of these processes and of their children counts, under a name.
sub count {
    my ($self, $name, @pids) = @_;
    push @{ $self->{pids}{$name} }, @pids;
    return;
}

sub _children {
    my ($pid) = @_;
    return split ' ', `ps -o pid= --ppid $pid`;
}

# CPU seconds of a process, and of its children that have ended.
sub _cpu_s {
    my ($pid) = @_;
    my ($after) = slurp("/proc/$pid/stat") =~ /\) (.*)/ or return 0;
    my @field = split / /, $after;
    return ($field[11] + $field[12] + $field[13] + $field[14]) / $TICKS_S;
}

# CPU seconds of all servers up to now, by name.
sub cpu_s {
    my ($self) = @_;
    my %sum;
    for my $name (keys %{ $self->{pids} }) {
        $sum{$name} += _cpu_s($_)
            for map { ($_, _children($_)) } @{ $self->{pids}{$name} };
    }
    return \%sum;
}

# CPU per lead in us since $before: of all, and of each by its name.
sub cpu_us {
    my ($self, $leads, $before) = @_;
    my $now = $self->cpu_s;
    my %us = map { ("${_}_cpu_us_per_lead"
        => 1e6 * ($now->{$_} - $before->{$_}) / $leads) } keys %$now;
    my $all = 0;
    $all += $_ for values %us;
    return (%us, cpu_us_per_lead => $all);
}

# wrk leaves when its time is up; what was in flight then is still stored.
sub _wait_idle {
    my ($self) = @_;
    wait_for('the last batch is in', 10, sub {
        return !$self->{pg}->sql(q(select count(*) from pg_stat_activity
            where usename = 'leadq_web' and state <> 'idle'));
    });
    return;
}

sub reset_tables {
    my ($self) = @_;
    $self->_wait_idle;
    $self->{pg}->sql('truncate leadq.lead, leadq.job_ready cascade');
    $self->{pg}->sql('vacuum leadq.lead, leadq.job_ready');
    $self->{pg}->sql('checkpoint');
    return;
}

sub stored {
    my ($self) = @_;
    $self->_wait_idle;
    return $self->{pg}->sql('select count(*) from leadq.lead');
}

# One run of wrk with leads.lua: requests a second, p50 and p99 in ms, CPU per
# request in us.  Options: url; path; connections; more, text for each body;
# expect => 'stored' (default), 'kept' (at least what was answered: the way
# works on after its clients have left), 'answered' or 'refused'.
sub wrk {
    my ($self, %options) = @_;

    my $expect = $options{expect} || 'stored';
    my ($path, $connections) = @options{qw(path connections)};
    $self->reset_tables;
    $self->{runs}++;
    my $cpu = $self->cpu_s;
    my ($rc, $out) = run('wrk', '-t1', "-c$connections",
        "-d$self->{seconds}s", '--latency', '-s', 'tests/bench/leads.lua',
        $options{url}, $path, "m$self->{runs}", $options{more} || '');
    $rc == 0 && $out !~ /Socket errors/
        && ($out =~ /Non-2xx/ ? 1 : 0) == ($expect eq 'refused' ? 1 : 0)
        or die "$path: wrk: $out";
    my ($requests) = $out =~ /(\d+) requests in/ or die "wrk: $out";
    my %cpu = $self->cpu_us($requests, $cpu);
    my ($rate) = $out =~ m{Requests/sec:\s+([\d.]+)};
    if ($expect eq 'stored' || $expect eq 'kept') {
        # wrk cuts off what is in flight at the end; nothing else may differ.
        my $new = $self->stored;
        $new >= $requests
            && ($expect eq 'kept' || $new <= $requests + $connections)
            or die "$path: $requests answered, $new stored\n";
    }
    my ($p50, $p99) = map { $out =~ /^\s+$_%\s+([\d.]+)(us|ms|s)/m
        ? $1 * { us => 0.001, ms => 1, s => 1000 }->{$2} : die $out } 50, 99;
    return { leads_per_s => $rate, p50_ms => $p50, p99_ms => $p99, %cpu };
}

# The floor: one run of pgbench inserting lead and job rows $rows at a time
# over $clients connections.
sub pgbench {
    my ($self, $rows, $clients) = @_;

    $self->reset_tables;
    my $dir = tempdir();
    spew("$dir/insert.sql", <<"SQL");
with r as (
    select gen_random_uuid() as id, g::text as n from generate_series(1, $rows) g
), l as (
    insert into leadq.lead (lead_id, source_id, received_at, click_id, email,
           phone, request)
    select r.id, 1, now(), 'click-' || r.id, 'person-' || r.id
           || '\@example.ru', '+79160000000',
           '{"name": "Анна Петрова", "consent_pd": true, "consent_ads": false,
             "text_version": "2026-11", "ip": "127.0.0.1", "ua": ""}'
      from r
    returning lead_id
)
insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at)
select 0, nextval('leadq.job_seq') * 8, 'lead', 'rule', lead_id, now() from l;
SQL
    my $cpu = $self->cpu_s;
    my $began = time;
    my ($rc, $out) = run(Leadq::Postgres::bindir() . '/pgbench', '-n', '-c',
        $clients, '-T', $self->{seconds}, '-M', 'prepared', '-f',
        "$dir/insert.sql", $self->{pg}->dsn);
    my $seconds = time - $began;
    $rc == 0 or die "pgbench: $out";
    my %cpu = $self->cpu_us(1, $cpu);
    my $leads = $self->stored;
    return { leads_per_s => $leads / $seconds,
        map { ($_ => $cpu{$_} / $leads) } keys %cpu };
}

sub median { return percentile(50, @_) }

sub percentile {
    my ($percent, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    return $sorted[@sorted * $percent / 100];
}

# Adds a line to $(BUILD)/bench.tsv, instead of an older one of that name.
sub record {
    my ($name, $value, $unit, $reference_name, $reference) = @_;

    my $file = build_dir() . '/bench.tsv';
    my @lines = grep { !/^\Q$name\E\t/ } split /^/,
        -e $file ? slurp($file) : '';
    push @lines, join("\t", $name, sprintf('%.3f', $value), $unit,
        $reference_name || '', defined $reference
        ? (sprintf('%.3f', $reference), sprintf '%.3f', $value / $reference)
        : ('', '')) . "\n";
    spew($file, join '', @lines);
    return;
}

1;
