
/*
 * The type "phone": what people in Russia and around it type, turned into
 * E.164.  Stricter than libphonenumber where money goes out by SMS: letters
 * and extensions are refused, as is everything that is not a mobile number
 * of a country that the location serves.
 *
 * The digits are first collected ("folded"), then brought to the form
 * +<country><number>, then looked up in the table of countries.
 */

#include "leadq_types.h"

#include <string.h>

#include "leadq_utf8.h"


#define LEADQ_PHONE_CHARS   32              /* characters that are read */
#define LEADQ_PHONE_DIGITS  15              /* of E.164 */


typedef struct {
    const char  *name;                      /* ISO 3166, lower case */
    const char  *code;
    size_t       len;                       /* digits after the code */
    const char  *mobile;                    /* first digits of mobiles */
    const char  *except;                    /* but not these */
} leadq_country_t;


typedef struct {
    size_t  n;
    int     plus;                           /* began with + or 8+ */
    char    digits[LEADQ_PHONE_CHARS + 1];
} leadq_dialled_t;


/* A way of dialling: digits that begin so mean a number that begins so. */
typedef struct {
    int          plus;
    size_t       least, most;               /* digits dialled */
    const char  *dialled;
    const char  *meant;
} leadq_habit_t;


static leadq_code_e leadq_phone_fold(const char *in, size_t len,
    leadq_dialled_t *dialled);
static int leadq_phone_plus(leadq_dialled_t *dialled);
static int leadq_phone_filler(int32_t cp);
static int leadq_phone_invisible(int32_t cp);
static leadq_code_e leadq_phone_international(leadq_dialled_t *dialled);
static leadq_code_e leadq_phone_not_dialled(const leadq_dialled_t *dialled);
static leadq_code_e leadq_phone_lookup(const leadq_rule_t *rule,
    const leadq_dialled_t *dialled);
static int leadq_phone_begins(const char *digits, const char *list);
static int leadq_phone_allowed(const leadq_rule_t *rule, const char *name);


#define LEADQ_ANY  LEADQ_PHONE_CHARS

static const leadq_habit_t  leadq_habits[] = {
    { 1, 11, 11, "89", "79" },              /* +8 916 123-45-67 */
    { 1, 0, LEADQ_ANY, "", "" },
    { 0, 10, 10, "9", "79" },
    { 0, 11, 11, "8", "7" },
    { 0, 11, 11, "7", "7" },
    { 0, 12, LEADQ_ANY, "810", "" },        /* the way out of Russia */
    { 0, 12, LEADQ_ANY, "00", "" },         /* and out of elsewhere */
};

#define LEADQ_HABITS  (sizeof(leadq_habits) / sizeof(leadq_habit_t))


static const leadq_country_t  leadq_countries[] = {
    { "ru", "7", 10, "9", "940" },
    { "kz", "7", 10, "6 7", NULL },
    { "by", "375", 9, "25 29 33 44", NULL },
    { "ua", "380", 9, "39 50 63 66 67 68 73 9", NULL },
    { "md", "373", 8, "6 7", NULL },
    { "am", "374", 8, "33 4 55 77 9", NULL },
    { "az", "994", 9, "10 40 50 51 55 60 70 77 99", NULL },
    { "ge", "995", 9, "5 79", NULL },
    { "kg", "996", 9, "2 5 7 9", NULL },
    { "tj", "992", 9, "0 1 2 4 5 7 8 9", NULL },
    { "uz", "998", 9, "20 33 50 77 88 9", NULL },
};

#define LEADQ_COUNTRIES  (sizeof(leadq_countries) / sizeof(leadq_country_t))


leadq_code_e
leadq_phone_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    leadq_code_e     code;
    leadq_dialled_t  dialled;

    code = leadq_phone_fold(in, len, &dialled);
    if (code != LEADQ_OK) {
        return code;
    }

    code = leadq_phone_international(&dialled);
    if (code != LEADQ_OK) {
        return code;
    }

    code = leadq_phone_lookup(rule, &dialled);
    if (code != LEADQ_OK) {
        return code;
    }

    value->data[0] = '+';
    memcpy(value->data + 1, dialled.digits, dialled.n);
    value->len = dialled.n + 1;

    return LEADQ_OK;
}


/* Keeps the digits and remembers a leading plus. */

static leadq_code_e
leadq_phone_fold(const char *in, size_t len, leadq_dialled_t *dialled)
{
    size_t       chars;
    int32_t      cp;
    const char  *p, *end;

    dialled->n = 0;
    dialled->plus = 0;

    p = in;
    end = in + len;
    chars = 0;

    while (p < end) {
        cp = leadq_utf8_next(&p, end);

        if (leadq_phone_invisible(cp)) {
            continue;
        }

        if (leadq_utf8_control(cp)) {
            return LEADQ_CONTROL_CHARACTER;
        }

        if (++chars > LEADQ_PHONE_CHARS) {
            return LEADQ_PHONE_TOO_LONG;
        }

        if (cp >= 0xff10 && cp <= 0xff19) {             /* full-width */
            cp = cp - 0xff10 + '0';
        }

        if (cp >= '0' && cp <= '9') {
            dialled->digits[dialled->n++] = (char) cp;
            continue;
        }

        if (cp == '+' || cp == 0xff0b) {
            if (leadq_phone_plus(dialled) != 0) {
                return LEADQ_PHONE_BAD_CHARS;
            }

        } else if (!leadq_phone_filler(cp)) {
            return LEADQ_PHONE_BAD_CHARS;
        }
    }

    return LEADQ_OK;
}


