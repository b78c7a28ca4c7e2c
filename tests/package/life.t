# The packages on a machine: installed, used as the manual says, upgraded
# under load, removed, purged.

use strict;
use warnings;

use FindBin ();
use HTTP::Tiny ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use lib $FindBin::Bin;
use Box;
use Leadq::Postgres;
use Leadq::Test qw(run slurp spew wait_for);

my $missing = $ENV{LEADQ_BOX} ? undef : Box::missing();
plan(skip_all => $missing) if $missing;
Box::enter(__FILE__);

my @names = qw(libnginx-mod-http-leadq leadq-worker leadq-sql);
my $module = '/usr/lib/nginx/modules/ngx_http_leadq_module.so';
my $conf = '/etc/leadq/worker.conf';
local @ENV{qw(DEBIAN_FRONTEND PATH)} = ('noninteractive',
    '/usr/sbin:/usr/bin:/sbin:/bin');

sub succeeds {
    my ($what, @command) = @_;
    my ($rc, $out) = run(@command);
    is($rc, 0, $what) or diag($out);
    return $out;
}

# As root would edit it: each [from, to] must be found.
sub edit {
    my ($path, @changes) = @_;
    my $text = slurp($path);
    for my $change (@changes) {
        my ($from, $to) = @$change;
        $text =~ s/$from/$to/m or die "$path: no $from\n";
    }
    open my $fh, '>', $path or die "$path: $!\n";
    print {$fh} $text;
    return close $fh;
}

sub post {
    my ($address, $email) = @_;
    return HTTP::Tiny->new(local_address => $address, timeout => 20,
        max_redirect => 0)->post('http://127.0.0.1/v1/leads', {
            headers => { 'Content-Type' => 'application/json',
                Accept => 'application/json' },
            content => qq({"email":"$email","consent_pd":true}) })->{status};
}

# What the layer holds of leadq.
sub changed {
    return split /\n/, (run('find', $Box::LAYER, '-iname', '*leadq*', '-o',
        '-path', '*/etc/leadq/*'))[1];
}
my %before = map { $_ => 1 } changed();

# --- installed ----------------------------------------------------------------

my $pg = Leadq::Postgres->start;
succeeds('the packages are installed', 'dpkg', '-i', map { Box::deb($_) }
    @names);
ok(getpwnam('leadq'), 'there is the user leadq');
my ($mode, $uid, $gid) = (stat $conf)[2, 4, 5];
is(sprintf('%o %s:%s', $mode & 07777, scalar getpwuid $uid,
    scalar getgrgid $gid), '640 root:leadq', 'worker.conf is for the worker');
is(readlink '/etc/nginx/modules-enabled/50-mod-http-leadq.conf',
    '/usr/share/nginx/modules-available/mod-http-leadq.conf',
    'the module is enabled');

# --- used ---------------------------------------------------------------------

succeeds('leadqctl finds the schema', 'leadqctl', 'migrate', '-d', $pg->dsn);
succeeds('leadqctl takes the sample document', 'leadqctl', 'config',
    'import', '-d', $pg->dsn, '/usr/share/leadq/leadq.json');
for my $key (map { "/etc/leadq/$_.key" } qw(links checks)) {
    spew($key, '1 ' . ('5a' x 32) . "\n");
    chmod 0600, $key;
}

