# What the guards of the web tier say, and what SQL makes of it.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Test qw(http spew tempdir);
use Test::More;

my $dir = tempdir();
spew("$dir/guard.key", '1 ' . ('ab' x 32) . "\n");
my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->sql(q(insert into leadq.source (name) values ('default')));
my $dsn = $pg->dsn(user => 'leadq_web');
my $ng = Leadq::Nginx->start(workers => 2,
    http => qq(leadq_database main "$dsn"; leadq_key guard $dir/guard.key;),
    server => '
        location = /v1/leads {
            leadq_pass  main lead;
            leadq_field email email required;
            leadq_field click_id token;
            leadq_set   ip $remote_addr;
            leadq_idempotency optional key=guard;
            leadq_honeypot website;
        }
        location = /v1/network {
            leadq_pass  main lead;
            leadq_field email email required;
            leadq_field click_id token required;
            leadq_idempotency required key=guard field=click_id;
        }');

sub post {
    my ($path, $content, @headers) = @_;
    return http('POST', $ng->url($path), { content => $content,
        headers => { 'content-type' => 'application/x-www-form-urlencoded',
            @headers } });
}

my @key = ('idempotency-key' => 'order-17');
my $first = post('/v1/leads', 'email=anna%40mail.ru', @key);
is($first->{status}, 202, 'a lead with a key is taken');
my $id = decode_json($first->{content})->{id};
my $again = post('/v1/leads', 'email=+Anna@mail.ru', @key);
isnt($again->{status}, 202, 'another spelling of a name is another lead');
$again = post('/v1/leads', 'email=+anna@MAIL.ru+&website=', @key);
is($again->{content}, $first->{content}, 'a repeat gets the same answer');
is(post('/v1/leads', 'email=anna%40mail.ru&website=x', @key)->{content},
    $first->{content}, 'a robot that repeats it learns nothing else');
my $other = post('/v1/leads', 'email=olga%40mail.ru', @key);
is("$other->{status} " . decode_json($other->{content})->{type},
    '422 urn:leadq:problem:idempotency-key-reused',
    'the key with another lead is refused');
is($pg->sql('select lead_id from leadq.lead'), $id, 'all of it is one lead');
is($pg->sql(q(select request ? '$trap' from leadq.lead)), 'f',
    'as it came first');

is(post('/v1/leads', 'email=bot%40mail.ru&website=spam')->{status}, 202,
    'a robot is answered as usual');
is($pg->sql(q(select request ->> '$trap' from leadq.lead
    where email = 'bot@mail.ru')), 'honeypot', 'and its lead says so');
$pg->sql('select leadq.run_rules(100)', user => 'leadq_worker');
is($pg->sql(q(select concat_ws(' ', email, state, reason) from leadq.lead
    order by 1)), "anna\@mail.ru pending\nbot\@mail.ru rejected spam",
    'which the rules see');

post('/v1/network', 'email=olga%40mail.ru&click_id=c1') for 1 .. 3;
is($pg->sql(q(select count(*) from leadq.lead where click_id = 'c1')), 1,
    'a click that a network sends three times is one lead');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
