package Leadq::Link;

# Signs links as the worker does, for tests that cannot wait for a letter.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);

use Leadq::Test qw(slurp);

# The token for a message's uuid; options: purpose, expires (unix seconds).
sub token {
    my ($key_file, $uuid, %options) = @_;

    my ($id, $hex) = slurp($key_file) =~ /^(\d+) ([0-9a-f]+)/m
        or die "$key_file: no key\n";
    my $expires = $options{expires} || time + 86400;
    (my $subject = $uuid) =~ tr/-//d;
    my $payload = pack 'C C C N H32', 1, $id, $expires >> 32,
        $expires & 0xffffffff, $subject;
    my $purpose = $options{purpose} || 'confirm';
    my $mac = hmac_sha256("$purpose\0$payload", pack 'H*', $hex);
    return encode_base64url($payload . substr $mac, 0, 16);
}

1;
