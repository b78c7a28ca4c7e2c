package Leadq::Desk;

# nginx with what advisors have, as the sample site has it: the include
# leadq-desk.conf and what that needs.  Every advisor's password is "secret".

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

use Leadq::Nginx;
use Leadq::Test qw(http slurp spew tempdir);

my $CONF = abs_path(dirname(__FILE__) . '/../../../conf/nginx');
my $json = JSON::PP->new->utf8->canonical;

# Options: pg (a Leadq::Postgres), users => [names], workers (of nginx),
# database (more options of leadq_database).
sub start {
    my ($class, %options) = @_;

    my $self = bless { dir => tempdir(), pg => $options{pg} }, $class;
    spew($self->key($_), '1 ' . ('5e' x 32) . "\n") for qw(links checks);
    spew("$self->{dir}/users",
        join '', map { "$_:{PLAIN}secret\n" } @{ $options{users} });
    my $http = join "\n", slurp("$CONF/leadq.conf") =~ /^(leadq_key [^;]*;
        |leadq_limit_zone [^;]*;
        |map [ ]\$(?:remote_user|request_id|leadq_id) .*?^\})/msgx;
    $http =~ s{(leadq_key +(\w+)) [^;]*;}{"$1 " . $self->key($2) . ';'}ge;
    my $dsn = $self->{pg}->dsn(user => 'leadq_web');
    $self->{nginx} = Leadq::Nginx->start(workers => $options{workers},
        http => join('', map { qq(leadq_database $_ "$dsn" )
            . ($options{database} || '') . '; ' } qw(main report)) . $http,
        server => slurp("$CONF/leadq-desk.conf")
            =~ s{/etc/leadq/desk\.htpasswd}{$self->{dir}/users}gr);
    return $self;
}

sub nginx { return $_[0]{nginx} }

# The file of a key, for the worker.
sub key { return "$_[0]{dir}/$_[1].key" }

# What a browser of that advisor (undef: nobody) says besides its session.
sub headers {
    my ($self, $advisor) = @_;
    return ('sec-fetch-site' => 'same-origin', accept => 'application/json',
        defined $advisor ? (authorization => 'Basic '
            . encode_base64("$advisor:secret", '')) : ());
}

# One request of an advisor, in his session: {status, type, body (decoded),
# headers}.  $body: a hash, or undef.
sub ask {
    my ($self, $advisor, $method, $path, $body, %headers) = @_;

    my $session = $self->{session}{ $advisor // '' };
    my $r = http($method, $self->{nginx}->url($path), { headers => {
        $self->headers($advisor), $session ? ('leadq-session' => $session)
            : (), $body ? ('content-type' => 'application/json') : (),
        %headers },
        $body ? (content => $json->encode($body)) : () });
    $self->{session}{ $advisor // '' } ||= $r->{headers}{'leadq-session'};
    my $type = $r->{headers}{'content-type'} // '';
    return { status => $r->{status}, type => $type, text => $r->{content},
        headers => $r->{headers},
        body => $type =~ /json/ ? $json->decode($r->{content}) : {} };
}

# The session of an advisor, begun if there is none.
sub session {
    my ($self, $advisor) = @_;
    $self->ask($advisor, 'POST', '/v1/desk/verifications', {})
        if !$self->{session}{$advisor};
    return $self->{session}{$advisor};
}

1;
