package Leadq::Test;

# What every test needs: deadlines instead of sleeps, free ports, temporary
# directories that go away, files, HTTP.

use strict;
use warnings;

use Exporter 'import';
use File::Spec ();
use File::Temp ();
use HTTP::Tiny ();
use IO::Socket::INET ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(wait_for free_port tempdir slurp spew http build_dir
    sanitizers unprivileged run);

# The directory of the build under test.
sub build_dir {
    return File::Spec->rel2abs($ENV{LEADQ_BUILD} || 'build');
}

# Calls $check until it is true and returns what it returned; dies with
# $what once $deadline_s seconds are over.
sub wait_for {
    my ($what, $deadline_s, $check) = @_;

    $deadline_s *= 4 if $ENV{LEADQ_SANITIZE};
    my $end = time + $deadline_s;
    my $pause = 0.002;
    while (1) {
        my $result = $check->();
        return $result if $result;
        die "not within $deadline_s s: $what\n" if time > $end;
        sleep($pause);
        $pause *= 1.5 if $pause < 0.1;
    }
}

# A TCP port of the loopback that is free now.
sub free_port {
    my $socket = IO::Socket::INET->new(
        Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp')
        or die "no free port: $!\n";
    return $socket->sockport;
}

# Where tests keep what goes away: in memory where there is plenty, because
# the files of a fresh cluster cost more on a disk than all that a test does
# with it.  Not for benchmarks, which measure the disk, too.
my $memory = '/dev/shm';
my $memory_kb = 6 * 1024 * 1024;
my $where;

sub _has_memory {
    return 0 if !$ENV{HARNESS_ACTIVE} || $ENV{TMPDIR} || !-w $memory;
    return 0 if slurp('/proc/mounts') =~ /^\S+ \Q$memory\E \S+ \S*noexec/m;
    my ($rc, $out) = run('df', '-Pk', $memory);
    my ($free_kb) = $out =~ /\n\S+\s+\d+\s+\d+\s+(\d+)/;
    my ($left_kb) = slurp('/proc/meminfo') =~ /^MemAvailable:\s+(\d+)/m;
    return ($free_kb || 0) > $memory_kb && ($left_kb || 0) > $memory_kb;
}

# A directory that unprivileged servers can reach; removed at exit.
sub tempdir {
    $where ||= _has_memory() ? $memory : File::Spec->tmpdir;
    my $dir = File::Temp->newdir('leadq-XXXXXXXX', DIR => $where);
    chmod 0755, "$dir" or die "$dir: $!\n";
    return $dir;
}

sub slurp {
    my ($path) = @_;
    open my $fh, '<:raw', $path or return '';
    local $/ = undef;
    my $text = <$fh>;
    return defined $text ? $text : '';
}

sub spew {
    my ($path, $text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    open my $fh, '>:raw', $path or die "$path: $!\n";
    print {$fh} $text;
    close $fh or die "$path: $!\n";
    return;
}

# One HTTP request; HTTP::Tiny's response.  Follows no redirect.
sub http {
    my ($method, $url, $options) = @_;
    my $timeout_s = delete $options->{timeout} || 30;
    return HTTP::Tiny->new(max_redirect => 0, timeout => $timeout_s,
        keep_alive => 0)->request($method, $url, $options || {});
}

# Runs a command: (exit code, everything it printed).
sub run {
    my (@command) = @_;

    my $pid = open my $out, '-|';
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT or die;
        exec { $command[0] } @command or die "$command[0]: $!\n";
    }
    local $/ = undef;
    my $text = <$out>;
    close $out;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8,
        defined $text ? $text : '');
}

# The libraries that a sanitized shared object needs in a stock program.
sub sanitizers {
    return '' if !$ENV{LEADQ_SANITIZE};
    my @libs = map { my $path = `gcc -print-file-name=$_`; chomp $path; $path }
        qw(libasan.so libubsan.so);
    return join ' ', @libs;
}

# (uid, gid) for servers that refuse to run as root, or nothing.
sub unprivileged {
    return if $> != 0;
    my @user = getpwnam('postgres') or die "no user postgres\n";
    return @user[2, 3];
}

1;
