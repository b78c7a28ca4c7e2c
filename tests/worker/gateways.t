#!/usr/bin/perl

# leadqctl gateways test, with the ready-made gateways of conf/gateways/: each
# against a peer that speaks the words of the real one.  It understands the
# request; its answers, reports and what it says when asked are understood.

use strict;
use warnings;

use File::Basename qw(basename);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib $FindBin::Bin;
use Leadq::Postgres;
use Leadq::Test qw(wait_for tempdir slurp spew run build_dir http);
use Leadq::World;
use Outside qw(http_server);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my ($world, $dir) = (Leadq::World->start, tempdir());

# Where reports go, and who judges captchas: not "no".
my $site = http_server(undef, sub {
    my $good = $_[0]{body} !~ /=no&/;
    return (200, $json->encode({ success => $good ? JSON::PP::true
        : JSON::PP::false, status => $good ? 'ok' : 'failed' }));
});
my @ports = map { /:(\d+)/ } $world->url('/'), $site->url('/');
my $PHONE = '+79160000078';
mkdir "$dir/secrets";

# --- the definitions, with the sandbox world in the place of their hosts

my %gateway;
for my $file (glob "$FindBin::Bin/../../conf/gateways/*.json") {
    my ($rc, $out) = run(build_dir() . '/leadqctl', 'config', 'check', $file);
    is($rc, 0, basename($file) . ' is a good document') or diag $out;
    my ($gateway) = @{ $json->decode(slurp($file))->{gateways} };
    my $name = $gateway->{name};
    is("$name.json", basename($file), 'and called as its gateway');
    $gateway->{ports} = [map { $_ + 0 } @ports];
    my $at = $gateway->{channel} eq 'identity' ? 'identity' : 'gateway';
    $gateway->{url} =~ s{^https://[^?]+}{$gateway->{channel} eq 'captcha'
        ? $site->url('/judge') : $world->url("/$at/$name")}e;
    $gateway->{poll}{url} =~ s{^https://[^?]+}{$world->url($at eq 'identity'
        ? "/$at/$name/status" : "/$at/$name/status/{provider_id}")}e
        if $gateway->{poll};
    spew("$dir/secrets/$gateway->{secret}", "s3cr&t-$name-s3cr&t\n");
    spew("$dir/secrets/$gateway->{sign}", "whsec_" . 'QUJD' x 8 . "\n")
        if $gateway->{sign};
    $gateway{$name} = $gateway;
}
my @senders = grep { $gateway{$_}{channel} !~ /^(?:captcha|identity)$/ }
    sort keys %gateway;
$world->gateways(map { $_ => { shape => $_, receipts => $site->url("/$_"),
    states => [] } } @senders);
spew("$dir/doc.json", $json->encode({ gateways => [values %gateway],
    verifications => [{ name => 'landing', kind => 'public', digits => 6,
        host => 'brand.ru', steps => [{ gateway => 'smsc',
            text => { ru => 'Code {code}' } }] }] }));
spew("$dir/links.key", '1 ' . ('5a' x 32) . "\n");
spew("$dir/worker.conf", "[leadq]\ndatabase = dbname=leadq\n"
    . "keys = $dir/links.key\nsmtp_url = smtp://127.0.0.1\n"
    . "private_targets = 127.0.0.0/8\nsecrets_dir = $dir/secrets\n");
my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config("$dir/doc.json");

sub fire {
    my ($name, @more) = @_;
    return run(build_dir() . '/leadqctl', 'gateways', 'test', $name, '-c',
        "$dir/worker.conf", '-d', $pg->dsn, @more);
}

# What stands at a path; undef: nothing.
sub at_path {
    my ($value, $path) = @_;
    for my $part (split /\./, $path) {
        $value = ref $value eq 'ARRAY' ? $value->[$part] : $value->{$part};
    }
    return $value;
}

# --- what is sent and answered

