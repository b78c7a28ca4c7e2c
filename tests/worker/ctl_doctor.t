#!/usr/bin/perl

# leadqctl doctor: what it finds, and what it says to do.

use strict;
use warnings;

use FindBin ();
use JSON::PP qw(decode_json);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Test qw(run build_dir spew free_port tempdir slurp);
use Outside qw(smtp_server http_server);

my $pg = Leadq::Postgres->start;
my $dir = tempdir();
my @given = ('-d', $pg->dsn, '--sql-dir', 'sql');

sub doctor { return run(build_dir() . '/leadqctl', 'doctor', @_) }

# { check => [verdict, detail, advice] }
sub checks {
    my ($rc, $out) = doctor(@_, '--json');
    my ($json) = $out =~ /^(\[.*\])/ms or die $out;
    return ($rc, { map { $_->{check} => [@{$_}{qw(verdict detail advice)}] }
        @{ decode_json($json) } });
}

sub verdict {
    my ($is, $check, $verdict, $words) = @_;
    my $line = $is->{$check} || ['missing', '', ''];
    is($line->[0], $verdict, "$check: $verdict");
    like("$line->[1]; " . ($line->[2] || ''), $words, 'in its words')
        if $words;
    return;
}

# nothing there
my ($rc, $out) = doctor('-d', 'host=/nowhere');
is($rc, 1, 'no database is a failure');
like($out, qr/^fail  database +no connection; start it, or/m, 'and told');
($rc, $out) = doctor(@given);
is($rc, 1, 'no schema is a failure');
like($out, qr/^ok    fsync +on$/m, 'the server is looked at all the same');
like($out, qr/^fail  schema +.*leadqctl migrate/m, 'and it is told');

# all is well
$pg->migrate;
$pg->sql('select leadq.maintain()');
my $is;
($rc, $is) = checks(@given);
is($rc, 0, 'warnings are no failure')
    or diag(explain($is));
verdict($is, $_, 'ok') for 'database', 'server', 'primary', 'fsync',
    'full_page_writes', 'synchronous_commit', 'autovacuum', 'connections',
    'vacuum horizon', 'transaction ids', 'clock', 'migrations', 'contract',
    'role leadq_web', 'role leadq_worker', 'schema clock', 'partitions',
    'leases', 'lane realtime', 'lane bulk', 'scheduled jobs', 'dead letters',
    'pauses';
verdict($is, 'workers', 'warn', qr/^0 connections.*systemctl start/);

# the database's troubles
$pg->sql(<<'SQL');
revoke execute on function leadq.maintain() from leadq_worker;
insert into leadq.job_pause values ('letter', null, 'relay moves', now());
insert into leadq.job_ready (lane, job_id, kind, target, ref, created_at,
    ready_at)
values (1, 9, 'code', 'sms', gen_random_uuid(), now(),
        now() - interval '10 minutes');
insert into leadq.job_scheduled (run_at, lane, job_id, kind, target, ref,
    created_at)
values (now() - interval '1 hour', 2, 18, 'x', 'y', gen_random_uuid(), now());
insert into leadq.job_done (done_at, job_id, kind, target, ref, attempt,
    outcome)
values (now(), 26, 'x', 'y', gen_random_uuid(), 1, 'dead');
update leadq.migration set sha256 = 'other' where name like '0002%';
select leadq.shift_time('0');
select pg_create_physical_replication_slot('left_behind');
alter role postgres set synchronous_commit = off;
SQL
$pg->sql('drop table leadq.' . $pg->sql(q(select max(c.relname)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'leadq.event'::regclass and c.relname ~ '[0-9]$')));
($rc, $is) = checks(@given);
is($rc, 1, 'a failure is one');
verdict($is, 'role leadq_worker', 'fail', qr/may call 11 of 12.*migrate/);
verdict($is, 'pauses', 'warn', qr/kind letter to every.*relay moves.*resume/);
verdict($is, 'lane realtime', 'fail', qr/1 ready, the oldest for 6\d\d s/);
verdict($is, 'scheduled jobs', 'fail', qr/36\d\d s late; nobody promotes/);
verdict($is, 'dead letters', 'warn', qr/^1 in seven days; leadqctl jobs dead/);
verdict($is, 'migrations', 'fail', qr/^0002\S+ has changed since/);
verdict($is, 'replication slot left_behind', 'warn', qr/WAL piles up/);
verdict($is, 'synchronous_commit', 'fail', qr/^off; a lead .* may be lost/);
verdict($is, 'partitions', 'fail', qr/missing: event_\d{8}; start/);

