
/*
 * Field types: each is a pure function that checks a value and brings it to
 * the one spelling that reaches the database.
 *
 * For all of them: blanks around the value are cut off; what is then empty
 * counts as not given; the value is at most 8 KiB of valid UTF-8 without
 * control characters.
 */

#ifndef LEADQ_TYPES_H_INCLUDED
#define LEADQ_TYPES_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#include "leadq_code.h"
#include "leadq_signed.h"


#define LEADQ_VALUE_MAX  8192               /* bytes */


typedef struct {
    size_t       len;
    const char  *data;                      /* borrowed, no terminator */
} leadq_str_t;


typedef enum {
    LEADQ_TYPE_EMAIL,
    LEADQ_TYPE_PHONE,
    LEADQ_TYPE_DIGITS,
    LEADQ_TYPE_TOKEN,
    LEADQ_TYPE_TEXT,
    LEADQ_TYPE_BOOL,
    LEADQ_TYPE_UUID,
    LEADQ_TYPE_ENUM,
    LEADQ_TYPE_SIGNED,
    LEADQ_TYPE_INT,
    LEADQ_TYPE_DATE,
    LEADQ_TYPE_URL,
    LEADQ_TYPE_PROMO,
    LEADQ_TYPE_JSON,
    LEADQ_TYPE_LIST,                        /* see leadq_list.h */
    LEADQ_TYPE_BODY,                        /* see leadq_body.h */
    LEADQ_TYPES
} leadq_type_e;


/* Options that a type takes. */
#define LEADQ_OPT_MIN     0x01              /* min */
#define LEADQ_OPT_MAX     0x02              /* max */
#define LEADQ_OPT_VALUES  0x04              /* values */
#define LEADQ_OPT_KEY     0x08              /* key, purpose */
#define LEADQ_OPT_DEPTH   0x10              /* depth */
#define LEADQ_OPT_RANGE   0x20              /* min and max are values */
#define LEADQ_OPT_MAC     0x40              /* mac, for */

#define LEADQ_OPT_LENGTH  (LEADQ_OPT_MIN | LEADQ_OPT_MAX)

#define LEADQ_DEPTH_DEFAULT  4
#define LEADQ_DEPTH_LIMIT    7
#define LEADQ_DEPTH_BODY     8


typedef struct {
    const char  *name;
    unsigned     options;                   /* LEADQ_OPT_* */
    size_t       max_default;               /* characters */
    size_t       max_limit;
} leadq_type_t;


/* What a location declared about one field. */
typedef struct {
    leadq_type_e         type;
    size_t               min;               /* characters; 0: no minimum */
    size_t               max;               /* json, list, body: bytes */
    int64_t              least;             /* int */
    int64_t              most;
    size_t               depth;             /* of [ and { in a value */
    const leadq_str_t   *values;            /* enum: all that is allowed, */
    size_t               nvalues;           /* phone: countries, default ru */
    const leadq_keys_t  *keys;              /* signed; or of MACs */
    const char          *purpose;
} leadq_rule_t;


/* A normalised value; len 0 means that nothing was given. */
typedef struct {
    size_t  len;
    char    data[LEADQ_VALUE_MAX + 1];      /* no terminator */
} leadq_value_t;


/* Indexed by leadq_type_e. */
extern const leadq_type_t  leadq_types[LEADQ_TYPES];


/* Cuts off the blanks around a text: space, tab, CR and LF. */
void leadq_type_trim(const char **in, size_t *len);

/*
 * Checks and normalises one value.
 *
 * in, len  any bytes
 * now      unix seconds, for the type signed
 * value    the result; undefined unless LEADQ_OK is returned
 *
 * Called per declared field and request, and at configuration time for
 * default values.
 */
leadq_code_e leadq_type_check(const leadq_rule_t *rule, const char *in,
    size_t len, int64_t now, leadq_value_t *value);

/*
 * Reads a whole number: digits, with a sign or without.
 *
 * Returns 0, -1 if it is none, or 1 if it is below or above 64 bits (then
 * number is the end that was passed).
 */
int leadq_int_read(const char *in, size_t len, int64_t *number);

/* Returns 1 if the phone type knows the country (two letters, "ru"). */
int leadq_phone_country(const char *name, size_t len);

/*
 * The bigger types, in files of their own; in is trimmed, not empty, valid
 * UTF-8 and at most LEADQ_VALUE_MAX bytes long.  For leadq_type_check().
 */
leadq_code_e leadq_email_check(const char *in, size_t len,
    leadq_value_t *value);
leadq_code_e leadq_phone_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_value_t *value);
leadq_code_e leadq_url_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_value_t *value);
leadq_code_e leadq_promo_check(const char *in, size_t len,
    leadq_value_t *value);
leadq_code_e leadq_nested_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_value_t *value);

/* The same for the type "body": text of any length, room for all of it. */
leadq_code_e leadq_nested_text(const leadq_rule_t *rule, const char *in,
    size_t len, char *out, size_t *out_len);


#endif /* LEADQ_TYPES_H_INCLUDED */
