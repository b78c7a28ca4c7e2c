package Leadq::Site;

# A whole leadq on this machine: the sample site and the sample document of
# conf/ with local addresses, a private PostgreSQL, the worker, and the
# sandbox outside world.  For the demo and the tests of the whole.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use JSON::PP ();
use POSIX ();

use Leadq::Test qw(free_port tempdir slurp spew unprivileged);
use Leadq::Nginx;
use Leadq::Postgres;
use Leadq::Worker;
use Leadq::World;

my $ROOT = abs_path(dirname(__FILE__) . '/../../..');

# The longest path of a unix socket's directory, less the socket's own name.
my $SOCKET_DIR_MAX = 80;

# Options: dir (default temporary), host (default 127.0.0.1), port and
# world_port (default free ones); workers (of nginx), worker => {key => value}
# of worker.conf, world => {option => value} of world.js; people => 1: the
# outside world of people.js; unlimited => 1 for a site without the limits per
# address.
sub new {
    my ($class, %options) = @_;

    my $self = bless {}, $class;
    $self->{tempdir} = tempdir() if !$options{dir};
    $self->{dir} = $options{dir} || "$self->{tempdir}";
    $self->{host} = $options{host} || '127.0.0.1';
    $self->{port} = $options{port} || free_port();
    $self->{world_port} = $options{world_port} || 0;
    $self->{password} = random_hex(8);
    $self->{options} = \%options;
    return $self;
}

# new and up in one.
sub start {
    my ($class, %options) = @_;
    return $class->new(%options)->up;
}

# Starts everything; calls $on_step with a text after each step.
sub up {
    my ($self, $on_step) = @_;

    $on_step ||= sub { };
    make_path(map { "$self->{dir}/$_" } qw(nginx worker secrets));
    $self->_up_database;
    $on_step->('a private PostgreSQL, and the schema: leadqctl migrate');

    $self->{world} = Leadq::World->start(host => $self->{host},
        http => $self->{world_port}, landing => $self->url('/'),
        log => "$self->{dir}/world.log", %{ $self->{options}{world} || {} },
        $self->{options}{people} ? (people => $self->url('')) : ());
    $on_step->('an outside world: a mail server, a CPA network, SMS and calls');

    $self->{pg}->import_config($self->_document);
    $self->_up_gateways if !$self->{options}{people};
    $on_step->('letters, series, networks, codes: leadqctl config import');

    $self->_up_web;
    $on_step->('nginx with the module and the sample site');

    $self->_up_worker;
    $on_step->('the worker');
    return $self;
}

sub _up_database {
    my ($self) = @_;

    $self->{pg} = Leadq::Postgres->start($self->_postgres_dir);
    $self->{pg}->migrate;
    return;
}

# Gateways of the outside world, and what is sent by them.
sub _up_gateways {
    my ($self) = @_;

    my $receipts = random_hex(16);
    my $sha256 = sha256_hex($receipts);
    $self->{pg}->import_config($_) for $self->_verifications($sha256),
        $self->_programmes($sha256);
    $self->{world}->gateways(call => { shape => 'smsru-call' },
        map { $_ => { receipts => $self->url("/v1/receipts/$_/$receipts") } }
            qw(sms bulk));
    spew("$self->{dir}/secrets/$_", random_hex(8) . "\n")
        for qw(sms smsru bulk);
    return;
}

sub _up_web {
    my ($self) = @_;

    my ($http, $server) = $self->_nginx_conf;
    $self->{nginx} = Leadq::Nginx->start(dir => "$self->{dir}/nginx",
        port => $self->{port}, http => $http, server => $server,
        workers => $self->{options}{workers});
    return;
}

