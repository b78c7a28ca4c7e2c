# The one window in which a letter may go out twice: a worker killed after
# SMTP's 250 and before the settle.  Then it has the same Message-ID.

use strict;
use warnings;

use Leadq::Site;
use Leadq::Test qw(wait_for http);
use Test::More;

my $site = Leadq::Site->start(worker => { lease => '5s' });
my ($pg, $world, $worker) = ($site->pg, $site->world, $site->worker);

sub post {
    my ($name) = @_;
    return http('POST', $site->url('/v1/leads'), { headers => {
        'Content-Type' => 'application/json' },
        content => qq({"email":"$name\@primer.ru","consent_pd":true}) });
}

# Keeps jobs from being settled, until the function that it returns is called.
sub hold {
    my $settle = 'leadq.settle_jobs';
    my $types = '(bigint[], uuid[], text[], text[])';
    $pg->sql("alter function $settle$types rename to settle_jobs_off");
    return sub {
        $pg->sql("alter function leadq.settle_jobs_off$types
            rename to settle_jobs");
    };
}

is(post('calm')->{status}, 202, 'a lead is taken');
wait_for('it is settled', 15, sub {
    return $pg->sql(q(select count(*) from leadq.job_done
        where kind = 'letter')) == 1 });
$worker->kill9;
$worker->start_again;

my $release = hold();
is(post('window')->{status}, 202, 'another one');
wait_for('its letter is out', 15, sub {
    return scalar $world->mail('window@') });
$worker->kill9;
$pg->sql(q(select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'leadq_worker'));
$release->();
is($pg->sql(q(select state from leadq.job where kind = 'letter'
    and state <> 'scheduled')), 'leased', 'the killed worker had not settled');
$worker->start_again;
my @letters = wait_for('the letter again', 30, sub {
    my @seen = $world->mail('window@');
    return @seen == 2 ? \@seen : 0;
});
is($letters[0][0]{message_id}, $letters[0][1]{message_id},
    'the letter sent again has the same Message-ID');
wait_for('it is settled', 15, sub {
    return $pg->sql(q(select count(*) from leadq.job_done
        where kind = 'letter')) == 2 });
is($pg->sql(q(select max(attempt) from leadq.job_done
    where kind = 'letter')), 2,
    'and both attempts are counted');
is(scalar $world->mail('calm@'), 1,
    'a letter that was settled before the kill went out once');

done_testing();