/* A plus comes first, or after an 8: "8+7" is what some forms make of it. */

static int
leadq_phone_plus(leadq_dialled_t *dialled)
{
    if (dialled->plus
        || dialled->n > 1
        || (dialled->n == 1 && dialled->digits[0] != '8'))
    {
        return -1;
    }

    dialled->plus = 1;
    dialled->n = 0;

    return 0;
}


static int
leadq_phone_filler(int32_t cp)
{
    return leadq_utf8_space(cp)
           || cp == '-' || cp == '(' || cp == ')' || cp == '.' || cp == '/'
           || (cp >= 0x2010 && cp <= 0x2015)            /* dashes */
           || cp == 0x2212;                             /* minus */
}


/* Address books copy numbers wrapped in marks of writing direction. */

static int
leadq_phone_invisible(int32_t cp)
{
    return (cp >= 0x202a && cp <= 0x202e)
           || (cp >= 0x2066 && cp <= 0x2069)
           || cp == 0x200e || cp == 0x200f;
}


/* Turns the habits of dialling into country code and number. */

static leadq_code_e
leadq_phone_international(leadq_dialled_t *dialled)
{
    size_t                i, add, skip;
    const leadq_habit_t  *habit;

    for (i = 0; i < LEADQ_HABITS; i++) {
        habit = &leadq_habits[i];
        skip = strlen(habit->dialled);

        if (dialled->plus != habit->plus
            || dialled->n < habit->least
            || dialled->n > habit->most
            || memcmp(dialled->digits, habit->dialled, skip) != 0)
        {
            continue;
        }

        add = strlen(habit->meant);

        memmove(dialled->digits + add, dialled->digits + skip,
                dialled->n - skip);
        memcpy(dialled->digits, habit->meant, add);
        dialled->n = dialled->n - skip + add;

        return dialled->n > LEADQ_PHONE_DIGITS ? LEADQ_PHONE_TOO_LONG
                                               : LEADQ_OK;
    }

    return leadq_phone_not_dialled(dialled);
}


/* Why the digits could not be dialled from a phone in Russia. */

static leadq_code_e
leadq_phone_not_dialled(const leadq_dialled_t *dialled)
{
    char  first;

    first = dialled->n ? dialled->digits[0] : '0';

    if (dialled->n < 10) {
        return LEADQ_PHONE_TOO_SHORT;
    }

    if (dialled->n == 10 && first != '0') {
        return LEADQ_PHONE_NOT_MOBILE;
    }

    if (dialled->n > 11 && (first == '7' || first == '8')) {
        return LEADQ_PHONE_TOO_LONG;
    }

    return LEADQ_PHONE_NEEDS_COUNTRY;
}


static leadq_code_e
leadq_phone_lookup(const leadq_rule_t *rule, const leadq_dialled_t *dialled)
{
    size_t                  i, len;
    const char             *number;
    leadq_code_e            code;
    const leadq_country_t  *country;

    code = dialled->n < 7 ? LEADQ_PHONE_TOO_SHORT : LEADQ_PHONE_COUNTRY;

    for (i = 0; i < LEADQ_COUNTRIES; i++) {
        country = &leadq_countries[i];
        len = strlen(country->code);

        if (dialled->n < len || memcmp(dialled->digits, country->code, len)) {
            continue;
        }

        if (dialled->n < len + country->len) {
            return LEADQ_PHONE_TOO_SHORT;
        }

        if (dialled->n > len + country->len) {
            return LEADQ_PHONE_TOO_LONG;
        }

        number = dialled->digits + len;

        if (leadq_phone_begins(number, country->mobile)
            && !leadq_phone_begins(number, country->except))
        {
            return leadq_phone_allowed(rule, country->name)
                   ? LEADQ_OK : LEADQ_PHONE_COUNTRY;
        }

        code = country->code[0] == '7' && number[0] == '0'
               ? LEADQ_PHONE_NEEDS_COUNTRY      /* Belarus: 8 029 ... */
               : LEADQ_PHONE_NOT_MOBILE;
    }

    return code;
}


/* list is prefixes with one space between them, or NULL. */

static int
leadq_phone_begins(const char *digits, const char *list)
{
    size_t  len;

    while (list != NULL && *list != '\0') {
        len = strcspn(list, " ");

        if (strncmp(digits, list, len) == 0) {
            return 1;
        }

        list += len + (list[len] == ' ');
    }

    return 0;
}


static int
leadq_phone_allowed(const leadq_rule_t *rule, const char *name)
{
    size_t  i;

    if (rule->nvalues == 0) {
        return strcmp(name, "ru") == 0;
    }

    for (i = 0; i < rule->nvalues; i++) {
        if (rule->values[i].len == 2
            && memcmp(rule->values[i].data, name, 2) == 0)
        {
            return 1;
        }
    }

    return 0;
}


int
leadq_phone_country(const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < LEADQ_COUNTRIES; i++) {
        if (len == 2 && memcmp(leadq_countries[i].name, name, 2) == 0) {
            return 1;
        }
    }

    return 0;
}