sub _up_worker {
    my ($self) = @_;

    $self->{worker} = Leadq::Worker->start(dir => "$self->{dir}/worker",
        conf => {
            database => $self->{pg}->dsn(user => 'leadq_worker'),
            keys => $self->key,
            code_keys => $self->key('codes'),
            check_keys => $self->key('checks'),
            secrets_dir => "$self->{dir}/secrets",
            smtp_url => $self->{world}->smtp_url,
            smtp_tls => 'off',
            poll => '200ms',
            shutdown_timeout => '5s',
            %{ $self->{options}{worker} || {} },
        });
    return;
}

sub pg { return $_[0]{pg} }

sub world { return $_[0]{world} }

sub nginx { return $_[0]{nginx} }

sub worker { return $_[0]{worker} }

# What anna says, an advisor who sees the reports as well, olga, who is a
# supervisor, and others of the tests.
sub password { return $_[0]{password} }

# A key file; the one that signs links, unless another is named.
sub key {
    my ($self, $name) = @_;

    my $path = "$self->{dir}/" . ($name || 'links') . '.key';
    if (!-e $path) {
        spew($path, '1 ' . random_hex(32) . "\n");
        chmod 0600, $path;
    }
    return $path;
}

sub url {
    my ($self, $path) = @_;
    return "http://$self->{host}:$self->{port}$path";
}

sub random_hex {
    my ($bytes) = @_;

    open my $fh, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    read($fh, my $random, $bytes) == $bytes or die "/dev/urandom: $!\n";
    return unpack 'H*', $random;
}

# (dir => ...) for the cluster; none, so temporary, when PostgreSQL's user
# cannot get there or a unix socket's path would be too long.
sub _postgres_dir {
    my ($self) = @_;

    my $dir = "$self->{dir}/postgres";
    make_path($dir);
    return if length $dir > $SOCKET_DIR_MAX;
    if (my @ids = unprivileged()) {
        my $pid = fork;
        defined $pid or die "fork: $!\n";
        if ($pid == 0) {
            POSIX::setgid($ids[1]);
            POSIX::setuid($ids[0]);
            POSIX::_exit(chdir($dir) ? 0 : 1);
        }
        waitpid $pid, 0;
        return if $? != 0;
    }
    return (dir => $dir);
}

