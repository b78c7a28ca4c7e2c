/*
 * leadqctl import: columns become fields, lines become requests with ids; the
 * bar of progress.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl_import.h"
#include "ctl_progress.h"

/* A record of these fields; NULL ends them. */
static records_t
record_of(const char *const *fields)
{
    records_t r;

    memset(&r, 0, sizeof(r));
    for (; fields[r.n] != NULL; r.n++) {
        r.fields[r.n].data = fields[r.n];
        r.fields[r.n].len = strlen(fields[r.n]);
    }
    return r;
}

/* Mistakes are printed; only that there is one is of interest here. */
static int
init(ctl_import_map_t *map, const char *const *header, const char *columns,
     const char *set, int letters)
{
    ctl_options_t options;
    records_t r;
    int rc, saved;

    memset(&options, 0, sizeof(options));
    options.source = "old-base";
    options.map = columns;
    options.set = set;
    r = record_of(header);
    saved = dup(STDERR_FILENO);
    assert_non_null(freopen("/dev/null", "w", stderr));
    rc = ctl_import_map_init(map, &r, &options, letters);
    (void)fflush(stderr);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    return rc;
}

/* The request of a record, or "!" and its errors. */
static void
request(const ctl_import_map_t *map, const char *const *fields, buf_t *row)
{
    static leadq_errors_t errors;
    records_t r;
    size_t i;

    r = record_of(fields);
    assert_int_equal(ctl_import_map_check(map, &r, &errors, row), 0);
    if (errors.n == 0) {
        return;
    }
    buf_reset(row);
    for (i = 0; i < errors.n; i++) {
        buf_addf(row, "!%s %s", errors.error[i].field.data,
                 leadq_code_name(errors.error[i].code));
    }
}

static void
columns(void **state)
{
    static const char *const header[] = {"E-mail", " Name ", "PHONE", "Город",
                                         "consent_pd", NULL};
    static const char *const fields[] = {
        " Anna@Mail.RU", "Анна", "8 (916) 123-45-67", "Тверь", "yes", NULL};
    static const char *const brief[] = {"a@x.ru", NULL};
    ctl_import_map_t map;
    buf_t row;

    (void)state;
    buf_init(&row, 1 << 16);
    assert_int_equal(init(&map, header, "email=E-mail,sub7=Город",
                          "consent_ads=1,text_version=v1", 1),
                     0);
    request(&map, fields, &row);
    assert_string_equal(
        buf_str(&row),
        "{\"email\":\"Anna@mail.ru\",\"phone\":\"+79161234567\","
        "\"name\":\"Анна\",\"consent_pd\":true,\"consent_ads\":true,"
        "\"text_version\":\"v1\",\"evidence\":\"import\",\"sub7\":\"Тверь\","
        "\"source\":\"old-base\"}");
    request(&map, brief, &row);
    assert_string_equal(buf_str(&row), "!consent_pd required");
    ctl_import_map_done(&map);

    assert_int_equal(init(&map, header, "email=1,name=4", NULL, 1), 0);
    request(&map, fields, &row);
    assert_non_null(strstr(buf_str(&row), "\"name\":\"Тверь\""));
    ctl_import_map_done(&map);
    buf_done(&row);
}

static void
mistakes(void **state)
{
    static const char *const header[] = {"email", "phone", "x", "x",
                                         "consent_pd", NULL};
    static const char *const twice[] = {"email", "Email", "consent_pd", NULL};
    static const char *const none[] = {"phone", "name", NULL};
    static const struct {
        const char *map;
        const char *set;
    } cases[] = {
        {"name", NULL},          {"name=", NULL},
        {"nmae=phone", NULL},    {"name=nowhere", NULL},
        {"name=x", NULL},        {"name=6", NULL},
        {"name=0", NULL},        {"name=1,name=2", NULL},
        {NULL, "lang"},          {NULL, "consent_ads=perhaps"},
        {NULL, "evidence=hear"}, {"name=1", "name=Anna"},
        {NULL, "source=other"},  {NULL, "consent_at=1.5.2019"},
    };
    ctl_import_map_t map;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (init(&map, header, cases[i].map, cases[i].set, 1) != -1) {
            fail_msg("map=%s set=%s passed", cases[i].map, cases[i].set);
        }
        ctl_import_map_done(&map);
    }
    assert_int_equal(init(&map, twice, NULL, NULL, 1), -1);
    ctl_import_map_done(&map);
    assert_int_equal(init(&map, twice, "email=2", NULL, 1), 0);
    ctl_import_map_done(&map);

    /* a source that writes needs e-mails; consent is never supposed */
    assert_int_equal(init(&map, none, NULL, "consent_pd=yes", 1), -1);
    ctl_import_map_done(&map);
    assert_int_equal(init(&map, none, NULL, "consent_pd=yes", 0), 0);
    ctl_import_map_done(&map);
    assert_int_equal(init(&map, none, NULL, NULL, 0), -1);
    ctl_import_map_done(&map);
}

