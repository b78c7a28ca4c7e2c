/*
 * Owns the GSM-7 alphabet (3GPP TS 23.038, 6.2.1), and the filling of parts.
 */

#include "segments.h"

#include "leadq_utf8.h"

#include <string.h>

#define MAX_BMP 0xffff

/* Parts as they fill up, in one encoding. */
typedef struct {
    size_t alone; /* units of a text that needs no second part */
    size_t part;  /* of each part of a longer one */
    size_t units; /* so far */
    size_t parts; /* full ones */
    size_t fill;  /* of the last one */
} parts_t;

/* Of ASCII only "`" is missing, and there are no control characters. */
static const char extension[] = "\f^{}\\[~]|";

static const int32_t others[] = {
    0x00a1, /* ¡ */
    0x00a3, /* £ */
    0x00a4, /* ¤ */
    0x00a5, /* ¥ */
    0x00a7, /* § */
    0x00bf, /* ¿ */
    0x00c4, /* Ä */
    0x00c5, /* Å */
    0x00c6, /* Æ */
    0x00c7, /* Ç */
    0x00c9, /* É */
    0x00d1, /* Ñ */
    0x00d6, /* Ö */
    0x00d8, /* Ø */
    0x00dc, /* Ü */
    0x00df, /* ß */
    0x00e0, /* à */
    0x00e4, /* ä */
    0x00e5, /* å */
    0x00e6, /* æ */
    0x00e8, /* è */
    0x00e9, /* é */
    0x00ec, /* ì */
    0x00f1, /* ñ */
    0x00f2, /* ò */
    0x00f6, /* ö */
    0x00f8, /* ø */
    0x00f9, /* ù */
    0x00fc, /* ü */
    0x0393, /* Γ */
    0x0394, /* Δ */
    0x0398, /* Θ */
    0x039b, /* Λ */
    0x039e, /* Ξ */
    0x03a0, /* Π */
    0x03a3, /* Σ */
    0x03a6, /* Φ */
    0x03a8, /* Ψ */
    0x03a9, /* Ω */
};

#define EURO 0x20ac

/* How many septets a character takes in GSM-7; 0: it is not there. */
static size_t
septets(int32_t cp)
{
    size_t i;

    if (cp == EURO) {
        return 2;
    }
    if (cp > 0 && cp < 0x7f) {
        if (strchr(extension, (char)cp) != NULL) {
            return 2;
        }
        return (cp >= ' ' && cp != '`') || cp == '\n' || cp == '\r';
    }
    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i] == cp) {
            return 1;
        }
    }
    return 0;
}

static void
take(parts_t *parts, size_t units)
{
    parts->units += units;
    if (parts->fill + units > parts->part) {
        parts->parts++;
        parts->fill = 0;
    }
    parts->fill += units;
}

long
segments_count(const char *text, size_t len)
{
    parts_t gsm = {160, 153, 0, 0, 0}, ucs = {70, 67, 0, 0, 0};
    const char *p = text, *end = text + len;
    const parts_t *parts = &gsm;
    size_t units;
    int32_t cp;

    while (p < end) {
        cp = leadq_utf8_next(&p, end);
        if (cp == LEADQ_UTF8_BAD) {
            return -1;
        }
        take(&ucs, cp > MAX_BMP ? 2 : 1);
        units = septets(cp);
        if (units == 0) {
            parts = &ucs;
        }
        take(&gsm, units);
    }
    if (len == 0) {
        return 0;
    }
    return parts->units <= parts->alone ? 1 : (long)parts->parts + 1;
}
