
/*
 * MACs in the place of a value; see leadq_mac.h.
 */

#include "leadq_mac.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>


int
leadq_mac_put(leadq_buf_t *buf, const leadq_keys_t *keys,
    const leadq_str_t *about, const char *value, size_t len)
{
    int            rc;
    char           name[8], hex[LEADQ_MAC_HEX + 1];
    char           text[LEADQ_ABOUT_MAX + 1 + LEADQ_VALUE_MAX];
    size_t         i, text_len;
    unsigned char  id, mac[LEADQ_MAC_LEN];

    if (about->len == 0 || about->len > LEADQ_ABOUT_MAX
        || len > LEADQ_VALUE_MAX)
    {
        return -1;
    }

    memcpy(text, about->data, about->len);
    text[about->len] = ':';
    memcpy(text + about->len + 1, value, len);
    text_len = about->len + 1 + len;

    leadq_buf_put(buf, "{", 1);

    for (i = 0;
         (rc = leadq_keys_mac_each(keys, i, text, text_len, &id, mac)) == 0;
         i++)
    {
        snprintf(name, sizeof(name), "%s\"%u\":", i ? "," : "", id);
        leadq_mac_hex(mac, hex);

        leadq_buf_puts(buf, name);
        leadq_buf_put(buf, "\"", 1);
        leadq_buf_put(buf, hex, LEADQ_MAC_HEX);
        leadq_buf_put(buf, "\"", 1);
    }

    leadq_buf_put(buf, "}", 1);

    OPENSSL_cleanse(text, text_len);

    return rc == 1 ? 0 : -1;
}
