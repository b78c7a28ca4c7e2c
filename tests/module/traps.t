#!/usr/bin/perl

# Robots walk into traps, are answered like everybody, and their rows say so.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep);

use Door qw(postgres post form codes);
use Leadq::Nginx;
use Leadq::Test qw(http slurp spew tempdir wait_for);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
spew("$dir/form.key", '7 ' . ('ab' x 32) . "\n");
spew("$dir/other.key", '7 ' . ('cd' x 32) . "\n");

my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";
        leadq_key form $dir/form.key; leadq_key other $dir/other.key;
        log_format leadq '\$status "\$leadq_guard"';),
    server => q(
        access_log access.log leadq;
        location = /form-token { leadq_form_token key=form; }
        location = /other-token {
            leadq_form_token key=other min=0s max=1h;
            if ($arg_a) { set $b c; }
        }
        location = /pot {
            leadq_pass main echo; leadq_field name text;
            leadq_honeypot website;
        }
        location = /form {
            leadq_pass main echo; leadq_field name text;
            leadq_form_check key=form min=1s max=4s;
            leadq_honeypot website;
            leadq_redirect /thanks.html /sorry.html;
        }
        location = /named {
            leadq_pass main echo; leadq_field name text;
            leadq_form_check key=form field=X-Token min=0s;
        }
        location = /bare { leadq_pass main echo; leadq_honeypot website; }
    ));

# The trap that a row fell into, or "none".
sub trap {
    my ($r) = @_;
    return $r->{status} if $r->{status} != 201;
    return decode_json($r->{content})->{'$trap'} || 'none';
}

sub token {
    my ($path) = @_;
    return decode_json(http('GET', $ng->url($path || '/form-token'))
        ->{content})->{token};
}

my $pot = sub { form($ng->url('/pot'), @_) };
is($pot->('name=a&website=')->{content}, '{"name":"a"}',
    'an empty honeypot is left out of the row');
is($pot->('name=a')->{content}, '{"name":"a"}', 'so is one that is missing');
my $r = $pot->('name=a&website=spam');
is("$r->{status} $r->{content}", '201 {"name":"a","$trap":"honeypot"}',
    'one that is filled in is answered as usual and marked');
is(trap($pot->('website=&website=&name=a')), 'honeypot', 'or given twice');
is(trap(post($ng->url('/pot'), $_->[0])), $_->[1], "JSON $_->[0]: $_->[1]")
    for ['{"website":"x"}', 'honeypot'], ['{"website":""}', 'none'],
        ['{"website":null}', 'none'], ['{"website":[]}', 'honeypot'];
is(codes($pot->('website=spam&other=1')), '422 other.unknown-field',
    'other mistakes are told a robot, too');
is(trap(form($ng->url('/bare'), 'website=x')), 'honeypot',
    'a honeypot may be the only field');

$r = http('GET', $ng->url('/form-token'));
is("$r->{status} $r->{headers}{'content-type'} $r->{headers}{'cache-control'}",
    '200 application/json no-store', 'a token is JSON and kept by no cache');
my $issued = decode_json($r->{content});
like($issued->{token}, qr/^[\w-]{52}$/, 'it has 52 characters');
is("$issued->{min_age_ms} $issued->{max_age_ms}", '3000 7200000',
    'and a page learns when it is good');
like(http('GET', $ng->url('/other-token?a=1'))->{content},
    qr/"min_age_ms":0,"max_age_ms":3600000\}/, 'which may be said, as in "if"');
isnt(token(), $issued->{token}, 'every token is another one');
$r = http('HEAD', $ng->url('/form-token'));
is($r->{status} . ($r->{content} || ''), '200', 'HEAD is possible');
$r = post($ng->url('/form-token'), '{}');
is(codes($r) . " $r->{headers}{allow}", '405 method-not-allowed GET, HEAD',
    'POST is not');

my $form = sub { form($ng->url('/form'), "name=a&form_token=$_[0]") };
my $fresh = token();
is(trap($form->($fresh)), 'form-token-young',
    'a form sent faster than anybody types');
sleep 1.05;
is($form->($fresh)->{content}, '{"name":"a"}', 'a person takes longer');
is(trap(form($ng->url('/form'), "name=a&form_token=$fresh&website=x")),
    'honeypot', 'and leaves the honeypot alone');
is(trap(form($ng->url('/form'), 'name=a')), 'form-token-missing',
    'a form without a token');
is(trap($form->('')), 'form-token-missing', 'or an empty one');
is(trap($form->($_)), 'form-token-forged', 'a made-up token')
    for 'x', 'A' x 52, token('/other-token'), "$fresh&form_token=$fresh";
sleep 3.05;
is(trap($form->($fresh)), 'form-token-old', 'a token that was kept too long');
$r = form($ng->url('/form'), 'name=a&form_token=x', accept => 'text/html');
is("$r->{status} $r->{headers}{location}", '303 ' . $ng->url('/thanks.html'),
    'a trapped browser is thanked');
is(trap(post($ng->url('/named'), encode(token()))), 'none',
    'the field may have another name');

sub encode { return '{"X-Token":"' . $_[0] . '"}' }

my @log;
wait_for('the access log', 10, sub {
    @log = split /\n/, slurp($ng->dir . '/access.log');
    return $log[-1] eq '201 ""';
});
is($log[0], '201 ""', 'the access log of a good request is silent');
is((grep { /"honeypot"|"form-token-\w+"/ } @log), 16,
    'and names every trap');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
