#!/usr/bin/perl

# Who an advisor is: whose password it was, or whom a login service vouches
# for, as leadq-desk.conf tells; never what the client says of himself.  What
# he may do is his role's.

use strict;
use warnings;

use Test::More;

use Leadq::Desk;
use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Test qw(http spew tempdir);

my $dir = tempdir();
my $pg = Leadq::Postgres->start;
$pg->migrate;
spew("$dir/doc.json", <<'JSON');
{"points": [{"name": "mega"}, {"name": "tsum"}],
 "advisors": [{"name": "anna", "point": "mega"},
   {"name": "olga", "role": "supervisor", "point": "tsum"},
   {"name": "gone", "point": "mega", "active": false},
   {"name": "brand", "role": "brand"}]}
JSON
$pg->import_config("$dir/doc.json");

# Asks as the page does; "status name role point".
sub me {
    my ($desk, $advisor, %headers) = @_;
    my $r = $desk->ask($advisor, 'GET', '/v1/desk/me', undef, %headers);
    my $b = $r->{body};
    return join ' ', $r->{status}, $b->{advisor}
        ? ($b->{advisor}{name}, $b->{advisor}{role}, $b->{point}
            ? $b->{point}{name} : '-') : $b->{type} // '';
}

sub open_visit {
    my ($desk, $advisor, %headers) = @_;
    return $desk->ask($advisor, 'POST', '/v1/desk/visits', {
        age => 'unproved', advisor => 'anna' }, %headers)->{status};
}

# --- passwords

my $desk = Leadq::Desk->start(pg => $pg,
    users => [qw(anna olga gone brand ivan)]);
is(me($desk, undef), '401 urn:leadq:problem:unauthorized',
    'without a password nobody is anybody');
is(me($desk, 'anna'), '200 anna advisor mega', 'an advisor of a point');
is(me($desk, 'olga'), '200 olga supervisor tsum', 'a supervisor of another');
is(me($desk, 'brand'), '200 brand brand -', 'the brand, of none');
is(me($desk, $_), '403 urn:leadq:problem:not-allowed',
    "$_ has a password alone") for qw(gone ivan);
is(open_visit($desk, 'brand'), 422, 'a client does not name an advisor');
is($desk->ask('brand', 'POST', '/v1/desk/visits', { age => 'unproved' })
    ->{status}, 403, 'the brand looks on');
is(http('GET', $desk->nginx->url('/desk.html'))->{status}, 401,
    'the page is behind the same door');

# --- a login service

my $service = Leadq::Nginx->start(http => <<'CONF', server => <<'SERVER');
    map $cookie_ticket $who { t1 anna; t2 olga; t3 ivan; default ""; }
CONF
    location / {
        if ($who = "") { return 401; }
        add_header X-Auth-Request-Preferred-Username $who always;
        return 202;
    }
SERVER
$desk = Leadq::Desk->start(pg => $pg, users => ['anna'],
    login => $service->url('/'));
is(me($desk, undef), '401 urn:leadq:problem:unauthorized',
    'whom the service does not know is nobody');
is(me($desk, 'anna'), '401 urn:leadq:problem:unauthorized',
    'a password is none any more');
is(me($desk, undef, cookie => 'ticket=t1'), '200 anna advisor mega',
    'whom it vouches for is that one');
is(me($desk, undef, cookie => 'ticket=t2'), '200 olga supervisor tsum',
    'each of them');
is(me($desk, undef, cookie => 'ticket=t3'),
    '403 urn:leadq:problem:not-allowed', 'if he works here');
is(me($desk, undef, 'x-auth-request-preferred-username' => 'anna'),
    '401 urn:leadq:problem:unauthorized', 'nobody vouches for himself');
is(me($desk, undef, cookie => 'ticket=t2',
    'x-auth-request-preferred-username' => 'anna'),
    '200 olga supervisor tsum', 'or for another one');
is(open_visit($desk, undef, cookie => 'ticket=t1'), 422,
    'nor by a field');
is($desk->ask(undef, 'POST', '/v1/desk/visits', { age => 'unproved' },
    cookie => 'ticket=t1')->{status}, 201, 'an advisor works');
is($pg->sql('select string_agg(a.name, chr(44)) from leadq.visit
    join leadq.advisor a using (advisor_id)'), 'anna', 'in his own name');
is($desk->nginx->alarms, '', 'nothing alarming is in the log');

done_testing();
