# Many sessions at once on few codes: guesses are counted exactly, a right code
# is right once, a form is good once, and nobody waits for each other in a
# circle (threats 1, 2, 7, 33).

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir);
use Test::More;

my $pg = Leadq::Postgres->start(conf => { max_connections => 120 });
$pg->migrate;
my $dir = tempdir();
$pg->sql(<<'SQL');
select leadq.config_import('{
 "gateways": [{"name": "sms", "channel": "sms", "url": "https://sms/"}],
 "verifications": [
    {"name": "landing", "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]},
    {"name": "free", "limits": [{"name": "wrong", "by": "wrong", "max": 99999,
        "per": "1 day"}, {"name": "phone", "by": "phone", "max": 999,
        "per": "1 day"}, {"name": "prefix", "by": "prefix", "max": 9999,
        "per": "1 day", "adapt": 0.5}],
     "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}]}');
create table answer (what text, status integer);
grant insert on answer to leadq_web;
SQL

# A verification whose code is "right", sent.
sub verification {
    my ($n, $phone) = @_;
    my $id = sprintf '00000000-0000-7000-8000-%012d', $n;
    $pg->sql(qq(select status from leadq.web_otp_start(array['$id'::uuid],
        array['{"profile": "free", "phone": "$phone", "consent_pd": true,
                "\$session": "s"}'])));
    $pg->sql(qq(update leadq.verification set state = 'sent', check_key = 1,
        code_mac = sha256('right') where verification_id = '$id'));
    return $id;
}

# How many clients had which answer.
sub crowd {
    my ($what, $clients, $times, $sql) = @_;

    spew("$dir/script.sql", $sql);
    my ($rc, $out) = run(Leadq::Postgres::bindir() . '/pgbench', '-n', '-c',
        $clients, '-j', 2, '-t', $times, '-f', "$dir/script.sql",
        $pg->dsn(user => 'leadq_web'));
    my ($failed) = $out =~ /number of failed transactions: (\d+)/;
    ok($rc == 0 && !$failed, "$what, and no deadlock") or diag($out);
    return $pg->sql("select string_agg(n || ' x ' || status, ', '
        order by status) from (select count(*) n, status from answer
         where what = '$what' group by status) a");
}

sub check {
    my ($what, $id, $code) = @_;
    return "insert into answer select '$what', status
        from leadq.web_otp_check(array[gen_random_uuid()],
        array['{\"id\": \"$id\", \"\$session\": \"s\", \"code\": {\"1\": \"'
        || encode(sha256('$code'), 'hex') || '\"}}']);\n";
}

my $id = verification(1, '+79160000001');
is(crowd('fifty guess at once', 50, 4, check('fifty guess at once', $id,
        'wrong')), '196 x 410, 4 x 422', 'five of 200 guesses are evaluated');
is($pg->sql("select checks || ' ' || state from leadq.verification
    where verification_id = '$id'"), '5 locked', 'and the code is locked');

$id = verification(2, '+79160000002');
is(crowd('fifty are right', 50, 4, check('fifty are right', $id, 'right')),
    '1 x 200, 199 x 410', 'a right code is right once');

# More than a web tier has connections, each of which waits for the number.
is(crowd('sixteen start for one number', 16, 10, <<'SQL'), '160 x 202',
insert into answer select 'sixteen start for one number', status
  from leadq.web_otp_start(array[gen_random_uuid()],
    array['{"profile": "landing", "phone": "+79160000003",
            "consent_pd": true, "$session": "' || gen_random_uuid() || '"}']);
SQL
    'everybody gets the same answer');
is($pg->sql(q(select count(*) from leadq.verification_send s
    join leadq.verification v using (verification_id)
    where v.phone = '+79160000003' and s.state <> 'cancelled')), 2,
    'and two codes are sent');

is(crowd('fifty start with one form', 50, 4, <<'SQL'), '1 x 202, 199 x 422',
insert into answer select 'fifty start with one form', status
  from leadq.web_otp_start(array[gen_random_uuid()],
    array['{"profile": "free", "consent_pd": true, "phone": "+79'
            || 100000000 + (random() * 99999999)::integer || '",
            "$form": "' || repeat('0f', 16) || '",
            "$session": "' || gen_random_uuid() || '"}']);
SQL
    'a form begins one verification');

# Everything at once on forty verifications, in batches of any order.
verification(100 + $_, sprintf '+7916111%04d', $_ % 7) for 1 .. 40;
my $mix = <<'SQL';
\set a random(101, 140)
\set b random(101, 140)
\set c random(1, 30)
\set p random(1, 7)
insert into answer select 'all at once', status
  from leadq.web_otp_check(array[gen_random_uuid(), gen_random_uuid()],
    array[(select format('{"id": "00000000-0000-7000-8000-%s", "$session": "s",
            "code": {"1": "%s"}}', lpad(:a::text, 12, '0'), case when :c = 1
            then encode(sha256('right'), 'hex') else 'x' end)),
          (select format('{"id": "00000000-0000-7000-8000-%s", "$session": "s",
            "code": {"1": "x"}}', lpad(:b::text, 12, '0')))]);
select from leadq.web_otp_start(array[gen_random_uuid(), gen_random_uuid()],
    array['{"profile": "free", "phone": "+791611100' || :c + 10 || '",
            "consent_pd": true, "$session": "' || gen_random_uuid() || '"}',
          '{"profile": "free", "phone": "+791611200' || :p + 10 || '",
            "consent_pd": true, "$session": "' || gen_random_uuid() || '"}']);
select from leadq.web_otp_resend(array[gen_random_uuid(), gen_random_uuid()],
    array[(select format('{"id": "00000000-0000-7000-8000-%s",
            "$session": "s"}', lpad(:b::text, 12, '0'))),
          (select format('{"id": "00000000-0000-7000-8000-%s",
            "$session": "s"}', lpad(:a::text, 12, '0')))]);
SQL
like(crowd('all at once', 16, 35, $mix), qr/ x 410/,
    'checks, starts and resends go on at once');
is($pg->sql(q(select count(*) from leadq.verification
    where checks > max_checks or cardinality(checked) <> checks)), 0,
    'with every check counted');

done_testing();
