#!/usr/bin/perl

# Multipart forms however they come, arguments of the query, charsets.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post form codes raw);
use Leadq::Nginx;
use Leadq::Test qw(free_port run);

my $pg = postgres();
my $dsn = $pg->dsn;
my $h2 = free_port();
my $fields = 'leadq_field email email; leadq_field name text max=8000;'
    . 'leadq_field click_id token alias=subid;';
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";
        server {
            listen 127.0.0.1:$h2 http2;
            location = /m { leadq_pass main echo; $fields }
            location = /m/file {
                client_body_in_file_only clean;
                leadq_pass main echo; $fields
            }
        }),
    server => qq(
        location = /m { leadq_pass main echo; $fields }
        location = /m/file {
            client_body_in_file_only clean; leadq_pass main echo; $fields
        }
        location = /m/small {
            client_body_buffer_size 1k; leadq_pass main echo; $fields
        }
        location = /args { leadq_pass main echo; leadq_args on; $fields }
        location = /off { leadq_pass main echo; leadq_args off; $fields }
    ));

# A multipart body from name => value pairs.
sub body {
    my (@pairs) = @_;
    my $text = '';
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $text .= "--XX\r\nContent-Disposition: form-data; name=\"$name\"\r\n"
            . "\r\n$value\r\n";
    }
    return "$text--XX--\r\n";
}

sub multipart {
    my ($path, $text, $type) = @_;
    return post($ng->url($path), $text,
        'content-type' => $type || 'multipart/form-data; boundary=XX');
}

my $long = 'x' x 7000;
my $good = body(email => ' Anna@Mail.RU', name => $long, subid => 'c7');
my $row = qq({"email":"Anna\@mail.ru","name":"$long","click_id":"c7"});
is(multipart($_, $good)->{content}, $row, "a multipart form by $_")
    for qw(/m /m/file /m/small);
is(multipart('/m', $good, 'Multipart/Form-Data; charset="utf-8"; '
    . 'boundary="XX"')->{content}, $row, 'quotes and a charset');
is(multipart('/m', body())->{content}, '{}', 'a form without fields');

my $head = "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "Content-Type: multipart/form-data; boundary=XX\r\n";
my $little = body(name => 'ab');
like(raw($ng->port, sprintf("${head}Transfer-Encoding: chunked\r\n\r\n", $_),
    (map { sprintf "%x\r\n%s\r\n", length, $_ } $little =~ /(.{1,9})/gs),
    "0\r\n\r\n"), qr/\{"name":"ab"\}$/, "a chunked form by $_")
    for qw(/m /m/file /m/small);
like(raw($ng->port, sprintf("${head}Content-Length: %d\r\n\r\n", '/m',
    length $little), split //, $little), qr/\{"name":"ab"\}$/,
    'a form that comes byte by byte');

SKIP: {
    my ($rc, $version) = run('curl', '--version');
    skip 'curl without HTTP/2', 6 if $rc || $version !~ /HTTP2/;
    for my $path (qw(/m /m/file)) {
        my @curl = ('curl', '-s', '--http2-prior-knowledge',
            "http://127.0.0.1:$h2$path");
        my @bare = (@curl, '-H', 'Content-Length:');
        is((run(@curl, '-F', "name=$long"))[1], qq({"name":"$long"}),
            "HTTP/2 by $path");
        is((run(@bare, '-F', "name=$long"))[1], qq({"name":"$long"}),
            "HTTP/2 without a length by $path");
        like((run(@curl, '-F', "email=\@$0"))[1],
            qr/"email","code":"file-part"/, "a file over HTTP/2 by $path");
    }
}

my $cd = 'Content-Disposition: form-data; name="email"';
my %bad = (
    "--XX\r\n$cd; filename=\"a\"\r\n\r\nb\r\n--XX--"
        => '422 email.file-part',
    "--XX\r\n$cd\r\nContent-Type: image/png\r\n\r\nb\r\n--XX--"
        => '422 email.file-part',
    "--XX\r\n$cd\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nb\r\n"
        . '--XX--' => '415 email.unsupported-charset',
    "--XX\r\n$cd\r\n\r\na\@b.ru" => '400 email.bad-multipart',
    "--YY\r\n$cd\r\n\r\na\@b.ru\r\n--YY--" => '400 bad-multipart',
    '' => '400 bad-multipart',
    body(email => 'a@b.ru', email => 'a@b.ru')
        => '422 email.duplicate-field',
    body(email => 'a', x => 1) => '422 x.unknown-field email.email-no-at',
    body(name => "a\r\nb") => '422 name.control-character',
    body(name => "a\xff") => '422 name.not-utf8',
    body(map { ("f$_", 1) } 1 .. 65) => '400 too-many-fields',
);
is(codes(multipart('/m', $_)), $bad{$_}, "refused as $bad{$_}")
    for sort keys %bad;
is(codes(multipart('/m', $good, "multipart/form-data$_")),
    '400 bad-multipart', "no boundary in '$_'")
    for '', '; boundary=""', '; boundary=a*b';

# leadq_args
my $args = $ng->url('/args?name=%D0%90+b');
is(form($args, 'email=a%40b.ru')->{content},
    "{\"email\":\"a\@b.ru\",\"name\":\"\xd0\x90 b\"}", 'form and query');
is(post($args, '{"subid":"c"}')->{content},
    "{\"name\":\"\xd0\x90 b\",\"click_id\":\"c\"}", 'JSON and query');
is(post($args, body(subid => 'c'), 'content-type' =>
    'multipart/form-data; boundary=XX')->{content},
    "{\"name\":\"\xd0\x90 b\",\"click_id\":\"c\"}", 'multipart and query');
is(codes(post($args, '{"name":"c"}')), '422 name.duplicate-field',
    'a field in both');
is(codes(form($ng->url("/args?$_->[0]"), '')), $_->[1], "query $_->[0]")
    for ['x=1', '422 x.unknown-field'], ['name=%', '400 name.bad-form'],
    ['=1', '400 bad-form'], ['name=a&name=a', '422 name.duplicate-field'];
is(codes(post($args, '{')), '400 bad-json', 'a bad body is still told');
is(form($ng->url("$_?name=a&x=1"), 'name=b')->{content}, '{"name":"b"}',
    "the query is of no meaning in $_") for qw(/m /off);

is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

done_testing();
