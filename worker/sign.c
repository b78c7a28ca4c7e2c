#include "sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "whsec_"
#define DIGEST_LEN 32

typedef struct {
    unsigned char bytes[SECRET_MAX + 4];
    int len;
} sign_key_t;

/* -1: not base64, or too short. */
static int
key_of(const char *line, sign_key_t *key)
{
    size_t len, text;

    text = strlen(PREFIX);
    if (strncmp(line, PREFIX, text) == 0) {
        line += text;
        len = strlen(line);
        key->len =
            EVP_DecodeBlock(key->bytes, (const unsigned char *)line, (int)len);
        while (key->len > 0 && len > 0 && line[len - 1] == '=') {
            key->len--;
            len--;
        }
    } else {
        key->len = (int)strlen(line);
        memcpy(key->bytes, line, (size_t)key->len);
    }
    return key->len < SIGN_MIN_KEY ? -1 : 0;
}

static int
digest_of(const char *line, const char *data, size_t len,
          unsigned char digest[DIGEST_LEN])
{
    sign_key_t key;
    int rc;

    rc = key_of(line, &key) == 0
                 && HMAC(EVP_sha256(), key.bytes, key.len,
                         (const unsigned char *)data, len, digest, NULL)
                        != NULL
             ? 0
             : -1;
    explicit_bzero(&key, sizeof(key));
    return rc;
}

const char *
sign_check(const secret_t *keys)
{
    const char *problem = NULL;
    sign_key_t key;
    size_t i;

    for (i = 0; i < keys->n; i++) {
        if (key_of(keys->line[i], &key) != 0) {
            problem = "a key to sign with is too short or no base64";
        }
    }
    explicit_bzero(&key, sizeof(key));
    return problem;
}

int
sign_webhook(const secret_t *keys, const char *id, long long timestamp,
             const char *body, size_t len, buf_t *out)
{
    unsigned char digest[DIGEST_LEN];
    char text[DIGEST_LEN * 4 / 3 + 8];
    buf_t signed_;
    size_t i;
    int rc;

    buf_init_secret(&signed_, len + 1024);
    buf_addf(&signed_, "%s.%lld.", id, timestamp);
    buf_add(&signed_, body, len);
    rc = signed_.failed ? -1 : 0;
    for (i = 0; rc == 0 && i < keys->n; i++) {
        rc = digest_of(keys->line[i], signed_.data, signed_.len, digest);
        (void)EVP_EncodeBlock((unsigned char *)text, digest, DIGEST_LEN);
        buf_addf(out, "%sv1,%s", i == 0 ? "" : " ", text);
    }
    buf_done(&signed_);
    return rc != 0 || out->failed ? -1 : 0;
}

int
sign_text(const secret_t *keys, const char *digest, const char *text,
          buf_t *out)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    const EVP_MD *md = EVP_get_digestbyname(digest);
    unsigned int i, len = 0;

    if (md == NULL
        || HMAC(md, keys->line[0], (int)strlen(keys->line[0]),
                (const unsigned char *)text, strlen(text), bytes, &len)
               == NULL)
    {
        return -1;
    }
    for (i = 0; i < len; i++) {
        buf_addf(out, "%02x", (unsigned)bytes[i]);
    }
    return out->failed ? -1 : 0;
}

int
sign_query(const secret_t *keys, const char *query, char hex[SIGN_HEX])
{
    unsigned char digest[DIGEST_LEN];
    size_t i;

    if (digest_of(keys->line[0], query, strlen(query), digest) != 0) {
        return -1;
    }
    for (i = 0; i < DIGEST_LEN; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    return 0;
}
