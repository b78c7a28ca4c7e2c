
/*
 * The table of field types and the small ones among them; the bigger ones
 * have files of their own.
 */

#include "leadq_types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "leadq_utf8.h"
#include "leadq_uuid.h"


static leadq_code_e leadq_type_normalise(const leadq_rule_t *rule,
    const char *in, size_t len, int64_t now, leadq_value_t *value);
static leadq_code_e leadq_text_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_value_t *value);
static leadq_code_e leadq_length_check(const leadq_rule_t *rule, size_t n);
static leadq_code_e leadq_digits_check(const leadq_rule_t *rule,
    const char *in, size_t len, leadq_value_t *value);
static leadq_code_e leadq_token_check(const leadq_rule_t *rule,
    const char *in, size_t len, leadq_value_t *value);
static leadq_code_e leadq_bool_check(const char *in, size_t len,
    leadq_value_t *value);
static leadq_code_e leadq_uuid_check(const char *in, size_t len,
    leadq_value_t *value);
static leadq_code_e leadq_enum_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_value_t *value);
static leadq_code_e leadq_link_check(const leadq_rule_t *rule, const char *in,
    size_t len, int64_t now, leadq_value_t *value);
static leadq_code_e leadq_int_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_value_t *value);
static leadq_code_e leadq_date_check(const char *in, size_t len,
    leadq_value_t *value);
static int leadq_date_days(int year, int month);
static int leadq_date_number(const char *in, size_t len);
static leadq_code_e leadq_value_set(leadq_value_t *value, const char *data,
    size_t len);


const leadq_type_t  leadq_types[LEADQ_TYPES] = {
    [LEADQ_TYPE_EMAIL] = { "email", 0, 0, 0 },
    [LEADQ_TYPE_PHONE] = { "phone", LEADQ_OPT_VALUES, 0, 0 },
    [LEADQ_TYPE_DIGITS] = { "digits", LEADQ_OPT_LENGTH | LEADQ_OPT_MAC,
                            32, 256 },
    [LEADQ_TYPE_TOKEN] = { "token", LEADQ_OPT_LENGTH | LEADQ_OPT_MAC,
                           255, 4096 },
    [LEADQ_TYPE_TEXT] = { "text", LEADQ_OPT_LENGTH, 1000, 8192 },
    [LEADQ_TYPE_BOOL] = { "bool", 0, 0, 0 },
    [LEADQ_TYPE_UUID] = { "uuid", 0, 0, 0 },
    [LEADQ_TYPE_ENUM] = { "enum", LEADQ_OPT_VALUES, 0, 0 },
    [LEADQ_TYPE_SIGNED] = { "signed", LEADQ_OPT_KEY, 0, 0 },
    [LEADQ_TYPE_INT] = { "int", LEADQ_OPT_LENGTH | LEADQ_OPT_RANGE, 0, 0 },
    [LEADQ_TYPE_DATE] = { "date", 0, 0, 0 },
    [LEADQ_TYPE_URL] = { "url", LEADQ_OPT_MAX, 2048, 4096 },
    [LEADQ_TYPE_PROMO] = { "promo", LEADQ_OPT_MAC, 0, 0 },
    [LEADQ_TYPE_JSON] = { "json", LEADQ_OPT_MAX | LEADQ_OPT_DEPTH,
                          4096, 8192 },
    [LEADQ_TYPE_LIST] = { "list", LEADQ_OPT_MAX | LEADQ_OPT_DEPTH,
                          65536, 1048576 },
    [LEADQ_TYPE_BODY] = { "body", LEADQ_OPT_MAX, 16384, 65536 },
};


void
leadq_type_trim(const char **in, size_t *len)
{
    while (*len && strchr(" \t\r\n", **in) && **in != '\0') {
        (*in)++;
        (*len)--;
    }

    while (*len && strchr(" \t\r\n", (*in)[*len - 1])
           && (*in)[*len - 1] != '\0')
    {
        (*len)--;
    }
}


leadq_code_e
leadq_type_check(const leadq_rule_t *rule, const char *in, size_t len,
    int64_t now, leadq_value_t *value)
{
    leadq_type_trim(&in, &len);

    value->len = 0;

    if (len == 0) {
        return LEADQ_OK;
    }

    if (len > LEADQ_VALUE_MAX) {
        return LEADQ_TOO_LONG;
    }

    if (!leadq_utf8_valid(in, len)) {
        return LEADQ_NOT_UTF8;
    }

    return leadq_type_normalise(rule, in, len, now, value);
}


