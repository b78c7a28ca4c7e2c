
/*
 * Signed link tokens, see leadq_signed.h for the layout.
 *
 * Owns the keys and their memory; they are wiped before they are freed.
 */

#include "leadq_signed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>


#define LEADQ_KEYS_MAX        16
#define LEADQ_KEY_MIN         32        /* bytes */
#define LEADQ_KEY_MAX         64
#define LEADQ_KEY_LINE_MAX    512
#define LEADQ_PURPOSE_MAX     64

#define LEADQ_SIGNED_VERSION  1
#define LEADQ_SIGNED_EXPIRES  2         /* offset in the payload */
#define LEADQ_SIGNED_SUBJECT  7
#define LEADQ_SIGNED_PAYLOAD  23
#define LEADQ_SIGNED_MAC      16
#define LEADQ_SIGNED_RAW      (LEADQ_SIGNED_PAYLOAD + LEADQ_SIGNED_MAC)
#define LEADQ_SIGNED_TIME_MAX INT64_C(0xffffffffff)


/* OpenSSL looks up an algorithm slowly: mac keeps it, and the key. */
typedef struct {
    unsigned char   id;
    unsigned char   secret[LEADQ_KEY_MAX];
    size_t          len;
    EVP_MAC_CTX    *mac;                    /* owned */
} leadq_key_t;


struct leadq_keys_s {
    size_t       n;
    leadq_key_t  key[LEADQ_KEYS_MAX];
};


static const char *leadq_key_parse(leadq_keys_t *keys, char *line);
static const char *leadq_key_secret(leadq_key_t *key, const char *hex);
static const char *leadq_key_prepare(leadq_key_t *key);
static int leadq_key_mac(const leadq_key_t *key, const void *text,
    size_t len, unsigned char mac[LEADQ_MAC_LEN]);
static int leadq_hex_digit(char c);
static int leadq_signed_mac(const leadq_key_t *key, const char *purpose,
    const unsigned char *payload, unsigned char mac[LEADQ_SIGNED_MAC]);
static void leadq_base64url_encode(const unsigned char *raw, char *out);
static int leadq_base64url_decode(const char *text, unsigned char *raw);


static const char  leadq_base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


leadq_keys_t *
leadq_keys_load(const char *path, char *err, size_t errlen)
{
    char           line[LEADQ_KEY_LINE_MAX];
    FILE          *file;
    unsigned       number;
    const char    *reason;
    leadq_keys_t  *keys;

    file = fopen(path, "re");
    if (file == NULL) {
        snprintf(err, errlen, "%s: %s", path, strerror(errno));
        return NULL;
    }

    number = 0;
    reason = "out of memory";

    keys = calloc(1, sizeof(leadq_keys_t));
    if (keys == NULL) {
        goto failed;
    }

    reason = NULL;

    while (reason == NULL && fgets(line, sizeof(line), file) != NULL) {
        number++;

        if (strchr(line, '\n') == NULL && !feof(file)) {
            reason = "line is too long";
            break;
        }

        reason = leadq_key_parse(keys, line);
    }

    if (reason == NULL && ferror(file)) {
        reason = "cannot be read";
    }

    if (reason == NULL && keys->n == 0) {
        reason = "has no key";
    }

    OPENSSL_cleanse(line, sizeof(line));

    if (reason != NULL) {
        goto failed;
    }

    fclose(file);

    return keys;

failed:

    snprintf(err, errlen, "%s:%u: %s", path, number, reason);

    fclose(file);
    leadq_keys_free(keys);

    return NULL;
}


/* One line of the file; NULL or the reason why it is refused. */

static const char *
leadq_key_parse(leadq_keys_t *keys, char *line)
{
    char         *end, *hex;
    size_t        i;
    unsigned long id;
    leadq_key_t  *key;

    line += strspn(line, " \t");
    line[strcspn(line, "#\r\n")] = '\0';

    if (*line == '\0') {
        return NULL;
    }

    if (*line < '0' || *line > '9') {
        return "does not begin with a key id 0..255";
    }

    id = strtoul(line, &end, 10);

    if (id > 255) {
        return "key id is out of range 0..255";
    }

    hex = end + strspn(end, " \t");

    if (hex == end) {
        return "has no hexadecimal key after the key id";
    }

    hex[strcspn(hex, " \t")] = '\0';

    for (i = 0; i < keys->n; i++) {
        if (keys->key[i].id == id) {
            return "key id is repeated";
        }
    }

    if (keys->n == LEADQ_KEYS_MAX) {
        return "is one key too many, 16 are the limit";
    }

    key = &keys->key[keys->n];
    key->id = (unsigned char) id;
    keys->n++;

    return leadq_key_secret(key, hex);
}


