package Mailhost;

# Real mail servers of our own: a Postfix that takes letters, hands them to an
# unfriendly world, and delivers what bounces into a Maildir; and a Dovecot
# that shows that by IMAP.  Both need root.

use strict;
use warnings;

use File::Path qw(make_path);
use IO::Socket::INET ();
use POSIX ();

use Leadq::Test qw(wait_for free_port tempdir slurp spew);

my %running;

END {
    my $status = $?;
    $_->stop for values %running;
    $? = $status;
}

sub may { return $> == 0 && -x '/usr/sbin/dovecot' && -x '/usr/sbin/postfix' }

# Options: world => port of the server that letters are handed to; without it
# there is no Postfix.  The mailbox is that of bounce.test.
sub start {
    my ($class, %options) = @_;

    my $self = bless { owner => $$, tempdir => tempdir(), imap => free_port(),
        smtp => free_port(), %options }, $class;
    $self->{dir} = "$self->{tempdir}";
    my @mail = getpwnam 'nobody';
    $self->{uid} = $mail[2];
    $self->{gid} = $mail[3];
    make_path(map { "$self->{dir}/Maildir/$_" } qw(new cur tmp));
    system("chown -R nobody:$self->{gid} $self->{dir}/Maildir") == 0 or die;
    spew("$self->{dir}/password", "secret\n");
    $running{$self} = $self;
    $self->_start_dovecot;
    $self->_start_postfix if $self->{world};
    return $self;
}

sub _listens {
    my ($what, $port) = @_;
    wait_for("$what listens", 20, sub {
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $port);
    });
    return;
}

sub _start_dovecot {
    my ($self) = @_;

    spew("$self->{dir}/dovecot.conf", <<"CONF");
base_dir = $self->{dir}/run
log_path = $self->{dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:$self->{dir}/Maildir
first_valid_uid = 1
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=$self->{uid} gid=$self->{gid} home=$self->{dir}
}
service imap-login {
  inet_listener imap {
    port = $self->{imap}
  }
  inet_listener imaps {
    port = 0
  }
}
CONF
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>>', "$self->{dir}/dovecot.out";
        open STDERR, '>&', \*STDOUT;
        exec '/usr/sbin/dovecot', '-F', '-c', "$self->{dir}/dovecot.conf"
            or POSIX::_exit(127);
    }
    $self->{dovecot} = $pid;
    _listens('dovecot', $self->{imap});
    return;
}

sub _start_postfix {
    my ($self) = @_;

    my $dir = "$self->{dir}/postfix";
    make_path($dir, "$dir/spool", "$dir/data");
    system("chown postfix $dir/data") == 0 or die;
    spew("$dir/main.cf", <<"CONF");
compatibility_level = 3.6
queue_directory = $dir/spool
data_directory = $dir/data
maillog_file = $dir/log
maillog_file_prefixes = $dir
myhostname = relay.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
relayhost = [127.0.0.1]:$self->{world}
recipient_delimiter = +
virtual_mailbox_domains = bounce.test
virtual_mailbox_base = $self->{dir}
virtual_mailbox_maps = static:Maildir/
virtual_uid_maps = static:$self->{uid}
virtual_gid_maps = static:$self->{gid}
maximal_queue_lifetime = 0
bounce_queue_lifetime = 0
notify_classes =
smtp_host_lookup = native
smtp_connect_timeout = 5s
CONF
    my %public = map { $_ => 1 } qw(cleanup qmgr flush);
    my @services = map { join ' ', $_->[0], 'unix',
        $public{$_->[0]} ? 'n' : '-', $_->[0] eq 'virtual' ? 'n' : '-', 'n',
        @$_[1 .. 3] }
        ['cleanup', '-', 0, 'cleanup'], ['qmgr', '300', 1, 'qmgr'],
        ['rewrite', '-', '-', 'trivial-rewrite'],
        map({ [$_, '-', 0, 'bounce'] } qw(bounce defer trace)),
        ['verify', '-', 1, 'verify'], ['flush', '1000?', 0, 'flush'],
        map({ [$_, '-', '-', $_ eq 'relay' ? 'smtp' : $_] }
            qw(proxymap smtp relay error virtual)),
        ['retry', '-', '-', 'error'], ['anvil', '-', 1, 'anvil'],
        ['scache', '-', 1, 'scache'];
    spew("$dir/master.cf", join "\n",
        "127.0.0.1:$self->{smtp} inet n - n - - smtpd",
        'postlog unix-dgram n - n - 1 postlogd', @services, '');
    system("/usr/sbin/postfix -c $dir start >$dir/out 2>&1 </dev/null") == 0
        or die 'postfix: ' . slurp("$dir/out");
    ($self->{postfix}) = slurp("$dir/spool/pid/master.pid") =~ /(\d+)/;
    _listens('postfix', $self->{smtp});
    return;
}

# What worker.conf says to read the mailbox and to send through Postfix.
sub conf {
    my ($self) = @_;
    return (bounce_address => 'bounces@bounce.test', imap_poll => '200ms',
        imap_url => "imap://127.0.0.1:$self->{imap}", imap_user => 'bounces',
        imap_password_file => "$self->{dir}/password",
        $self->{world} ? (smtp_url => "smtp://127.0.0.1:$self->{smtp}",
            smtp_tls => 'off') : ());
}

sub dir { return $_[0]{dir} }

# Puts a message into the mailbox, as a server would.
sub put {
    my ($self, $text) = @_;
    my $name = sprintf '%d.%d_%d.test', time, $$, ++$self->{count};
    spew("$self->{dir}/Maildir/tmp/$name", $text);
    chown $self->{uid}, $self->{gid}, "$self->{dir}/Maildir/tmp/$name";
    rename "$self->{dir}/Maildir/tmp/$name", "$self->{dir}/Maildir/new/$name"
        or die "put: $!\n";
    return;
}

# How many messages are in the mailbox, or in a folder of it.
sub count {
    my ($self, $folder) = @_;
    my $path = $folder ? "$self->{dir}/Maildir/.$folder"
        : "$self->{dir}/Maildir";
    return scalar(() = (glob("$path/new/*"), glob("$path/cur/*")));
}

sub stop_imap {
    my ($self) = @_;
    my $pid = delete $self->{dovecot} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    return;
}

sub start_imap { return $_[0]->_start_dovecot }

sub stop {
    my ($self) = @_;

    return if $self->{owner} != $$;
    delete $running{$self};
    $self->stop_imap;
    if (my $pid = delete $self->{postfix}) {
        kill 'TERM', $pid;
        wait_for('postfix ends', 10, sub { !kill 0, $pid });
    }
    return;
}

1;