# the configuration, its files, and the outside world
my ($mail, $web) = (smtp_server(), http_server());
spew("$dir/links.key", '1 ' . ('5a' x 32) . "\n");
chmod 0644, "$dir/links.key";

sub conf {
    my (%more) = @_;
    my %conf = (database => $pg->dsn(user => 'leadq_worker'),
        keys => "$dir/links.key", smtp_url => $mail->url, %more);
    spew("$dir/worker.conf",
        join '', "[leadq]\n", map { "$_ = $conf{$_}\n" } sort keys %conf);
    return ('-c', "$dir/worker.conf");
}

my %url = (good => $web->url('/x?c={click_id}'), unused => 'http://127.0.0.1:1/',
    gone => 'http://127.0.0.1:' . free_port() . '/{_sub1}',
    lost => 'http://no-such-host.invalid/',
    plain => $mail->url =~ s/^smtp/https/r);
$pg->sql("insert into leadq.network (name, method, url, statuses)
    values ('$_', 'GET', '$url{$_}', '{approved}')") for sort keys %url;
$pg->sql(q(with s as (insert into leadq.source (name) values ('x')
    returning source_id)
    insert into leadq.source_partner (source_id, position, network_id)
    select source_id, n.network_id, n.network_id
    from s, leadq.network n where name <> 'unused'));
($rc, $is) = checks(@given, conf(), '--spool', $dir);
verdict($is, 'configuration', 'ok');
verdict($is, 'key file', 'fail', qr/has mode 644; .*chmod 640/);
verdict($is, 'worker login', 'ok', qr/as leadq_worker/);
verdict($is, 'spool', $is->{spool}[0], qr/\d+ MiB free/);
verdict($is, 'mail relay', 'ok');
verdict($is, 'network good', 'ok');
verdict($is, 'network gone', 'fail', qr/connect.*whether it runs/);
verdict($is, 'network lost', 'fail', qr/resolve.*correct the host's name/);
verdict($is, 'network plain', 'fail', qr/whether the port speaks TLS/);
unlike(slurp($mail->{log}), qr/^(?:MAIL|RCPT|DATA)/m, 'no mail is begun');
ok(!$is->{'network unused'}, 'a network without a source is left alone');

chmod 0600, "$dir/links.key";
($rc, $is) = checks(@given, conf(smtp_tls => 'require',
    database => 'host=/nowhere'), '--spool', "$dir/none");
verdict($is, 'key file', 'ok');
verdict($is, 'mail relay', 'fail', qr/no STARTTLS: correct smtp_tls/);
verdict($is, 'worker login', 'fail', qr/correct database in worker\.conf/);
verdict($is, 'spool', 'fail', qr/No such file.*create the directory/);
($rc, $is) = checks(@given, conf(lease => '1s'));
verdict($is, 'configuration', 'fail', qr/lease "1s" is out of range/);

# one-time codes
$pg->sql(q(insert into leadq.gateway (name, channel, method, url, secret, sign,
        receipts)
    values ('sms', 'sms', 'GET', '%s', 'sms', 'sms.sign',
            '{"verify_secret": "sms.receipts"}'),
           ('unused', 'sms', 'GET', 'http://127.0.0.1:1/', 'none', null, null);
    select leadq.config_import('{"verifications": [{"name": "v", "steps":
        [{"gateway": "sms", "text": {"ru": "{code}"}}]}]}'))
    =~ s/%s/$web->url('\/sms')/er);
mkdir "$dir/secrets", 0700;
spew("$dir/secrets/sms", "s3cret\n");
spew("$dir/secrets/sms.sign", '');
spew("$dir/check.key", '1 ' . ('5b' x 32) . "\n");
chmod 0644, "$dir/check.key";
($rc, $is) = checks(@given, conf(secrets_dir => "$dir/secrets",
    check_keys => "$dir/check.key"));
verdict($is, 'code_keys', 'fail', qr/not configured, and verifications need it/);
verdict($is, 'check_keys', 'fail', qr/has mode 644/);
verdict($is, 'secret sms', 'ok', qr/^of gateway sms;/);
verdict($is, 'secret sms.sign', 'fail', qr/file is empty; put it into/);
verdict($is, 'secret sms.receipts', 'fail', qr/cannot be read; put it into/);
verdict($is, 'gateway sms', 'ok');
ok(!$is->{'secret none'} && !$is->{'gateway unused'},
    'a gateway that nobody names is left alone');

done_testing();
