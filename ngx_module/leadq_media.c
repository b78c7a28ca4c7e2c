
/*
 * Content-Type, read as RFC 9110 writes it; see leadq_media.h.
 */

#include "leadq_media.h"

#include <string.h>


static const char *leadq_media_type(const char *text, const char *end,
    leadq_media_t *media);
static int leadq_media_blank(char c);
static int leadq_media_token(const char **p, const char *end,
    leadq_str_t *token);
static int leadq_media_quoted(const char **p, const char *end,
    leadq_str_t *text);
static leadq_code_e leadq_media_charset(const leadq_str_t *value);
static leadq_code_e leadq_media_boundary(leadq_media_t *media,
    const leadq_str_t *value);


static const struct {
    const char     *name;
    leadq_media_e   type;
} leadq_medias[] = {
    { "application/json", LEADQ_MEDIA_JSON },
    { "application/x-www-form-urlencoded", LEADQ_MEDIA_FORM },
    { "multipart/form-data", LEADQ_MEDIA_MULTIPART },
    { "text/plain", LEADQ_MEDIA_TEXT },
};

#define LEADQ_MEDIAS  (sizeof(leadq_medias) / sizeof(leadq_medias[0]))


leadq_code_e
leadq_media_read(const char *text, size_t len, leadq_media_t *media)
{
    int            rc;
    const char    *p, *end;
    leadq_str_t    name, value;
    leadq_code_e   code;

    media->boundary_len = 0;

    end = text + len;
    p = leadq_media_type(text, end, media);

    if (media->type == LEADQ_MEDIA_OTHER) {
        return LEADQ_BAD_MEDIA_TYPE;
    }

    code = LEADQ_OK;

    while (code == LEADQ_OK) {
        rc = leadq_media_parameter(&p, end, &name, &value);

        if (rc < 0) {
            return LEADQ_BAD_MEDIA_TYPE;
        }

        if (rc == 0) {
            break;
        }

        if (leadq_media_is(name.data, name.len, "charset")) {
            code = leadq_media_charset(&value);

        } else if (media->type == LEADQ_MEDIA_MULTIPART
                   && leadq_media_is(name.data, name.len, "boundary"))
        {
            code = leadq_media_boundary(media, &value);
        }
    }

    if (code == LEADQ_OK && media->type == LEADQ_MEDIA_MULTIPART
        && media->boundary_len == 0)
    {
        return LEADQ_BAD_MULTIPART;
    }

    return code;
}


/* Looks up what comes before the parameters, and returns its end. */

static const char *
leadq_media_type(const char *text, const char *end, leadq_media_t *media)
{
    size_t       i;
    const char  *p;

    for (p = text; p < end && *p != ';' && !leadq_media_blank(*p); p++) {
        /* void */
    }

    media->type = LEADQ_MEDIA_OTHER;

    for (i = 0; i < LEADQ_MEDIAS; i++) {
        if (leadq_media_is(text, (size_t) (p - text), leadq_medias[i].name)) {
            media->type = leadq_medias[i].type;
        }
    }

    return p;
}


static int
leadq_media_blank(char c)
{
    return c == ' ' || c == '\t';
}


int
leadq_media_is(const char *text, size_t len, const char *name)
{
    char    c;
    size_t  i;

    if (len != strlen(name)) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        c = text[i];

        if (c >= 'A' && c <= 'Z') {
            c = (char) (c | 0x20);
        }

        if (c != name[i]) {
            return 0;
        }
    }

    return 1;
}


/* Empty parameters ("; ;") are allowed, as RFC 9110 does. */

int
leadq_media_parameter(const char **p, const char *end, leadq_str_t *name,
    leadq_str_t *value)
{
    int          rc, separated;
    const char  *s;

    separated = 0;

    for (s = *p; s < end; s++) {
        if (*s == ';') {
            separated = 1;

        } else if (!leadq_media_blank(*s)) {
            break;
        }
    }

    if (s == end) {
        *p = s;
        return 0;
    }

    if (!separated) {
        return -1;
    }

    if (leadq_media_token(&s, end, name) != 0 || s == end || *s++ != '=') {
        return -1;
    }

    rc = s < end && *s == '"' ? leadq_media_quoted(&s, end, value)
                              : leadq_media_token(&s, end, value);
    if (rc != 0) {
        return -1;
    }

    *p = s;

    return s == end || *s == ';' || leadq_media_blank(*s) ? 1 : -1;
}


static int
leadq_media_token(const char **p, const char *end, leadq_str_t *token)
{
    const char  *s;

    for (s = *p; s < end; s++) {
        if (*s <= ' ' || *s > '~' || strchr("()<>@,;:\\\"/[]?={}", *s)) {
            break;
        }
    }

    token->data = *p;
    token->len = (size_t) (s - *p);
    *p = s;

    return token->len ? 0 : -1;
}


static int
leadq_media_quoted(const char **p, const char *end, leadq_str_t *text)
{
    const char  *s;

    for (s = *p + 1; s < end && *s != '"'; s++) {

        if (*s == '\\' && ++s == end) {
            return -1;
        }

        if (((unsigned char) *s < ' ' && *s != '\t') || *s == 0x7f) {
            return -1;
        }
    }

    if (s == end) {
        return -1;
    }

    text->data = *p + 1;
    text->len = (size_t) (s - text->data);
    *p = s + 1;

    return 0;
}


static leadq_code_e
leadq_media_charset(const leadq_str_t *value)
{
    size_t  i;

    static const char *const  names[] = { "utf-8", "utf8", "us-ascii" };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (leadq_media_is(value->data, value->len, names[i])) {
            return LEADQ_OK;
        }
    }

    return LEADQ_BAD_CHARSET;
}


static leadq_code_e
leadq_media_boundary(leadq_media_t *media, const leadq_str_t *value)
{
    char    c;
    size_t  i;

    if (media->boundary_len || value->len == 0
        || value->len > LEADQ_BOUNDARY_MAX
        || value->data[value->len - 1] == ' ')
    {
        return LEADQ_BAD_MULTIPART;
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c >= '0' && c <= '9')
            || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            || (c != '\0' && strchr("'()+_,-./:=? ", c)))
        {
            continue;
        }

        return LEADQ_BAD_MULTIPART;
    }

    memcpy(media->boundary, value->data, value->len);
    media->boundary_len = value->len;

    return LEADQ_OK;
}
