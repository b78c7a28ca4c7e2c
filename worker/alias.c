/*
 * Owns the names.  A name that networks use for more than one thing is no
 * alias: with money behind it, nobody guesses.
 */

#include "alias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ours, and what it is called elsewhere. */
static const struct {
    const char *own;
    const char *names; /* " name name " */
} aliases[] = {
    {"click_id",
     " subid sub_id clickid cid cnv_id aff_sub transaction_id externalid"
     " external_id uid admitad_uid subacc4 tracking_uuid "},
    {"lead_id", " transactionid txid trans_id order_id orderid"
                " conversion_id rid "},
    {"status", " cnv_status cnv_status2 conv_status et payment_status state"
               " txt_status "},
    {"payout", " revenue sum amount price payment_sum profit summ_approved"
               " sale_amount payout_amount "},
    {"currency", " cnv_currency cur "},
    {"goal", " goal_id goal_alias event_id event_name adv_event_id"
             " action_code tariff_code "},
    {"offer_id", " offerid offer banner_id campaign_id campaign_code "},
    {"ts", " timestamp conversion_time click_time lead_time postback_time "},
    {"date", " date_only "},
    {"ip", " uip action_ip "},
    {"ua", " uagent user_agent "},
    {"token", " security_token verification_token access_token secret "},
    {"promo_code", " coupon_code "},
    {"time", NULL},
    {"reason", NULL},
    {"rand", NULL},
};

/* Sub accounts: a word and a number. */
static const struct {
    const char *word;
    long max;
} subs[] = {
    {"sub", 30}, {"sub_id_", 15}, {"aff_sub", 5},      {"adv", 10},
    {"s", 5},    {"ext", 3},      {"custom_field", 7},
};

/* {tid}: the click or the lead; {s2}: the click or the second sub account. */
static const char ambiguous[] = " tid s2 ";

static int
has_word(const char *words, const char *name)
{
    char word[ALIAS_MAX + 3];

    (void)snprintf(word, sizeof(word), " %s ", name);
    return words != NULL && strstr(words, word) != NULL;
}

/* The number behind the word, without leading zeros; 0: it is none. */
static long
number_behind(const char *name, const char *word)
{
    const char *digits;
    size_t len;

    len = strlen(word);
    if (strncmp(name, word, len) != 0) {
        return 0;
    }
    digits = name + len;
    len = strspn(digits, "0123456789");
    return len == 0 || len > 2 || digits[len] != '\0' || *digits == '0'
               ? 0
               : strtol(digits, NULL, 10);
}

alias_e
alias_find(const char *name, char own[ALIAS_MAX + 1])
{
    size_t i;
    long n;

    if (*name == '\0' || strlen(name) > ALIAS_MAX) {
        return ALIAS_NONE;
    }
    if (has_word(ambiguous, name)) {
        return ALIAS_AMBIGUOUS;
    }
    for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (strcmp(aliases[i].own, name) == 0
            || has_word(aliases[i].names, name)) {
            (void)snprintf(own, ALIAS_MAX + 1, "%s", aliases[i].own);
            return ALIAS_OURS;
        }
    }
    for (i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
        n = number_behind(name, subs[i].word);
        if (n >= 1 && n <= subs[i].max) {
            (void)snprintf(own, ALIAS_MAX + 1, "sub%ld", n);
            return ALIAS_OURS;
        }
    }
    return ALIAS_NONE;
}
