#!/usr/bin/perl

# Look-ups of domains, against a name server of our own.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib $FindBin::Bin, "$FindBin::Bin/../module";
use Leadq::Test qw(free_port wait_for);
use Leadq::Worker;
use Names;
use Outside qw(database json job wait_state);

my $pg = database();
$pg->sql('update leadq.setting set retry_s = 600');
my $names = Names->start('big.test' => 'MX:Alt1.MX.Google.test',
    'far.test' => 'MX:mx.mail.co.uk', 'refuses.test' => 'MX:.',
    'host.test' => '192.0.2.1');

sub add {
    my (%payload) = @_;
    my $text = json()->encode(\%payload);
    my $id = $pg->sql("insert into leadq.job (kind, target, payload)
        values ('$payload{kind}', 'dns', '$text') returning job_id");
    $pg->sql('notify leadq_ready');
    return $id;
}

sub worker {
    my (%conf) = @_;
    return Leadq::Worker->start(conf => { database => $pg->dsn,
        poll => '50ms', resolver => '127.0.0.1:' . $names->port, %conf });
}

sub verdict {
    my ($domain) = @_;
    my $detail = wait_state($pg, add(kind => 'mx', domain => $domain),
        'done')->{detail};
    return "$detail->{mx} $detail->{group}";
}

my $worker = worker();
is(verdict('big.test'), 'good google.test', 'a domain with an MX');
is(verdict('far.test'), 'good mail.co.uk', 'who takes its mail');
is(verdict('host.test'), 'good host.test', 'an address will do');
is(verdict('refuses.test'), 'null ', 'a null MX');
is(verdict('empty.test'), 'none ', 'a domain without anything');
is(verdict('no-such-domain.invalid'), 'none ', 'a domain that is not there');
is(verdict('x' x 64 . '.test'), 'none ', 'and one that cannot be');
is(wait_state($pg, add(kind => 'mx', domain => ''), 'dead')
    ->{detail}{reason}, 'bad-payload', 'no domain: dead');

# slow name servers hold up nobody
my $slow = add(kind => 'mx', domain => 'slow.test');
is(verdict('big.test'), 'good google.test', 'others go on meanwhile');
is(wait_state($pg, $slow, 'scheduled', 60)->{detail}{reason}, 'timeout',
    'no answer: try again');
$slow = add(kind => 'mx', domain => 'slow.test');
wait_for('it is asked', 10, sub { job($pg, $slow)->{state} eq 'leased' });
is($worker->term, 0, 'the worker ends well with a look-up under way');

# a name server that is not there
$names->stop;
$worker = worker(resolver => '127.0.0.1:' . free_port());
is(wait_state($pg, add(kind => 'mx', domain => 'big.test'), 'scheduled', 60)
    ->{detail}{mx}, undef, 'no name server: no verdict');
is($worker->term, 0, 'the worker ends well');

# nobody is asked
$worker = worker(resolver => 'off');
is(verdict('big.test'), 'unclear ', 'with resolver = off nothing is known');

# what others say of a bounce
sub class {
    my ($status, $text) = @_;
    return wait_state($pg, add(kind => 'bounce', status => $status,
        text => $text), 'done')->{detail}{class};
}
is(class('5.1.1', '550 5.1.1 unknown'), 'hard', 'a failure that is hard');
is(class(undef, '554 5.7.1 Spam'), 'block', 'one that is ours');
is(class('5.0.0', undef), 'soft', 'one that nobody knows');
is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/big\.test/, 'no domain is in the log');

done_testing();
