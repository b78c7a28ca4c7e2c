package Door;

# The test schema, an nginx in front of it, and short ways to ask it.

use strict;
use warnings;

use Exporter 'import';
use FindBin ();
use IO::Socket::INET ();
use JSON::PP ();

use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Test qw(http);

our @EXPORT_OK = qw(postgres post form codes raw);

# A cluster with schema.sql in it.
sub postgres {
    my (%options) = @_;
    my $pg = Leadq::Postgres->start(%options);
    $pg->sql_file("$FindBin::Bin/schema.sql");
    return $pg;
}

# Posts JSON text.
sub post {
    my ($url, $text, %headers) = @_;
    return http('POST', $url, { content => $text,
        headers => { 'content-type' => 'application/json', %headers } });
}

# Posts an urlencoded form.
sub form {
    my ($url, $text, %headers) = @_;
    return post($url, $text,
        'content-type' => 'application/x-www-form-urlencoded', %headers);
}

# Sends bytes as they are and returns all that comes until the end.
sub raw {
    my ($port, @pieces) = @_;
    my $fh = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port) or die "connect: $!\n";
    $fh->autoflush(1);
    for my $piece (@pieces) {
        print {$fh} $piece;
        select undef, undef, undef, 0.02 if @pieces > 1;
    }
    local $/ = undef;
    return scalar <$fh>;
}

# "422 email.email-no-at phone.required", or "400 bad-json": what a problem
# says, after checking that it is one.
sub codes {
    my ($response) = @_;

    my $status = $response->{status};
    my $type = $response->{headers}{'content-type'} || 'no type';
    return "$status $type" if $type ne 'application/problem+json';
    my $problem = JSON::PP->new->utf8->decode($response->{content});
    return "$status but $problem->{status}" if $problem->{status} != $status;
    my ($code) = $problem->{type} =~ /^urn:leadq:problem:([a-z-]+)$/
        or return "$status $problem->{type}";
    return join ' ', $status, map { "$_->{field}.$_->{code}" }
        @{ $problem->{errors} } if $problem->{errors};
    return "$status $code";
}

1;
