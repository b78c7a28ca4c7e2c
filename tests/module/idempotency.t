#!/usr/bin/perl

# A request that names itself is the same row as often as it is sent.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Digest::SHA qw(hmac_sha256 sha256_hex);
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;

use Door qw(postgres post form codes raw);
use Leadq::Nginx;
use Leadq::Test qw(http spew tempdir);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
my $old = '0123456789abcdef' x 4;
my $new = 'ab' x 32;
spew("$dir/once.key", "3 $old\n");

my $fields = 'leadq_field email email; leadq_field click_id token alias=subid;
    leadq_set ip $arg_ip;';
my %options = (
    http => qq(leadq_database main "$dsn"; leadq_key once $dir/once.key;),
    server => qq(
        location = /optional {
            leadq_pass main once; $fields
            leadq_idempotency optional key=once;
        }
        location = /required {
            leadq_pass main once; $fields
            leadq_idempotency required key=once;
        }
        location = /click {
            leadq_pass main once; $fields
            leadq_idempotency optional key=once field=click_id;
        }
        location = /must-click {
            leadq_pass main once; $fields
            leadq_idempotency required key=once field=click_id;
        }
        location = /scoped {
            leadq_pass main once; $fields
            leadq_idempotency required key=once scope=\$http_authorization;
        }
        location = /off {
            leadq_pass main once; $fields
            leadq_idempotency off;
        }
    ));
my $ng = Leadq::Nginx->start(%options);

my $anna = '{"email":"anna@mail.ru"}';
my $ask = sub { post($ng->url($_[0]), $_[1] || $anna, @_[2 .. $#_]) };
my $id = sub { decode_json($_[0]{content})->{id} };
my $rows = sub { $pg->sql('select count(*) from leadq.row') };

# An id as the manual describes it.
sub expected {
    my ($origin, $scope, $value) = @_;
    my $mac = hmac_sha256("idempotency\0main\0leadq\0once\0$origin\0"
        . pack('N/a*', $scope) . $value, pack 'H*', $old);
    my $hex = unpack 'H32', $mac;
    substr $hex, 12, 1, '8';
    substr $hex, 16, 1, sprintf '%x', 8 | hex(substr $hex, 16, 1) & 3;
    return join '-', unpack 'a8a4a4a4a12', $hex;
}

my @key = ('idempotency-key' => 'order-17');
my $first = $ask->('/optional', $anna, @key);
is($first->{status}, 201, 'a request with a key is stored');
is($id->($first), expected('idempotency-key', '', 'order-17'),
    'under the UUID version 8 of the key');
like($id->($first), qr/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/,
    'which says so');
my $again = $ask->('/optional?ip=10.1.2.3', $anna, @key);
is("$again->{status} $again->{content}", "201 $first->{content}",
    'a repeat gets the same answer, from another address as well');
is($rows->(), 1, 'and stays one row');
is($pg->sql(q(select request ->> '$fingerprint' from leadq.row)),
    substr(sha256_hex('{"email":"anna@mail.ru"'), 0, 32),
    'its fingerprint is that of what the client said');
is($ask->('/optional', '{"email":"olga@mail.ru"}', @key)->{status}, 422,
    'the same key with another content is refused by SQL');
is($ask->('/optional', '{ "email": " anna@MAIL.ru" }', @key)->{status}, 201,
    'the same content in another spelling is a repeat');
is($rows->(), 1, 'all of that changed nothing');

isnt($id->($ask->('/optional', $anna, 'idempotency-key' => 'order-18')),
    $id->($first), 'another key is another row');
like($id->($ask->('/optional')), qr/^.{14}7/,
    'without a key every request is a new row');
is($pg->sql(q(select count(*) from leadq.row where not request ?
    '$fingerprint')), 1, 'without a fingerprint');

is(codes($ask->('/required')), '400 idempotency-key-required',
    'a key may be required');
is($ask->('/required', $anna, @key)->{status}, 201, 'and given');
is(codes($ask->('/required', $anna, 'idempotency-key' => $_->[0])),
    '400 idempotency-key-invalid', "$_->[1] is no key")
    for [('x' x 256), 'more than 255 bytes'], ['a b', 'a blank inside'];
is($ask->('/required', $anna, 'idempotency-key' => 'x' x 255)->{status}, 201,
    '255 bytes are');
like(raw($ng->port, "POST /required HTTP/1.1\r\nHost: a\r\n"
    . "Connection: close\r\nIdempotency-Key:$_\r\nContent-Length: 0\r\n\r\n"),
    qr/^HTTP\S+ 400 .*idempotency-key-invalid/s,
    'nor is nothing, or two, or a letter that is not ASCII')
    for '', " a\r\nIdempotency-Key: b", "\xd0\xb0";
is(codes($ask->('/optional', '{"email":"x"}', 'idempotency-key' => 'bad')),
    '422 email.email-no-at', 'a request that is not valid uses up no key');
is($ask->('/optional', $anna, 'idempotency-key' => 'bad')->{status}, 201,
    'so it may be corrected');

my $click = '{"email":"anna@mail.ru","click_id":"c-1"}';
my $lead = $ask->('/click', $click, @key);
is($id->($lead), expected('click_id', '', '"c-1"'),
    'a field can be the key');
is($id->($ask->('/click', '{"email":"anna@mail.ru","subid":"c-1"}')),
    $id->($lead), 'under its other names, too');
is($ask->('/click', '{"click_id":"c-1"}')->{status}, 422,
    'and with another content is refused');
like($id->($ask->('/click')), qr/^.{14}7/, 'it may be missing');
is(codes($ask->('/must-click')), '400 idempotency-key-required',
    'unless it is required');

is($id->($ask->('/scoped', $anna, @key, authorization => 'Bearer one')),
    expected('idempotency-key', 'Bearer one', 'order-17'),
    'keys of one scope');
isnt($id->($ask->('/scoped', $anna, @key, authorization => 'Bearer two')),
    $id->($ask->('/scoped', $anna, @key, authorization => 'Bearer one')),
    'are none of another');
like($id->($ask->('/off', $anna, @key)), qr/^.{14}7/, 'off is off');

spew("$dir/once.key", "4 $new\n3 $old\n");
$ng->reload;
is($id->($ask->('/optional', $anna, @key)), $id->($first),
    'a newer key before the old one changes no id');

my @pids = map {
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        my $r = $ask->('/optional', $anna, 'idempotency-key' => 'burst');
        POSIX::_exit($r->{status} == 201 ? 0 : 1);
    }
    $pid;
} 1 .. 20;
my $bad = grep { waitpid $_, 0; $? } @pids;
is($bad, 0, 'twenty at once get the same answer');
is($pg->sql("select count(*) from leadq.row where id = '"
    . expected('idempotency-key', '', 'burst') . "'"), 1, 'and are one row');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
