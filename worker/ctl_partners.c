#include "ctl_partners.h"

#include "ctl_rules.h"
#include "ctl_value.h"

#include <string.h>

#define MAX_OFFER_ID 100
#define MAX_PARTNERS 100

void
ctl_partners_network(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "networks", "network");
}

void
ctl_partners_payout(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_money);
}

void
ctl_partners_currency(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_currency);
}

void
ctl_partners_offer(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_OFFER_ID);
}

static void
check_price(ctl_check_t *check, const json_t *value)
{
    if (ctl_rules_has(value, "payout") && !ctl_rules_has(value, "currency")) {
        ctl_check_fail_key(check, "currency", "is missing beside payout");
    }
}

static void
check_partner(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"network", 1, ctl_partners_network},
        {"offer_id", 0, ctl_partners_offer},
        {"payout", 0, ctl_partners_payout},
        {"currency", 0, ctl_partners_currency},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_price(check, value);
    }
}

static const char *
text_or_empty(const json_t *value, const char *key)
{
    const char *text = ctl_rules_text_of(value, key);

    return text == NULL ? "" : text;
}

/* Does a partner before this one have the same network and offer? */
static int
is_repeated(const json_t *list, size_t index)
{
    const json_t *partner = json_array_get(list, index), *other;
    size_t i;

    for (i = 0; i < index; i++) {
        other = json_array_get(list, i);
        if (strcmp(text_or_empty(partner, "network"),
                   text_or_empty(other, "network"))
                == 0
            && strcmp(text_or_empty(partner, "offer_id"),
                      text_or_empty(other, "offer_id"))
                   == 0)
        {
            return 1;
        }
    }
    return 0;
}

void
ctl_partners_list(ctl_check_t *check, json_t *list)
{
    size_t i, mark;

    ctl_check_list(check, list, check_partner);
    if (json_array_size(list) > MAX_PARTNERS) {
        ctl_check_fail(check, "has more than %d partners", MAX_PARTNERS);
        return;
    }
    for (i = 0; i < json_array_size(list); i++) {
        if (is_repeated(list, i)) {
            mark = ctl_check_enter_item(check, i);
            ctl_check_fail_key(check, "offer_id",
                               "the source has this network with this offer "
                               "before");
            ctl_check_leave(check, mark);
        }
    }
}

void
ctl_partners_whole(ctl_check_t *check, const json_t *source)
{
    static const char *const own[] = {"network", "offer_id", "payout",
                                      "currency"};
    const char *key =
        ctl_rules_has(source, "network") ? "network" : "partners";
    size_t i;

    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (ctl_rules_has(source, "partners") && ctl_rules_has(source, own[i]))
        {
            ctl_check_fail_key(check, own[i],
                               "is a partner beside the list of partners: "
                               "put it there");
        } else if (!ctl_rules_has(source, "network")
                   && ctl_rules_has(source, own[i])) {
            ctl_check_fail_key(check, own[i],
                               "needs a network, which pays it");
        }
    }
    if ((ctl_rules_has(source, "network")
         || json_array_size(json_object_get(source, "partners")) > 0)
        && !ctl_rules_has(source, "series"))
    {
        ctl_check_fail_key(check, key,
                           "a network pays for confirmed "
                           "leads: name a series too");
    }
    check_price(check, source);
}
