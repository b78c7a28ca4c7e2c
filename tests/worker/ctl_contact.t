#!/usr/bin/perl

# leadqctl contact: export, withdraw, merge, erase.

use strict;
use warnings;

use JSON::PP ();
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/leadq.json');

# Texts stay bytes, as they are written here.
sub parse { return JSON::PP->new->decode($_[0]) }

sub contact {
    return run(build_dir() . '/leadqctl', 'contact', @_, '-d', $pg->dsn);
}

$pg->sql(q(select leadq.web_lead(
    array(select gen_random_uuid() from generate_series(1, 3)), array[
    '{"source": "cpa-landing", "email": "anna@x.ru", "phone": "+79161234567",
      "name": "Анна", "click_id": "1", "consent_pd": true,
      "text_version": "club-1", "ip": "192.0.2.1"}',
    '{"source": "cpa-landing", "email": "ann@y.ru", "consent_pd": true}',
    '{"source": "cpa-landing", "email": "boris@x.ru", "consent_ads": true}'])));
$pg->sql('select leadq.run_rules(10)');

# an address is read as the web reads it
my ($rc, $out) = contact('export', '8 (916) 123-45-67');
is($rc, 0, 'a person is exported');
my $all = parse($out);
is($all->{contact}{name}, 'Анна', 'with the name');
is(join(' ', map { $_->{value} } @{ $all->{addresses} }),
    'anna@x.ru +79161234567', 'the addresses');
like($all->{consents}[0]{text}, qr/^Разрешаю обрабатывать/,
    'the words that were agreed to');
is($all->{leads}[0]{told}[0]{status}, 'processed', 'what others were told');
is_deeply($all->{breaks}, [], 'and a chain of consents that holds');
is((contact('export', ' ANNA@X.ru '))[0], 1,
    'capitals before the @ are another person');
($rc, $out) = contact('export', 'anna@X.RU');
is(parse($out)->{contact}{contact_id}, $all->{contact}{contact_id},
    'those behind it are not');

($rc, $out) = contact('withdraw', 'boris@x.ru');
is("$rc " . parse($out)->{withdrawn}, '0 1', 'ads are taken back');
($rc, $out) = contact('withdraw', 'boris@x.ru', '--purpose', 'pd_processing');
is("$rc " . parse($out)->{withdrawn}, '0 1',
    'and so is all the rest');

($rc, $out) = contact('merge', 'anna@x.ru', 'ann@y.ru');
is($rc, 2, 'nobody is merged without --yes');
($rc, $out) = contact('merge', 'anna@x.ru', 'ann@y.ru', '--yes');
is("$rc " . parse($out)->{addresses}, '0 3', 'two become one');
is(parse((contact('export', 'ann@y.ru'))[1])->{contact}{name}, 'Анна',
    'the first');

($rc, $out) = contact('erase', 'ann@y.ru');
is($rc, 2, 'nobody is erased without --yes');
like($out, qr/what is erased does not come back; say --yes/, 'that is told');
($rc, $out) = contact('erase', 'ann@y.ru', '--yes');
is("$rc " . parse($out)->{leads}, '0 2', 'then he is');
($rc, $out) = contact('export', 'anna@x.ru');
is("$rc $out", "1 leadqctl: nobody has the address \"anna\@x.ru\"\n",
    'nothing is known any more');
($rc, $out) = contact('erase', 'stranger@x.ru', '--yes');
is("$rc " . parse($out)->{leads}, '0 0', 'a stranger may ask, too');
is($pg->sql(q(select count(*) from leadq.suppression
    where reason = 'erased')), 4, 'and will not be written to');

for my $case (
    [['export'], 2, qr/contact export needs one ADDRESS/],
    [['export', 'a@x.ru', 'b@x.ru'], 2, qr/needs one ADDRESS/],
    [['merge', 'a@x.ru', '--yes'], 2, qr/contact merge needs two/],
    [['export', 'a@'], 2, qr/"a@" is no address: email /],
    [['export', '12'], 2, qr/"12" is no address: phone has too few digits/],
    [['export', ''], 2, qr/"" is no address/],
    [['withdraw', 'a@x.ru', '--purpose', 'x'], 2,
        qr/--purpose "x" is not one of ads, pd_processing/],
    [['withdraw', 'a@x.ru'], 1, qr/P0002: nobody has the address/],
    [['merge', 'a@x.ru', 'b@x.ru', '--yes'], 1, qr/nobody has the first/],
) {
    my ($args, $expected, $told) = @$case;
    ($rc, $out) = contact(@$args);
    is($rc, $expected, "contact @$args fails");
    like($out, $told, 'and is told');
}

$pg->sql('create role clerk login; grant leadq_read to clerk');
for my $command (['export', 'boris@x.ru'], ['erase', 'boris@x.ru', '--yes']) {
    ($rc, $out) = run(build_dir() . '/leadqctl', 'contact', @$command, '-d',
        $pg->dsn(user => 'clerk'));
    is($rc, 1, "a reader may not call contact @$command");
    like($out, qr/42501/, 'and is told');
}

done_testing();
