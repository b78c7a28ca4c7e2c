# What "make deb" has built: lintian is silent, the files are where Debian
# wants them, and the binaries are hardened.

use strict;
use warnings;

use FindBin ();
use lib $FindBin::Bin;
use Box;
use Leadq::Test qw(run slurp build_dir);
use Test::More;

my ($version) = slurp('Makefile') =~ /^VERSION\s*=\s*(\S+)/m;

my ($changes) = glob build_dir() . '/deb/*.changes';
my ($rc, $out) = run('lintian', '--allow-root', '--fail-on',
    'error,warning', $changes);
$out =~ s/^running with root privileges.*\n//m;
is("$rc $out", '0 ', 'lintian finds no error and no warning');

my %files;
for my $name (qw(libnginx-mod-http-leadq leadq-worker leadq-sql)) {
    my $deb = Box::deb($name);
    is((run('dpkg-deb', '-f', $deb, 'Version'))[1], "$version\n",
        "$name has the version of the Makefile");
    $files{$name} = (run('dpkg-deb', '-c', $deb))[1];
}

like($files{'libnginx-mod-http-leadq'}, qr{ \./$_\n}, "the module has $_")
    for qw(usr/lib/nginx/modules/ngx_http_leadq_module.so
    usr/share/nginx/modules-available/mod-http-leadq.conf
    usr/share/leadq/nginx/leadq.conf usr/share/leadq/html/index.html
    usr/share/leadq/html/report.html usr/share/leadq/html/echarts.min.js
    usr/share/man/man5/ngx_http_leadq_module.5.gz
    usr/share/doc/libnginx-mod-http-leadq/README.md.gz);
like($files{'leadq-worker'}, qr{ \./$_\n}, "the worker has $_")
    for qw(usr/sbin/leadq-worker usr/sbin/leadqctl usr/share/leadq/leadq.json
    usr/share/leadq/leadq.schema.json
    lib/systemd/system/leadq-worker.service
    lib/systemd/system/leadq-worker@.service
    usr/lib/sysusers.d/leadq-worker.conf usr/share/man/man8/leadqctl.8.gz
    usr/share/man/man5/leadq.json.5.gz);
like($files{'leadq-worker'}, qr{^-rw-r----- root/root .* \./etc/leadq/worker\.conf$}m,
    'worker.conf is not for everybody');
my @sql = map { s{^sql/}{}r } grep { /\.sql$/ } split /\n/,
    (run('git', 'ls-files', 'sql'))[1];
cmp_ok(scalar @sql, '>', 10, 'the schema has files');
is(join(' ', grep { $files{'leadq-sql'} !~ m{/usr/share/leadq/sql/\Q$_\E\n} }
    @sql), '', 'leadq-sql has all of them');

# every binary: position independent, all symbols bound at the start, a
# stack that is watched
my $tree = Leadq::Test::tempdir();
for my $case (['leadq-worker', 'usr/sbin/leadq-worker'],
    ['leadq-worker', 'usr/sbin/leadqctl'],
    ['libnginx-mod-http-leadq',
        'usr/lib/nginx/modules/ngx_http_leadq_module.so'])
{
    my ($name, $file) = @$case;
    is((run('dpkg-deb', '-x', Box::deb($name), "$tree/$name"))[0], 0,
        "$name is unpacked");
    ($rc, $out) = run('readelf', '-hdW', '--dyn-syms', "$tree/$name/$file");
    like($out, qr/Type:\s+DYN/, "$file may lie anywhere");
    like($out, qr/\bNOW\b/, "$file binds its symbols at the start");
    like($out, qr/__stack_chk_fail/, "$file watches its stack");
    like($out, qr/__\w+_chk\b/, "$file checks lengths");
}

done_testing();