static const char *
leadq_key_secret(leadq_key_t *key, const char *hex)
{
    int     high, low;
    size_t  len;

    len = strlen(hex);

    if (len % 2 || len < 2 * LEADQ_KEY_MIN || len > 2 * LEADQ_KEY_MAX) {
        return "key needs an even number of 64..128 hexadecimal digits";
    }

    for (key->len = 0; key->len < len / 2; key->len++) {
        high = leadq_hex_digit(*hex++);
        low = leadq_hex_digit(*hex++);

        if (high < 0 || low < 0) {
            return "key has something else than hexadecimal digits";
        }

        key->secret[key->len] = (unsigned char) (high << 4 | low);
    }

    return leadq_key_prepare(key);
}


static const char *
leadq_key_prepare(leadq_key_t *key)
{
    EVP_MAC      *hmac;
    OSSL_PARAM    params[2];
    const char   *reason;
    static char   digest[] = "SHA256";

    reason = "cannot be prepared by OpenSSL";

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 digest, 0);
    params[1] = OSSL_PARAM_construct_end();

    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    key->mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

    if (key->mac != NULL
        && EVP_MAC_init(key->mac, key->secret, key->len, params) == 1)
    {
        reason = NULL;
    }

    EVP_MAC_free(hmac);

    return reason;
}


static int
leadq_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }

    return -1;
}


void
leadq_keys_free(leadq_keys_t *keys)
{
    size_t  i;

    if (keys == NULL) {
        return;
    }

    for (i = 0; i < keys->n; i++) {
        EVP_MAC_CTX_free(keys->key[i].mac);
    }

    OPENSSL_cleanse(keys, sizeof(leadq_keys_t));
    free(keys);
}


int
leadq_keys_mac(const leadq_keys_t *keys, const char *text, size_t len,
    unsigned char mac[LEADQ_MAC_LEN])
{
    return leadq_key_mac(&keys->key[keys->n - 1], text, len, mac);
}


int
leadq_keys_mac_first(const leadq_keys_t *keys, const char *text, size_t len,
    unsigned char *id, unsigned char mac[LEADQ_MAC_LEN])
{
    return leadq_keys_mac_each(keys, 0, text, len, id, mac);
}


int
leadq_keys_mac_of(const leadq_keys_t *keys, unsigned char id,
    const char *text, size_t len, unsigned char mac[LEADQ_MAC_LEN])
{
    size_t  i;

    for (i = 0; i < keys->n; i++) {
        if (keys->key[i].id == id) {
            return leadq_key_mac(&keys->key[i], text, len, mac);
        }
    }

    return 1;
}


int
leadq_keys_mac_each(const leadq_keys_t *keys, size_t i, const char *text,
    size_t len, unsigned char *id, unsigned char mac[LEADQ_MAC_LEN])
{
    if (i >= keys->n) {
        return 1;
    }

    if (id != NULL) {
        *id = keys->key[i].id;
    }

    return leadq_key_mac(&keys->key[i], text, len, mac);
}


void
leadq_mac_hex(const unsigned char mac[LEADQ_MAC_LEN],
    char hex[LEADQ_MAC_HEX + 1])
{
    size_t             i;
    static const char  digits[] = "0123456789abcdef";

    for (i = 0; i < LEADQ_MAC_LEN; i++) {
        *hex++ = digits[mac[i] >> 4];
        *hex++ = digits[mac[i] & 0xf];
    }

    *hex = '\0';
}


static int
leadq_key_mac(const leadq_key_t *key, const void *text, size_t len,
    unsigned char mac[LEADQ_MAC_LEN])
{
    size_t  n;

    /* without a key: begins anew with the one it has */

    return EVP_MAC_init(key->mac, NULL, 0, NULL) == 1
           && EVP_MAC_update(key->mac, text, len) == 1
           && EVP_MAC_final(key->mac, mac, &n, LEADQ_MAC_LEN) == 1
           && n == LEADQ_MAC_LEN
           ? 0 : -1;
}


