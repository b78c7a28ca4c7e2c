#include "ctl_value.h"

#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS

#define MAX_NAME 63
#define MAX_LANG 35
#define MAX_BASE_URL 500
#define MAX_DIGITS 8 /* of a number in an interval */

#define SHA256_LEN 64
#define MAX_PATH 100
#define MAX_HOST 253
#define MAX_PREFIX 15

#define DAY_S 86400L

static int
is_one_of(char ch, const char *set)
{
    return ch != '\0' && strchr(set, ch) != NULL;
}

/* The whole text, from 1 to max bytes, first byte of first, rest of rest. */
static int
is_made_of(const char *text, const char *first, const char *rest, size_t max)
{
    size_t len;

    len = strlen(text);
    return len >= 1 && len <= max && is_one_of(text[0], first)
           && strspn(text + 1, rest) == len - 1;
}

const char *
ctl_value_name(const char *text)
{
    return is_made_of(text, LOWER DIGITS, LOWER DIGITS "-_", MAX_NAME)
               ? NULL
               : "is not a name: a-z, 0-9, \"-\" and \"_\", at most 63";
}

const char *
ctl_value_lang(const char *text)
{
    size_t len;

    len = strspn(text, LOWER);
    return len >= 2 && len <= 3 && strlen(text) <= MAX_LANG
                   && (text[len] == '\0'
                       || (text[len] == '-'
                           && strspn(text + len, ALNUM "-")
                                  == strlen(text + len)
                           && is_one_of(text[strlen(text) - 1], ALNUM)))
               ? NULL
               : "is not a language, such as \"ru\" or \"pt-BR\"";
}

const char *
ctl_value_secret(const char *text)
{
    return is_made_of(text, ALNUM "_", ALNUM "._-", MAX_NAME)
               ? NULL
               : "is not the name of a file: letters, digits, \".\", \"-\" "
                 "and "
                 "\"_\", at most 63";
}

/* --- intervals ----------------------------------------------------------- */

/* As PostgreSQL, a unit may be named once. */
enum {
    FIELD_S = 1,
    FIELD_MIN = 2,
    FIELD_HOUR = 4,
    FIELD_DAY = 8,
    FIELD_W = 16
};

static const struct {
    const char *name;
    unsigned field;
    long seconds;
} units[] = {
    {"s", FIELD_S, 1},
    {"sec", FIELD_S, 1},
    {"second", FIELD_S, 1},
    {"seconds", FIELD_S, 1},
    {"min", FIELD_MIN, 60},
    {"mins", FIELD_MIN, 60},
    {"minute", FIELD_MIN, 60},
    {"minutes", FIELD_MIN, 60},
    {"hour", FIELD_HOUR, 3600},
    {"hours", FIELD_HOUR, 3600},
    {"day", FIELD_DAY, DAY_S},
    {"days", FIELD_DAY, DAY_S},
    {"week", FIELD_W, 7 * DAY_S},
    {"weeks", FIELD_W, 7 * DAY_S},
};

static int
take_number(const char **p, long *number)
{
    size_t len;

    len = strspn(*p, DIGITS);
    if (len == 0 || len > MAX_DIGITS) {
        return -1;
    }
    *number = strtol(*p, NULL, 10);
    *p += len;
    return 0;
}

/* ":MM" and ":MM:SS" after the hours. */
static int
take_clock(const char **p, unsigned *fields, long *seconds)
{
    long unit, number;

    *seconds *= 3600;
    *fields = FIELD_HOUR | FIELD_MIN | FIELD_S;
    for (unit = 60; unit >= 1 && **p == ':'; unit /= 60) {
        (*p)++;
        if (take_number(p, &number) == -1 || number > 59) {
            return -1;
        }
        *seconds += number * unit;
    }
    return 0;
}

static int
take_unit(const char **p, unsigned *fields, long *seconds)
{
    size_t i, len;

    *p += strspn(*p, " ");
    len = strspn(*p, LOWER);
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) == len
            && strncmp(units[i].name, *p, len) == 0) {
            *fields = units[i].field;
            *seconds *= units[i].seconds;
            *p += len;
            return 0;
        }
    }
    return -1;
}

const char *
ctl_value_interval(const char *text, long *seconds)
{
    static const char bad[] = "is not an interval, such as \"2 days\" (s, "
                              "min, hour, day, week)";
    unsigned fields, seen;
    const char *p;
    long part;

    *seconds = 0;
    if (strcmp(text, "0") == 0) {
        return NULL;
    }
    seen = 0;
    p = text;
    do {
        if (take_number(&p, &part) == -1
            || (*p == ':' ? take_clock(&p, &fields, &part)
                          : take_unit(&p, &fields, &part))
                   == -1
            || (seen & fields) != 0)
        {
            return bad;
        }
        seen |= fields;
        *seconds += part;
        if (*p != '\0' && *p != ' ') {
            return bad;
        }
        p += strspn(p, " ");
    } while (*p != '\0');
    return *seconds > CTL_VALUE_MAX_DAYS * DAY_S ? "is longer than 400 days"
                                                 : NULL;
}

/* --- money --------------------------------------------------------------- */

