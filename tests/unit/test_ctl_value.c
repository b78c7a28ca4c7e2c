/*
 * Single values of the business document.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_value.h"

#define DAY 86400L
#define BAD (-1L)

static void
intervals(void **state)
{
    static const struct {
        const char *text;
        long seconds;
    } cases[] = {
        {"0", 0},
        {"0 s", 0},
        {"1 s", 1},
        {"90 min", 5400},
        {"1 minute", 60},
        {"2days", 2 * DAY},
        {"2 days", 2 * DAY},
        {"1 week 3 days", 10 * DAY},
        {"400 days", 400 * DAY},
        {"00:00:00", 0},
        {"1 day 02:30:00", DAY + 9000},
        {"36:00", 36 * 3600},
        {"9600:00:00", 400 * DAY},
        {"", BAD},
        {" 1 day", BAD},
        {"1", BAD},
        {"day", BAD},
        {"-1 day", BAD},
        {"1.5 days", BAD},
        {"1 month", BAD},
        {"1 Day", BAD},
        {"2 fortnights", BAD},
        {"1 day 2 days", BAD},
        {"1 hour 02:00:00", BAD},
        {"01:60:00", BAD},
        {"1:", BAD},
        {"1:00:00:00", BAD},
        {"1 day,", BAD},
        {"401 days", BAD},
        {"57 weeks 2 days", BAD},
        {"99999999 weeks", BAD},
        {"999999999999999999999 s", BAD},
    };
    const char *reason;
    long seconds;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reason = ctl_value_interval(cases[i].text, &seconds);
        if ((reason == NULL) != (cases[i].seconds != BAD)
            || (reason == NULL && seconds != cases[i].seconds))
        {
            fail_msg("\"%s\": %s, %ld s", cases[i].text,
                     reason == NULL ? "good" : reason, seconds);
        }
    }
}

/* Good texts, NULL, bad texts, NULL. */
static void
check(const char *(*judge)(const char *text), const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        if (judge(*texts) != NULL) {
            fail_msg("\"%s\" %s", *texts, judge(*texts));
        }
    }
    for (texts++; *texts != NULL; texts++) {
        if (judge(*texts) == NULL) {
            fail_msg("\"%s\" passed", *texts);
        }
    }
}

static void
names(void **state)
{
    static const char *const texts[] = {
        "a",
        "doi-1",
        "cpa_landing",
        "7",
        NULL,
        "",
        "-a",
        "A",
        "a b",
        "a.b",
        "a\n",
        "\xd1\x8f",
        "a234567890123456789012345678901234567890123456789012345678901234",
        NULL};

    (void)state;
    check(ctl_value_name, texts);
}

static void
languages(void **state)
{
    static const char *const texts[] = {
        "ru", "tat",  "pt-BR", "zh-Hant-TW", NULL,    "",  "r",
        "RU", "russ", "ru_RU", "ru-",        "ru BR", NULL};

    (void)state;
    check(ctl_value_lang, texts);
}

static void
secrets(void **state)
{
    static const char *const texts[] = {
        "keitaro", "a.key", "_x",  NULL,          "",
        ".hidden", "..",    "a/b", "/etc/passwd", NULL};

    (void)state;
    check(ctl_value_secret, texts);
}

static void
money(void **state)
{
    static const char *const texts[] = {
        "0",           "150", "150.0", "150.00", "9999999999.99", NULL,  "",
        ".5",          "1.",  "1.234", "-1",     "1,5",           "1e3", " 1",
        "10000000000", NULL};
    static const char *const currencies[] = {"RUB", "EUR",  NULL,  "",  "rub",
                                             "RU",  "RUBL", "R1B", NULL};

    (void)state;
    check(ctl_value_money, texts);
    check(ctl_value_currency, currencies);
}

static void
triggers(void **state)
{
    static const char *const clocks[] = {"00:00", "09:30", "23:59", "24:00",
                                         NULL,    "",      "9:30",  "24:01",
                                         "12:60", "12.30", "12:30:00", "1a:00",
                                         NULL};
    static const char *const events[] = {
        "order.placed", "a.b", "a_1.2.c", NULL, "", "order", "Order.placed",
        "1.a", "order.", ".order", "order..placed", "order placed.x",
        "a.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        NULL};

    (void)state;
    check(ctl_value_clock, clocks);
    check(ctl_value_event, events);
}

static void
base_urls(void **state)
{
    static const char *const texts[] = {"https://brand.ru",
                                        "http://127.0.0.1:8080",
                                        "https://b.ru/club/x",
                                        "https://xn--80ak6aa92e.xn--p1ai",
                                        NULL,
                                        "",
                                        "brand.ru",
                                        "ftp://b.ru",
                                        "HTTPS://b.ru",
                                        "https://",
                                        "https:///x",
                                        "https://b.ru/",
                                        "https://b.ru/x/",
                                        "https://b.ru?x",
                                        "https://b.ru/?x",
                                        "https://b.ru#x",
                                        "https://u@b.ru",
                                        "https://b.ru:",
                                        "https://b.ru:999999",
                                        "https://b.ru:8x",
                                        "https://b .ru",
                                        "https://b.ru/\xd1\x8f",
                                        "https://.b",
                                        NULL};

    (void)state;
    check(ctl_value_base_url, texts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals), cmocka_unit_test(names),
        cmocka_unit_test(languages), cmocka_unit_test(secrets),
        cmocka_unit_test(money),     cmocka_unit_test(base_urls),
        cmocka_unit_test(triggers),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
