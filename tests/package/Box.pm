package Box;

# A copy of this machine that takes packages: a mount namespace with all of
# it below an empty layer in memory, a network of its own with nothing but
# the loopback, and processes of its own that end with the test.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp ();

use Leadq::Test qw(run spew build_dir);

my $ROOT = abs_path(dirname(__FILE__) . '/../..');

# Where the layer lies, seen from inside: all that has changed.
our $LAYER = '/mnt';

my $SCRIPT = <<'SH';
set -eu
box=$1 root=$1/root source=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$box"
mkdir "$root" "$box/layer" "$box/work"
mount -t overlay -o "lowerdir=/,upperdir=$box/layer,workdir=$box/work" \
    overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$source"
mount --bind "$source" "$root$source"
mount --bind "$box/layer" "$root/mnt"
mkdir "$root/run/lock"
rm -f "$root/usr/sbin/policy-rc.d"
ip link set lo up
cd "$root$source"
exec env LEADQ_BOX=1 chroot "$root" sh -c 'cd "$0" && exec "$@"' \
    "$source" "$@"
SH

# Why there can be none here, or nothing.
sub missing {
    return 'installing packages needs root' if $> != 0;
    my ($rc, $out) = run('unshare', '-m', '-n', '-p', '-f', 'sh', '-c',
        'mount --make-rprivate / && mount -t tmpfs none /mnt');
    return $rc == 0 ? undef : "no namespaces here: $out";
}

# Outside: runs the test again inside a box and ends with its status.
# Inside: returns.
sub enter {
    my ($test) = @_;

    return if $ENV{LEADQ_BOX};
    my $box = File::Temp->newdir('leadq-box-XXXXXXXX', TMPDIR => 1);
    system 'unshare', '--mount', '--net', '--pid', '--fork', '--kill-child',
        'sh', '-c', $SCRIPT, 'box', "$box", $ROOT, $^X,
        (map { "-I$_" } @INC), abs_path($test);
    my $status = $?;
    undef $box;
    exit($status & 127 ? 1 : $status >> 8);
}

# The package as "make deb" has left it.
sub deb {
    my ($name) = @_;
    my @found = glob build_dir() . "/${name}_*.deb";
    @found == 1 or die "one package $name expected, run make deb: @found\n";
    return $found[0];
}

# The same package with another version, after $change->($tree): its path.
sub newer {
    my ($name, $version, $change) = @_;

    my $tree = "/tmp/newer/$name";
    make_path('/tmp/newer');
    my ($rc, $out) = run('dpkg-deb', '-R', deb($name), $tree);
    $rc == 0 or die "dpkg-deb -R: $out\n";
    my $control = Leadq::Test::slurp("$tree/DEBIAN/control");
    $control =~ s/^Version: .*/Version: $version/m;
    spew("$tree/DEBIAN/control", $control);
    $change->($tree) if $change;
    ($rc, $out) = run('dpkg-deb', '-b', $tree, "$tree.deb");
    $rc == 0 or die "dpkg-deb -b: $out\n";
    return "$tree.deb";
}

1;
