
/*
 * Ids from keys, and fingerprints; see leadq_idempotency.h.
 */

#include "leadq_idempotency.h"

#include <openssl/evp.h>

#include "leadq_buf.h"


#define LEADQ_IDEMPOTENCY_MAX  (64 * 1024)


static void leadq_idempotency_part(leadq_buf_t *buf, const leadq_str_t *part);


int
leadq_idempotency_key(const char *text, size_t len)
{
    size_t  i;

    if (len == 0 || len > LEADQ_KEY_VALUE_MAX) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f) {
            return 0;
        }
    }

    return 1;
}


int
leadq_idempotency_id(const leadq_keys_t *keys,
    const leadq_idempotency_t *parts, unsigned char id[16])
{
    int            i, rc;
    leadq_buf_t    buf;
    unsigned char  mac[LEADQ_MAC_LEN], length[4];

    /* a scope may hold a zero byte, so its length goes before it */

    for (i = 0; i < 4; i++) {
        length[i] = (unsigned char) (parts->scope.len >> (8 * (3 - i)) & 0xff);
    }

    leadq_buf_init(&buf, LEADQ_IDEMPOTENCY_MAX);

    leadq_buf_put(&buf, "idempotency", sizeof("idempotency"));
    leadq_idempotency_part(&buf, &parts->database);
    leadq_idempotency_part(&buf, &parts->schema);
    leadq_idempotency_part(&buf, &parts->function);
    leadq_idempotency_part(&buf, &parts->origin);
    leadq_buf_put(&buf, (char *) length, sizeof(length));
    leadq_buf_put(&buf, parts->scope.data, parts->scope.len);
    leadq_buf_put(&buf, parts->value.data, parts->value.len);

    rc = buf.failed ? -1 : leadq_keys_mac(keys, buf.data, buf.len, mac);

    leadq_buf_done(&buf);

    if (rc != 0) {
        return -1;
    }

    for (i = 0; i < 16; i++) {
        id[i] = mac[i];
    }

    id[6] = (unsigned char) (0x80 | (id[6] & 0x0f));
    id[8] = (unsigned char) (0x80 | (id[8] & 0x3f));

    return 0;
}


static void
leadq_idempotency_part(leadq_buf_t *buf, const leadq_str_t *part)
{
    leadq_buf_put(buf, part->data, part->len);
    leadq_buf_put(buf, "", 1);
}


int
leadq_fingerprint(const char *text, size_t len,
    char hex[LEADQ_FINGERPRINT_LEN + 1])
{
    unsigned           i, n;
    unsigned char      hash[EVP_MAX_MD_SIZE];
    static const char  digits[] = "0123456789abcdef";

    n = 0;

    if (EVP_Digest(text, len, hash, &n, EVP_sha256(), NULL) != 1
        || n < LEADQ_FINGERPRINT_LEN / 2)
    {
        return -1;
    }

    for (i = 0; i < LEADQ_FINGERPRINT_LEN / 2; i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 0xf];
    }

    hex[LEADQ_FINGERPRINT_LEN] = '\0';

    return 0;
}
