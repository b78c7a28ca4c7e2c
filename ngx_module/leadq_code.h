
/*
 * What can be wrong with a body or a value: stable codes for programs, and
 * one English sentence each for people who read the answer.
 *
 * Codes are an interface: pages translate them and tests quote them.  Add,
 * never rename.
 */

#ifndef LEADQ_CODE_H_INCLUDED
#define LEADQ_CODE_H_INCLUDED


typedef enum {
    LEADQ_OK = 0,

    /* the body as a whole */

    LEADQ_BAD_ENCODING,
    LEADQ_BAD_FORM,
    LEADQ_BAD_JSON,
    LEADQ_BAD_MULTIPART,
    LEADQ_BAD_MEDIA_TYPE,
    LEADQ_BAD_CHARSET,
    LEADQ_TOO_MANY_FIELDS,

    /* one field */

    LEADQ_REQUIRED,
    LEADQ_UNKNOWN_FIELD,
    LEADQ_DUPLICATE_FIELD,
    LEADQ_BAD_TYPE,
    LEADQ_FILE_PART,
    LEADQ_NOT_UTF8,
    LEADQ_CONTROL_CHARACTER,
    LEADQ_TOO_SHORT,
    LEADQ_TOO_LONG,

    LEADQ_EMAIL_SPACE,
    LEADQ_EMAIL_NO_AT,
    LEADQ_EMAIL_MANY_AT,
    LEADQ_EMAIL_NO_LOCAL,
    LEADQ_EMAIL_BAD_LOCAL,
    LEADQ_EMAIL_NOT_ASCII,
    LEADQ_EMAIL_NO_DOMAIN,
    LEADQ_EMAIL_BAD_DOMAIN,
    LEADQ_EMAIL_TOO_LONG,

    LEADQ_PHONE_BAD_CHARS,
    LEADQ_PHONE_TOO_SHORT,
    LEADQ_PHONE_TOO_LONG,
    LEADQ_PHONE_NOT_MOBILE,
    LEADQ_PHONE_NEEDS_COUNTRY,
    LEADQ_PHONE_COUNTRY,

    LEADQ_DIGITS_BAD_CHARS,
    LEADQ_TOKEN_BAD_CHARS,
    LEADQ_BOOL_BAD_VALUE,
    LEADQ_UUID_BAD_VALUE,
    LEADQ_ENUM_BAD_VALUE,

    LEADQ_LINK_MALFORMED,
    LEADQ_LINK_FORGED,
    LEADQ_LINK_EXPIRED,

    LEADQ_INT_BAD_VALUE,
    LEADQ_INT_TOO_SMALL,
    LEADQ_INT_TOO_LARGE,
    LEADQ_DATE_BAD_FORMAT,
    LEADQ_DATE_NO_SUCH_DAY,
    LEADQ_URL_BAD_SCHEME,
    LEADQ_URL_BAD_CHARS,
    LEADQ_URL_BAD_HOST,
    LEADQ_URL_BAD_PORT,
    LEADQ_URL_USER,
    LEADQ_PROMO_BAD_CHARS,
    LEADQ_CODE_TYPO,
    LEADQ_JSON_BAD_VALUE,
    LEADQ_JSON_TOO_DEEP,

    LEADQ_CODES                             /* how many there are */
} leadq_code_e;


/* "email-no-at" */
const char *leadq_code_name(leadq_code_e code);

/* "has no @" (English, to be read after the name of the field) */
const char *leadq_code_detail(leadq_code_e code);


#endif /* LEADQ_CODE_H_INCLUDED */
