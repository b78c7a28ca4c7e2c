
/*
 * Traps for robots; see leadq_trap.h.
 */

#include "leadq_trap.h"

#include <string.h>


#define LEADQ_TRAP_PURPOSE  "form"


static size_t leadq_trap_take(leadq_pairs_t *pairs, const leadq_str_t *name,
    leadq_pair_t *taken);
static leadq_trap_e leadq_trap_age(const leadq_keys_t *keys,
    const leadq_str_t *token, int64_t now_ms, int64_t min_ms, int64_t max_ms);
static int64_t leadq_trap_time(const unsigned char id[16]);


const char *
leadq_trap_name(leadq_trap_e trap)
{
    static const char *const  names[] = {
        NULL, "honeypot", "form-token-missing", "form-token-forged",
        "form-token-young", "form-token-old"
    };

    return names[trap];
}


leadq_trap_e
leadq_trap_honeypot(leadq_pairs_t *pairs, const leadq_str_t *name)
{
    leadq_pair_t  pair;

    /* a form has it once and empty */

    if (leadq_trap_take(pairs, name, &pair) > 1) {
        return LEADQ_TRAP_HONEYPOT;
    }

    return !pair.scalar || pair.value.len ? LEADQ_TRAP_HONEYPOT
                                          : LEADQ_TRAP_NONE;
}


leadq_trap_e
leadq_trap_token(leadq_pairs_t *pairs, const leadq_str_t *name,
    const leadq_keys_t *keys, int64_t now_ms, int64_t min_ms, int64_t max_ms,
    leadq_str_t *good)
{
    leadq_pair_t  pair;
    leadq_trap_e  trap;

    memset(good, 0, sizeof(leadq_str_t));

    if (leadq_trap_take(pairs, name, &pair) > 1 || !pair.scalar) {
        return LEADQ_TRAP_TOKEN_FORGED;
    }

    if (pair.value.len == 0) {
        return LEADQ_TRAP_TOKEN_MISSING;
    }

    trap = leadq_trap_age(keys, &pair.value, now_ms, min_ms, max_ms);

    if (trap == LEADQ_TRAP_NONE) {
        *good = pair.value;
    }

    return trap;
}


/* How many there were, and the last of them or an empty one. */

static size_t
leadq_trap_take(leadq_pairs_t *pairs, const leadq_str_t *name,
    leadq_pair_t *taken)
{
    size_t         i, kept, found;
    leadq_pair_t  *pair;

    memset(taken, 0, sizeof(leadq_pair_t));
    taken->scalar = 1;
    kept = 0;

    for (i = 0; i < pairs->n; i++) {
        pair = &pairs->pair[i];

        if (pair->name.len == name->len
            && memcmp(pair->name.data, name->data, name->len) == 0)
        {
            *taken = *pair;

        } else if (kept++ < i) {
            pairs->pair[kept - 1] = *pair;
        }
    }

    found = pairs->n - kept;
    pairs->n = kept;

    return found;
}


static leadq_trap_e
leadq_trap_age(const leadq_keys_t *keys, const leadq_str_t *token,
    int64_t now_ms, int64_t min_ms, int64_t max_ms)
{
    int64_t         age_ms;
    unsigned char   id[16];
    leadq_signed_e  rc;

    rc = leadq_signed_read(keys, LEADQ_TRAP_PURPOSE, token->data, token->len,
                           now_ms / 1000, id);

    switch (rc) {

    case LEADQ_SIGNED_MALFORMED:
    case LEADQ_SIGNED_FORGED:
        return LEADQ_TRAP_TOKEN_FORGED;

    case LEADQ_SIGNED_EXPIRED:
        return LEADQ_TRAP_TOKEN_OLD;

    case LEADQ_SIGNED_OK:
        break;
    }

    /* negative if the clock of another server that issued it is ahead */

    age_ms = now_ms - leadq_trap_time(id);

    if (age_ms < min_ms) {
        return LEADQ_TRAP_TOKEN_YOUNG;
    }

    return age_ms > max_ms ? LEADQ_TRAP_TOKEN_OLD : LEADQ_TRAP_NONE;
}


void
leadq_trap_token_make(const leadq_keys_t *keys, const unsigned char id[16],
    char out[LEADQ_SIGNED_LEN + 1])
{
    leadq_signed_make(keys, LEADQ_TRAP_PURPOSE, id,
                      (leadq_trap_time(id) + LEADQ_FORM_TOKEN_MAX_MS) / 1000
                          + 1,
                      out);
}


static int64_t
leadq_trap_time(const unsigned char id[16])
{
    int      i;
    int64_t  ms;

    ms = 0;

    for (i = 0; i < 6; i++) {
        ms = ms << 8 | id[i];
    }

    return ms;
}