const char *
ctl_value_money(const char *text)
{
    size_t whole, cents;

    whole = strspn(text, DIGITS);
    cents = text[whole] == '.' ? strspn(text + whole + 1, DIGITS) : 0;
    if (whole == 0 || whole > 10 || cents > 2
        || (text[whole] == '.' && cents == 0)
        || text[whole + (cents == 0 ? 0 : cents + 1)] != '\0')
    {
        return "is not an amount, such as \"150.00\"";
    }
    return NULL;
}

const char *
ctl_value_currency(const char *text)
{
    return is_made_of(text, UPPER, UPPER, 3) && strlen(text) == 3
               ? NULL
               : "is not a currency, such as \"RUB\"";
}

/* --- triggers ------------------------------------------------------------ */

const char *
ctl_value_clock(const char *text)
{
    static const char bad[] = "is not a time of the day, such as \"09:30\"";

    if (strlen(text) != 5 || text[2] != ':' || strspn(text, DIGITS) != 2
        || strspn(text + 3, DIGITS) != 2 || text[3] > '5')
    {
        return bad;
    }
    return strcmp(text, "24:00") <= 0 ? NULL : bad;
}

const char *
ctl_value_event(const char *text)
{
    static const char bad[] = "is not the name of an event, such as "
                              "\"order.placed\", at most 63";
    const char *p;
    size_t len;
    int words;

    words = 0;
    for (p = text; *p != '\0'; p += len) {
        if (words > 0 && *p++ != '.') {
            return bad;
        }
        len = strspn(p, LOWER DIGITS "_");
        if (len == 0 || (words == 0 && !is_one_of(p[0], LOWER))) {
            return bad;
        }
        words++;
    }
    return words >= 2 && strlen(text) <= MAX_NAME ? NULL : bad;
}

/* --- gateways and verifications ------------------------------------------ */

const char *
ctl_value_sha256(const char *text)
{
    return is_made_of(text, DIGITS "abcdef", DIGITS "abcdef", SHA256_LEN)
                   && strlen(text) == SHA256_LEN
               ? NULL
               : "is not the SHA-256 of a secret: 64 hexadecimal digits, "
                 "lower case";
}

const char *
ctl_value_header(const char *text)
{
    static const char token[] = ALNUM "!#$%&'*+-.^_`|~";

    return is_made_of(text, token, token, MAX_NAME)
               ? NULL
               : "is not the name of a header";
}

/* Words between dots: chars each, none empty. */
static int
are_words(const char *text, const char *chars, int least, size_t max)
{
    const char *p;
    size_t len;
    int words;

    words = 0;
    for (p = text;; p++) {
        len = strspn(p, chars);
        p += len;
        words++;
        if (len == 0 || (*p != '.' && *p != '\0')) {
            return 0;
        }
        if (*p == '\0') {
            return words >= least && strlen(text) <= max;
        }
    }
}

const char *
ctl_value_path(const char *text)
{
    return are_words(text, ALNUM "_-", 1, MAX_PATH)
               ? NULL
               : "is not a path, such as \"messages.0.id\", at most 100";
}

const char *
ctl_value_host(const char *text)
{
    return are_words(text, LOWER DIGITS "-", 2, MAX_HOST)
                   && !is_one_of(text[0], "-")
               ? NULL
               : "is not the name of a host, such as \"brand.ru\"";
}

const char *
ctl_value_prefix(const char *text)
{
    return text[0] == '+'
                   && is_made_of(text + 1, "123456789", DIGITS, MAX_PREFIX)
               ? NULL
               : "is not how a phone begins, such as \"+7940\"";
}

const char *
ctl_value_user(const char *text)
{
    return is_made_of(text, ALNUM, ALNUM "._@+-", MAX_NAME)
               ? NULL
               : "is not the name of a user: letters, digits, \".\", \"_\", "
                 "\"@\", \"+\" and \"-\", at most 63";
}

/* --- base_url ------------------------------------------------------------ */

/* Beyond the host and port, or NULL. */
static const char *
skip_host(const char *p)
{
    size_t len;

    len = strspn(p, ALNUM ".-");
    if (len == 0 || !is_one_of(p[0], ALNUM)) {
        return NULL;
    }
    p += len;
    if (*p == ':') {
        len = strspn(++p, DIGITS);
        if (len == 0 || len > 5) {
            return NULL;
        }
        p += len;
    }
    return p;
}

const char *
ctl_value_base_url(const char *text)
{
    const char *p;
    size_t len;

    p = strncmp(text, "https://", 8) == 0  ? text + 8
        : strncmp(text, "http://", 7) == 0 ? text + 7
                                           : NULL;
    if (p == NULL) {
        return "does not begin with https:// or http://";
    }
    len = strlen(text);
    if (len > MAX_BASE_URL) {
        return "is longer than 500 bytes";
    }
    p = skip_host(p);
    if (p == NULL || (*p != '\0' && *p != '/')) {
        return "is not a URL with a host and a path alone";
    }
    if (text[len - 1] == '/') {
        return "ends with \"/\"";
    }
    if (p[strspn(p, ALNUM "/._~-%")] != '\0') {
        return "is not a URL with a host and a path alone";
    }
    return NULL;
}
