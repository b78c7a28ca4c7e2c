# 20,000 leads while PostgreSQL, nginx workers and leadq-worker are killed
# with SIGKILL again and again, and the network fails on its own: nothing
# that was answered is lost, and the network hears each status under one key.

use strict;
use warnings;

use Test::More;

use Leadq::Link;
use Leadq::Load;
use Leadq::Site;
use Leadq::Test qw(wait_for);

my $LEADS = $ENV{LEADQ_CHAOS_LEADS} || 20_000;
my $CONFIRMED = int $LEADS / 20;

my $site = Leadq::Site->start(workers => 2, unlimited => 1,
    worker => { lease => '5s' }, world => { keep => 10 * $LEADS });
my ($pg, $world) = ($site->pg, $site->world);
$world->faults({ postback => { rate500 => 0.05, drop => 0.03 } });

my %kills = (postgres => 0, nginx => 0, worker => 0);

sub kill_postgres {
    $pg->kill9;
    $pg->start_again;
    return $kills{postgres}++;
}

sub kill_nginx {
    my @pids = $site->nginx->worker_pids;
    kill 'KILL', $pids[rand @pids] if @pids;
    return $kills{nginx}++;
}

sub kill_worker {
    $site->worker->kill9;
    $site->worker->start_again;
    return $kills{worker}++;
}

# One killing for each twelfth of the work, in turn.
sub killer {
    my ($count) = @_;
    my @plan = (\&kill_worker, \&kill_nginx, \&kill_worker, \&kill_postgres);
    my $killed = 0;
    return sub {
        my ($done) = @_;
        return if $done < ($killed + 1) * $count / 12;
        $plan[$killed++ % @plan]->();
    };
}

sub post {
    my ($path, $type, $body) = @_;
    return "POST $path HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n$body";
}

# --- leads: every tenth has a malformed e-mail --------------------------------

my (%answered, %status);
{
    my ($sent, $done, $kill) = (0, 0, killer($LEADS));
    Leadq::Load->run(
        port => $site->nginx->port,
        connections => 64,
        next => sub {
            return if $sent == $LEADS;
            my $n = ++$sent;
            my $email = $n % 10 ? "person$n\@example.ru" : "person$n\@nowhere";
            return (post('/v1/leads', 'application/json',
                qq({"email":"$email","click_id":"c$n","consent_pd":true})),
                $n);
        },
        done => sub {
            my ($n, $code, $body) = @_;
            $done++;
            $status{$code}++;
            return if $code != 202;
            my ($id) = $body =~ /"id":"([0-9a-f-]{36})"/ or die "no id: $body";
            $answered{$id} = "c$n";
        },
        tick => sub { $kill->($done) },
    );
}
diag('answers: ' . join ', ', map { "$_: $status{$_}" } sort keys %status);
diag('killed: ' . join ', ', map { "$_: $kills{$_}" } sort keys %kills);
cmp_ok(scalar keys %answered, '>', $LEADS * 0.9,
    'nearly all leads were answered all the same');

my %stored = map { split /\|/ }
    split /\n/, $pg->sql('select lead_id, click_id from leadq.lead');
is(scalar(grep { ($stored{$_} || '') ne $answered{$_} } keys %answered), 0,
    'every answered lead is in the base, under the id that was answered');

# --- the chain runs to its end ------------------------------------------------

# Waits until nothing is due, and lets time pass only for what is retried, so
# that reminders stay where they are.
sub settle {
    my ($what) = @_;

    my $retried = q(state = 'scheduled'
                    and (kind = 'postback' or attempt > 0));
    wait_for($what, 240, sub {
        return 0 if $pg->sql(q(select count(*) from leadq.job
            where state in ('ready', 'leased')));
        $pg->sql(qq(select leadq.shift_time(max(run_at) - leadq.now()
            + interval '1 s') from leadq.job where $retried
            having count(*) > 0));
        return 0 == $pg->sql(qq(select count(*) from leadq.job
            where state in ('ready', 'leased') or $retried));
    });
    return;
}

settle('first letters and statuses are out');

my @messages = split /\n/, $pg->sql(qq(
    select m.message_id from leadq.message m
     where m.step = 1 and m.state = 'sent' limit $CONFIRMED));
{
    my ($done, $kill, @todo) = (0, killer($CONFIRMED), @messages);
    Leadq::Load->run(
        port => $site->nginx->port,
        connections => 32,
        next => sub {
            my $message = shift @todo or return;
            my $token = Leadq::Link::token($site->key, $message);
            return (post("/c/$token", 'application/x-www-form-urlencoded', ''),
                $message);
        },
        done => sub {
            my ($message, $code) = @_;
            $done++;
            push @todo, $message if $code != 200;
        },
        tick => sub { $kill->($done) },
    );
}
settle('final statuses are out');

is($pg->sql(q(select count(*) from leadq.lead where state = 'approved')),
    scalar @messages, 'who confirmed is approved');
is($pg->sql(q(select count(*) from leadq.lead l where l.reports
        and not exists (select from leadq.postback p
                         where p.lead_id = l.lead_id
                           and p.status = 'processed' and p.state = 'done'))),
    0, 'every lead has told the network processed');
is($pg->sql(q(select count(*) from leadq.lead where not reports)),
    0, 'every lead had a click id of its own');
is($pg->sql(q(select count(*) from (select lead_id from leadq.postback
        where status <> 'processed' group by 1 having count(*) > 1) x)),
    0, 'no lead has two final statuses');
is($pg->sql(q(select count(*) from leadq.lead where email is null
        and state <> 'rejected')), 0, 'malformed e-mails are rejected');

# --- what the network saw -----------------------------------------------------

my (%keys, %order, $repeats);
for my $seen ($world->postbacks) {
    my ($click, $status) = @{ $seen->{query} }{qw(click_id status)};
    $repeats++ if $keys{"$click $status"};
    $keys{"$click $status"}{ $seen->{idempotency_key} }++;
    next if $seen->{answered} ne '200';
    push @{ $order{$click} }, $status;
}
my @told = split /\n/, $pg->sql(q(select l.click_id || ' ' || p.status
    from leadq.postback p join leadq.lead l using (lead_id)));
is(scalar(grep { !$keys{$_} } @told), 0,
    'the network saw every status at least once');
is(scalar(grep { keys %$_ != 1 } values %keys), 0,
    'and each under one idempotency key');
is(scalar(keys %keys), scalar @told, 'it saw nothing else');
is(scalar(grep { $_->[0] ne 'processed' } values %order), 0,
    'and always processed first');
diag(sprintf '%d statuses, %d repeated', scalar @told, $repeats || 0);

is($pg->sql(q(select count(*) from leadq.job_done where outcome = 'dead')),
    0, 'no job is dead');
is($site->nginx->alarms =~ s/.*exited on signal 9.*\n?//gr, '',
    'nginx raised no alarm but for the kills');

done_testing();
