
/*
 * Suggestions for the domains that nearly all of our people have.  A domain
 * is taken for a slip if it is one edit away from a popular one (a letter
 * wrong, missing, too many, or two in the wrong order), has .ru for .com or
 * .com for .ru, or has no top level at all.
 */

#include "leadq_suggest.h"

#include <string.h>

#include "leadq_json.h"


#define LEADQ_DOMAIN_SUSPECT  24            /* longer ones are no slips */


typedef struct {
    const char  *name;
    const char  *top;                       /* ".ru" */
} leadq_popular_t;


static const leadq_popular_t *leadq_suggest_domain(const char *domain,
    size_t len);
static const leadq_popular_t *leadq_suggest_top(const char *domain,
    size_t len);
static int leadq_suggest_near(const char *a, size_t n,
    const leadq_popular_t *popular);
static int leadq_suggest_edit(const char *a, size_t n, const char *b,
    size_t m);
static size_t leadq_suggest_join(const leadq_popular_t *popular, char *out);
static size_t leadq_suggest_trim(const char *text, size_t len);
static int leadq_suggest_has(const char *object, size_t len);


static const leadq_popular_t  leadq_popular[] = {
    { "mail", ".ru" }, { "yandex", ".ru" }, { "ya", ".ru" },
    { "gmail", ".com" }, { "bk", ".ru" }, { "list", ".ru" },
    { "inbox", ".ru" }, { "rambler", ".ru" }, { "icloud", ".com" },
    { "outlook", ".com" },
};

#define LEADQ_POPULAR  (sizeof(leadq_popular) / sizeof(leadq_popular_t))


/* Neighbours of them that are what they seem. */

static const char *const  leadq_genuine[] = {
    "mail.com", "yandex.com", "ya.com", "inbox.com", "ymail.com"
};

#define LEADQ_GENUINE  (sizeof(leadq_genuine) / sizeof(leadq_genuine[0]))


int
leadq_suggest_email(const char *text, size_t len,
    leadq_suggestion_t *suggestion)
{
    char                    domain[LEADQ_DOMAIN_SUSPECT];
    size_t                  i, local_len, domain_len;
    const char             *at;
    leadq_rule_t            rule;
    leadq_value_t           value;
    const leadq_popular_t  *popular;

    while (len && leadq_suggest_trim(text, 1) == 0) {
        text++;
        len--;
    }

    len = leadq_suggest_trim(text, len);
    at = len ? memchr(text, '@', len) : NULL;

    if (at == NULL) {
        return 0;
    }

    local_len = (size_t) (at - text) + 1;
    domain_len = len - local_len;

    if (domain_len > sizeof(domain)
        || local_len + sizeof(domain) > LEADQ_SUGGESTION_MAX)
    {
        return 0;
    }

    for (i = 0; i < domain_len; i++) {
        domain[i] = at[i + 1];

        if (domain[i] >= 'A' && domain[i] <= 'Z') {
            domain[i] = (char) (domain[i] | 0x20);
        }
    }

    popular = leadq_suggest_domain(domain, domain_len);

    if (popular == NULL) {
        return 0;
    }

    memcpy(suggestion->data, text, local_len);
    suggestion->len = local_len + leadq_suggest_join(popular,
                                              suggestion->data + local_len);

    /* nobody is told to write what would be refused */

    memset(&rule, 0, sizeof(rule));
    rule.type = LEADQ_TYPE_EMAIL;

    return leadq_type_check(&rule, suggestion->data, suggestion->len, 0,
                            &value)
           == LEADQ_OK;
}


/* The popular domain that was meant, or NULL. */

static const leadq_popular_t *
leadq_suggest_domain(const char *domain, size_t len)
{
    size_t                  i, n;
    char                    name[LEADQ_DOMAIN_SUSPECT];
    const leadq_popular_t  *popular;

    for (i = 0; i < LEADQ_POPULAR; i++) {
        n = leadq_suggest_join(&leadq_popular[i], name);

        if (n == len && memcmp(domain, name, n) == 0) {
            return NULL;
        }
    }

    for (i = 0; i < LEADQ_GENUINE; i++) {
        if (strlen(leadq_genuine[i]) == len
            && memcmp(domain, leadq_genuine[i], len) == 0)
        {
            return NULL;
        }
    }

    popular = leadq_suggest_top(domain, len);

    for (i = 0; popular == NULL && i < LEADQ_POPULAR; i++) {
        if (leadq_suggest_near(domain, len, &leadq_popular[i])) {
            popular = &leadq_popular[i];
        }
    }

    return popular;
}