void
leadq_signed_make(const leadq_keys_t *keys, const char *purpose,
    const unsigned char subject[16], int64_t expires,
    char out[LEADQ_SIGNED_LEN + 1])
{
    int                 i;
    unsigned char       raw[LEADQ_SIGNED_RAW];
    const leadq_key_t  *key;

    key = &keys->key[0];

    if (expires < 0) {
        expires = 0;
    }

    if (expires > LEADQ_SIGNED_TIME_MAX) {
        expires = LEADQ_SIGNED_TIME_MAX;
    }

    raw[0] = LEADQ_SIGNED_VERSION;
    raw[1] = key->id;

    for (i = 0; i < 5; i++) {
        raw[LEADQ_SIGNED_EXPIRES + i] =
            (unsigned char) (expires >> (8 * (4 - i)));
    }

    memcpy(raw + LEADQ_SIGNED_SUBJECT, subject, 16);

    if (leadq_signed_mac(key, purpose, raw, raw + LEADQ_SIGNED_PAYLOAD) != 0) {
        out[0] = '\0';
        return;
    }

    leadq_base64url_encode(raw, out);
}


leadq_signed_e
leadq_signed_read(const leadq_keys_t *keys, const char *purpose,
    const char *token, size_t len, int64_t now, unsigned char subject[16])
{
    size_t              i;
    int64_t             expires;
    unsigned char       raw[LEADQ_SIGNED_RAW], mac[LEADQ_SIGNED_MAC];
    const leadq_key_t  *key;

    if (len != LEADQ_SIGNED_LEN
        || leadq_base64url_decode(token, raw) != 0
        || raw[0] != LEADQ_SIGNED_VERSION)
    {
        return LEADQ_SIGNED_MALFORMED;
    }

    key = NULL;

    for (i = 0; i < keys->n; i++) {
        if (keys->key[i].id == raw[1]) {
            key = &keys->key[i];
        }
    }

    if (key == NULL
        || leadq_signed_mac(key, purpose, raw, mac) != 0
        || CRYPTO_memcmp(mac, raw + LEADQ_SIGNED_PAYLOAD, sizeof(mac)) != 0)
    {
        return LEADQ_SIGNED_FORGED;
    }

    memcpy(subject, raw + LEADQ_SIGNED_SUBJECT, 16);

    expires = 0;

    for (i = 0; i < 5; i++) {
        expires = expires << 8 | raw[LEADQ_SIGNED_EXPIRES + i];
    }

    return now < expires ? LEADQ_SIGNED_OK : LEADQ_SIGNED_EXPIRED;
}


static int
leadq_signed_mac(const leadq_key_t *key, const char *purpose,
    const unsigned char *payload, unsigned char mac[LEADQ_SIGNED_MAC])
{
    size_t         len;
    unsigned char  text[LEADQ_PURPOSE_MAX + 1 + LEADQ_SIGNED_PAYLOAD];
    unsigned char  full[LEADQ_MAC_LEN];

    len = strlen(purpose);

    if (len > LEADQ_PURPOSE_MAX) {
        return -1;
    }

    memcpy(text, purpose, len);
    text[len] = '\0';
    memcpy(text + len + 1, payload, LEADQ_SIGNED_PAYLOAD);

    if (leadq_key_mac(key, text, len + 1 + LEADQ_SIGNED_PAYLOAD, full) != 0) {
        return -1;
    }

    memcpy(mac, full, LEADQ_SIGNED_MAC);

    return 0;
}


/*
 * 39 bytes are 13 whole groups of three, so there is neither padding nor a
 * second spelling of the same bytes.
 */

static void
leadq_base64url_encode(const unsigned char *raw, char *out)
{
    size_t    i;
    unsigned  group;

    for (i = 0; i < LEADQ_SIGNED_RAW; i += 3) {
        group = (unsigned) raw[i] << 16 | (unsigned) raw[i + 1] << 8
                | raw[i + 2];

        *out++ = leadq_base64url[group >> 18];
        *out++ = leadq_base64url[group >> 12 & 0x3f];
        *out++ = leadq_base64url[group >> 6 & 0x3f];
        *out++ = leadq_base64url[group & 0x3f];
    }

    *out = '\0';
}


static int
leadq_base64url_decode(const char *text, unsigned char *raw)
{
    size_t       i, k;
    unsigned     group;
    const char  *p;

    for (i = 0; i < LEADQ_SIGNED_LEN; i += 4) {
        group = 0;

        for (k = 0; k < 4; k++) {
            p = memchr(leadq_base64url, text[i + k], 64);
            if (p == NULL) {
                return -1;
            }

            group = group << 6 | (unsigned) (p - leadq_base64url);
        }

        *raw++ = (unsigned char) (group >> 16);
        *raw++ = (unsigned char) (group >> 8 & 0xff);
        *raw++ = (unsigned char) (group & 0xff);
    }

    return 0;
}
