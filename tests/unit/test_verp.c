/*
 * Return paths: what is made is found again, whatever servers do to it, and
 * nothing else is.
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

#include "verp.h"

#define ADDRESS "b@bounce.brand.ru"

static leadq_keys_t *keys;

static const unsigned char uuid[16] = {0x01, 0x98, 0xc0, 0x00, 0x00, 0x00,
                                       0x70, 0x00, 0x80, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0xaa};

static int
set_up(void **state)
{
    char path[] = "/tmp/leadq-test-XXXXXX", err[200];
    FILE *file;
    int fd;

    (void)state;
    fd = mkstemp(path);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        return -1;
    }
    (void)fputs("1 000102030405060708090a0b0c0d0e0f"
                "101112131415161718191a1b1c1d1e1f\n",
                file);
    (void)fclose(file);
    keys = leadq_keys_load(path, err, sizeof(err));
    (void)unlink(path);
    return keys == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    leadq_keys_free(keys);
    return 0;
}

static void
ids_come_back(void **state)
{
    unsigned char all[16], back[16];
    char id[VERP_ID_LEN + 1];

    (void)state;
    verp_id(uuid, id);
    assert_int_equal(strlen(id), VERP_ID_LEN);
    assert_int_equal(verp_id_read(id, back), 0);
    assert_memory_equal(back, uuid, 16);
    memset(all, 0xff, sizeof(all));
    verp_id(all, id);
    assert_string_equal(id, "f5lxx1zz5pnorynqglhzmsp33");
    assert_int_equal(verp_id_read("F5LXX1ZZ5PNORYNQGLHZMSP33", back), 0);
    assert_memory_equal(back, all, 16);
    assert_int_equal(verp_id_read("f5lxx1zz5pnorynqglhzmsp34", back), -1);
    assert_int_equal(verp_id_read("zzzzzzzzzzzzzzzzzzzzzzzzz", back), -1);
    assert_int_equal(verp_id_read("f5lxx1zz5pnorynqglhzmsp3", back), -1);
    assert_int_equal(verp_id_read("f5lxx1zz5pnorynqglhzmsp3-", back), -1);
}

static void
a_path_is_found_wherever_it_stands(void **state)
{
    char path[VERP_MAX_ADDRESS + 1], text[800];
    unsigned char back[16];
    size_t i;

    (void)state;
    assert_int_equal(verp_make(keys, ADDRESS, uuid, path), 0);
    assert_int_equal(strncmp(path, "b+", 2), 0);
    assert_non_null(strstr(path, "@bounce.brand.ru"));
    assert_int_equal(strcspn(path, "@"), 2 + VERP_TOKEN_LEN);
    (void)snprintf(text, sizeof(text), "a+b, \"c\" <x+y@z>, <%s>", path);
    assert_int_equal(verp_find(keys, ADDRESS, text, back), 0);
    assert_memory_equal(back, uuid, 16);
    for (i = 0; path[i] != '\0'; i++) {
        text[i] = path[i] >= 'a' && path[i] <= 'z' ? (char)(path[i] - 32)
                                                   : path[i];
    }
    text[i] = '\0';
    assert_int_equal(verp_find(keys, ADDRESS, text, back), 0);
    assert_memory_equal(back, uuid, 16);
}

static void
what_is_not_ours_is_not_found(void **state)
{
    char path[VERP_MAX_ADDRESS + 1], longer[100];
    unsigned char back[16];
    size_t i;

    (void)state;
    assert_int_equal(verp_make(keys, ADDRESS, uuid, path), 0);
    assert_int_equal(verp_find(keys, "c@bounce.brand.ru", path, back), -1);
    assert_int_equal(verp_find(keys, "no address", path, back), -1);
    assert_int_equal(verp_find(keys, ADDRESS, "", back), -1);
    assert_int_equal(verp_find(keys, ADDRESS, "b+", back), -1);
    for (i = 2; i < 2 + VERP_TOKEN_LEN; i++) {
        path[i] = path[i] == 'a' ? 'b' : 'a';
        assert_int_equal(verp_find(keys, ADDRESS, path, back), -1);
        assert_int_equal(verp_make(keys, ADDRESS, uuid, path), 0);
    }
    path[20] = '\0';
    assert_int_equal(verp_find(keys, ADDRESS, path, back), -1);
    memset(longer, 'x', sizeof(longer));
    (void)strcpy(longer + VERP_MAX_LOCAL + 1, "@y.ru");
    assert_int_equal(verp_make(keys, longer, uuid, path), -1);
    assert_string_equal(path, "");
    assert_int_equal(verp_make(keys, "nobody", uuid, path), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_back),
        cmocka_unit_test(a_path_is_found_wherever_it_stands),
        cmocka_unit_test(what_is_not_ours_is_not_found),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
