#!/usr/bin/perl

# The ready-made networks of conf/networks/, each against a peer that is
# strict in its own way: what it counts is what we count, "processed" comes
# first, and the list of the day says the same.  A-3, A-15, M-17, M-18.

use strict;
use warnings;

use File::Basename qw(basename);
use FindBin ();
use HTTP::Tiny ();
use JSON::PP qw(decode_json encode_json);
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Test qw(wait_for tempdir slurp spew run build_dir);
use Leadq::Worker;
use Outside qw(http_server mail_server);
use Peers ();

my $pg = Leadq::Postgres->start;
$pg->migrate;
my $net = http_server(undef, \&Peers::answer);
my ($mail, $dir) = (mail_server(), tempdir());
mkdir "$dir/secrets";
spew("$dir/secrets/$_", "$Peers::SECRETS{$_}\n") for keys %Peers::SECRETS;

# --- the definitions, with our peers in the place of example hosts

my (%statuses, @networks);
for my $file (glob "$FindBin::Bin/../../conf/networks/*.json") {
    my ($rc, $out) = run(build_dir() . '/leadqctl', 'config', 'check', $file);
    is($rc, 0, basename($file) . ' is a good document') or diag $out;
    for my $network (@{ decode_json(slurp($file))->{networks} }) {
        $network->{url} =~ s{^https://[\w.]+\.example/}
            {$net->url("/$network->{name}/")}e
            or die "$file: no example host\n";
        $network->{ports} = [$net->port];
        $statuses{ $network->{name} } = $network->{statuses};
        push @networks, $network;
    }
}
is_deeply([sort map { $_->{name} } @networks], [Peers::names()],
    'each network that is ready-made has its peer');
spew("$dir/doc.json", encode_json({ networks => \@networks,
    templates => [{ name => 't', lang => 'ru', subject => 's',
        text => '{{confirm_url}} {{unsubscribe_url}}',
        html => '{{confirm_url}} {{unsubscribe_url}}' }],
    series => [{ name => 's', steps => [{ template => 't' }] }],
    sources => [{ name => 'cpa', series => 's', expired_as => 'hold',
        from_email => 'a@b.ru', base_url => 'https://b.ru',
        partners => [map { { network => $_, offer_id => "offer-$_",
            payout => '150.50', currency => 'RUB' } } Peers::names()] }] }));
$pg->import_config("$dir/doc.json");

my $worker = Leadq::Worker->start(conf => { poll => '50ms',
    database => $pg->dsn(user => 'leadq_worker'), smtp_url => $mail->url,
    smtp_tls => 'off', secrets_dir => "$dir/secrets" });

# --- three leads for each: one confirms, one is malformed, one never answers

my @requests;
for my $name (Peers::names()) {
    my $click = 'click-' . ($name =~ s/-/_/r);
    push @requests, map { encode_json({ source => 'cpa', partner => $name,
        %$_ }) } { click_id => "${click}_a", email => "a-$name\@x.ru" },
        { click_id => "${click}_r", '$invalid' => { email => 'email-no-at' } },
        { click_id => "${click}_h", email => "h-$name\@x.ru" };
}
my $all = join ',', map { s/'/''/gr =~ s/(.*)/'$1'/r } @requests;
$pg->sql("select count(*) from leadq.web_lead((select array_agg(
    gen_random_uuid()) from generate_series(1, ${\ scalar @requests})),
    array[$all])");

sub settled {
    my ($what, $leads) = @_;
    return wait_for($what, 60, sub {
        return $pg->sql("select count(*) from leadq.lead where $leads
            and exists (select from leadq.postback p where p.state = 'done'
            and p.status <> 'processed' and p.lead_id = lead.lead_id)")
            == $pg->sql("select count(*) from leadq.lead l
            join leadq.network w using (network_id) where ($leads)
            and (l.state = 'approved' or 'hold' = any (w.statuses))")
            && !$pg->sql("select count(*) from leadq.lead where ($leads)
            and final_at is null")
            && !$pg->sql("select count(*) from leadq.job
            where kind in ('postback', 'lead')");
    });
}

wait_for('letters', 60, sub { $pg->sql(q(select count(*) from leadq.message
    where state = 'sent')) == 2 * @networks });
$pg->sql(q(select leadq.web_confirm(array[gen_random_uuid()],
    array[jsonb_build_object('message', m.message_id)::text])
    from leadq.message m join leadq.enrolment using (enrolment_id)
    where email like 'a-%'));
settled('approved and rejected', q(click_id !~ '_h$'));
$pg->sql("select leadq.shift_time('3 days'); notify leadq_ready");
settled('hold', 'true');

# --- the books

my $books = decode_json(HTTP::Tiny->new->get($net->url('/books'))->{content});
is_deeply($books->{wrong}, [], 'no peer has anything to object');
for my $name (Peers::names()) {
    my ($count, %wants) = ($books->{books}{$name},
        map { $_ => 1 } @{ $statuses{$name} });
    my $click = 'click-' . ($name =~ s/-/_/r);
    my %got = map { my $end = $_;
        ($end => join ' ', map { $_->[0] } @{ $count->{"${click}_$end"} }) }
        qw(a r h);
    my $first = $wants{processed} ? 'processed ' : '';
    is($got{a}, "${first}approved", "$name: processed, then approved, once");
    is($got{r}, $wants{rejected} ? "${first}rejected" : '',
        'what is malformed is rejected');
    like($got{h}, $wants{hold} ? qr/^processed (?:hold|processed)$/ : qr/^$/,
        'what nobody confirmed is on hold');
    my ($money) = map { $_->[1] } grep { $_->[0] eq 'approved' }
        @{ $count->{"${click}_a"} };
    is($money // '150.50', '150.50', 'the price is ours');
}

# --- the list of the day

my $day = $pg->sql("select (leadq.now() at time zone 'UTC')::date - 3");
my ($rc, $out) = run(build_dir() . '/leadqctl', 'report', 'partners', '-d',
    $pg->dsn, '--date', $day, '--out', "$dir");
is($rc, 0, 'the list of the day is written') or diag $out;
for my $name (Peers::names()) {
    my ($head, @rows) = split /\n/, slurp("$dir/$name-$day.csv");
    my @approved = grep { /,approved,/ } @rows;
    is(scalar @approved, 1, "$name: it has what the network has approved");
    like($approved[0], qr/^$day,[\d:]{8},$name,cpa,offer-$name,click-\w+_a,
        [0-9a-f-]{36},approved,,150\.50,RUB,$day[ ][\d:]{8},done,/x,
        'with the price');
}
is($worker->term, 0, 'the worker ends well');

done_testing();
