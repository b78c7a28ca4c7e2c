
/*
 * The table of codes; order as in leadq_code_e.
 */

#include "leadq_code.h"


typedef struct {
    const char  *name;
    const char  *detail;
} leadq_code_t;


static const leadq_code_t  leadq_codes[LEADQ_CODES] = {

    [LEADQ_OK] = { "ok", "is fine" },

    [LEADQ_BAD_ENCODING] = { "bad-encoding", "the body is not valid UTF-8" },
    [LEADQ_BAD_FORM] = { "bad-form",
        "the body is not a well-formed urlencoded form" },
    [LEADQ_BAD_JSON] = { "bad-json",
        "the body is not one JSON object of plain values" },
    [LEADQ_BAD_MULTIPART] = { "bad-multipart",
        "the body is not a well-formed multipart form" },
    [LEADQ_BAD_MEDIA_TYPE] = { "unsupported-media-type",
        "the body must be application/json, multipart/form-data or "
        "application/x-www-form-urlencoded" },
    [LEADQ_BAD_CHARSET] = { "unsupported-charset",
        "the body must be in UTF-8" },
    [LEADQ_TOO_MANY_FIELDS] = { "too-many-fields",
        "the body has more than 64 fields" },

    [LEADQ_REQUIRED] = { "required", "is required" },
    [LEADQ_UNKNOWN_FIELD] = { "unknown-field", "is not expected here" },
    [LEADQ_DUPLICATE_FIELD] = { "duplicate-field",
        "is given more than once" },
    [LEADQ_BAD_TYPE] = { "bad-type",
        "must be a string, an integer, true, false or null" },
    [LEADQ_FILE_PART] = { "file-part", "is a file, files are not taken" },
    [LEADQ_NOT_UTF8] = { "not-utf8", "is not valid UTF-8" },
    [LEADQ_CONTROL_CHARACTER] = { "control-character",
        "contains a control character" },
    [LEADQ_TOO_SHORT] = { "too-short", "is too short" },
    [LEADQ_TOO_LONG] = { "too-long", "is too long" },

    [LEADQ_EMAIL_SPACE] = { "email-space", "contains a space" },
    [LEADQ_EMAIL_NO_AT] = { "email-no-at", "has no @" },
    [LEADQ_EMAIL_MANY_AT] = { "email-many-at", "has more than one @" },
    [LEADQ_EMAIL_NO_LOCAL] = { "email-no-local", "has nothing before the @" },
    [LEADQ_EMAIL_BAD_LOCAL] = { "email-bad-local",
        "has a character before the @ that mail addresses do not have" },
    [LEADQ_EMAIL_NOT_ASCII] = { "email-not-ascii",
        "has other than Latin letters before the @" },
    [LEADQ_EMAIL_NO_DOMAIN] = { "email-no-domain",
        "has no complete domain after the @" },
    [LEADQ_EMAIL_BAD_DOMAIN] = { "email-bad-domain",
        "has a domain that cannot exist" },
    [LEADQ_EMAIL_TOO_LONG] = { "email-too-long",
        "is longer than mail addresses can be" },

    [LEADQ_PHONE_BAD_CHARS] = { "phone-bad-chars",
        "has something else than digits" },
    [LEADQ_PHONE_TOO_SHORT] = { "phone-too-short", "has too few digits" },
    [LEADQ_PHONE_TOO_LONG] = { "phone-too-long", "has too many digits" },
    [LEADQ_PHONE_NOT_MOBILE] = { "phone-not-mobile",
        "is not a mobile number" },
    [LEADQ_PHONE_NEEDS_COUNTRY] = { "phone-needs-country",
        "must begin with + and the country code, for example +375" },
    [LEADQ_PHONE_COUNTRY] = { "phone-country",
        "belongs to a country that is not served here" },

    [LEADQ_DIGITS_BAD_CHARS] = { "digits-bad-chars",
        "has something else than digits" },
    [LEADQ_TOKEN_BAD_CHARS] = { "token-bad-chars",
        "has a space or something else than printable ASCII" },
    [LEADQ_BOOL_BAD_VALUE] = { "bool-bad-value",
        "is neither true nor false" },
    [LEADQ_UUID_BAD_VALUE] = { "uuid-bad-value", "is not a UUID" },
    [LEADQ_ENUM_BAD_VALUE] = { "enum-bad-value",
        "is not one of the allowed values" },

    [LEADQ_LINK_MALFORMED] = { "link-malformed",
        "is not a link of ours; it may have been cut" },
    [LEADQ_LINK_FORGED] = { "link-forged", "is not a link of ours" },
    [LEADQ_LINK_EXPIRED] = { "link-expired", "is too old" },

    [LEADQ_INT_BAD_VALUE] = { "int-bad-value", "is not a whole number" },
    [LEADQ_INT_TOO_SMALL] = { "int-too-small", "is too small" },
    [LEADQ_INT_TOO_LARGE] = { "int-too-large", "is too large" },
    [LEADQ_DATE_BAD_FORMAT] = { "date-bad-format",
        "is not a date like 2026-12-31" },
    [LEADQ_DATE_NO_SUCH_DAY] = { "date-no-such-day",
        "is a day that no calendar has" },
    [LEADQ_URL_BAD_SCHEME] = { "url-bad-scheme",
        "does not begin with http:// or https://" },
    [LEADQ_URL_BAD_CHARS] = { "url-bad-chars",
        "has a character that URLs do not have" },
    [LEADQ_URL_BAD_HOST] = { "url-bad-host",
        "has a host that cannot exist" },
    [LEADQ_URL_BAD_PORT] = { "url-bad-port",
        "has a port that cannot exist" },
    [LEADQ_URL_USER] = { "url-user",
        "has a user or a password before the host" },
    [LEADQ_PROMO_BAD_CHARS] = { "promo-bad-chars",
        "has a character that codes do not have" },
    [LEADQ_CODE_TYPO] = { "code-typo", "has a typing error" },
    [LEADQ_JSON_BAD_VALUE] = { "json-bad-value", "is not valid JSON" },
    [LEADQ_JSON_TOO_DEEP] = { "json-too-deep", "is nested too deeply" },
};


const char *
leadq_code_name(leadq_code_e code)
{
    return leadq_codes[code].name;
}


const char *
leadq_code_detail(leadq_code_e code)
{
    return leadq_codes[code].detail;
}