# The sample document with the addresses of this site.
sub _document {
    my ($self) = @_;

    my $document = JSON::PP::decode_json(slurp("$ROOT/conf/leadq.json"));
    for my $source (@{ $document->{sources} }) {
        $source->{base_url} = $self->url('');
    }
    for my $network (@{ $document->{networks} }) {
        next if $network->{name} ne 'demo';
        my $world = $self->{world}->url('/');
        $network->{url} =~ s{^https?://[^/]+/}{$world}
            or die "conf/leadq.json: unexpected URL of network demo\n";
        $network->{ports} = [$world =~ /:(\d+)/ ? int $1 : ()];
    }
    make_path("$self->{dir}/letters");
    for my $letter (glob "$ROOT/conf/letters/*") {
        copy($letter, "$self->{dir}/letters/") or die "$letter: $!\n";
    }
    spew("$self->{dir}/leadq.json",
        JSON::PP->new->canonical->pretty->utf8->encode($document));
    return "$self->{dir}/leadq.json";
}

# The sample of verifications: a call that chooses its digits, then an SMS, both
# by the outside world.
sub _verifications {
    my ($self, $receipts_sha256) = @_;

    my $json = JSON::PP->new->utf8;
    my $document = $json->decode(slurp("$ROOT/conf/verifications.json"));
    my $ready = $json->decode(slurp("$ROOT/conf/gateways/smsru-call.json"));
    my ($sms) = @{ $document->{gateways} };
    my ($call) = @{ $ready->{gateways} };
    my ($landing) = grep { $_->{name} eq 'landing' }
        @{ $document->{verifications} };

    $sms->{receipts}{secret_sha256} = $receipts_sha256;
    $call->{name} = 'call';
    push @{ $document->{gateways} }, $call;
    unshift @{ $landing->{steps} }, { gateway => 'call', timeout => '20 s' };
    $self->_lead_to_world($sms, $call);
    return $self->_write('verifications', $document);
}

# The sample of points, advisors and codes, whose messages go to the outside
# world; it is the middle of the day there, whenever this runs.
sub _programmes {
    my ($self, $receipts_sha256) = @_;

    my $document = JSON::PP->new->utf8->decode(
        slurp("$ROOT/conf/programmes.json"));
    my ($bulk) = @{ $document->{gateways} };
    my $east = 13 - (gmtime)[2];
    $bulk->{receipts}{secret_sha256} = $receipts_sha256;
    $self->_lead_to_world($bulk);
    # the signs of these names are the other way round
    $_->{time_zone} = sprintf 'Etc/GMT%s%d', $east > 0 ? '-' : '+', abs $east
        for @{ $document->{points} };
    return $self->_write('programmes', $document);
}

sub _lead_to_world {
    my ($self, @gateways) = @_;

    for my $gateway (@gateways) {
        my $world = $self->{world}->url("/gateway/$gateway->{name}/");
        $gateway->{url} =~ s{^https?://[^/]+/}{$world};
        $gateway->{ports} = [$world =~ /:(\d+)/ ? int $1 : ()];
    }
    return;
}

sub _write {
    my ($self, $name, $document) = @_;

    delete $document->{'$schema'};
    spew("$self->{dir}/$name.json",
        JSON::PP->new->utf8->canonical->pretty->encode($document));
    return "$self->{dir}/$name.json";
}

# (text for http, text for server) from the sample site: what is the
# operator's own there gets local values, TLS goes.
sub _nginx_conf {
    my ($self) = @_;

    my $text = slurp("$ROOT/conf/nginx/leadq.conf");
    my ($http) = $text =~ /\A(.*?)^server \{/ms;
    my ($server) = $text =~ /.*^server \{\n(.*)^\}/ms;
    defined $http && defined $server
        or die "conf/nginx/leadq.conf: no server found\n";

    $server =~ s{^ *include /usr/share/leadq/(nginx/leadq-\w+\.conf);\n}
        {slurp("$ROOT/conf/$1")}gme == 3 or die 'includes';
    my $dsn = $self->{pg}->dsn(user => 'leadq_web');
    $http =~ s/(leadq_database \w+) "[^"]*"/$1 "$dsn"/g or die 'database';
    $http =~ s/(leadq_key +(\w+)) [^;]*;/"$1 " . $self->key($2) . ';'/ge
        or die 'key';
    $server =~ s/^ *(?:listen|server_name|ssl_\w+|error_log) [^;]*;.*\n//gm;
    $server =~ s/^ *add_header Strict-[^;]*;\n//m;
    $server =~ s{(root) [^;]*;}{$1 $ROOT/conf/html;} or die 'root';
    $server =~ s{(access_log) [^;]*;}{$1 $self->{dir}/access.log leadq;}
        or die 'access_log';
    my $users = "$self->{dir}/report.htpasswd";
    spew($users, join '', map { "$_:{PLAIN}$self->{password}\n" }
        qw(anna olga vera lena nina));
    $server =~ s{(auth_basic_user_file) [^;]*;}{$1 $users;}g or die 'users';
    $server =~ s/^ *(?:limit_(?:req|conn)|leadq_limit) [^;]*;\n//gm
        if $self->{options}{unlimited};
    # where "make install" would have put it
    $server .= "    location = /echarts.min.js { alias $ROOT/build/"
        . "node_modules/echarts/dist/echarts.common.min.js; }\n";
    $server .= "    listen $self->{host}:$self->{port};\n"
        if $self->{host} ne '127.0.0.1';
    return ("    include /etc/nginx/mime.types;\n$http", $server);
}

# Ends everything, the worker first, so that what is in flight is settled.
sub stop {
    my ($self) = @_;

    eval { $self->{worker}->term } if $self->{worker};
    $self->{nginx}->quit if $self->{nginx};
    $self->{world}->stop if $self->{world};
    $self->{pg}->stop('fast') if $self->{pg};
    return;
}

1;
