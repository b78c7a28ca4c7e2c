#!/usr/bin/perl

# TLS with a certificate that is verified against the name, and a password
# from a file: it works, and whatever is wrong is refused with a reason.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;

use Door qw(postgres post codes);
use Leadq::Nginx;
use Leadq::Test qw(run sanitizers spew tempdir unprivileged wait_for);
use Load;
use Names;
use Probe;

my $dir = tempdir();
my $names = Names->start('other.test' => '127.0.0.1');

# --- an authority, and a certificate for db.test
sub openssl {
    my ($rc, $out) = run('openssl', @_);
    $rc == 0 or die "openssl: $out";
    return;
}

for my $ca ('ca', 'stranger') {
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 2,
        '-subj', "/CN=$ca", '-keyout', "$dir/$ca.key", '-out', "$dir/$ca.crt");
}
openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=db.test',
    '-keyout', "$dir/db.key", '-out', "$dir/db.csr");
spew("$dir/ext", "subjectAltName=DNS:db.test\n");
openssl('x509', '-req', '-in', "$dir/db.csr", '-days', 2, '-extfile',
    "$dir/ext", '-CA', "$dir/ca.crt", '-CAkey', "$dir/ca.key",
    '-CAcreateserial', '-out', "$dir/db.crt");
my @ids = unprivileged();
chown @ids, "$dir/db.key" or die "chown: $!\n" if @ids;
chmod 0600, "$dir/db.key" or die "chmod: $!\n";

# --- a server that wants TLS and a password
my $pg = postgres(listen => '127.0.0.1', conf => { ssl => 'on',
    ssl_cert_file => "$dir/db.crt", ssl_key_file => "$dir/db.key",
    password_encryption => 'scram-sha-256' });
my ($port) = $pg->dsn =~ /port=(\d+)/;
$pg->sql(q(create role web login password 'cap and gown';
    grant usage on schema leadq to web;
    grant select, insert on leadq.row to web));
spew($pg->dir . '/data/pg_hba.conf', "local all postgres trust\n"
    . "hostssl all web 127.0.0.1/32 scram-sha-256\n");
$pg->sql('select pg_reload_conf()');

sub passfile {
    my ($name, $text) = @_;
    spew("$dir/$name", $text);
    chmod 0600, "$dir/$name" or die "chmod: $!\n";
    return "$dir/$name";
}

passfile('pass', "db.test:*:leadq:web:cap and gown\n"
    . "other.test:*:leadq:web:cap and gown\n");
passfile('wrong', "*:*:*:*:hat and coat\n");

my $server = 'location = /echo { leadq_pass main echo;
    leadq_field name text max=8000; }
    location = /alive { return 200 alive; }';

sub http_text {
    my (%options) = @_;
    my %all = (host => 'db.test', sslrootcert => "$dir/ca.crt",
        passfile => "$dir/pass", sslmode => 'verify-full', %options);
    return $names->resolver . 'leadq_database main "'
        . join(' ', map { "$_=$all{$_}" } grep { $all{$_} } sort keys %all)
        . qq( port=$port dbname=leadq user=web" timeout=30s lifetime=2s;);
}

# --- all is right
my $ng = Leadq::Nginx->start(http => http_text(), server => $server);
wait_for('lanes over TLS', 15, sub {
    post($ng->url('/echo'), '{"name":"a"}')->{status} == 201 });
is($pg->sql(q(select string_agg(distinct ssl::text, ' ') from pg_stat_ssl
    join pg_stat_activity using (pid) where usename = 'web')), 'true',
    'lanes speak TLS');
my $big = 'x' x 7900;
my $load = Load->start(port => $ng->port, path => '/echo', connections => 32,
    body => sub { qq({"name":"$_[0]$big"}) });
my $probe = Probe->start($ng);
sub rows { return $pg->sql('select count(*) from leadq.row') }
for my $mode ('fast', 'immediate') {
    my $rows = rows();
    wait_for('some load', 60, sub { rows() > $rows + 300 });
    $pg->restart($mode);
}
my $rows = rows();
wait_for('more load', 60, sub { rows() > $rows + 300 });
my ($result, $loop) = ($load->stop, $probe->stop);
$pg->sql(q(update leadq.row set request = jsonb_build_object('name',
    rtrim(request ->> 'name', 'x'))));
is_deeply([Load::compare($result, $pg)], [0, 0],
    'restarts under load: every answered row is there once');
is_deeply([keys %{ $result->{status} }, $result->{cut}], [201, 0],
    'clients saw a delay and no error') or diag(explain($result->{status}));
# Under the sanitizers a handshake alone costs 200 to 300 ms, as much as a call
# that blocks: only what takes longer tells anything there.
ok(sanitizers() ? $loop->{worst} < 1000 : !$loop->{stood},
    'the event loop never stood still, handshakes included');
note("$result->{sent} requests, loop $loop->{worst} ms in $loop->{n} probes");
is($ng->alarms, '', 'nothing alarming is in the log');
$ng->quit;

# --- something is wrong
my @refused = (
    ['another name', { host => 'other.test' },
        qr/certificate for "db.test" does not match host name "other.test"/],
    ['another authority', { sslrootcert => "$dir/stranger.crt" },
        qr/certificate verify failed/],
    ['another password', { passfile => "$dir/wrong" },
        qr/password authentication failed for user "web"/],
    ['no password', { passfile => '' }, qr/no password supplied/],
    ['no TLS', { sslmode => 'disable' }, qr/no pg_hba.conf entry/],
);
for my $case (@refused) {
    my ($what, $options, $message) = @$case;
    $ng = Leadq::Nginx->start(http => http_text(%$options),
        server => $server);
    wait_for($what, 15, sub { $ng->log =~ /\[error\].*does not come up/ });
    like($ng->log, qr/does not come up: [^\n]*$message/,
        "$what: refused with a reason");
    unlike($ng->log, qr/cap and gown|hat and coat/, "$what: no password");
    is($ng->alarms, '', "$what: nothing alarming is in the log");
    $ng->quit;
}

done_testing();