for my $name (@senders) {
    my $gateway = $gateway{$name};
    my ($rc, $out) = fire($name, '--send', '--to', '8 916 000-00-78');
    is($rc, 0, "$name takes it") or diag $out;
    my ($send) = $world->sends(gateway => $name);
    is($send->{phone}, substr($PHONE, 1), 'for the phone');
    is($send->{code}, $name eq 'smsc' ? 123456 : 1234, 'with the code')
        if !$gateway->{chooses_code};
    like($out, qr/^id: \Q$send->{id}\E$/m, 'and its name of it is found');
    like($out, qr/^code: \*\*\*$/m, 'so is its code')
        if $gateway->{chooses_code};
    unlike($out =~ s/^(?:Idempotency-Key|webhook-\w+):.*$//mgr
        =~ s/[\da-f]{8}-[\da-f-]{27}//gr =~ s/\b$send->{id}\b//gr,
        qr/$send->{code}|s3cr/, 'neither code nor secret is shown');
    next if !$gateway->{receipts} && !$gateway->{poll};

    # Each state, reported and asked for, is one of ours of the same kind.
    my %kind = (undelivered => 'lost', expired => 'lost', rejected => 'lost',
        read => 'delivered', clicked => 'delivered', queued => 'sent');
    for my $state ($gateway->{channel} eq 'call'
        ? qw(sent delivered undelivered)
        : qw(queued sent delivered read undelivered expired rejected))
    {
        my $how = $gateway->{receipts};
        my $body = $world->receipt(send => $send->{number},
            state => $state)->{body};
        my $report = $body =~ /^\{/ ? $json->decode($body)
            : { map { /(.*?)=(.*)/ } split /&/, $body };
        if ($how) {
            is(at_path($report, $how->{id}), $send->{id}, "whose it is")
                if $state eq 'sent';
            my $ours = $how->{states}{ at_path($report, $how->{status}) };
            is($kind{ $ours // '' } // $ours, $kind{$state} // $state,
                "$state is reported");
        }
        $how = $gateway->{poll} or next;
        my $said = http('GET', $world->url("/gateway/$name/status/"
            . $send->{id}))->{content};
        my $ours = $how->{states}{ at_path($json->decode($said),
            $how->{status}) };
        is($kind{ $ours // '' } // $ours, $kind{$state} // $state,
            "$state is told");
    }
}

# --- who checks persons

for my $name (grep { $gateway{$_}{channel} eq 'identity' } sort keys %gateway)
{
    my $gateway = $gateway{$name};
    for my $verdict (qw(passed failed)) {
        $world->faults({ identity => [{ verdict => $verdict,
            silent => JSON::PP::true(), delay_ms => 0 }] });
        my ($rc, $out) = fire($name, '--send', '--to', '8 916 000-00-78');
        is($rc, 0, "$name checks a person") or diag $out;
        my $check = ($world->checks($PHONE))[-1];
        is($check->{phone}, substr($PHONE, 1), 'of that phone');
        like($out, qr/^id: \Q$check->{token}\E$/m, 'its name of it is found');
        unlike($out, qr/s3cr/, 'and no secret is shown');
        my $body = $gateway->{poll}{body} =~ s/\{provider_id\}/$check->{token}/r;
        my $said = wait_for('the verdict', 10, sub {
            my $text = http('POST', $gateway->{poll}{url},
                { content => $body })->{content};
            return $text !~ /progress/ && $json->decode($text) });
        is($gateway->{poll}{states}{ at_path($said,
            $gateway->{poll}{status}) }, $verdict, "$verdict is told");
    }
    my %now = (%$gateway, match => { type => 'any' }, answer => { id => 'x',
        state => 'resultCode', states => { -100 => 'failed' } });
    $world->faults({ identity => [{ verdict => 'failed',
        sync => JSON::PP::true() }] });
    spew("$dir/now.json", $json->encode({ gateways => [\%now] }));
    my ($rc, $out) = fire($name, '--send', '--to', $PHONE, '--document',
        "$dir/now.json");
    like($out, qr/^state: -100\nverdict: failed$/m, 'one that answers at once');
}

for my $name (grep { $gateway{$_}{channel} eq 'captcha' } sort keys %gateway) {
    my ($rc, $out) = fire($name, '--send');
    is($rc, 0, "$name lets a person pass") or diag $out;
    my $body = ($site->requests)[-1]{body};
    like($body, qr/=test&.*=192\.0\.2\.1/, 'whose answer it is told');
    unlike($out, qr/s3cr/, 'and no secret is shown');
    $gateway{$name}{body} =~ s/\{captcha_token\}/no&t={captcha_token}/;
    spew("$dir/no.json", $json->encode({ gateways => [$gateway{$name}] }));
    ($rc, $out) = fire($name, '--send', '--document', "$dir/no.json");
    is($rc, 1, 'not a machine');
    like($out, qr/^dead, permanent: status 200/m, 'and it is final');
}

# --- what is shown

$world->clear;
my ($rc, $out) = fire('smsc', '--show');
is($rc, 0, 'a request is printed');
like($out, qr/"mes":"Code 123456(?:\\u000a){2}\@brand.ru #123456"/,
    'with the code, if so wished');
like($out, qr/"apikey":"\*\*\*","phones":"79000000000"/, 'and no secret');
($rc, $out) = fire('twilio');
like($out, qr/^Authorization: Basic \*\*\*$/m, 'of a header neither');
is(scalar(my @sent = $world->sends), 0, 'nothing is sent');
($rc, $out) = run(build_dir() . '/leadqctl', 'gateways', 'test', 'telegram',
    '-c', "$dir/worker.conf", '--document', "$dir/doc.json", '--show');
like($out, qr/"code":"1234"/, 'a document is enough');

$world->faults({ gateway => [{ does => 'refuse' }] });
for my $name (grep { $_ ne 'twilio' } @senders) {
    ($rc, $out) = fire($name, '--send', '--to', $PHONE);
    is($rc, 1, "a refusal of $name in a 200 is none of success");
    like($out, qr/^retry, no-match: status 200/m, 'and told');
}
for my $case (
    [['smsc', '--send'], qr/--send needs --to PHONE/],
    [['smsc', '--to', '112'], qr/--to "112" is no phone/],
    [['none'], qr/there is no gateway "none"/],
) {
    my ($words, $says) = @$case;
    ($rc, $out) = fire(@$words);
    is($rc, 1, "gateways test @$words fails");
    like($out, $says, 'and says why');
}

done_testing();
