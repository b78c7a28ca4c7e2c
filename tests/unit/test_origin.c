
/*
 * Which requests come from pages of the site itself.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_origin.h"


static const leadq_str_t *
str(leadq_str_t *to, const char *text)
{
    if (text == NULL) {
        return NULL;
    }

    to->data = text;
    to->len = strlen(text);

    return to;
}


static void
a_table_of_requests(void **state)
{
    int          same;
    size_t       i;
    leadq_str_t  site, origin, host;

    static const struct {
        const char  *site;
        const char  *origin;
        const char  *host;
        int          tls;
        int          same;
    } cases[] = {
        { "same-origin", NULL, "a.example", 1, 1 },
        { "same-origin", "https://b.example", "a.example", 1, 1 },
        { "same-site", "https://a.example", "a.example", 1, 0 },
        { "cross-site", "https://a.example", "a.example", 1, 0 },
        { "none", NULL, "a.example", 1, 0 },
        { "", "https://a.example", "a.example", 1, 0 },
        { "Same-Origin", NULL, "a.example", 1, 0 },
        { "same-origin, cross-site", NULL, "a.example", 1, 0 },

        { NULL, "https://a.example", "a.example", 1, 1 },
        { NULL, "https://A.Example", "a.eXample", 1, 1 },
        { NULL, "https://a.example:8443", "a.example:8443", 1, 1 },
        { NULL, "https://[::1]:8443", "[::1]:8443", 1, 1 },
        { NULL, "http://a.example", "a.example", 0, 1 },
        { NULL, "https://a.example", "a.example", 0, 1 },
        { NULL, "http://a.example", "a.example", 1, 0 },
        { NULL, "https://a.example:8443", "a.example", 1, 0 },
        { NULL, "https://b.example", "a.example", 1, 0 },
        { NULL, "https://a.example.b", "a.example", 1, 0 },
        { NULL, "https://xa.example", "a.example", 1, 0 },
        { NULL, "https://a.example/", "a.example", 1, 0 },
        { NULL, "ftp://a.example", "a.example", 0, 0 },
        { NULL, "a.example", "a.example", 0, 0 },
        { NULL, "null", "a.example", 1, 0 },
        { NULL, "https://", "", 1, 0 },
        { NULL, "https://", "a.example", 1, 0 },
        { NULL, "", "a.example", 1, 0 },
        { NULL, "https://[", "{", 1, 0 },
        { NULL, "https://a.example", NULL, 1, 0 },
        { NULL, NULL, "a.example", 1, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        same = leadq_origin_same(str(&site, cases[i].site),
                                 str(&origin, cases[i].origin),
                                 str(&host, cases[i].host), cases[i].tls);

        if (same != cases[i].same) {
            fail_msg("case %u: %d", (unsigned) i, same);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_table_of_requests),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
