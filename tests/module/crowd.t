#!/usr/bin/perl

# Ten thousand clients that send a byte now and then, and a queue that is
# full: memory stays within bounds that can be told beforehand, and everybody
# else is served.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(slurp wait_for);
use Probe;

plan skip_all => 'the sanitizers have memory of their own'
    if $ENV{LEADQ_SANITIZE};

chomp(my $files = `sh -c 'ulimit -Hn'`);
plan skip_all => "only $files open files are allowed"
    if $> != 0 && $files ne 'unlimited' && $files < 15_000;

my $CLIENTS = 10_000;
my $EACH = 500;                                 # of one process

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    connections => $CLIENTS + 2000,         # nginx keeps a sixteenth free
    main => 'worker_rlimit_nofile 15000;',
    http => qq(leadq_database main "$dsn" queue=4096 queue_bytes=4m
        batch=64 connections=1 timeout=20s; client_body_timeout 5m;
        client_header_timeout 5m;),
    server => 'location = /echo { leadq_pass main echo;
        leadq_field name text max=8000; }
        location = /alive { return 200 alive; }');
my $worker;

sub rss_kb {
    my ($kb) = slurp("/proc/$worker/status") =~ /^VmRSS:\s+(\d+)/m;
    return $kb;
}

# Processes with clients that each send the first piece, say so, and the
# second one when they are told; they count the answers by status.
sub crowd {
    my ($n, @pieces) = @_;

    my @crowd;
    for (1 .. $n / $EACH) {
        pipe my $said, my $say or die "pipe: $!\n";
        pipe my $heard, my $tell or die "pipe: $!\n";
        my $pid = fork;
        defined $pid or die "fork: $!\n";
        if ($pid == 0) {
            close $tell;
            _clients($say, $heard, @pieces);
            POSIX::_exit(0);
        }
        push @crowd, { pid => $pid, said => $said, tell => $tell };
        <$said>;                    # one after the other: the backlog is short
    }
    return @crowd;
}

sub _clients {
    my ($say, $heard, @pieces) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my @open = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $ng->port) || die "connect: $!\n" } 1 .. $EACH;
    syswrite $_, $pieces[0] for @open;
    syswrite $say, "sent\n";
    sysread $heard, my $word, 10;
    my %status;
    for my $fh (@open) {
        syswrite $fh, $pieces[1] if $pieces[1];
        sysread $fh, my $answer, 9000;
        $status{ ($answer || '') =~ m{^HTTP/1.1 (\d+)} ? $1 : 'cut' }++;
    }
    syswrite $say, join(' ', %status) . "\n";
    return;
}

# Tells them to go on; how many got which answer.
sub answers {
    my (@crowd) = @_;

    my %all;
    syswrite $_->{tell}, "go\n" for @crowd;
    for my $one (@crowd) {
        my $fh = $one->{said};
        my %status = split ' ', <$fh>;
        $all{$_} += $status{$_} for keys %status;
        waitpid $one->{pid}, 0;
    }
    return \%all;
}

wait_for('a lane', 10, sub {
    post($ng->url('/echo'), '{"name":"warm"}')->{status} == 201 });
($worker) = $ng->worker_pids;
my $begin_kb = rss_kb();

# --- a full queue: by bytes, and by rows
sub full {
    my ($what, $size) = @_;

    my $body = '{"name":"' . 'x' x $size . '"}';
    my $before = rss_kb();
    my @backends = split /\n/, $pg->sql(q(select pid from pg_stat_activity
        where application_name = 'leadq'));
    kill 'STOP', @backends;
    my @all = crowd(6_000, "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: "
        . "close\r\nContent-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body");
    wait_for("$what: the queue is full", 10, sub {
        codes(post($ng->url('/echo'), '{"name":"over"}'))
            eq '503 queue-full' });
    my $kb = rss_kb() - $before;
    kill 'CONT', @backends;
    my $statuses = answers(@all);
    is_deeply([sort keys %$statuses], [201, 503],
        "$what: answered or refused") or diag(explain($statuses));
    note("$what: $statuses->{201} rows held, $kb kB more");
    return ($statuses->{201}, $kb);
}

my ($held, $kb) = full('by bytes', 4000);
cmp_ok($held * 4000, '<=', 4.1 * 1024 * 1024, 'queue_bytes is kept');
cmp_ok($kb, '<', 6_000 * 16, 'in proportionate memory');
($held, $kb) = full('by rows', 20);
is($held, 4096, 'queue is kept');
wait_for('room again', 10, sub {
    post($ng->url('/echo'), '{"name":"room"}')->{status} == 201 });
# --- slow clients
my $text = '{"name":"slow"}';
my $head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"
    . "\r\nConnection: close\r\nContent-Length: " . length($text) . "\r\n\r\n";
my @slow = crowd($CLIENTS, $head . substr($text, 0, 5), substr $text, 5);
my $each_kb = (rss_kb() - $begin_kb) / $CLIENTS;
cmp_ok($each_kb, '<', 12, 'a slow client costs nginx less than 12 kB');
my $probe = Probe->start($ng);
my $began = time;
is(post($ng->url('/echo'), '{"name":"quick"}')->{status}, 201,
    "others are served beside $CLIENTS slow ones");
cmp_ok(time - $began, '<', 3, 'at once');
my $got = answers(@slow);
is_deeply($got, { 201 => $CLIENTS }, 'each of them gets its answer')
    or diag(explain($got));
is($pg->sql(q(select count(*) from leadq.row where request ->> 'name'
    = 'slow')), $CLIENTS, 'and has its row');
my $loop = $probe->stop;
ok(!$loop->{stood}, 'the event loop never stood still');
note(sprintf "%d slow clients: %.1f kB each, loop %.3f ms, %d of %d late",
    $CLIENTS, $each_kb, @$loop{qw(worst late n)});

my ($peak_kb) = slurp("/proc/$worker/status") =~ /^VmHWM:\s+(\d+)/m;
note("RSS: $begin_kb kB at first, $peak_kb at most, " . rss_kb() . ' now');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