static leadq_code_e
leadq_type_normalise(const leadq_rule_t *rule, const char *in, size_t len,
    int64_t now, leadq_value_t *value)
{
    switch (rule->type) {

    case LEADQ_TYPE_EMAIL:
        return leadq_email_check(in, len, value);

    case LEADQ_TYPE_PHONE:
        return leadq_phone_check(rule, in, len, value);

    case LEADQ_TYPE_DIGITS:
        return leadq_digits_check(rule, in, len, value);

    case LEADQ_TYPE_TOKEN:
        return leadq_token_check(rule, in, len, value);

    case LEADQ_TYPE_TEXT:
        return leadq_text_check(rule, in, len, value);

    case LEADQ_TYPE_BOOL:
        return leadq_bool_check(in, len, value);

    case LEADQ_TYPE_UUID:
        return leadq_uuid_check(in, len, value);

    case LEADQ_TYPE_ENUM:
        return leadq_enum_check(rule, in, len, value);

    case LEADQ_TYPE_SIGNED:
        return leadq_link_check(rule, in, len, now, value);

    case LEADQ_TYPE_INT:
        return leadq_int_check(rule, in, len, value);

    case LEADQ_TYPE_DATE:
        return leadq_date_check(in, len, value);

    case LEADQ_TYPE_URL:
        return leadq_url_check(rule, in, len, value);

    case LEADQ_TYPE_PROMO:
        return leadq_promo_check(in, len, value);

    case LEADQ_TYPE_JSON:
        return leadq_nested_check(rule, in, len, value);

    case LEADQ_TYPE_LIST:                   /* do not fit into a value */
    case LEADQ_TYPE_BODY:
    case LEADQ_TYPES:
        break;
    }

    return LEADQ_BAD_TYPE;
}


static leadq_code_e
leadq_text_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    size_t         n;
    const char    *p, *end;
    leadq_code_e   code;

    p = in;
    end = in + len;

    for (n = 0; p < end; n++) {
        if (leadq_utf8_control(leadq_utf8_next(&p, end))) {
            return LEADQ_CONTROL_CHARACTER;
        }
    }

    code = leadq_length_check(rule, n);
    if (code != LEADQ_OK) {
        return code;
    }

    return leadq_value_set(value, in, len);
}


static leadq_code_e
leadq_length_check(const leadq_rule_t *rule, size_t n)
{
    if (n < rule->min) {
        return LEADQ_TOO_SHORT;
    }

    if (n > rule->max) {
        return LEADQ_TOO_LONG;
    }

    return LEADQ_OK;
}


static leadq_code_e
leadq_digits_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    size_t        i;
    leadq_code_e  code;

    for (i = 0; i < len; i++) {
        if (in[i] < '0' || in[i] > '9') {
            return LEADQ_DIGITS_BAD_CHARS;
        }
    }

    code = leadq_length_check(rule, len);
    if (code != LEADQ_OK) {
        return code;
    }

    return leadq_value_set(value, in, len);
}


static leadq_code_e
leadq_token_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    size_t        i;
    leadq_code_e  code;

    for (i = 0; i < len; i++) {
        if (in[i] < '!' || in[i] > '~') {
            return LEADQ_TOKEN_BAD_CHARS;
        }
    }

    code = leadq_length_check(rule, len);
    if (code != LEADQ_OK) {
        return code;
    }

    return leadq_value_set(value, in, len);
}


/* What HTML forms, JSON and people write. */

static leadq_code_e
leadq_bool_check(const char *in, size_t len, leadq_value_t *value)
{
    size_t  i;

    static const struct {
        const char  *text;
        const char  *value;
    } words[] = {
        { "true", "true" },  { "1", "true" },
        { "on", "true" },    { "yes", "true" },
        { "false", "false" }, { "0", "false" },
        { "off", "false" },  { "no", "false" },
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (len == strlen(words[i].text)
            && memcmp(in, words[i].text, len) == 0)
        {
            return leadq_value_set(value, words[i].value,
                                   strlen(words[i].value));
        }
    }

    return LEADQ_BOOL_BAD_VALUE;
}


