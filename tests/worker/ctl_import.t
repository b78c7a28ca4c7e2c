#!/usr/bin/perl

# leadqctl import: a file becomes leads as the web would have taken them, and
# what is refused is told and kept.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use Test::More;

use Leadq::Postgres;
use Leadq::Test qw(tempdir slurp spew run build_dir);

my $pg = Leadq::Postgres->start;
$pg->migrate;
$pg->import_config('conf/leadq.json');
my $dir = tempdir();
my $base = "$dir/base.csv";
$ENV{LEADQ_DATABASE} = $pg->dsn;

sub import_base {
    return run(build_dir() . '/leadqctl', 'import', $base, '--source',
        'old-base', @_);
}

spew($base, <<"CSV" =~ s/\n/\r\n/gr);
\xef\xbb\xbfE-mail;name;Телефон;город
anna\@x.ru;"Анна ""А"" Орлова";8 (916) 123-45-67;Тверь
bad;x;;

boris\@y.ru;Борис;8916;
"unclosed;a
anna\@X.RU;again;;
c\@z.ru;;;
CSV
my @options = ('--map', 'email=E-mail,phone=Телефон,sub1=город',
    '--set', 'consent_pd=yes,consent_at=2019-05-01,text_version=club-1');

# nothing begins by guessing
for my $case (
    [[], qr/no column is the field "email": say which by --map/],
    [['--map', 'email=E-mail'], qr/no column is the field "consent_pd"/],
    [['--map', 'mail=E-mail'], qr/--map: there is no field "mail"/],
    [['--map', 'email=mail'], qr/--map: there is not a column "mail"/],
    [['--set', 'consent_pd=hm'], qr/--set: consent_pd /],
    [['--delimiter', ';;'], qr/--delimiter ";;" is not one character/],
    [['--encoding', 'utf-99'], qr/there is no encoding "utf-99"/],
    [[@options, '--source', 'nope'], qr/P0002: there is no source "nope"/],
) {
    my ($rc, $out) = import_base(@{ $case->[0] });
    is($rc, 1, "a mistake: @{ $case->[0] }");
    like($out, $case->[1], 'is told');
}
for my $case (['--lines', '0'], ['--lines', 'x']) {
    is((import_base(@$case))[0], 2, "@$case is a mistake of usage");
}
like((run(build_dir() . '/leadqctl', 'import', $base))[1],
    qr/import needs --source NAME/, 'a source must be named');
is($pg->sql('select count(*) from leadq.lead'), 0, 'nothing was changed');

my ($rc, $out) = import_base(@options, '--dry-run');
is($rc, 0, 'a dry run reads the file');
like($out, qr/8 lines read, 3 would be refused; nothing was changed/,
    'and tells');
is($pg->sql('select count(*) from leadq.import'), 0, 'and changes nothing');

# the import
($rc, $out) = import_base(@options, '--report', "$dir/refused.csv");
is($rc, 0, 'a file is imported');
is($out, <<"OUT" =~ s/^base/$base/gmr, 'what became of its lines is told');
base:3: email has no \@
base:5: phone has too few digits
base:6: line has a quote that is not doubled, or not closed
base: 8 lines read, to the end
         1  there before
         2  taken pending
         1  refused line bad-quote
         1  refused email email-no-at
         1  refused phone phone-too-short
OUT
is(slurp("$dir/refused.csv"), <<'CSV', 'refused lines are kept with reasons');
line,reasons,"E-mail","name","Телефон","город"
3,"email email-no-at","bad","x","",""
5,"phone phone-too-short","boris@y.ru","Борис","8916",""
6,"bad-quote","""unclosed;a"
CSV
is((stat "$dir/refused.csv")[2] & 0777, 0600, 'for nobody else to read');
is($pg->sql(q(select email, phone, state, request ->> 'name',
    request ->> 'sub1' from leadq.lead order by email)),
    "anna\@x.ru|+79161234567|pending|Анна \"А\" Орлова|Тверь\n"
    . 'c@z.ru||pending||', 'leads are as the web would have them');
is($pg->sql(q(select distinct purpose, action, evidence, shown_at::date,
    text_sha256 is not null from leadq.consent order by 1)),
    "ads|refused|import|2019-05-01|t\npd_processing|given|import|2019-05-01|t",
    'their consents say when they were given, and to what');
is($pg->sql(q(select count(*) from leadq.job where kind = 'letter')), 2,
    'each person has a letter to come');

# again
($rc, $out) = import_base(@options, '--json');
is($rc, 0, 'a file that was imported is no mistake');
is_deeply(decode_json($out =~ s/^leadqctl:.*imported before\n//r)->{outcomes},
    { 'there before' => 1, 'taken pending' => 2, 'refused line bad-quote' => 1,
        'refused email email-no-at' => 1,
        'refused phone phone-too-short' => 1 }, 'but said, and changes nothing');
spew($base, slurp("$dir/refused.csv") =~ s/"8916"/"89160000001"/r
    =~ s/"bad"/"bad\@x.ru"/r =~ s/^6.*\n//mr);
($rc, $out) = import_base(@options);
like($out, qr/^ +2  taken pending$/m, 'refused lines that are mended come in');
spew($base, "email,consent_pd\nANNA\@x.ru,1\nanna\@x.ru,1\nd\@x.ru,0\n");
($rc, $out) = import_base();
like($out, qr/^ +1  there before$/m, 'who is there is known in another file');
like($out, qr/^ +1  refused consent_pd required$/m,
    'who has not agreed is not taken');

# old files
my $text = "email;name\ne\@x.ru;Ёлка\n";
utf8::decode($text);
open my $fh, '>:encoding(windows-1251)', $base or die;
print {$fh} $text;
close $fh;
($rc, $out) = import_base('--set', 'consent_pd=yes');
like($out, qr/^ +1  refused name not-utf8$/m, 'a name in no UTF-8 is refused');
($rc, $out) = import_base('--set', 'consent_pd=yes', '--encoding',
    'windows-1251');
like($out, qr/^ +1  taken pending$/m, 'unless its encoding is told');
is($pg->sql(q(select request ->> 'name' from leadq.lead
    where email = 'e@x.ru')), 'Ёлка', 'and then it is read');

spew($base, '');
like((import_base(@options))[1], qr/is empty: the first line names/,
    'an empty file is told');
unlink $base;
like((import_base(@options))[1], qr/No such file/, 'a missing one is told');
mkdir $base;
like((import_base(@options))[1], qr/is not a file/, 'and what is no file');

done_testing();
