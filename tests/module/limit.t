#!/usr/bin/perl

# How often an address may ask: over all worker processes, over reloads, and
# told when to come again.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Door qw(postgres form codes);
use Leadq::Nginx;
use Leadq::Test qw(http slurp spew tempdir wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
spew("$dir/form.key", '7 ' . ('ab' x 32) . "\n");

my $lead = 'leadq_pass main echo; leadq_field name text;';
my %options = (workers => 2,
    http => qq(leadq_database main "$dsn"; leadq_key form $dir/form.key;
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Real-IP;
        log_format leadq '\$status "\$leadq_guard"';
        leadq_limit_zone slow 64k rate=2r/h;
        leadq_limit_zone burst 64k rate=1r/h burst=9;
        leadq_limit_zone fast 64k rate=5r/s;),
    server => qq(
        access_log access.log leadq;
        location = /slow { $lead leadq_limit slow; }
        location = /burst { $lead leadq_limit burst; }
        location = /fast { $lead leadq_limit fast; }
        location = /both { $lead leadq_limit burst; leadq_limit later; }
        location = /dry { $lead leadq_limit slow dry_run; }
        location = /page {
            $lead leadq_limit slow; leadq_redirect /thanks /sorry;
        }
        location = /token { leadq_form_token key=form; leadq_limit slow; }
    ));
$options{http} .= 'leadq_limit_zone later 32k rate=2r/d burst=1;';
my $ng = Leadq::Nginx->start(%options);

my $ask = sub {
    my ($path, $ip, @more) = @_;
    return form($ng->url($path), 'name=a', 'x-real-ip' => $ip, @more);
};

is($ask->('/slow', '192.0.2.1')->{status}, 201, 'the first is welcome');
my $r = $ask->('/slow', '192.0.2.1');
is(codes($r), '429 too-many-requests', 'the second is too many');
like($r->{headers}{'retry-after'}, qr/^1(?:799|800)$/, 'until half an hour');
is($ask->('/slow', '192.0.2.2')->{status}, 201, 'others are not meant');
is($ask->('/slow', '2001:db8:0:1::1')->{status}, 201, 'an IPv6 address');
is($ask->('/slow', '2001:db8:0:1:9::9')->{status}, 429, 'is its whole /64');
is($ask->('/slow', '2001:db8:0:2::1')->{status}, 201, 'and not the next');
$r = $ask->('/page', '192.0.2.1', accept => 'text/html');
is("$r->{status} $r->{headers}{location}", '303 '
    . $ng->url('/sorry?error=too-many-requests'), 'a browser gets its page');
my $token = sub { http('GET', $ng->url('/token'),
    { headers => { 'x-real-ip' => $_[0] } }) };
is(codes($token->('192.0.2.1')), '429 too-many-requests',
    'tokens are limited, too');
is($token->('192.0.2.3')->{status}, 200, 'each address for itself');

is($ask->('/dry', '192.0.2.1')->{status}, 201, 'a dry run refuses nobody');
my @log;
wait_for('the access log', 10, sub {
    @log = split /\n/, slurp($ng->dir . '/access.log');
    return @log == 10;
});
is($log[-1], '201 "limit-dry-run"', 'but the access log tells');
is($log[1], '429 "limit"', 'what a limit did');
like($ng->log, qr/\[info\][^\n]+leadq limit "slow" is reached, dry run/,
    'and the log, at the level of info');

# Twenty at once from one address, to two worker processes.
sub at_once {
    my ($path, $ip) = @_;
    my @pids = map {
        my $pid = fork;
        defined $pid or die "fork: $!\n";
        if ($pid == 0) {
            my $status = $ask->($path, $ip)->{status};
            POSIX::_exit($status == 201 ? 0 : $status == 429 ? 1 : 2);
        }
        $pid;
    } 1 .. 20;
    my @count = (0, 0, 0);
    for my $pid (@pids) {
        waitpid $pid, 0;
        $count[$? >> 8]++;
    }
    return "@count";
}
is(at_once('/burst', '192.0.2.1'), '10 10 0',
    'a burst of nine besides the first, whichever process they reach');
is($ask->('/both', '192.0.2.1')->{status}, 429, 'one of two limits is enough');
is(join(' ', map { $ask->('/both', '192.0.2.4')->{status} } 1 .. 4),
    '201 201 429 429', 'the stricter decides');
is(join(' ', map { $ask->('/burst', '192.0.2.4')->{status} } 1 .. 9),
    '201 ' x 8 . '429', 'who is refused by one counts in no other');

# Until the old worker processes take no more requests.
sub reload {
    my @old = $ng->worker_pids;
    $ng->configure(%options);
    $ng->reload;
    wait_for('the old workers to end', 10, sub {
        return !grep { kill 0, $_ } @old;
    });
    return;
}

my ($good, $start) = (0, time);
while (time - $start < 2.1) {
    $good++ if $ask->('/fast', '192.0.2.1')->{status} == 201;
    sleep 0.02;
}
my $most = 1 + (time - $start) * 5;
ok($good > 4 && $good <= $most, "five a second are $good, at most $most");

reload();
is($ask->('/slow', '192.0.2.1')->{status}, 429, 'a reload forgives nothing');
$options{http} =~ s/slow 64k/slow 128k/;
reload();
is($ask->('/slow', '192.0.2.1')->{status}, 201, 'a zone of another size is new');

my ($worker) = $ng->worker_pids;
kill 'KILL', $worker;
wait_for('a new worker', 10, sub {
    my @now = $ng->worker_pids;
    return @now == 2 && !grep { $_ == $worker } @now;
});
is($ask->('/slow', '192.0.2.1')->{status}, 429,
    'a worker process that is killed takes no count along');

$options{http} =~ s/slow 128k/slow 32k/;
reload();
for my $i (0 .. 899) {
    $ask->('/slow', '10.1.' . ($i >> 8) . '.' . ($i & 255));
}
like($ng->log, qr/\[warn\].*leadq limit zone "slow" is too small/,
    'a zone that is too small is told of');
my @alarms = grep { !/exited on signal 9/ } split /\n/, $ng->alarms;
is("@alarms", '', 'nothing alarming is in the log');

done_testing();