static leadq_code_e
leadq_uuid_check(const char *in, size_t len, leadq_value_t *value)
{
    unsigned char  id[16];

    if (leadq_uuid_parse(in, len, id) != 0) {
        return LEADQ_UUID_BAD_VALUE;
    }

    leadq_uuid_format(id, value->data);
    value->len = LEADQ_UUID_LEN;

    return LEADQ_OK;
}


static leadq_code_e
leadq_enum_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    size_t  i;

    for (i = 0; i < rule->nvalues; i++) {
        if (len == rule->values[i].len
            && memcmp(in, rule->values[i].data, len) == 0)
        {
            return leadq_value_set(value, in, len);
        }
    }

    return LEADQ_ENUM_BAD_VALUE;
}


/* A signed link becomes the UUID of what it is about. */

static leadq_code_e
leadq_link_check(const leadq_rule_t *rule, const char *in, size_t len,
    int64_t now, leadq_value_t *value)
{
    unsigned char  subject[16];

    switch (leadq_signed_read(rule->keys, rule->purpose, in, len, now,
                              subject))
    {
    case LEADQ_SIGNED_MALFORMED:
        return LEADQ_LINK_MALFORMED;

    case LEADQ_SIGNED_FORGED:
        return LEADQ_LINK_FORGED;

    case LEADQ_SIGNED_EXPIRED:
        return LEADQ_LINK_EXPIRED;

    case LEADQ_SIGNED_OK:
        break;
    }

    leadq_uuid_format(subject, value->data);
    value->len = LEADQ_UUID_LEN;

    return LEADQ_OK;
}


static leadq_code_e
leadq_int_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    int      n, rc;
    int64_t  number;

    rc = leadq_int_read(in, len, &number);

    if (rc < 0) {
        return LEADQ_INT_BAD_VALUE;
    }

    if (number < rule->least || (rc && number < 0)) {
        return LEADQ_INT_TOO_SMALL;
    }

    if (number > rule->most || rc) {
        return LEADQ_INT_TOO_LARGE;
    }

    n = snprintf(value->data, sizeof(value->data), "%" PRId64, number);
    value->len = (size_t) n;

    return LEADQ_OK;
}


int
leadq_int_read(const char *in, size_t len, int64_t *number)
{
    int      negative, rc;
    size_t   i;
    int64_t  n, digit;

    negative = len && *in == '-';
    i = negative || (len && *in == '+');

    if (i == len) {
        return -1;
    }

    n = 0;
    rc = 0;

    for ( /* void */ ; i < len; i++) {

        if (in[i] < '0' || in[i] > '9') {
            return -1;
        }

        /* negative, because the negative half is longer by one */

        digit = in[i] - '0';

        if (n < (INT64_MIN + digit) / 10) {
            rc = 1;
            continue;
        }

        n = n * 10 - digit;
    }

    if (rc == 0 && !negative && n == INT64_MIN) {
        rc = 1;
    }

    if (rc) {
        *number = negative ? INT64_MIN : INT64_MAX;

    } else {
        *number = negative ? n : -n;
    }

    return rc;
}


/* 2026-12-31, of the Gregorian calendar, from the year 1 on. */

static leadq_code_e
leadq_date_check(const char *in, size_t len, leadq_value_t *value)
{
    int  year, month, day;

    if (len != 10 || in[4] != '-' || in[7] != '-') {
        return LEADQ_DATE_BAD_FORMAT;
    }

    year = leadq_date_number(in, 4);
    month = leadq_date_number(in + 5, 2);
    day = leadq_date_number(in + 8, 2);

    if (year < 0 || month < 0 || day < 0) {
        return LEADQ_DATE_BAD_FORMAT;
    }

    if (year < 1 || month < 1 || month > 12
        || day < 1 || day > leadq_date_days(year, month))
    {
        return LEADQ_DATE_NO_SUCH_DAY;
    }

    return leadq_value_set(value, in, len);
}


static int
leadq_date_days(int year, int month)
{
    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        return 29;
    }

    return days[month - 1];
}


/* -1: not only digits. */

static int
leadq_date_number(const char *in, size_t len)
{
    int     n;
    size_t  i;

    n = 0;

    for (i = 0; i < len; i++) {

        if (in[i] < '0' || in[i] > '9') {
            return -1;
        }

        n = n * 10 + (in[i] - '0');
    }

    return n;
}


static leadq_code_e
leadq_value_set(leadq_value_t *value, const char *data, size_t len)
{
    memcpy(value->data, data, len);
    value->len = len;

    return LEADQ_OK;
}
