# Fifty tills on the same codes at once, straight at the rules: three uses are
# three, reservations and roll-backs in between, a customer is one customer, a
# key is one sale, a gift is one gift (threats 22, 23, 28).

use strict;
use warnings;

use Leadq::Postgres;
use Leadq::Test qw(run spew tempdir);
use Test::More;

my $CODES = 60;
my $CUSTOMERS = 400;

my $pg = Leadq::Postgres->start(conf => { max_connections => 120 });
$pg->migrate;
my $dir = tempdir();
$pg->sql(<<"SQL");
select leadq.config_import('{
 "points": [{"name": "mega"}],
 "advisors": [{"name": "anna", "point": "mega"},
              {"name": "olga", "role": "supervisor", "point": "mega"}],
 "gateways": [{"name": "sms", "channel": "sms", "url": "https://sms/"}],
 "verifications": [{"name": "desk", "kind": "desk",
    "steps": [{"gateway": "sms", "text": {"ru": "{code}"}}]}],
 "programmes": [{"name": "friends", "kind": "referral", "discount": "20 %",
    "per_customer": 100, "new_customer_only": false},
  {"name": "once", "kind": "trial", "discount": "10 %"}]}');
with c as (
    insert into leadq.contact (created_at)
    select now() from generate_series(1, $CUSTOMERS) returning contact_id)
insert into leadq.address (channel, value, contact_id, created_at)
select 'phone', '+7916' || lpad((row_number() over ())::text, 7, '0'),
       contact_id, now() from c;
insert into leadq.promo_code (programme_id, code, owner_id, max_uses,
       starts_at, expires_at)
select p.programme_id, translate(lpad(g::text, 12, 'X'), '01', 'AC'),
       (select min(contact_id) from leadq.contact) + g - 1,
       p.max_uses, now() - interval '1 day', now() + interval '1 day'
  from leadq.programme p, generate_series(1, $CODES) g
 where p.name = 'friends';
insert into leadq.promo_code (programme_id, code, max_uses, starts_at,
       expires_at)
select programme_id, translate(lpad(g::text, 12, 'T'), '01', 'AC'), 1,
       now() - interval '1 day', now() + interval '1 day'
  from leadq.programme, generate_series(1, 50) g where name = 'once';
insert into leadq.verification (verification_id, profile_id, phone, session,
       lang, digits, max_checks, seed, created_at, expires_at, state,
       closed_at, result_until)
select ('00000000-0000-7000-8000-' || lpad(g::text, 12, '0'))::uuid, 1,
       '+7916' || lpad((g % $CUSTOMERS + 1)::text, 7, '0'), sha256('s'), 'ru',
       4, 3, uuid_send(gen_random_uuid()), now(), now() + interval '5 min',
       'verified', now(), now() + interval '30 min'
  from generate_series(1, 20000) g;
insert into leadq.promo_code (programme_id, code, max_uses, starts_at,
       expires_at)
select programme_id, 'PPPPPPPPPPPP', 3, now() - interval '1 day',
       now() + interval '1 day'
  from leadq.programme where name = 'friends';
create sequence proved;
grant usage on proved to leadq_web;
create table answer (what text, status integer, body text);
grant insert, select on answer to leadq_web;
SQL

sub crowd {
    my ($what, $clients, $times, $sql) = @_;

    spew("$dir/script.sql", $sql);
    my ($rc, $out) = run(Leadq::Postgres::bindir() . '/pgbench', '-n', '-c',
        $clients, '-j', 2, '-t', $times, '-f', "$dir/script.sql",
        $pg->dsn(user => 'leadq_web'));
    my ($failed) = $out =~ /number of failed transactions: (\d+)/;
    ok($rc == 0 && !$failed, "$what, and no deadlock") or diag($out);
    return;
}

# What a till sends; pgbench puts the code's number and the kind in.
my $code = q(translate(lpad((:g)::text, 12, 'X'), '01', 'AC'));
my $proved = q('00000000-0000-7000-8000-'
    || lpad(nextval('public.proved')::text, 12, '0'));

