# "make install" into a directory: the paths that files name are those that
# were installed, systemd finds nothing to complain of, "make uninstall"
# leaves nothing.

use strict;
use warnings;

use Leadq::Test qw(run slurp spew tempdir build_dir);
use Test::More;

# Everything below the prefix, so that systemd finds what the units start.
my $dir = tempdir();
my @make = ('make', '-s', 'SANITIZE=', 'BUILD=' . build_dir(),
    "PREFIX=$dir/usr", "SYSCONFDIR=$dir/etc", "MODULEDIR=$dir/modules");
delete local @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};
my ($rc, $out) = run(@make, 'install');
is($rc, 0, 'make install') or diag($out);

sub installed {
    return join "\n", sort map { s{^\Q$dir\E/}{}r } split /\n/,
        (run('find', "$dir", '-type', 'f'))[1];
}
my $files = installed();
for my $file (qw(modules/ngx_http_leadq_module.so usr/sbin/leadq-worker
    usr/sbin/leadqctl usr/share/leadq/sql/bootstrap.sql
    usr/share/leadq/nginx/leadq.conf usr/share/leadq/html/index.html
    usr/share/leadq/nginx/leadq-verifications.conf
    usr/share/leadq/nginx/leadq-desk.conf
    usr/share/leadq/nginx/leadq-identity.conf
    usr/share/leadq/gateways/idx.json
    usr/share/leadq/html/report.html usr/share/leadq/html/echarts.min.js
    usr/share/leadq/leadq.json usr/share/leadq/leadq.schema.json
    usr/share/leadq/verifications.json usr/share/leadq/programmes.json
    usr/share/leadq/gateways/smsc.json
    usr/share/man/man5/leadq.json.5
    usr/lib/sysusers.d/leadq-worker.conf etc/worker.conf))
{
    like($files, qr/^\Q$file\E$/m, "$file is installed");
}

# paths: of units, of the site, of the manual pages' neighbours
my $units = "$dir/usr/lib/systemd/system";
my %text = map { $_ => slurp("$units/$_") } 'leadq-worker.service',
    'leadq-worker@.service';
like($text{'leadq-worker.service'},
    qr{^ExecStart=\Q$dir\E/usr/sbin/leadq-worker -c \Q$dir\E/etc/worker\.conf$}m,
    'the service starts what was installed');
like($text{'leadq-worker@.service'}, qr{ -c \Q$dir\E/etc/%i\.conf$}m,
    'an instance has its own configuration');
like(slurp("$dir/usr/share/leadq/nginx/leadq.conf"),
    qr{root \Q$dir\E/usr/share/leadq/html;}, 'the sample site shows our pages');
like(slurp("$dir/usr/share/leadq/nginx/leadq.conf"),
    qr{include \Q$dir\E/usr/share/leadq/nginx/leadq-verifications\.conf;},
    'and includes what was installed beside it');

# systemd
for my $unit (sort keys %text) {
    my $name = $unit =~ s/\@/\@one/r;
    rename "$units/$unit", "$units/$name";
    ($rc, $out) = run('systemd-analyze', 'verify', '--man=no',
        '--recursive-errors=no', "$units/$name");
    is("$rc $out", '0 ', "systemd verifies $unit");
    ($rc, $out) = run('systemd-analyze', 'security', '--offline=true',
        '--threshold=20', '--no-pager', "$units/$name");
    my ($exposure) = $out =~ /exposure level for \S+: ([\d.]+)/;
    is($rc, 0, "the exposure of $unit is at most 2.0: $exposure")
        or diag($out);
    rename "$units/$name", "$units/$unit";
}
($rc, $out) = run('systemd-sysusers', '--dry-run',
    "$dir/usr/lib/sysusers.d/leadq-worker.conf");
is($rc, 0, 'systemd reads the user') or diag($out);

# what an administrator has changed stays; all else goes
($rc, $out) = run(@make, 'install-worker');
is(installed(), $files, 'a second install adds nothing');
spew("$dir/etc/worker.conf", "[leadq]\n");
is((run(@make, 'install-worker'))[0], 0, 'make install-worker');
is(slurp("$dir/etc/worker.conf"), "[leadq]\n",
    'an edited worker.conf is not replaced');
is((run(@make, 'uninstall'))[0], 0, 'make uninstall');
is(installed(), 'etc/worker.conf', 'nothing but it is left');
unlink "$dir/etc/worker.conf";
is((run(@make, 'install'))[0], 0, 'make install, once more');
is((run(@make, 'uninstall'))[0], 0, 'make uninstall, once more');
is(installed(), '', 'nothing is left of what nobody has changed');

done_testing();
