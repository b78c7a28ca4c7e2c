#!/usr/bin/perl

# leadq_session: requests of the same browser have the same session in their
# row, and nobody makes up another's.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Test::More;
use MIME::Base64 qw(decode_base64url);

use Door qw(postgres post form codes);
use Leadq::Link;
use Leadq::Nginx;
use Leadq::Test qw(free_port http run spew tempdir);

my $pg = postgres();
my $dsn = $pg->dsn;
my $dir = tempdir();
spew("$dir/session.key", '7 ' . ('ab' x 32) . "\n");
spew("$dir/other.key", '7 ' . ('cd' x 32) . "\n");
is((run(qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=a
    -keyout), "$dir/tls.key", '-out', "$dir/tls.crt"))[0], 0, 'a certificate');

my ($tls, $h2, $away) = (free_port(), free_port(), free_port());
my $session = 'leadq_session cookie=sid key=session;';
my $echo = "location = /echo { leadq_pass main echo; leadq_field name text;
    $session }";
my $ng = Leadq::Nginx->start(
    http => qq(leadq_database main "$dsn";
        leadq_database away "host=127.0.0.1 port=$away dbname=a" timeout=100ms;
        leadq_key session $dir/session.key;
        leadq_limit_zone some 64k rate=1r/h;
        client_max_body_size 1k;
        server { listen 127.0.0.1:$tls ssl; ssl_certificate $dir/tls.crt;
            ssl_certificate_key $dir/tls.key; $echo }
        server { listen 127.0.0.1:$h2 http2; $echo }),
    server => qq(
        $echo
        location = /once { leadq_pass main once; leadq_field name text;
            $session leadq_idempotency optional key=session; }
        location = /short { leadq_pass main echo; leadq_field name text;
            leadq_methods GET POST DELETE; leadq_args on;
            leadq_session cookie=__Host-s key=session life=90m; }
        location = /fail { leadq_pass main fail; leadq_field name text;
            $session }
        location = /limit { leadq_pass main echo; $session leadq_limit some; }
        location = /own { leadq_pass main echo; $session
            leadq_same_origin on; }
        location = /away { leadq_pass away echo; $session }
        location = /page { leadq_pass main echo; leadq_field name text;
            $session leadq_redirect /ok /sorry; }
        location = /none { leadq_pass main echo; leadq_field name text; }
    ));

my $ask = sub { my ($path, @headers) = @_;
    form($ng->url($path), 'name=a', @headers) };

# The session of a row, from the answer that repeats it.
sub in_row {
    my ($r) = @_;
    return $r->{content} =~ /"\$session":"([0-9a-f]{32})"/ ? $1 : 'none';
}

