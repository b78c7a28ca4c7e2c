
/*
 * Likelier addresses, and how they get into an answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_suggest.h"


/* otp-and-codes.md 4; "" is no suggestion */

static void
domains(void **state)
{
    size_t              i, len;
    char                address[256], got[256];
    leadq_suggestion_t  suggestion;

    static const struct {
        const char  *domain;
        const char  *likelier;
    } v[] = {
        { "mail.ru", "" }, { "gmail.com", "" }, { "ya.ru", "" },
        { "bk.ru", "" }, { "MAIL.ru", "" }, { "mail.com", "" },
        { "yandex.com", "" }, { "ymail.com", "" }, { "inbox.com", "" },
        { "brand.ru", "" }, { "a.ru", "" }, { "tut.by", "" },

        { "gmial.com", "gmail.com" }, { "gmai.com", "gmail.com" },
        { "gmaill.com", "gmail.com" }, { "gmsil.com", "gmail.com" },
        { "gamil.com", "gmail.com" }, { "gmail.con", "gmail.com" },
        { "gmail.co", "gmail.com" }, { "gmail.cm", "gmail.com" },
        { "gmail.comm", "gmail.com" }, { "gmailcom", "gmail.com" },
        { "gmail,com", "gmail.com" }, { "Gmail.Cmo", "gmail.com" },
        { "gmail.ru", "gmail.com" }, { "gmail", "gmail.com" },
        { "gmail.", "gmail.com" }, { "mial.ru", "mail.ru" },
        { "mail.r", "mail.ru" }, { "mail.ur", "mail.ru" },
        { "mail.tu", "mail.ru" }, { "mailru", "mail.ru" },
        { "mail", "mail.ru" }, { "mail..ru", "mail.ru" },
        { "amail.ru", "mail.ru" }, { "yandx.ru", "yandex.ru" },
        { "yadnex.ru", "yandex.ru" }, { "yandex.ri", "yandex.ru" },
        { "yandex", "yandex.ru" }, { "rambler.com", "rambler.ru" },
        { "ramler.ru", "rambler.ru" }, { "inbx.ru", "inbox.ru" },
        { "lsit.ru", "list.ru" }, { "icloud.ru", "icloud.com" },
        { "iclod.com", "icloud.com" }, { "outlok.com", "outlook.com" },
        { "outlook.ru", "outlook.com" },

        /* two letters are nearly always somebody's own */

        { "kb.ru", "bk.ru" }, { "ay.ru", "ya.ru" }, { "bk.ry", "bk.ru" },
        { "bk.com", "bk.ru" }, { "yaru", "ya.ru" }, { "ya", "ya.ru" },
        { "vk.ru", "" }, { "ok.ru", "" }, { "va.ru", "" }, { "k.ru", "" },
        { "bkk.ru", "" }, { "ya.com", "" },

        /* two edits */

        { "gmil.con", "" }, { "mil.rru", "" }, { "yndex.com", "" },
        { "", "" }, { "@", "" }, { "mail.ru mail.ru mail.ru.ru", "" },
        { "почта.рф", "" }, { "mаil.ru", "" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        strcpy(address, "  anna.P@");
        strcat(address, v[i].domain);
        len = strlen(address);

        got[0] = '\0';

        if (leadq_suggest_email(address, len, &suggestion)) {
            memcpy(got, suggestion.data, suggestion.len);
            got[suggestion.len] = '\0';
            assert_memory_equal(got, "anna.P@", 7);
            memmove(got, got + 7, strlen(got + 7) + 1);
        }

        if (strcmp(got, v[i].likelier) != 0) {
            fail_msg("%s gave \"%s\" instead of \"%s\"", v[i].domain, got,
                     v[i].likelier);
        }
    }
}


static void
nothing_that_would_be_refused(void **state)
{
    size_t              i;
    char                big[300];
    leadq_suggestion_t  suggestion;

    static const char *const  addresses[] = {
        "", "@", "gmail.con", "@gmail.con", "an na@gmail.con",
        "a..b@gmail.con", "анна@gmail.con", "a@b@gmail.con", "a\"@gmail.con"
    };

    (void) state;

    for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_int_equal(leadq_suggest_email(addresses[i],
                                             strlen(addresses[i]),
                                             &suggestion), 0);
    }

    memset(big, 'a', sizeof(big));
    memcpy(big + 100, "@gmail.con", 10);
    assert_int_equal(leadq_suggest_email(big, 110, &suggestion), 0);
    memcpy(big + 290, "@gmail.con", 10);
    assert_int_equal(leadq_suggest_email(big, 300, &suggestion), 0);
}


static void
answers(void **state)
{
    int          rc;
    char         got[256];
    size_t       i;
    leadq_buf_t  buf;

    static const struct {
        const char  *object;
        const char  *result;
    } v[] = {
        { "{}", "{\"suggest\":{}}" },
        { " { } ", "" },
        { "{ }\n", "{ \"suggest\":{}}\n" },
        { "{\"a\":1}", "{\"a\":1,\"suggest\":{}}" },
        { "{\"a\":{}} \r\n", "{\"a\":{},\"suggest\":{}} \r\n" },
        { "{\"a\":\"suggest\"}", "" },
        { "{\"suggest\":1}", "" },
        { "[1]", "" }, { "\"}\"", "" }, { "", "" }, { "}", "" }, { "{", "" },
        { "1", "" }, { "  ", "" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        leadq_buf_init(&buf, sizeof(got) - 1);

        rc = leadq_suggest_splice(&buf, v[i].object, strlen(v[i].object),
                                  "{}", 2);

        assert_int_equal(rc, v[i].result[0] != '\0');
        assert_int_equal(buf.len, strlen(v[i].result));

        if (rc) {
            assert_memory_equal(buf.data, v[i].result, buf.len);
        }

        leadq_buf_done(&buf);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(domains),
        cmocka_unit_test(nothing_that_would_be_refused),
        cmocka_unit_test(answers),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