static void
refusals(void **state)
{
    static const char *const header[] = {"email", "phone", "click_id",
                                         "consent_pd", NULL};
    static const struct {
        int letters;
        const char *fields[5];
        const char *row;
    } cases[] = {
        {1, {"", "", "", "1"}, "!email required"},
        {1,
         {"a.ru", "12", "", "1"},
         "!email email-no-at!phone phone-too-short"},
        {1, {"a@x.ru", "", "", "0"}, "!consent_pd required"},
        {1, {"a@x.ru", "", "", "hm"}, "!consent_pd bool-bad-value"},
        {0, {"", "", "", "1"}, "!email required"},
    };
    static const char *const partner[] = {"a.ru", "", "c1", "1", NULL};
    static const char *const phone[] = {"", "+79161234567", "", "1", NULL};
    ctl_import_map_t map;
    buf_t row;
    size_t i;

    (void)state;
    buf_init(&row, 1 << 16);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(init(&map, header, NULL, NULL, cases[i].letters), 0);
        request(&map, cases[i].fields, &row);
        assert_string_equal(buf_str(&row), cases[i].row);
        ctl_import_map_done(&map);
    }
    assert_int_equal(init(&map, header, NULL, NULL, 1), 0);
    request(&map, partner, &row);
    assert_non_null(
        strstr(buf_str(&row), "\"$invalid\":{\"email\":\"email-no-at\"}"));
    ctl_import_map_done(&map);
    assert_int_equal(init(&map, header, NULL, NULL, 0), 0);
    request(&map, phone, &row);
    assert_non_null(strstr(buf_str(&row), "\"phone\":\"+79161234567\""));
    ctl_import_map_done(&map);
    buf_done(&row);
}

/* The id of a request that is written here. */
static const char *
id_of(const ctl_import_map_t *map, const char *salt, const char *json)
{
    static char ids[4][LEADQ_UUID_LEN + 1];
    static int next;
    buf_t row;
    char *id;

    id = ids[next++ % 4];
    buf_init(&row, 1 << 16);
    buf_add_str(&row, json);
    assert_int_equal(ctl_import_map_id(map, salt, &row, id), 0);
    buf_done(&row);
    return id;
}

static void
ids(void **state)
{
    ctl_import_map_t map;
    const char *id;

    (void)state;
    memset(&map, 0, sizeof(map));
    map.source = "s";
    id = id_of(&map, "x", "{\"email\":\"a@x.ru\"}");
    assert_int_equal(strlen(id), LEADQ_UUID_LEN);
    assert_int_equal(id[14], '8');
    assert_string_equal(id, id_of(&map, "x",
                                  "{\"email\":\"a@x.ru\",\"name\":\"A\","
                                  "\"phone\":\"+79160000000\"}"));
    assert_string_not_equal(id, id_of(&map, "y", "{\"email\":\"a@x.ru\"}"));
    id = id_of(&map, "x", "{\"email\":\"a@x.ru\"}");
    assert_string_not_equal(id, id_of(&map, "x", "{\"email\":\"b@x.ru\"}"));
    assert_string_not_equal(
        id, id_of(&map, "x", "{\"click_id\":\"1\",\"email\":\"a@x.ru\"}"));
    assert_string_not_equal(id, id_of(&map, "x", "{\"phone\":\"a@x.r\"}"));
    id = id_of(&map, "x", "{\"click_id\":\"1\"}");
    map.source = "other";
    assert_string_not_equal(id, id_of(&map, "x", "{\"click_id\":\"1\"}"));
}

static void
progress(void **state)
{
    ctl_progress_t p;
    char text[CTL_PROGRESS_LEN];

    (void)state;
    memset(&p, 0, sizeof(p));
    p.what = "lines";
    p.size = 1000;
    p.from = 200;
    p.from_lines = 20;
    ctl_progress_text(&p, 600, 60, 2, text);
    assert_string_equal(text, "[##############..........]  60 %  60 lines  "
                              "20/s  0:02 left");
    ctl_progress_text(&p, 200, 20, 0, text);
    assert_string_equal(text, "[####....................]  20 %  20 lines  "
                              "0/s  0:00 left");
    p.size = UINT64_MAX;
    ctl_progress_text(&p, 201, UINT64_MAX, 1000, text);
    assert_int_equal(strlen(text) < sizeof(text), 1);
    p.size = 0;
    p.from = 0;
    ctl_progress_text(&p, 0, 0, 1, text);
    assert_non_null(strstr(text, "100 %"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),  cmocka_unit_test(mistakes),
        cmocka_unit_test(refusals), cmocka_unit_test(ids),
        cmocka_unit_test(progress),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