# The session of a token.
sub in_token {
    my ($token) = @_;
    return unpack 'x7 H32', decode_base64url($token // '');
}

my $new = $ask->('/echo');
my $token = $new->{headers}{'leadq-session'};
like($token, qr/^[A-Za-z0-9_-]{52}$/, 'who has no session gets one');
is($new->{headers}{'set-cookie'}, "sid=$token; Path=/; HttpOnly; "
    . 'SameSite=Lax; Max-Age=86400', 'as a cookie, too');
is(in_row($new), in_token($token), 'which is in the row');
is($new->{content}, '{"name":"a","$session":"' . in_token($token) . '"}',
    'behind what the client said');
isnt(in_row($ask->('/echo')), in_row($new), 'another has another one');

# --- the same again
my $same = sub {
    my ($what, $r) = @_;
    is(join(' ', in_row($r), map { $_ // 'no' } @{ $r->{headers} }
        {qw(leadq-session set-cookie)}), in_token($token) . ' no no', $what);
};
$same->('the cookie brings it back, and is not renewed yet',
    $ask->('/echo', cookie => "sid=$token"));
$same->('so does the header', $ask->('/echo', 'leadq-session' => $token));
$same->('among other cookies', $ask->('/echo',
    cookie => "a=b; xsid=$token; sid=$token; SID=x"));
$same->('behind a bad one of the name', $ask->('/echo',
    cookie => "sid=; sid=x; sid=$token"));
$same->('a header helps where the cookie is bad', $ask->('/echo',
    cookie => 'sid=bad', 'leadq-session' => $token));
$same->('another location knows it', $ask->('/fail', cookie => "sid=$token"));
my $one = Leadq::Link::token("$dir/session.key", '1' x 32,
    purpose => 'session');
is(in_row($ask->('/echo', cookie => "sid=$one", 'leadq-session' => $token)),
    '1' x 32, 'of two good ones the cookie counts');

# --- none of ours
my $fresh = sub {
    my ($what, @headers) = @_;
    my $r = $ask->('/echo', @headers);
    isnt(in_row($r), in_token($token), $what);
    is(in_row($r), in_token($r->{headers}{'leadq-session'}),
        'and a new one begins');
};
my $made = sub { my ($key, @options) = @_;
    return 'sid=' . Leadq::Link::token("$dir/$key.key", in_token($token),
        purpose => 'session', @options) };
(my $changed = $token) =~ tr/A-Za-z/B-ZAb-za/;
$fresh->('a cookie of another name is none', cookie => "side=$token");
$fresh->('nor is half a token', cookie => 'sid=' . substr $token, 0, 51);
$fresh->('or a changed one', cookie => "sid=$changed");
$fresh->('a forged one is none', cookie => $made->('other'));
$fresh->('nor a link for another purpose',
    cookie => $made->('session', purpose => 'confirm'));
$fresh->('an expired one is none',
    cookie => $made->('session', expires => time));
$fresh->('eight bad ones of the name are the end of patience',
    cookie => 'sid=x; ' x 8 . "sid=$token");

# --- the second half of its life
my $aged = $ask->('/echo', cookie => $made->('session',
    expires => time + 43_190));
is(in_row($aged), in_token($token), 'an aged session goes on');
my $renewed = $aged->{headers}{'leadq-session'};
is(in_token($renewed), in_token($token), 'with a new token');
like($aged->{headers}{'set-cookie'}, qr/^sid=\Q$renewed\E; /, 'as a cookie');
$same->('which is young', $ask->('/echo', cookie => "sid=$renewed"));
ok(!$ask->('/echo', cookie => $made->('session', expires => time + 43_260))
    ->{headers}{'set-cookie'}, 'before that it is not renewed');
like($ask->('/short')->{headers}{'set-cookie'},
    qr/^__Host-s=.*; Max-Age=5400$/, 'another life is another age');

# --- whatever the answer
sub begins {
    my ($what, $r, $answer) = @_;
    my $is = ($r->{headers}{'leadq-session'} || '') =~ /^[\w-]{52}$/
        && $r->{headers}{'set-cookie'} =~ /^[\w-]+=\Q$r->{headers}{'leadq-session'}\E;/;
    is(($answer ? codes($r) : $r->{status}) . ($is ? ' begins' : ''),
        ($answer || $what) . ' begins', "a session begins with $what");
}
begins('a bad field', form($ng->url('/echo'), 'x=1'), '422 x.unknown-field');
begins('a body that is none', post($ng->url('/echo'), '{'), '400 bad-json');
begins('a type that is none', post($ng->url('/echo'), 'a',
    'content-type' => 'text/csv'), '415 unsupported-media-type');
begins('too long a body', form($ng->url('/echo'), 'a' x 2000),
    '413 body-too-large');
begins('PUT', http('PUT', $ng->url('/echo')), '405 method-not-allowed');
begins('what SQL refuses', form($ng->url('/fail'), 'name=22023'),
    '422 refused');
begins('a mistake of SQL', form($ng->url('/fail'), 'name=42883'),
    '500 internal-error');
begins('another site', $ask->('/own'), '403 cross-origin');
begins('the first request', form($ng->url('/limit'), ''),
    '201 application/json');
begins('the limit', form($ng->url('/limit'), ''), '429 too-many-requests');
begins('no database', form($ng->url('/away'), ''), '503 database-away');
begins('303', form($ng->url('/page'), 'name=a', accept => 'text/html'));
for my $method (qw(GET HEAD DELETE)) {
    my $r = http($method, $ng->url('/short?name=a'));
    ok($r->{status} == 201 && $r->{headers}{'set-cookie'}, "and by $method");
}
my $none = $ask->('/none', cookie => "sid=$token");
is($none->{content}, '{"name":"a"}', 'without the directive there is none');
ok(!$none->{headers}{'set-cookie'}, 'and no cookie');

# --- repeats
my @key = ('idempotency-key' => 'one');
my $first = $ask->('/once', @key, cookie => "sid=$token");
is($ask->('/once', @key)->{content}, $first->{content},
    'a repeat is one, whatever its session');

# --- connections
my $curl = sub { (run('curl', '-sk', '-i', '-d', 'name=a', @_))[1] };
like($curl->("https://127.0.0.1:$tls/echo"),
    qr/^Set-Cookie: sid=.*; Max-Age=86400; Secure\r$/mi,
    'over TLS the cookie stays there');
like($curl->('--http2-prior-knowledge', '-H', 'Cookie: a=b', '-H',
    "Cookie: sid=$token", "http://127.0.0.1:$h2/echo"),
    qr/^HTTP\/2 201.*"\$session":"@{[in_token($token)]}"/s,
    'HTTP/2 may send each cookie by itself');

# --- a new key
spew("$dir/session.key", '8 ' . ('ef' x 32) . "\n7 " . ('ab' x 32) . "\n");
$ng->reload;
$same->('a new key spoils no session', $ask->('/echo',
    cookie => "sid=$token"));
is(unpack('x1 C', decode_base64url($ask->('/echo')->{headers}
    {'leadq-session'})), 8, 'and makes new ones');
is($ng->alarms =~ s/.*42883.*\n?//r, '', 'nothing alarming is in the log');

done_testing();
