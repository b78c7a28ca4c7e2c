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
use Leadq::Test qw(http run slurp spew tempdir);

my $CONF = abs_path(dirname(__FILE__) . '/../../../conf/nginx');
my $json = JSON::PP->new->utf8->canonical;

# Options: pg (a Leadq::Postgres), users => [names], workers (of nginx),
# database (more options of leadq_database), login (the URL of a service that
# vouches for advisors, in the place of passwords, as leadq-desk.conf tells).
sub start {
    my ($class, %options) = @_;

    my $self = bless { dir => tempdir(), pg => $options{pg} }, $class;
    spew($self->key($_), '1 ' . ('5e' x 32) . "\n") for qw(links checks);
    spew("$self->{dir}/users",
        join '', map { "$_:{PLAIN}secret\n" } @{ $options{users} });
    my $http = join "\n", slurp("$CONF/leadq.conf") =~ /^(leadq_key [^;]*;
        |leadq_limit_zone [^;]*;
        |map [ ]\$(?:remote_user|leadq_advisor|request_id|leadq_id) .*?^\})/msgx;
    $http =~ s{(leadq_key +(\w+)) [^;]*;}{"$1 " . $self->key($2) . ';'}ge;
    my $dsn = $self->{pg}->dsn(user => 'leadq_web');
    my $server = $options{login} ? $self->_login(\$http, $options{login})
        : slurp("$CONF/leadq-desk.conf");
    $self->{nginx} = Leadq::Nginx->start(workers => $options{workers},
        http => join('', map { qq(leadq_database $_ "$dsn" )
            . ($options{database} || '') . '; ' } qw(main report)) . $http,
        server => $server
            =~ s{/etc/leadq/desk\.htpasswd}{$self->{dir}/users}gr);
    return $self;
}

# The include without passwords, by the very command that it names.
sub _login {
    my ($self, $http, $url) = @_;

    my $file = "$CONF/leadq-desk.conf";
    my ($sed) = slurp($file) =~ /^#\s+(sed .*)$/m or die "$file has no sed\n";
    my ($rc, $server) = run('sh', '-c', "$sed $file");
    $rc == 0 && $server !~ /^\s*auth_basic/m or die "$sed: $server\n";
    $$http =~ s{map \$remote_user \$leadq_advisor.*?^\}}
        {map \$leadq_login \$leadq_advisor { default \$leadq_login; }}ms
        or die "leadq.conf has no map of advisors\n";
    return $server =~ s{/usr/share/leadq/nginx}{$CONF}gr
        . "location = /oauth2/auth { internal; proxy_pass $url;
            proxy_pass_request_body off; proxy_set_header Content-Length ''; }";
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