crowd('fifty tills redeem, reserve, release and take back', 50, 40, <<"SQL");
\\set g random(1, $CODES)
\\set k random(1, 10)
with reserved as (
    select (body::jsonb ->> 'id')::uuid as id from leadq.web_promo_reserve(
        array[gen_random_uuid()], array[json_build_object('code', $code,
            'verification', $proved, '\$session', 's', 'advisor', 'anna')::text])
     where status = 201 and :k <= 4
), released as (
    select r.status from reserved, leadq.web_promo_release(
        array[gen_random_uuid()], array[json_build_object('id', reserved.id,
            'advisor', 'anna')::text]) r
     where :k <= 2
), redeemed as (
    select r.body from (select array[json_build_object('\$session', 's',
               'advisor', 'anna', 'reservation', (select id from reserved),
               'code', $code, 'verification', $proved)::text] as request
         where :k > 2 and (:k > 4 or exists (select from reserved))) q,
        leadq.web_promo_redeem(array[gen_random_uuid()], q.request) r
     where r.status = 201
)
insert into answer select 'mix', r.status, r.body
  from redeemed, leadq.web_promo_rollback(array[gen_random_uuid()],
    array[json_build_object('id', redeemed.body::jsonb ->> 'id', 'advisor',
        'olga', 'reason', 'test')::text]) r
 where :k = 10;
SQL
is($pg->sql(q(select count(*) from answer where status <> 200)), 0,
    'what was redeemed can be taken back');

crowd('then they redeem to the end', 50, 30, <<"SQL");
\\set g random(1, $CODES)
insert into answer select 'end', status, body
  from leadq.web_promo_redeem(array[gen_random_uuid()],
    array[json_build_object('code', $code, 'verification', $proved,
        '\$session', 's', 'advisor', 'olga')::text]);
SQL
my $live = q((select count(*) from leadq.redemption r
    where r.code_id = c.code_id and r.state = 'redeemed'));
$pg->sql(q(select leadq.shift_time('16 min')));
$pg->sql('select leadq.maintain()');
is($pg->sql("select count(*) from leadq.promo_code c where c.used <> $live
    or c.reserved <> 0"), 0, 'counters are what the rows say');
is($pg->sql("select count(*) from leadq.promo_code c where $live > max_uses"),
    0, 'no code is used more often than it may be');
is($pg->sql(q(select min(used) || ' ' || max(used) from leadq.promo_code
    where owner_id is not null)), '3 3', 'and every code exactly three times');
is($pg->sql(q(select count(*) || ' ' || count(distinct code_id)
    from leadq.reward where state = 'pending')), "$CODES $CODES",
    'one gift for each');
is($pg->sql(q(select count(*) from (select from leadq.redemption
    where state = 'redeemed' group by code_id, contact_id
    having count(*) > 1) d)), 0, 'no customer has used a code twice');

# A customer at every till of the town, with another code of the programme
# each: one of a programme is one.
crowd('one customer, fifty codes', 50, 3, <<'SQL');
\set g random(1, 50)
insert into answer select 'customer', status, body
  from leadq.web_promo_redeem(array[gen_random_uuid()],
    array[json_build_object('code',
        translate(lpad((:g)::text, 12, 'T'), '01', 'AC'),
        'verification', '00000000-0000-7000-8000-'
            || lpad((400 * (:client_id + 1) % 20000 + 399)::text, 12, '0'),
        '$session', 's', 'advisor', 'anna')::text]);
SQL
is($pg->sql(q(select count(*) from answer where what = 'customer'
    and status = 201)), 1, 'he gets one discount');

# A till whose answer was lost asks again and again.
crowd('one key, fifty tills', 50, 4, <<'SQL');
insert into answer select 'key', status, body
  from leadq.web_promo_redeem(
    array['00000000-0000-8000-8000-000000000001'::uuid],
    array['{"code": "PPPPPPPPPPPP", "verification":
            "00000000-0000-7000-8000-000000019001", "$session": "s",
            "advisor": "anna", "$fingerprint": "f"}']);
SQL
is($pg->sql(q(select min(status) || ' ' || count(*) || ' '
    || count(distinct body) from answer where what = 'key')), '201 200 1',
    'everybody hears the same');
is($pg->sql(q(select used from leadq.promo_code
    where code = 'PPPPPPPPPPPP')), 1, 'of one sale');

done_testing();
