#include "verp.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PURPOSE "bounce"

static const char digits36[] = "0123456789abcdefghijklmnopqrstuvwxyz";
static const char digits32[] = "abcdefghijklmnopqrstuvwxyz234567";

void
verp_id(const unsigned char uuid[16], char id[VERP_ID_LEN + 1])
{
    unsigned char rest[16];
    unsigned carry;
    size_t i, digit;

    memcpy(rest, uuid, sizeof(rest));
    for (digit = VERP_ID_LEN; digit-- > 0;) {
        carry = 0;
        for (i = 0; i < sizeof(rest); i++) {
            carry = carry << 8 | rest[i];
            rest[i] = (unsigned char)(carry / 36);
            carry %= 36;
        }
        id[digit] = digits36[carry];
    }
    id[VERP_ID_LEN] = '\0';
}

int
verp_id_read(const char *id, unsigned char uuid[16])
{
    const char *at;
    unsigned carry;
    size_t i, digit;

    memset(uuid, 0, 16);
    for (digit = 0; digit < VERP_ID_LEN; digit++) {
        at = id[digit] == '\0'
                 ? NULL
                 : strchr(digits36, tolower((unsigned char)id[digit]));
        if (at == NULL) {
            return -1;
        }
        carry = (unsigned)(at - digits36);
        for (i = 16; i-- > 0;) {
            carry += uuid[i] * 36U;
            uuid[i] = (unsigned char)carry;
            carry >>= 8;
        }
        if (carry != 0) {
            return -1; /* more than 128 bits */
        }
    }
    return 0;
}

/* 40 bits: who guesses has a chance of one in a million million. */
static int
make_mac(const leadq_keys_t *keys, const char *id, char mac[VERP_MAC_LEN + 1])
{
    unsigned char bytes[LEADQ_MAC_LEN];
    char text[sizeof(PURPOSE) + VERP_ID_LEN];
    uint64_t bits;
    size_t i;

    memcpy(text, PURPOSE, sizeof(PURPOSE));
    memcpy(text + sizeof(PURPOSE), id, VERP_ID_LEN);
    if (leadq_keys_mac(keys, text, sizeof(text), bytes) != 0) {
        return -1;
    }
    bits = 0;
    for (i = 0; i < 5; i++) {
        bits = bits << 8 | bytes[i];
    }
    for (i = VERP_MAC_LEN; i-- > 0; bits >>= 5) {
        mac[i] = digits32[bits & 31];
    }
    mac[VERP_MAC_LEN] = '\0';
    return 0;
}

int
verp_make(const leadq_keys_t *keys, const char *address,
          const unsigned char uuid[16], char path[VERP_MAX_ADDRESS + 1])
{
    char id[VERP_ID_LEN + 1], mac[VERP_MAC_LEN + 1];
    const char *at = strrchr(address, '@');
    int len;

    path[0] = '\0';
    verp_id(uuid, id);
    if (at == NULL || at - address > VERP_MAX_LOCAL
        || make_mac(keys, id, mac) != 0)
    {
        return -1;
    }
    len = snprintf(path, VERP_MAX_ADDRESS + 1, "%.*s+%s.%s%s",
                   (int)(at - address), address, id, mac, at);
    if (len < 0 || len > VERP_MAX_ADDRESS) {
        path[0] = '\0';
        return -1;
    }
    return 0;
}

/* Reads "id36.mac" at the beginning of a text. */
static int
read_token(const leadq_keys_t *keys, const char *token, unsigned char uuid[16])
{
    char id[VERP_ID_LEN + 1], want[VERP_MAC_LEN + 1], got[VERP_MAC_LEN];
    size_t i;

    if (strnlen(token, VERP_TOKEN_LEN) < VERP_TOKEN_LEN
        || token[VERP_ID_LEN] != '.' || verp_id_read(token, uuid) != 0)
    {
        return -1;
    }
    verp_id(uuid, id);
    if (make_mac(keys, id, want) != 0) {
        return -1;
    }
    for (i = 0; i < VERP_MAC_LEN; i++) {
        got[i] = (char)tolower((unsigned char)token[VERP_ID_LEN + 1 + i]);
    }
    return CRYPTO_memcmp(got, want, VERP_MAC_LEN) == 0 ? 0 : -1;
}

int
verp_find(const leadq_keys_t *keys, const char *address, const char *text,
          unsigned char uuid[16])
{
    const char *at = strrchr(address, '@'), *p;
    size_t len;

    if (at == NULL) {
        return -1;
    }
    len = (size_t)(at - address);
    for (p = strchr(text, '+'); p != NULL; p = strchr(p + 1, '+')) {
        if ((size_t)(p - text) >= len
            && strncasecmp(p - len, address, len) == 0
            && read_token(keys, p + 1, uuid) == 0)
        {
            return 0;
        }
    }
    return -1;
}
