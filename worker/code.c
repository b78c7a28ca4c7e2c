#include "code.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HEX "0123456789abcdef"

int
code_derive(const leadq_keys_t *keys, int key, const char *id,
            const char *seed, size_t n, code_t *code)
{
    char text[CODE_ID_LEN + CODE_SEED_LEN + sizeof("::otp")];
    unsigned char mac[LEADQ_MAC_LEN];
    uint64_t number;
    size_t i;
    unsigned char first;
    int len, rc;

    len = snprintf(text, sizeof(text), "%s:%s:otp", id, seed);
    if (key == CODE_FIRST_KEY) {
        rc = leadq_keys_mac_first(keys, text, (size_t)len, &first, mac);
        code->key = first;
    } else {
        rc = key < 0 || key > UINT8_MAX
                 ? -1
                 : leadq_keys_mac_of(keys, (unsigned char)key, text,
                                     (size_t)len, mac);
        code->key = key;
    }
    if (rc != 0) {
        return -1;
    }
    number = 0;
    for (i = 0; i < 8; i++) {
        number = number << 8 | mac[i];
    }
    explicit_bzero(mac, sizeof(mac));
    code->digits[n] = '\0';
    for (i = n; i-- > 0; number /= 10) {
        code->digits[i] = (char)('0' + number % 10);
    }
    explicit_bzero(&number, sizeof(number));
    return 0;
}

void
code_forget(code_t *code)
{
    explicit_bzero(code->digits, sizeof(code->digits));
}

int
code_prove(const leadq_keys_t *keys, const char *id, const char *digits,
           code_proof_t *proof)
{
    char text[CODE_ID_LEN + CODE_MAX + sizeof(":")];
    unsigned char mac[LEADQ_MAC_LEN], key;
    int len, rc;

    len = snprintf(text, sizeof(text), "%s:%s", id, digits);
    rc = leadq_keys_mac_first(keys, text, (size_t)len, &key, mac);
    explicit_bzero(text, sizeof(text));
    if (rc != 0) {
        return -1;
    }
    proof->key = key;
    leadq_mac_hex(mac, proof->hex);
    return 0;
}

int
code_is_id(const char *text)
{
    size_t i;

    for (i = 0; i < CODE_ID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23
                ? text[i] != '-'
                : text[i] == '\0' || strchr(HEX, text[i]) == NULL)
        {
            return 0;
        }
    }
    return text[i] == '\0';
}

int
code_is_seed(const char *text)
{
    return strlen(text) == CODE_SEED_LEN && strspn(text, HEX) == CODE_SEED_LEN;
}

int
code_is_digits(const char *text)
{
    size_t len = strspn(text, "0123456789");

    return len >= CODE_MIN && len <= CODE_MAX && text[len] == '\0';
}
