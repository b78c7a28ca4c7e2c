package Outside;

# The outside world of the worker's tests: a database with the contract on
# simple tables, an HTTP server that does as the path says, a mail server.

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time sleep);

use Leadq::Postgres;
use Leadq::Test qw(wait_for free_port tempdir slurp spew);

our @EXPORT_OK = qw(database add_postback add_code add_job add_letter job
    wait_state http_server mail_server smtp_server json);

my $json = JSON::PP->new->utf8->canonical;
my (%children, %groups);
my @dirs;

END {
    my $status = $?;
    for my $pid (keys %children) {
        next if $children{$pid} != $$;
        kill 'KILL', $groups{$pid} ? -$pid : $pid;
        waitpid $pid, 0;
    }
    $? = $status;
}

sub json { return $json }

# A cluster with schema.sql in it.
sub database {
    my (%options) = @_;
    my $pg = Leadq::Postgres->start(%options);
    $pg->sql_file(dirname(__FILE__) . '/schema.sql');
    return $pg;
}

sub _quote {
    my ($text) = @_;
    $text =~ s/'/''/g;
    return "'$text'";
}

sub add_job {
    my ($pg, $kind, $target, $payload, $n, $lane) = @_;
    $n ||= 1;
    $lane ||= 2;
    my $text = _quote($json->encode($payload));
    my $ids = $pg->sql("
        insert into leadq.job (job_id, kind, target, payload)
        select nextval('leadq.job_seq') * 8 + $lane, '$kind', '$target',
               replace($text, '#N#', n::text)
          from generate_series(1, $n) n
        returning job_id");
    $pg->sql('notify leadq_ready');
    return $n == 1 ? $ids : split /\n/, $ids;
}

# One postback job (or n, or of another lane); %more replaces parts of the
# payload.
sub add_postback {
    my ($pg, $url, %more) = @_;
    my ($n, $lane) = (delete $more{n}, delete $more{lane});
    my $target = delete $more{target} || 'network:test';
    return add_job($pg, 'postback', $target, {
        postback_id => '0198c000-0000-7000-8000-000000000001',
        method => 'GET', url => $url, content_type => undef, body => undef,
        secret => undef, match => { type => 'any', value => undef },
        timeout_ms => 10000, values => {},
        ports => [$url =~ m{^https?://[^/]+:(\d+)/} ? int $1 : ()],
        %more,
    }, $n, $lane);
}

# One code of a fixed verification; %more replaces parts of the payload, code
# of its code.
sub add_code {
    my ($pg, $url, %more) = @_;
    my ($code, $n) = (delete $more{code} || {}, delete $more{n});
    return add_job($pg, 'code', 'gateway:test', {
        postback_id => '0198c000-0000-7000-8000-00000000005e',
        method => 'POST', url => $url, content_type => 'application/json',
        body => '{"to":"{digits}","text":"{text}","id":"{send_id}"}',
        match => { type => 'any' }, timeout_ms => 10000,
        ports => [$url =~ m{^https?://[^/]+:(\d+)/} ? int $1 : ()],
        values => { phone => '+79160000017', digits => '79160000017',
            send_id => 's-#N#', validity => 240 },
        answer => { id => 'id' },
        code => { id => '0198c000-0000-7000-8000-000000000001',
            seed => '000102030405060708090a0b0c0d0e0f', key => undef,
            digits => 6, text => 'Code {code}.', chosen => JSON::PP::false(),
            %$code },
        %more,
    }, $n, 1);
}

# One letter job; %more replaces parts of the payload.
sub add_letter {
    my ($pg, %more) = @_;
    return add_job($pg, 'letter', 'smtp', {
        message_id => '0198c000-0000-7000-8000-0000000000aa',
        to => 'anna@example.ru', from_email => 'club@brand.ru',
        from_name => 'Brand', reply_to => undef, lang => 'ru',
        subject => 'Hello', text => "Hello\n", html => "<p>Hello</p>\n",
        vars => {}, links => {},
        %more,
    });
}

# A job's row as a hash.
sub job {
    my ($pg, $id) = @_;
    return $json->decode($pg->sql("
        select to_jsonb(j) || jsonb_build_object('detail',
               details[cardinality(details)])
          from leadq.job j where job_id = $id"));
}

sub wait_state {
    my ($pg, $id, $state, $deadline_s) = @_;
    wait_for("job $id is $state", $deadline_s || 20, sub {
        return $pg->sql("select state from leadq.job where job_id = $id")
            eq $state;
    });
    return job($pg, $id);
}

# --- HTTP: the path says what happens ----------------------------------------
#
#   /NNN       that status          /NNN/SECONDS  with Retry-After
#   /hang      never an answer      /reset        the connection is cut
#   /flaky     500, then 200        /slow/MS      200 after MS milliseconds
#   /big       200 and a megabyte   /body/TEXT    200 with the text
#   /json      200 and {"a":{"b":"value","n":1,"t":true}}
#   /echo      200 with the request line and the body
#   /half      200 with half of its body
#
# or, with a handler, as that one says of a request: (status, body).

sub http_server {
    my ($listen, $handler) = @_;
    my $dir = tempdir();
    push @dirs, $dir;
    my $self = bless { log => "$dir/requests" }, 'Outside::Http';
    $listen ||= IO::Socket::INET->new(Listen => 128, Proto => 'tcp',
        LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!\n";
    $self->{port} = $listen->sockport;
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        %children = ();
        eval { _serve($listen, $self->{log}, $handler) };
        POSIX::_exit(0);
    }
    $children{$pid} = $$;
    return $self;
}

sub _serve {
    my ($listen, $log, $handler) = @_;
    my $select = IO::Select->new($listen);
    my (%buffer, %seen, @later);
    while (1) {
        my $wait = @later ? $later[0][0] - time : 10;
        for my $socket ($select->can_read($wait < 0 ? 0 : $wait)) {
            if ($socket == $listen) {
                my $client = $listen->accept or next;
                $select->add($client);
                $buffer{$client} = '';
                next;
            }
            my $n = sysread $socket, $buffer{$socket}, 65536,
                length $buffer{$socket};
            if (!$n) {
                $select->remove($socket);
                delete $buffer{$socket};
                close $socket;
                next;
            }
            while (defined $buffer{$socket}
                and my $request = _request(\$buffer{$socket}))
            {
                open my $fh, '>>:raw', $log or die;
                syswrite $fh, $json->encode($request) . "\n";
                close $fh;
                my ($delay, $reply, $cut) = $handler
                    ? (0, _answer($handler->($request)))
                    : _reply($request, \%seen);
                if (!defined $reply || $cut) {
                    syswrite $socket, $reply if $cut;
                    $select->remove($socket);
                    delete $buffer{$socket};
                    setsockopt $socket, Socket::SOL_SOCKET(),
                        Socket::SO_LINGER(), pack 'II', 1, 0 if !$cut;
                    close $socket;
                } elsif ($delay) {
                    push @later, [time + $delay, $socket, $reply];
                    @later = sort { $a->[0] <=> $b->[0] } @later;
                } elsif (length $reply) {
                    syswrite $socket, $reply;
                }
            }
        }
        while (@later && $later[0][0] <= time) {
            my $due = shift @later;
            syswrite $due->[1], $due->[2] if $due->[1]->opened;
        }
    }
}

sub _request {
    my ($buffer) = @_;
    $$buffer =~ /\A(.*?)\r\n\r\n/s or return;
    my ($head, $length) = ($1, 0);
    my ($line, @headers) = split /\r\n/, $head;
    my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } @headers;
    $length = $headers{'content-length'} || 0;
    my $body_at = length($head) + 4;
    return if length($$buffer) < $body_at + $length;
    my $body = substr $$buffer, $body_at, $length;
    substr $$buffer, 0, $body_at + $length, '';
    my ($method, $uri) = split ' ', $line;
    return { method => $method, uri => $uri, headers => \%headers,
        body => $body, at => time };
}

sub _answer {
    my ($status, $body, @headers) = @_;
    return join "\r\n", "HTTP/1.1 $status X",
        'Content-Length: ' . length $body, @headers, '', $body;
}

# (delay, bytes); undef bytes: reset.
sub _reply {
    my ($request, $seen) = @_;
    my ($path) = split /\?/, $request->{uri};
    my (undef, $what, $arg) = split m{/}, $path;
    return (0, '') if $what eq 'hang';
    return (0, undef) if $what eq 'reset';
    return (0, "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf", 1)
        if $what eq 'half';
    return (0, _answer(200, "$request->{uri} $request->{body}"))
        if $what eq 'echo';
    return ($arg / 1000, _answer(200, 'ok')) if $what eq 'slow';
    return (0, _answer(200, 'x' x 1_000_000)) if $what eq 'big';
    return (0, _answer(200, $arg)) if $what eq 'body';
    return (0, _answer(200, '{"a":{"b":"value","n":1,"t":true}}'))
        if $what eq 'json';
    if ($what eq 'flaky') {
        my $key = $request->{headers}{'idempotency-key'} . $request->{uri};
        return (0, _answer($seen->{$key}++ ? 200 : 500, ''));
    }
    my @headers = defined $arg ? ("Retry-After: $arg") : ();
    push @headers, 'Location: /200' if $what =~ /^30/;
    return (0, _answer($what, "status $what", @headers));
}

# --- SMTP --------------------------------------------------------------------

# smtp-sink with more arguments; dumps each letter into a file.
sub mail_server {
    my (@arguments) = @_;
    my $dir = tempdir();
    push @dirs, $dir;
    chmod 0777, "$dir";
    my $self = bless { dir => "$dir", port => free_port() }, 'Outside::Mail';
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', "$dir/.out";
        open STDERR, '>&', \*STDOUT;
        my @user = $> == 0 ? ('-u', 'nobody') : ();
        exec '/usr/sbin/smtp-sink', @user, '-d', "$dir/letter.",
            @arguments, "127.0.0.1:$self->{port}", '128'
            or POSIX::_exit(127);
    }
    $children{$pid} = $$;
    $self->{pid} = $pid;
    wait_for('smtp-sink listens', 10, sub {
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->{port});
    });
    return $self;
}

# A mail server in Perl, one child a connection.  %does: what it answers to a
# command ("RCPT" => "550 5.1.1 No", or a function of the line); undef: nothing ever; '' : hangs up.  "."
# is the letter's end.  The commands of all connections are kept.
sub smtp_server {
    my (%does) = @_;
    my $dir = tempdir();
    push @dirs, $dir;
    my $self = bless { log => "$dir/commands" }, 'Outside::Smtp';
    my $listen = IO::Socket::INET->new(Listen => 64, Proto => 'tcp',
        LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!\n";
    $self->{port} = $listen->sockport;
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid == 0) {
        %children = ();
        local $SIG{CHLD} = 'IGNORE';
        setpgrp;
        while (my $client = $listen->accept) {
            next if fork;
            eval { _mail_session($client, $self->{log}, \%does) };
            POSIX::_exit(0);
        }
        POSIX::_exit(0);
    }
    $children{$pid} = $$;
    $groups{$pid} = $$;
    return $self;
}

sub _mail_session {
    my ($client, $log, $does) = @_;
    my %reply = (CONNECT => '220 ready', EHLO => '250 hello', MAIL => '250 ok',
        RCPT => '250 ok', DATA => '354 go on', '.' => '250 2.0.0 taken',
        QUIT => '221 bye', %$does);
    my $data = 0;
    local $SIG{ALRM} = sub { POSIX::_exit(0) };
    my $command = 'CONNECT';
    my $said = '';
    while (1) {
        if (!$data || $command eq '.') {
            open my $fh, '>>:raw', $log or die;
            syswrite $fh, "$command\n";
            close $fh;
            my $answer = exists $reply{$command} ? $reply{$command}
                : '500 what';
            $answer = $answer->($said) if ref $answer;
            return if defined $answer && $answer eq '';
            syswrite $client, "$answer\r\n" if defined $answer;
            $data = $command eq 'DATA' && $answer && $answer =~ /^354/;
        }
        alarm $reply{idle} if $reply{idle} && $command eq '.';
        my $line = <$client>;
        defined $line or return;
        alarm 0;
        $line =~ s/\r\n//;
        $said = $line;
        $command = $data ? ($line eq '.' ? '.' : $command)
            : uc((split ' ', $line)[0] || '');
    }
}

package Outside::Smtp;

sub url { return "smtp://127.0.0.1:$_[0]{port}" }

# How often a command was said.
sub count {
    my ($self, $command) = @_;
    return scalar grep { $_ eq $command } split /\n/,
        Leadq::Test::slurp($self->{log});
}

package Outside::Http;

sub url { return "http://127.0.0.1:$_[0]{port}$_[1]" }

sub port { return $_[0]{port} }

# Requests so far, oldest first.
sub requests {
    my ($self) = @_;
    return map { $json->decode($_) } split /\n/,
        Leadq::Test::slurp($self->{log});
}

package Outside::Mail;

sub url { return "smtp://127.0.0.1:$_[0]{port}" }

# Texts of the letters so far.
sub letters {
    my ($self) = @_;
    return map { Leadq::Test::slurp($_) }
        sort { (stat $a)[9] <=> (stat $b)[9] }
        grep { -s } glob "$self->{dir}/letter.*";
}

1;
