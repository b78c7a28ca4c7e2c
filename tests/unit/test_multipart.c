
/*
 * Content types, and bodies that are multipart forms; expected pairs are
 * written "name=value|name=value", a refusal "!code name".
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_media.h"
#include "leadq_multipart.h"


#define B       "--XX\r\n"
#define END     "--XX--\r\n"
#define CD      "Content-Disposition: form-data; "
#define FIELD(name, value)  B CD "name=\"" name "\"\r\n\r\n" value "\r\n"


static void
check(const char *body, size_t len, const char *expected)
{
    char           got[1024], *arena, *copy, *p;
    size_t         i;
    leadq_code_e   code;
    leadq_pairs_t  pairs;

    arena = malloc(len ? len : 1);
    copy = malloc(len ? len : 1);
    assert_non_null(arena);
    assert_non_null(copy);
    memcpy(copy, body, len);

    code = leadq_multipart_parse(copy, len, "XX", 2, arena, &pairs);

    p = got;
    *p = '\0';

    if (code != LEADQ_OK) {
        p += sprintf(p, "!%s", leadq_code_name(code));

        if (pairs.culprit.len) {
            sprintf(p, " %.*s", (int) pairs.culprit.len, pairs.culprit.data);
        }

    } else {

        for (i = 0; i < pairs.n; i++) {
            p += sprintf(p, "%s%.*s=%.*s", i ? "|" : "",
                         (int) pairs.pair[i].name.len, pairs.pair[i].name.data,
                         (int) pairs.pair[i].value.len,
                         pairs.pair[i].value.data);
        }
    }

    free(copy);
    free(arena);

    if (strcmp(got, expected) != 0) {
        fail_msg("\"%s\" gave \"%s\" instead of \"%s\"", body, got, expected);
    }
}


static void
content_types(void **state)
{
    char            got[128];
    size_t          i;
    leadq_code_e    code;
    leadq_media_t   media;

    static const struct {
        const char  *text;
        const char  *expected;
    } v[] = {
        { "application/json", "1" },
        { "Application/JSON ; charset=utf-8", "1" },
        { "application/json;charset=\"UTF-8\"", "1" },
        { "application/json; charset=utf8;;", "1" },
        { "application/json; odata=verbose; charset=us-ascii", "1" },
        { "application/x-www-form-urlencoded", "0" },
        { "application/x-www-form-urlencoded; charset=windows-1251",
          "!unsupported-charset" },
        { "application/json; charset=utf-16", "!unsupported-charset" },
        { "application/json; charset=", "!unsupported-media-type" },
        { "application/json; charset", "!unsupported-media-type" },
        { "application/json; charset=\"utf-8", "!unsupported-media-type" },
        { "application/json; charset=\"utf-8\"x", "!unsupported-media-type" },
        { "application/json charset=utf-8", "!unsupported-media-type" },
        { "application/json; =utf-8", "!unsupported-media-type" },
        { "application/jsonx", "!unsupported-media-type" },
        { "application/xml", "!unsupported-media-type" },
        { "", "!unsupported-media-type" },
        { ";", "!unsupported-media-type" },
        { "text/plain", "3" },
        { "multipart/form-data; boundary=XX", "2XX" },
        { "multipart/form-data; boundary=----WebKitFormBoundary7MA4",
          "2----WebKitFormBoundary7MA4" },
        { "multipart/form-data; charset=utf-8; BOUNDARY=\"a b:c\"",
          "2a b:c" },
        { "multipart/form-data", "!bad-multipart" },
        { "multipart/form-data; boundary=\"\"", "!bad-multipart" },
        { "multipart/form-data; boundary=\"a \"", "!bad-multipart" },
        { "multipart/form-data; boundary=\"a\\b\"", "!bad-multipart" },
        { "multipart/form-data; boundary=a; boundary=b", "!bad-multipart" },
        { "multipart/form-data; boundary=a*b", "!bad-multipart" },
        { "multipart/form-data; boundary="
          "01234567890123456789012345678901234567890123456789"
          "012345678901234567890", "!bad-multipart" },
        { "multipart/form-data; boundary="
          "01234567890123456789012345678901234567890123456789"
          "01234567890123456789",
          "201234567890123456789012345678901234567890123456789"
          "01234567890123456789" },
        { "multipart/mixed; boundary=a", "!unsupported-media-type" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        code = leadq_media_read(v[i].text, strlen(v[i].text), &media);

        if (code == LEADQ_OK) {
            sprintf(got, "%d%.*s", (int) media.type, (int) media.boundary_len,
                    media.boundary);
        } else {
            sprintf(got, "!%s", leadq_code_name(code));
        }

        if (strcmp(got, v[i].expected) != 0) {
            fail_msg("%s gave %s instead of %s", v[i].text, got,
                     v[i].expected);
        }
    }

    assert_int_equal(leadq_media_read("application/json\0", 17, &media),
                     LEADQ_BAD_MEDIA_TYPE);
}


static void
bodies(void **state)
{
    size_t  i;

    static const struct {
        const char  *body;
        const char  *pairs;
    } v[] = {
        { END, "" },
        { "--XX--", "" },
        { FIELD("a", "b") END, "a=b" },
        { FIELD("a", "b") FIELD("a", "c") "--XX--", "a=b|a=c" },
        { FIELD("a", "") END, "a=" },
        { FIELD("a", "Анна\r\n\r\n--X\r\n-- XX\r\r") END,
          "a=Анна\r\n\r\n--X\r\n-- XX\r\r" },
        { "--XX  \r\n" CD "name=a\r\n\r\nb\r\n--XX-- \r\n", "a=b" },
        { B "content-disposition:FORM-DATA;name=\"a\"\r\n"
          "Content-Type: text/plain; charset=UTF-8\r\n"
          "content-transfer-encoding: 8bit\r\nX-Other: 1\r\n\r\nb\r\n" END,
          "a=b" },
        { B "X-Other:\r\n" CD "name=\"a;=%22%0d%0A%41\"\r\n\r\nb\r\n" END,
          "a;=\"\r\n%41=b" },

        { B CD "name=\"a\"; filename=\"a.png\"\r\n\r\nb\r\n" END,
          "!file-part a" },
        { B CD "name=\"a\"; filename=\"\"\r\n"
          "Content-Type: application/octet-stream\r\n\r\n\r\n" END,
          "!file-part a" },
        { B CD "name=\"a\"; filename*=UTF-8''a\r\n\r\nb\r\n" END,
          "!file-part a" },
        { FIELD("x", "y") B "Content-Type: application/json\r\n" CD
          "name=\"a\"\r\n\r\n{}\r\n" END, "!file-part a" },
        { B "Content-Type: text/plain; charset=koi8-r\r\n" CD
          "name=\"a\"\r\n\r\nb\r\n" END, "!unsupported-charset" },
        { B CD "name=\"a\"\r\nContent-Type: text/plain; charset=koi8-r\r\n"
          "\r\nb\r\n" END, "!unsupported-charset a" },
        { FIELD("\xff", "b") END, "!bad-encoding" },

        { "", "!bad-multipart" },
        { "--XX", "!bad-multipart" },
        { "--X", "!bad-multipart" },
        { "--XX\r\n", "!bad-multipart" },
        { "--XX\n" CD "name=\"a\"\n\nb\n--XX--\n", "!bad-multipart" },
        { "\r\n" FIELD("a", "b") END, "!bad-multipart" },
        { "preamble\r\n" FIELD("a", "b") END, "!bad-multipart" },
        { FIELD("a", "b") END "epilogue", "!bad-multipart" },
        { FIELD("a", "b") "--XX--x", "!bad-multipart" },
        { FIELD("a", "b\r\n--XXY") END, "!bad-multipart" },
        { FIELD("a", "b") "--XX\r\n", "!bad-multipart" },
        { FIELD("a", "b") "--XX-", "!bad-multipart" },
        { B CD "name=\"a\"\r\n\r\nb", "!bad-multipart a" },
        { B CD "name=\"a\"\r\n\r\nb\n--XX--", "!bad-multipart a" },
        { B CD "name=\"a\"\r\nb", "!bad-multipart a" },
        { B CD "name=\"\"\r\n\r\nb\r\n" END, "!bad-multipart" },
        { B CD "\r\n\r\nb\r\n" END, "!bad-multipart" },
        { B "\r\nb\r\n" END, "!bad-multipart" },
        { B CD "name=\"a\"; name=\"b\"\r\n\r\nb\r\n" END,
          "!bad-multipart a" },
        { B CD "name=\"a\"\r\n" CD "name=\"b\"\r\n\r\nb\r\n" END,
          "!bad-multipart a" },
        { B "Content-Disposition: attachment; name=\"a\"\r\n\r\nb\r\n" END,
          "!bad-multipart" },
        { B "Content-Disposition: form-datax; name=\"a\"\r\n\r\nb\r\n" END,
          "!bad-multipart" },
        { B CD "name=\"a\"\r\n folded\r\n\r\nb\r\n" END, "!bad-multipart a" },
        { B CD "name=\"a\"\r\n: x\r\n\r\nb\r\n" END, "!bad-multipart a" },
        { B CD "name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYg=="
          "\r\n" END, "!bad-multipart a" },
        { B CD "name=a b\r\n\r\nb\r\n" END, "!bad-multipart a" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        check(v[i].body, strlen(v[i].body), v[i].pairs);
    }

    check(B CD "name=\"a\0\"\r\n\r\nb\r\n" END,
          sizeof(B CD "name=\"a\0\"\r\n\r\nb\r\n" END) - 1, "!bad-multipart");
}


static void
limits(void **state)
{
    int    i;
    char   body[8192], *p;

    (void) state;

    p = body;

    for (i = 0; i < 65; i++) {
        p += sprintf(p, FIELD("f%d", "1"), i);
    }

    strcpy(p, END);
    check(body, strlen(body), "!too-many-fields");

    p = body + sprintf(body, B CD "name=\"a\"\r\nX: ");
    memset(p, 'x', LEADQ_PART_HEAD_MAX);
    strcpy(p + LEADQ_PART_HEAD_MAX, "\r\n\r\nb\r\n" END);
    check(body, strlen(body), "!bad-multipart a");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(content_types),
        cmocka_unit_test(bodies),
        cmocka_unit_test(limits),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
