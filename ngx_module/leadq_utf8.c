
/*
 * UTF-8, decoded strictly; see leadq_utf8.h.
 */

#include "leadq_utf8.h"


int32_t
leadq_utf8_next(const char **p, const char *end)
{
    int                   more, i;
    int32_t               cp, least;
    const unsigned char  *s;

    s = (const unsigned char *) *p;
    (*p)++;

    if (s[0] < 0x80) {
        return s[0];
    }

    if (s[0] < 0xc2 || s[0] > 0xf4) {
        return LEADQ_UTF8_BAD;
    }

    if (s[0] < 0xe0) {
        more = 1;
        cp = s[0] & 0x1f;
        least = 0x80;

    } else if (s[0] < 0xf0) {
        more = 2;
        cp = s[0] & 0x0f;
        least = 0x800;

    } else {
        more = 3;
        cp = s[0] & 0x07;
        least = 0x10000;
    }

    if (end - *p < more) {
        return LEADQ_UTF8_BAD;
    }

    for (i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return LEADQ_UTF8_BAD;
        }

        cp = cp << 6 | (s[i] & 0x3f);
    }

    if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
        return LEADQ_UTF8_BAD;
    }

    *p += more;

    return cp;
}


int
leadq_utf8_valid(const char *text, size_t len)
{
    const char  *p, *end;

    p = text;
    end = text + len;

    while (p < end) {
        if (leadq_utf8_next(&p, end) == LEADQ_UTF8_BAD) {
            return 0;
        }
    }

    return 1;
}


int
leadq_utf8_control(int32_t cp)
{
    return cp < 0x20
           || (cp >= 0x7f && cp <= 0x9f)
           || cp == 0x2028 || cp == 0x2029
           || (cp >= 0x202a && cp <= 0x202e)
           || (cp >= 0x2066 && cp <= 0x2069);
}


int
leadq_utf8_space(int32_t cp)
{
    return cp == 0x20 || cp == 0xa0 || cp == 0x1680
           || (cp >= 0x2000 && cp <= 0x200b)
           || cp == 0x202f || cp == 0x205f || cp == 0x2060
           || cp == 0x3000 || cp == 0xfeff;
}
