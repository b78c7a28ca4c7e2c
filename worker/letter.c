/*
 * Owns the texts and headers built from one payload.
 *
 *     links  -> URLs with tokens ┐
 *     vars   ────────────────────┴-> variables -> subject, text, HTML
 *
 * Message-ID is made of the payload's message_id alone: it is the same in
 * every attempt, so that a letter sent twice is seen as one.
 */

#include "letter.h"
#include "leadq_uuid.h"
#include "mime.h"
#include "template.h"

#include <stdlib.h>
#include <string.h>

#define MAX_HEADERS 16
#define MAX_SUBJECT 998

struct letter_s {
    smtp_letter_t smtp;
    char *from; /* owned, as the rest */
    char *to;
    char *text;
    char *html;
    char *headers[MAX_HEADERS + 1];
    size_t n_headers;
};

/* One letter in the making. */
typedef struct {
    letter_t *letter;
    const json_t *payload;
    json_t *vars; /* owned: vars and links together */
    fault_t *fault;
} making_t;

static const char *
text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int
add_link(making_t *m, const char *name, const json_t *link,
         const leadq_keys_t *keys)
{
    char token[LEADQ_SIGNED_LEN + 1];
    const char *base, *purpose, *subject;
    unsigned char uuid[16];
    buf_t url;
    int rc;

    base = text_of(link, "base");
    purpose = text_of(link, "purpose");
    subject = text_of(link, "subject");
    if (base == NULL || purpose == NULL || subject == NULL
        || leadq_uuid_parse(subject, strlen(subject), uuid) != 0)
    {
        return fault_set(m->fault, 0, "link %s is not complete", name);
    }
    leadq_signed_make(keys, purpose, uuid,
                      json_integer_value(json_object_get(link, "expires")),
                      token);
    buf_init(&url, LETTER_MAX_HEADER);
    buf_addf(&url, "%s%s", base, token);
    rc = url.failed || token[0] == '\0'
             ? -1
             : json_object_set_new(m->vars, name, json_string(url.data));
    buf_done(&url);
    return rc == 0 ? 0 : fault_set(m->fault, 0, "link %s fails", name);
}

