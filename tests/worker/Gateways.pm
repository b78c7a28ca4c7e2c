package Gateways;

# Simulated gateways for codes, and a document with them: a call whose digits
# are the gateway's, a message with receipts, a messenger that is polled, and
# a judge of captchas.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();

# The handler of Outside::http_server: calls to +7 916 work.
sub answer {
    my ($request) = @_;
    return (200, '{"status":"OK","code":1234,"id":"c-1"}')
        if $request->{uri} =~ m{^/flash/\?to=7916};
    return (503, '') if $request->{uri} =~ m{^/flash/};
    return (200, $request->{uri} =~ /robot/ ? '{"success":false}'
        : '{"success":true}') if $request->{uri} =~ m{^/captcha};
    return (200, '[{"state":"dlv"}]') if $request->{uri} =~ m{^/state};
    return (200, JSON::PP::encode_json({ messages => [{ messageId => 'm-'
        . JSON::PP::decode_json($request->{body})->{id} }] }));
}

sub document {
    my ($net) = @_;
    return JSON::PP::encode_json({ gateways => [
    { name => 'flash', channel => 'call', url => $net->url(
            '/flash/?to={digits}'), chooses_code => JSON::PP::true(),
        ports => [$net->port], answer => { code => 'code', id => 'id' } },
    { name => 'sms', channel => 'sms', method => 'POST', ports => [$net->port],
        url => $net->url('/sms'), content_type => 'application/json',
        body => '{"id":"{send_id}","to":"{digits}","text":"{text}"}',
        answer => { id => 'messages.0.messageId' }, receipts => {
            secret_sha256 => sha256_hex('hush'), id => 'id', status => 'st',
            states => { 1 => 'delivered' } } },
    { name => 'vk', channel => 'messenger', method => 'POST',
        ports => [$net->port], url => $net->url('/vk'),
        content_type => 'application/json',
        body => '{"id":"{send_id}","to":"{digits}","text":"{text}"}',
        answer => { id => 'messages.0.messageId' }, poll => {
            url => $net->url('/state?id={provider_id}'), status => '0.state',
            states => { dlv => 'delivered' }, after => '1 s' } },
    { name => 'judge', channel => 'captcha', ports => [$net->port],
        url => $net->url('/captcha?t={captcha_token}'),
        match => { type => 'json_path', value => 'success=true' } }],
    verifications => [map { { name => $_->[0], limits => $_->[2] || [],
        ($_->[2] ? (captcha => 'judge') : ()),
        steps => [map { { gateway => $_, timeout => '60 s', $_ eq 'flash' ? ()
            : (text => { ru => 'Code {code}.' }) } } @{ $_->[1] }] } }
        ['landing', ['flash', 'sms']], ['sms', ['sms']], ['vk', ['vk']],
        ['careful', ['sms'], [{ name => 'all', by => 'ip', max => 1,
            per => '1 day', mode => 'captcha' }]]] });
}

1;