/* The name is right, the top level is the other of two or missing. */

static const leadq_popular_t *
leadq_suggest_top(const char *domain, size_t len)
{
    size_t                  i, n;
    const leadq_popular_t  *popular;

    for (i = 0; i < LEADQ_POPULAR; i++) {
        popular = &leadq_popular[i];
        n = strlen(popular->name);

        if (len < n || memcmp(domain, popular->name, n) != 0) {
            continue;
        }

        if (len == n
            || (len == n + 1 && domain[n] == '.')
            || (len == n + 3 && memcmp(domain + n, ".ru", 3) == 0)
            || (len == n + 4 && memcmp(domain + n, ".com", 4) == 0))
        {
            return popular;
        }
    }

    return NULL;
}


/*
 * Is the Damerau-Levenshtein distance 1?  Behind what both have in front,
 * one edit must make the rest equal.  Nearly every two letters are somebody's
 * domain, so those names must be right or have their letters swapped.
 */

static int
leadq_suggest_near(const char *a, size_t n, const leadq_popular_t *popular)
{
    char    right[LEADQ_DOMAIN_SUSPECT], *b;
    size_t  m, same;

    b = right;
    m = leadq_suggest_join(popular, b);

    for (same = 0; n && m && *a == *b; same++) {
        a++;
        b++;
        n--;
        m--;
    }

    if (n == m && n >= 2 && a[0] == b[1] && a[1] == b[0]
        && memcmp(a + 2, b + 2, n - 2) == 0)
    {
        return 1;
    }

    if (strlen(popular->name) == 2 && (same < 2 || (same == 2 && n > m))) {
        return 0;
    }

    return leadq_suggest_edit(a, n, b, m);
}


/* Is the first letter wrong, missing or too many, and all else right? */

static int
leadq_suggest_edit(const char *a, size_t n, const char *b, size_t m)
{
    if (n == m) {
        return n && memcmp(a + 1, b + 1, n - 1) == 0;
    }

    if (n + 1 == m) {
        return memcmp(a, b + 1, n) == 0;
    }

    return n == m + 1 && memcmp(a + 1, b, m) == 0;
}


static size_t
leadq_suggest_join(const leadq_popular_t *popular, char *out)
{
    size_t  n, top;

    n = strlen(popular->name);
    top = strlen(popular->top);

    memcpy(out, popular->name, n);
    memcpy(out + n, popular->top, top);

    return n + top;
}


void
leadq_suggest_put(leadq_buf_t *buf, const leadq_suggestions_t *suggestions)
{
    size_t                     i;
    const leadq_suggestion_t  *suggestion;

    for (i = 0; i < suggestions->n; i++) {
        suggestion = &suggestions->suggestion[i];

        leadq_buf_puts(buf, i ? "," : "{");
        leadq_json_put(buf, suggestion->field.data, suggestion->field.len);
        leadq_buf_puts(buf, ":");
        leadq_json_put(buf, suggestion->data, suggestion->len);
    }

    leadq_buf_puts(buf, "}");
}


int
leadq_suggest_splice(leadq_buf_t *buf, const char *object, size_t len,
    const char *suggest, size_t suggest_len)
{
    int     members;
    size_t  end;

    end = leadq_suggest_trim(object, len);

    if (end < 2 || object[0] != '{' || object[end - 1] != '}'
        || leadq_suggest_has(object, len))
    {
        return 0;
    }

    members = leadq_suggest_trim(object, end - 1) > 1;

    leadq_buf_put(buf, object, end - 1);
    leadq_buf_puts(buf, members ? ",\"suggest\":" : "\"suggest\":");
    leadq_buf_put(buf, suggest, suggest_len);
    leadq_buf_put(buf, object + end - 1, len - end + 1);

    return 1;
}


/* The length without the blanks at the end. */

static size_t
leadq_suggest_trim(const char *text, size_t len)
{
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'
                   || text[len - 1] == '\r' || text[len - 1] == '\n'))
    {
        len--;
    }

    return len;
}


/* Anywhere in the text: rather none than two. */

static int
leadq_suggest_has(const char *object, size_t len)
{
    const char  *p, *end;

    static const char  member[] = "\"suggest\"";

    end = object + len;

    for (p = object; (size_t) (end - p) >= sizeof(member) - 1; p++) {

        p = memchr(p, '"', (size_t) (end - p));

        if (p == NULL || (size_t) (end - p) < sizeof(member) - 1) {
            return 0;
        }

        if (memcmp(p, member, sizeof(member) - 1) == 0) {
            return 1;
        }
    }

    return 0;
}