static int
make_vars(making_t *m, const leadq_keys_t *keys)
{
    json_t *vars, *links, *link;
    const char *name;

    vars = json_object_get(m->payload, "vars");
    m->vars = vars == NULL ? json_object() : json_copy(vars);
    if (!json_is_object(m->vars)) {
        return fault_set(m->fault, 0, "the payload's vars are no object");
    }
    links = json_object_get(m->payload, "links");
    json_object_foreach(links, name, link)
    {
        if (add_link(m, name, link, keys) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Renders one template of the payload; *text is NULL when there is none. */
static int
render(making_t *m, const char *name, template_escape_e escape, size_t max,
       char **text)
{
    const char *source;
    template_t *tpl;
    fault_t fault;
    buf_t out;
    int rc;

    *text = NULL;
    source = text_of(m->payload, name);
    if (source == NULL) {
        return 0;
    }
    tpl = template_parse(source, strlen(source), &fault);
    if (tpl == NULL) {
        return fault_set(m->fault, fault.line, "%s line %d: %s", name,
                         fault.line, fault.text);
    }
    buf_init(&out, max);
    rc = template_render(tpl, m->vars, escape, &out);
    template_free(tpl);
    if (rc != 0) {
        buf_done(&out);
        return fault_set(m->fault, 0, "%s is longer than %zu bytes", name,
                         max);
    }
    *text = buf_take(&out);
    return *text == NULL ? fault_set(m->fault, 0, "out of memory") : 0;
}

static int
make_part(making_t *m, const char *name, template_escape_e escape, char **part,
          const char **borrowed, size_t *len)
{
    char *text;

    if (render(m, name, escape, LETTER_MAX_PART, &text) != 0) {
        return -1;
    }
    if (text == NULL) {
        return 0;
    }
    *part = mime_crlf(text, len);
    *borrowed = *part;
    free(text);
    return *part == NULL ? fault_set(m->fault, 0, "out of memory") : 0;
}

/* Takes the header in line, which is empty afterwards. */
static int
add_header(making_t *m, buf_t *line)
{
    char *header;

    header = buf_take(line);
    if (header == NULL || m->letter->n_headers == MAX_HEADERS) {
        free(header);
        return fault_set(m->fault, 0, "a header is too long");
    }
    m->letter->headers[m->letter->n_headers++] = header;
    return 0;
}

/* Neither a line end nor a blank may come from a payload into a URL header. */
static int
is_visible(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f
            || *text == '<' || *text == '>')
        {
            return 0;
        }
    }
    return 1;
}

static int
add_from(making_t *m, buf_t *line)
{
    const char *name;

    name = text_of(m->payload, "from_name");
    buf_add_str(line, "From: ");
    if (name != NULL && *name != '\0') {
        mime_add_name(line, name);
        buf_add_char(line, ' ');
    }
    buf_addf(line, "<%s>", m->letter->from);
    return add_header(m, line);
}

static int
add_subject(making_t *m, buf_t *line)
{
    char *subject;

    if (render(m, "subject", TEMPLATE_PLAIN, MAX_SUBJECT, &subject) != 0) {
        return -1;
    }
    if (subject == NULL) {
        return fault_set(m->fault, 0, "the payload has no subject");
    }
    buf_add_str(line, "Subject: ");
    mime_add_text(line, subject);
    free(subject);
    return add_header(m, line);
}

static int
add_reply_to(making_t *m, buf_t *line)
{
    const char *address;

    address = text_of(m->payload, "reply_to");
    if (address == NULL || *address == '\0') {
        return 0;
    }
    if (!mime_is_address(address)) {
        return fault_set(m->fault, 0, "reply_to is not an address");
    }
    buf_addf(line, "Reply-To: <%s>", address);
    return add_header(m, line);
}

/*
 * What the letter is: an answer to somebody (RFC 3834), or one of many, with
 * what a provider's feedback names it by.
 */
static int
add_class(making_t *m, buf_t *line)
{
    const char *id;

    if (!json_is_true(json_object_get(m->payload, "bulk"))) {
        buf_add_str(line, "Auto-Submitted: auto-generated");
        return add_header(m, line);
    }
    buf_add_str(line, "Precedence: bulk");
    if (add_header(m, line) != 0) {
        return -1;
    }
    id = text_of(m->payload, "feedback_id");
    if (id == NULL) {
        return 0;
    }
    if (!is_visible(id)) {
        return fault_set(m->fault, 0, "feedback_id is not a name");
    }
    buf_addf(line, "Feedback-ID: %s", id);
    return add_header(m, line);
}

/* RFC 8058 and 2919; each on one line, for DKIM. */
static int
add_list_headers(making_t *m, buf_t *line)
{
    const char *id, *name, *url;

    name = text_of(m->payload, "list_unsubscribe");
    if (name != NULL) {
        url = text_of(m->vars, name);
        if (url == NULL || !is_visible(url)) {
            return fault_set(m->fault, 0, "list_unsubscribe is not a link");
        }
        buf_addf(line, "List-Unsubscribe: <%s>", url);
        if (add_header(m, line) != 0) {
            return -1;
        }
        buf_add_str(line, "List-Unsubscribe-Post: "
                          "List-Unsubscribe=One-Click");
        if (add_header(m, line) != 0) {
            return -1;
        }
    }
    id = text_of(m->payload, "list_id");
    if (id == NULL) {
        return 0;
    }
    if (!is_visible(id)) {
        return fault_set(m->fault, 0, "list_id is not a name");
    }
    buf_addf(line, "List-Id: <%s>", id);
    return add_header(m, line);
}

static int
make_headers(making_t *m, time_t now)
{
    const char *id;
    char date[40];
    buf_t line;

    id = text_of(m->payload, "message_id");
    if (id == NULL || *id == '\0' || !is_visible(id)
        || strchr(id, '@') != NULL) {
        return fault_set(m->fault, 0, "the payload has no message_id");
    }
    m->letter->smtp.has_id =
        leadq_uuid_parse(id, strlen(id), m->letter->smtp.id) == 0;
    mime_date(date, now);
    buf_init(&line, LETTER_MAX_HEADER);
    if (add_from(m, &line) != 0) {
        goto failed;
    }
    buf_addf(&line, "To: <%s>", m->letter->to);
    if (add_header(m, &line) != 0 || add_subject(m, &line) != 0) {
        goto failed;
    }
    buf_addf(&line, "Date: %s", date);
    if (add_header(m, &line) != 0) {
        goto failed;
    }
    buf_addf(&line, "Message-ID: <%s@%s>", id, mime_domain(m->letter->from));
    if (add_header(m, &line) != 0) {
        goto failed;
    }
    buf_add_str(&line, "MIME-Version: 1.0");
    if (add_header(m, &line) != 0 || add_reply_to(m, &line) != 0
        || add_list_headers(m, &line) != 0 || add_class(m, &line) != 0)
    {
        goto failed;
    }
    return 0;

failed:
    buf_done(&line);
    return -1;
}

static int
make_envelope(making_t *m)
{
    const char *from, *to;

    from = text_of(m->payload, "from_email");
    to = text_of(m->payload, "to");
    if (from == NULL || !mime_is_address(from)) {
        return fault_set(m->fault, 0, "from_email is not an address");
    }
    if (to == NULL || !mime_is_address(to)) {
        return fault_set(m->fault, 0, "to is not an address");
    }
    m->letter->from = strdup(from);
    m->letter->to = strdup(to);
    if (m->letter->from == NULL || m->letter->to == NULL) {
        return fault_set(m->fault, 0, "out of memory");
    }
    return 0;
}

letter_t *
letter_new(const json_t *payload, const leadq_keys_t *keys, time_t now,
           fault_t *fault)
{
    making_t m = {NULL, payload, NULL, fault};
    letter_t *letter;
    int failed;

    m.letter = letter = calloc(1, sizeof(*letter));
    if (letter == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    failed = make_vars(&m, keys) != 0 || make_envelope(&m) != 0
             || make_headers(&m, now) != 0
             || make_part(&m, "text", TEMPLATE_PLAIN, &letter->text,
                          &letter->smtp.text, &letter->smtp.text_len)
                    != 0
             || make_part(&m, "html", TEMPLATE_HTML, &letter->html,
                          &letter->smtp.html, &letter->smtp.html_len)
                    != 0;
    json_decref(m.vars);
    if (!failed && letter->text == NULL) {
        failed = fault_set(fault, 0, "the payload has no text");
    }
    if (failed) {
        letter_free(letter);
        return NULL;
    }
    letter->smtp.from = letter->from;
    letter->smtp.to = letter->to;
    letter->smtp.headers = (const char *const *)letter->headers;
    return letter;
}

void
letter_free(letter_t *letter)
{
    size_t i;

    if (letter != NULL) {
        for (i = 0; i < letter->n_headers; i++) {
            free(letter->headers[i]);
        }
        free(letter->from);
        free(letter->to);
        free(letter->text);
        free(letter->html);
        free(letter);
    }
}

const smtp_letter_t *
letter_smtp(const letter_t *letter)
{
    return &letter->smtp;
}