my $site = '/etc/nginx/conf.d/leadq.conf';
spew($site, slurp('/usr/share/leadq/nginx/leadq.conf')
    =~ s/^server \{.*?^\}\n//msr =~ s/^ *ssl_\w+ [^;]*;.*\n//mgr);
edit($site, ['main "[^"]*"', 'main "' . $pg->dsn(user => 'leadq_web') . '"'],
    ['report "[^"]*"', 'report "' . $pg->dsn(user => 'leadq_web') . '"'],
    ['listen 443 ssl http2', 'listen 80'],
    ['server_name \S+', 'server_name 127.0.0.1;']);
unlink '/etc/nginx/sites-enabled/default';
succeeds('nginx takes the sample site', 'nginx', '-t');
succeeds('nginx is started', '/etc/init.d/nginx', 'start');
wait_for('nginx listens', 20, sub { post('127.0.0.2', 'x') != 599 });
is(post('127.0.0.2', 'anna@example.ru'), 202, 'nginx takes a lead');
is($pg->sql('select count(*) from leadq.lead'), 1, 'which is in the base');

edit($conf, ['^database = .*',
        'database = ' . $pg->dsn(user => 'leadq_worker')],
    ['^smtp_url = .*', "smtp_url = smtp://127.0.0.1:9\nresolver = off"]);
mkdir '/run/credentials';
succeeds('the credentials are given', 'install', '-o', 'leadq', '-m', '400',
    '-D', '/etc/leadq/links.key', '/run/credentials/leadq/links.key');
my @as_leadq = ('env', 'CREDENTIALS_DIRECTORY=/run/credentials/leadq',
    'setpriv', '--reuid=leadq', '--regid=leadq', '--clear-groups',
    '--no-new-privs', '--inh-caps=-all');
succeeds('root checks worker.conf', 'leadq-worker', '-t');
succeeds('the worker may read it', @as_leadq, 'leadq-worker', '-t');
my $worker = fork;
if ($worker == 0) {
    open STDERR, '>', '/tmp/worker.log';
    exec @as_leadq, 'leadq-worker' or die;
}
wait_for('the worker tries to send the letter', 60, sub {
    slurp('/tmp/worker.log') =~ /job settle .*kind=letter\b.*outcome=retry/;
});
pass('the worker of the package works, as leadq');
kill 'TERM', $worker;
waitpid $worker, 0;
is($?, 0, 'and ends well');

# --- upgraded, under load -----------------------------------------------------

my $client = fork;
if ($client == 0) {
    my ($running, %count, $n) = (1);
    local $SIG{TERM} = sub { $running = 0 };
    while ($running) {
        $n++;
        $count{ post('127.1.' . int($n / 200) % 200 . '.' . (1 + $n % 200),
            "load$n\@example.ru") }++;
        spew('/tmp/load.tmp', join ' ', map { "$_=$count{$_}" }
            sort keys %count);
        rename '/tmp/load.tmp', '/tmp/load';
    }
    POSIX::_exit(0);
}
sub taken { return slurp('/tmp/load') =~ /202=(\d+)/ ? $1 : 0 }
wait_for('load', 60, sub { taken() >= 20 });
my $new_line = "\n# A line that is new.\n";
my @newer = map { Box::newer($_, '9.0.0', $_ ne 'leadq-worker' ? undef : sub {
    my $path = "$_[0]$conf";
    spew($path, slurp($path) . $new_line);
}) } @names;
my $inode = (stat $module)[1];
succeeds('newer packages are installed', 'dpkg', '-i',
    '--force-confold', @newer);
cmp_ok((stat $module)[1], '!=', $inode, 'the module is another file');
wait_for('the new module is used alone', 60, sub {
    my $maps = join '', map { slurp($_) } grep {
        slurp($_ =~ s/maps$/comm/r) eq "nginx\n" } glob '/proc/[0-9]*/maps';
    return $maps =~ /\Q$module\E$/m && $maps !~ /\Q$module\E.*deleted/;
});
pass('and nginx runs nothing else');
my $until = taken() + 20;
wait_for('load after the reload', 60, sub { taken() >= $until });
kill 'TERM', $client;
waitpid $client, 0;
like(slurp('/tmp/load'), qr/^202=\d+$/, 'no request was lost');
is($pg->sql('select count(*) from leadq.lead'), 1 + taken(),
    'every lead that was answered is in the base');
like(slurp($conf), qr/smtp:\/\/127\.0\.0\.1:9/, 'an edited file stays');
like(slurp("$conf.dpkg-dist"), qr/\Q$new_line\E/,
    'and the new one lies beside it');

# --- removed, purged ----------------------------------------------------------

succeeds('the packages are removed', 'dpkg', '-r', @names);
ok(!-e $_, "$_ is gone") for $module, '/usr/share/leadq',
    '/usr/sbin/leadq-worker', '/etc/nginx/modules-enabled/50-mod-http-leadq.conf';
ok(-e $conf, 'the configuration stays');
unlink $site, glob '/var/log/nginx/leadq*';
succeeds('nginx does without', 'nginx', '-t');
kill 'QUIT', slurp('/run/nginx.pid') =~ /(\d+)/;
wait_for('nginx ends', 30, sub { !-e '/run/nginx.pid' });
succeeds('the packages are purged', 'dpkg', '-P', @names);
is(join(' ', grep { !$before{$_} } changed()),
    join(' ', map { "$Box::LAYER/etc/leadq$_" } '', '/checks.key',
        '/links.key'),
    'nothing is left but the keys, which the packages have not made');
unlink '/etc/leadq/links.key';
is((run('dpkg-query', '-W', @names))[1] =~ /^\S+\t\S/m, '',
    'nor does dpkg remember anything');

done_testing();
