#!/usr/bin/perl

# Lists of hundreds of values: as a body, as a field, in a form; how big they
# may be; values that are refused.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP ();
use Test::More;

use Door qw(postgres post form codes);
use Leadq::Nginx;

my $pg = postgres();
my $dsn = $pg->dsn;
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn"; client_max_body_size 2m;),
    server => q(
        location = /list {
            leadq_pass  main echo;
            leadq_field events list required max=262144 depth=5 alias=batch;
            leadq_field name text;
            leadq_set   source test;
        }
        location = /json {
            leadq_pass  main echo;
            leadq_field events json required max=8192;
        }
    ));

my $url = $ng->url('/list');
my @events = map { { id => "e$_", event => 'delivered', n => $_,
    email => "somebody-$_\@example.ru", category => ['a', 'b'],
    reason => "what \"they\" [say], " . 'x' x 900 } } 1 .. 200;
my $json = JSON::PP->new->canonical;
my $text = $json->encode(\@events);
cmp_ok(length $text, '>', 200_000, 'two hundred events are much');

# What the row has of them.
sub taken {
    my ($response) = @_;
    is($response->{status}, 201, 'taken') or return [codes($response)];
    my ($id) = $response->{headers}{location} =~ m{/rows/(.*)};
    return $json->decode($pg->sql("select request -> 'events' from leadq.row
        where id = '$id'"));
}

sub escape { return $_[0] =~ s/([^\w])/sprintf '%%%02X', ord $1/ger }

is_deeply(taken(post($url, $text)), \@events, 'an array as a body is the list');
is_deeply(taken(post($url, qq({"batch": $text}))), \@events,
    'and so is a field of an object');
is_deeply(taken(form($url, 'name=x&events=' . escape($text))), \@events,
    'and a field of a form');
is_deeply(taken(post($url, '{"events":{"id":1}}')), [{ id => 1 }],
    'one value is a list of one');
is_deeply(taken(post($url, '[]')), [], 'a list may have nothing in it');

my @odd = ('{"id":1,"id":2}', '{"id":"\\u0000"}', '{"id":"\\ud800"}',
    "{\"id\":\"\xff\"}", '[[[[[[]]]]]]', '{"id":1e999}', 'nonsense', '',
    '"' . 'x' x 9000 . '"');
my $mixed = '[' . join(',', map { ($json->encode($events[$_]),
    $odd[$_ % @odd]) } 0 .. 99) . ']';
is_deeply(taken(post($url, $mixed)), [@events[0 .. 99]],
    'what is refused takes nothing along');

is_deeply(taken(post($url, qq([$text,1,$text]))), [1],
    'a value that is no value for its size is refused by itself');
is(codes(post($url, substr($text, 0, -1) . ',' . substr $text, 1)),
    '422 events.too-long', 'a list above its size is refused');
is(codes(post($url, substr $text, 0, -1)), '422 events.json-bad-value',
    'a list without an end too');
is(codes(post($url, 'null')), '400 bad-json', 'nothing is no body');
is(codes(post($url, '{"events":null}')), '422 events.required',
    'and no list');
is(codes(post($ng->url('/json'), '[]')), '400 bad-json',
    'elsewhere a body is an object');
is($ng->alarms, '', 'nginx raised no alarm');

done_testing();
