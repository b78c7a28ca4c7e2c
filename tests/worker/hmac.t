#!/usr/bin/perl

# Signatures that a network made up itself (Admitad's revision signature and
# its like), names of macros that others use, and what of a request is kept
# for people: the exact URL and body, without secrets.  formats.md A1, A2.

use strict;
use warnings;
use utf8;

use Digest::MD5 ();
use Digest::SHA qw(hmac_sha1_hex hmac_sha256_hex);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Test qw(tempdir spew);
use Leadq::Worker;
use Outside qw(database add_postback wait_state http_server json);

my $pg = database();
my $net = http_server();
my $secrets = tempdir();
spew("$secrets/short", "k3y\n");
spew("$secrets/token", "t0ken/&\n");
my $worker = Leadq::Worker->start(conf => { database => $pg->dsn,
    secrets_dir => "$secrets", poll => '50ms' });

my %values = (click_id => 'a b/я', lead_id => '17', offer_id => 'c0de',
    status => 'approved', payout => '150.00', ts => '1614265330');

# RFC 2104, with a key shorter than a block.
sub hmac_md5_hex {
    my ($text, $key) = @_;
    my ($in, $out) = map { my $pad = $_; join '', map { chr(ord ^ $pad) }
        split //, $key . "\0" x (64 - length $key) } 0x36, 0x5c;
    return Digest::MD5::md5_hex($out . Digest::MD5::md5($in . $text));
}

# What was sent, and what is kept of it.
sub sent {
    my ($path, %more) = @_;
    my $id = add_postback($pg, $net->url($path), values => \%values,
        secret => 'token', %more);
    my $detail = wait_state($pg, $id, 'done')->{detail};
    return (($net->requests)[-1], $detail);
}

my ($get, $kept) = sent('/200?campaign_code={campaign_code}'
    . '&order_id={order_id}&status={payment_status:approved=confirmed}'
    . '&revision_sign={hmac_sha1:short,campaign_code+order_id}');
is($get->{uri}, '/200?campaign_code=c0de&order_id=17&status=confirmed'
    . '&revision_sign=' . hmac_sha1_hex('c0de17', 'k3y'),
    'an HMAC is made of the values, one behind the other');
is($kept->{url}, $net->url('/200?campaign_code=c0de&order_id=17'
    . '&status=confirmed&revision_sign=***'),
    'the URL is kept exactly, but for the signature');

my $click = "a b/\xd1\x8f";
($get, $kept) = sent("/200?c={subid}&t={security_token}&s={hmac_sha256:short,"
    . q('id='+clickid+'&st='+status:approved=1 rejected=2}));
is($get->{uri}, '/200?c=a%20b%2F%D1%8F&t=t0ken%2F%26&s='
    . hmac_sha256_hex("id=$click&st=1", 'k3y'),
    'of values as they are, texts and mapped values');
is($kept->{url}, $net->url('/200?c=a%20b%2F%D1%8F&t=***&s=***'),
    'a token is not kept');
($get) = sent('/200?s={hmac_md5:short,payout+ts}');
is($get->{uri}, '/200?s=' . hmac_md5_hex('150.001614265330', 'k3y'), 'or MD5');

my %post = (method => 'POST', content_type => 'application/json');
($get, $kept) = sent('/200', %post, body => '{"click":"{click_id}",'
    . '"token":"{token}","sig":"{hmac_sha1:short,click_id}"}');
is_deeply(json()->decode($get->{body}), { click => 'a b/я',
    token => 't0ken/&', sig => hmac_sha1_hex($click, 'k3y') },
    'a body is signed in the same way');
is_deeply(JSON::PP->new->decode($kept->{body}), { click => 'a b/я',
    token => '***', sig => '***' }, 'and kept without its secrets');
($get, $kept) = sent('/200', %post, body => '"' . 'я' x 600 . '"');
is($kept->{body}, '"' . 'я' x 499, 'of a long one the beginning is kept');

for my $case (
    ['/403?t={token}', 'a refusal', reason => 'status'],
    ['/200?s={hmac_sha1:none,click_id}', 'a missing key',
        reason => 'bad-payload', url => undef],
) {
    my ($path, $what, %want) = @$case;
    my $id = add_postback($pg, $net->url($path), secret => 'token');
    my $detail = wait_state($pg, $id, 'dead')->{detail};
    is($detail->{reason}, $want{reason}, "$what ends as it should");
    is($detail->{url}, exists $want{url} ? undef : $net->url('/403?t=***'),
        'and tells what was sent');
}
my $id = add_postback($pg, 'http://127.0.0.1:1/?t={token}', ports => [],
    secret => 'token');
is(wait_state($pg, $id, 'dead')->{detail}{url}, 'http://127.0.0.1:1/?t=***',
    'what the guard keeps back is told, too');

is($pg->sql(q(select count(*) from leadq.job
    where details::text ~ 'k3y|t0ken')), 0, 'no secret is in the database');
is($worker->term, 0, 'the worker ends well');
unlike($worker->log, qr/k3y|t0ken|c0de|150\.00/, 'and the log says none');

done_testing();
