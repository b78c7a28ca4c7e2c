#!/usr/bin/perl

# Forms that are good once: what the row has for a function that remembers
# them, and the lines of leadq-verifications.conf that ask for it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use Test::More;

use Door qw(postgres form);
use Leadq::Nginx;
use Leadq::Test qw(http slurp spew tempdir);

my $pg = postgres();
my $dsn = $pg->dsn;
$pg->sql('create function leadq.web_otp_start(p_ids uuid[],
    p_requests text[]) returns table (n int, status int, headers text,
    body text) language sql
    as $$select * from leadq.web_echo(p_ids, p_requests)$$');
my $dir = tempdir();
spew("$dir/form.key", '7 ' . ('ab' x 32) . "\n");
spew("$dir/other.key", '7 ' . ('cd' x 32) . "\n");

# The start of the sample, with its comments at work.
my $sample = slurp("$FindBin::Bin/../../conf/nginx/leadq-verifications.conf");
my ($start, $tokens) = $sample =~ m{^(location[ ]=[ ]/v1/verifications[ ]\{
    .*?^\})\s+((?:\#[ ][^\n]*\n)+)}msx or die "the sample has another shape\n";
$start =~ s/# (?=leadq_)//;
$tokens =~ s/^# //gm;

my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn"; leadq_key form $dir/form.key;
        leadq_key other $dir/other.key; leadq_key links $dir/form.key;
        leadq_limit_zone code_start 1m rate=60r/m burst=59;
        leadq_limit_zone code_look 1m rate=60r/m burst=59;),
    server => q(
        location = /token { leadq_form_token key=form; }
        location = /other-token { leadq_form_token key=other; }
        location = /form {
            leadq_pass main echo; leadq_field name text; leadq_honeypot trap;
            leadq_form_check key=form min=0s max=1d once;
            leadq_idempotency optional key=form;
        }
        location = /late {
            leadq_pass main echo; leadq_field name text;
            leadq_form_check key=form min=1m once;
        }
        location = /often {
            leadq_pass main echo; leadq_field name text;
            leadq_form_check key=form min=0s;
        }) . "$start\n$tokens");

sub token {
    my ($path) = @_;
    return decode_json(http('GET', $ng->url($path))->{content})->{token};
}

sub row {
    my ($path, $text, @headers) = @_;
    return decode_json(form($ng->url($path), $text, @headers)->{content});
}

sub names { return join ' ', sort keys %{row(@_)} }

my $token = token('/token');
my $given = "name=a&form_token=$token";
my $form = row('/form', $given)->{'$form'};
is($form, substr(sha256_hex($token), 0, 32),
    'the row tells which form it was, and not its token');
is(row('/form', $given)->{'$form'}, $form, 'the same token: the same form');
isnt(row('/form', 'form_token=' . token('/token'))->{'$form'}, $form,
    'another one: another');
is(names('/often', $given), 'name', 'who does not ask is not told');
is(names(@$_), '$trap name', 'a bad token is no form')
    for ['/form', 'name=a'], ['/form', 'name=a&form_token=x'],
        ['/form', "$given&form_token=$token"], ['/late', $given],
        ['/form', 'name=a&form_token=' . token('/other-token')];
is(names('/form', "$given&trap=x"), '$form $trap name',
    'a robot may have a good one');
my @said = map { row('/form', "name=a&form_token=$_",
    'idempotency-key' => 'a')->{'$fingerprint'} } $token, token('/token');
like($said[0], qr/^[0-9a-f]{32}$/, 'a key has a fingerprint');
is($said[1], $said[0], 'which the form is no part of');

is(row('/v1/verifications', 'phone=89161234567')->{'$trap'},
    'form-token-missing', 'the sample wants a token');
is(row('/v1/verifications', 'phone=89161234567&form_token='
    . token('/v1/form-token'))->{'$trap'}, 'form-token-young',
    'which it issues');
is($ng->alarms, '', 'nothing alarming is in the log');

done_testing();
