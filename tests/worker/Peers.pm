package Peers;

# Simulated networks for the ready-made definitions of conf/networks/: each
# looks at a request as the real one does, answers in its words, and keeps
# its own books.  The first part of the path names the network.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha1_hex hmac_sha256_base64 hmac_sha256_hex);
use JSON::PP ();

our %SECRETS = ((map { $_ => "s3cret-$_" } qw(keitaro affise everflow tune
    scaleo admitad altercpa)), 'admitad.revision' => 'r3vision',
    'generic.sign' => 'a key of sixteen bytes and more');

# click, order, money: names of parameters; secret: parameter or path.  of:
# what a status means; only: it is no parameter, each call is an approval.
my %peers = (
    keitaro => { path => '/s3cret-keitaro/postback', click => 'subid',
        order => 'tid', status => 'status', money => 'payout',
        of => { sale => 'approved', rejected => 'rejected',
            lead => 'processed' }, says => 'Success' },
    binom => { path => '/click.php', click => 'cnv_id', money => 'payout',
        status => 'cnv_status', of => { lead => 'processed',
            approved => 'approved', rejected => 'rejected' }, says => '' },
    voluum => { path => '/postback', click => 'cid', order => 'txid',
        money => 'payout', status => 'et', of => { lead => 'processed',
            sale => 'approved', rejected => 'rejected', hold => 'hold' },
        says => '' },
    affise => { path => '/postback', click => 'clickid',
        order => 'action_id', money => 'sum', secret => 'secure',
        status => 'status', of => { 2 => 'processed', 1 => 'approved',
            3 => 'rejected', 5 => 'hold' },
        says => '{"status":1,"message":"ok"}',
        refuses => [200, '{"status":2,"message":"error"}'] },
    everflow => { path => '/', click => 'transaction_id',
        order => 'order_id', money => 'amount',
        secret => 'verification_token', offer => 'nid', says => '' },
    tune => { path => '/aff_lsr', click => 'transaction_id',
        secret => 'security_token', offer => 'offer_id',
        says => 'success=true;17',
        refuses => [200, 'success=false;err_msg=no'] },
    scaleo => { path => '/track/conv-addchange', click => 'click_id',
        money => 'payout', secret => 'token', status => 'conv_status',
        of => { pending => 'processed', approved => 'approved',
            rejected => 'rejected' }, says => 'OK' },
    admitad => { path => qr{^/(?:tt|revision)$}, click => 'uid',
        order => 'order_id', money => 'price', secret => 'postback_key',
        offer => 'campaign_code', status => 'status',
        of => { pending => 'processed', approved => 'approved',
            declined => 'rejected' }, says => '', check => sub {
            my ($q) = @_;
            return $q->{revision_sign} eq hmac_sha1_hex(
                $q->{campaign_code} . $q->{order_id}, 'r3vision');
        } },
    altercpa => { path => qr{^/s3cret-altercpa/(\w+)$}, click => 'click',
        order => 'order', money => 'sum', of => { wait => 'processed',
            approve => 'approved', cancel => 'rejected', hold => 'hold' },
        says => 'ok' },
    generic => { path => '/postback', click => 'click_id',
        order => 'order_id', money => 'payout', status => 'status',
        offer => 'offer_id', of => { map { $_ => $_ } qw(processed approved
            rejected hold) }, says => 'ok', check => sub {
            my (undef, $request) = @_;
            my ($query, $sig) = $request->{uri} =~ /\?(.*)&sig=(.*)/;
            return $sig eq hmac_sha256_hex($query, $SECRETS{'generic.sign'});
        } },
    'generic-json' => { path => '/v1/conversions', click => 'click_id',
        order => 'order_id', money => 'amount', status => 'status',
        offer => 'offer_id', of => { pending => 'processed',
            confirmed => 'approved', declined => 'rejected',
            hold => 'hold' }, says => '{"status":"ok"}', check => sub {
            my (undef, $request) = @_;
            my $h = $request->{headers};
            return $h->{'webhook-signature'} eq 'v1,' . hmac_sha256_base64(
                "$h->{'webhook-id'}.$h->{'webhook-timestamp'}."
                    . $request->{body}, $SECRETS{'generic.sign'}) . '=';
        } },
);

my %books; # network, click => [[status, money], ...]
my @wrong;

sub names { return sort keys %peers }

sub _refuse {
    my ($name, $why) = @_;
    push @wrong, "$name: $why";
    return @{ $peers{$name}{refuses} || [403, 'no'] };
}

# The handler of Outside::http_server.  /books: what everybody has counted.
sub answer {
    my ($request) = @_;
    my ($name, $path, $query) = $request->{uri}
        =~ m{^/([\w-]+)(/[^?]*)?(?:\?(.*))?$};
    return (200, JSON::PP::encode_json({ books => \%books,
        wrong => \@wrong })) if $name eq 'books';
    my $peer = $peers{$name} or return (404, '');
    my %q = map { my ($k, $v) = split /=/, $_, 2;
        $v =~ s/%(..)/chr hex $1/ge; ($k => $v) } split /&/, $query || '';
    %q = %{ JSON::PP::decode_json($request->{body}) } if $request->{body};

    my $word = $peer->{status} ? $q{ $peer->{status} } : undef;
    if (ref $peer->{path}) {
        $path =~ $peer->{path} or return _refuse($name, "path $path");
        $word //= $1;
    } elsif ($path ne $peer->{path}) {
        return _refuse($name, "path $path");
    }
    my $status = $peer->{of} ? $peer->{of}{ $word // '' } : 'approved'
        or return _refuse($name, 'status ' . ($word // ''));
    my $click = $q{ $peer->{click} } // '';
    $click =~ /^click-\w+$/ or return _refuse($name, "click $click");
    return _refuse($name, 'secret') if $peer->{secret}
        && $q{ $peer->{secret} } ne $SECRETS{$name};
    return _refuse($name, 'offer') if $peer->{offer}
        && $q{ $peer->{offer} } ne "offer-$name";
    return _refuse($name, 'order') if $peer->{order}
        && $q{ $peer->{order} } !~ /^[0-9a-f-]{36}$/;
    return _refuse($name, 'signature') if $peer->{check}
        && !$peer->{check}->(\%q, $request);
    push @{ $books{$name}{$click} },
        [$status, $peer->{money} ? $q{ $peer->{money} } : undef];
    return (200, $peer->{says});
}

1;
