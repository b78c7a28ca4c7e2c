
/*
 * Checking a request against its shape; see leadq_shape.h.
 *
 * First every pair of the body finds its field, then every field is checked
 * and written, in order of declaration.
 */

#include "leadq_shape.h"

#include <string.h>

#include <openssl/crypto.h>

#include "leadq_body.h"
#include "leadq_idempotency.h"
#include "leadq_json.h"
#include "leadq_list.h"
#include "leadq_mac.h"


/* What the body gave for one field. */
typedef struct {
    const leadq_pair_t  *pair;              /* NULL: nothing */
    int                  again;
} leadq_found_t;


typedef struct {
    const leadq_shape_t  *shape;
    const leadq_given_t  *given;
    leadq_errors_t       *errors;           /* refuse the request */
    leadq_suggestions_t  *suggestions;
    leadq_errors_t        passed;           /* travel on in $invalid */
    leadq_buf_t          *row;
    int                   pass_if_valid;
    leadq_found_t         found[LEADQ_FIELDS_MAX];
    leadq_str_t           text;             /* of the field in hand, */
    leadq_value_t         value;            /* borrowed from this one, */
    leadq_buf_t           list;             /* or that one: list, body */
} leadq_work_t;


static void leadq_shape_sort(leadq_work_t *work);
static size_t leadq_shape_find(const leadq_shape_t *shape,
    const leadq_str_t *name);
static void leadq_shape_field(leadq_work_t *work, size_t i);
static leadq_code_e leadq_shape_input(leadq_work_t *work, size_t i,
    leadq_str_t *in);
static leadq_code_e leadq_shape_value(leadq_work_t *work, size_t i);
static leadq_code_e leadq_shape_type(leadq_work_t *work,
    const leadq_rule_t *rule, const leadq_str_t *in);
static void leadq_shape_put(leadq_work_t *work, const leadq_field_t *field);
static void leadq_shape_put_value(leadq_work_t *work,
    const leadq_field_t *field);
static void leadq_shape_sets(leadq_work_t *work);
static void leadq_shape_invalid(leadq_work_t *work);
static void leadq_shape_suspect(leadq_work_t *work,
    const leadq_field_t *field, const leadq_str_t *in, leadq_code_e code);
static void leadq_shape_suggest(leadq_work_t *work);
static void leadq_shape_extra(leadq_work_t *work, size_t said);
static void leadq_shape_word(leadq_buf_t *row, const char *name,
    const char *word);
static void leadq_shape_key(leadq_buf_t *row, const leadq_str_t *name);
static void leadq_error_add(leadq_errors_t *errors, const leadq_str_t *field,
    leadq_code_e code);
static int leadq_str_eq(const leadq_str_t *a, const leadq_str_t *b);


int
leadq_shape_check(const leadq_shape_t *shape, const leadq_given_t *given,
    leadq_errors_t *errors, leadq_suggestions_t *suggestions,
    leadq_buf_t *row)
{
    size_t        i, said;
    leadq_work_t  work;

    work.shape = shape;
    work.given = given;
    work.errors = errors;
    work.suggestions = suggestions;
    work.row = row;
    work.pass_if_valid = 0;
    work.passed.n = 0;
    memset(work.found, 0, sizeof(work.found));
    leadq_buf_init(&work.list, row->max);

    errors->n = 0;
    suggestions->n = 0;

    if (given->extra != NULL) {
        given->extra->key_at = 0;
        given->extra->key_len = 0;
    }

    leadq_shape_sort(&work);

    leadq_buf_put(row, "{", 1);

    for (i = 0; i < shape->nfields; i++) {
        leadq_shape_field(&work, i);
    }

    said = row->len;

    leadq_shape_sets(&work);
    leadq_shape_invalid(&work);
    leadq_shape_suggest(&work);
    leadq_shape_extra(&work, said);

    leadq_buf_put(row, "}", 1);
    row->failed |= work.list.failed;
    leadq_buf_done(&work.list);

    return errors->n == 0 && row->failed ? -1 : 0;
}


static void
leadq_shape_sort(leadq_work_t *work)
{
    size_t                i, k;
    const leadq_pair_t   *pair;
    const leadq_pairs_t  *pairs;

    pairs = work->given->pairs;

    if (work->shape->whole != NULL) {
        return;
    }

    for (i = 0; i < pairs->n; i++) {
        pair = &pairs->pair[i];
        k = leadq_shape_find(work->shape, &pair->name);

        if (k == work->shape->nfields) {
            leadq_error_add(work->errors, &pair->name, LEADQ_UNKNOWN_FIELD);
            continue;
        }

        if (work->found[k].pair != NULL) {
            work->found[k].again = 1;
        }

        work->found[k].pair = pair;
    }
}


/* The index of the field that clients call so, or nfields. */

static size_t
leadq_shape_find(const leadq_shape_t *shape, const leadq_str_t *name)
{
    size_t                i, k;
    const leadq_field_t  *field;

    for (i = 0; i < shape->nfields; i++) {
        field = &shape->fields[i];

        if (field->inside) {
            continue;
        }

        if (leadq_str_eq(&field->name, name)) {
            return i;
        }

        for (k = 0; k < field->naliases; k++) {
            if (leadq_str_eq(&field->aliases[k], name)) {
                return i;
            }
        }
    }

    return shape->nfields;
}


static void
leadq_shape_field(leadq_work_t *work, size_t i)
{
    leadq_code_e          code;
    const leadq_field_t  *field;

    field = &work->shape->fields[i];

    code = leadq_shape_value(work, i);

    if (code != LEADQ_OK) {
        leadq_error_add(field->passes ? &work->passed : work->errors,
                        &field->name, code);

    } else if (work->text.len) {
        leadq_shape_put(work, field);

        if (field == work->shape->pass_if) {
            work->pass_if_valid = 1;
        }
    }

    if (field->mac) {
        OPENSSL_cleanse(&work->value, sizeof(leadq_value_t));
    }
}


/* What was given for field i, possibly nothing. */

static leadq_code_e
leadq_shape_input(leadq_work_t *work, size_t i, leadq_str_t *in)
{
    leadq_found_t        *found;
    const leadq_field_t  *field;

    field = &work->shape->fields[i];
    found = &work->found[i];

    in->len = 0;
    in->data = "";

    if (field->inside) {
        *in = work->given->inside[i];
        return LEADQ_OK;
    }

    if (found->again) {
        return LEADQ_DUPLICATE_FIELD;
    }

    if (found->pair == NULL) {
        return LEADQ_OK;
    }

    if ((field->rule.type == LEADQ_TYPE_JSON
         || field->rule.type == LEADQ_TYPE_LIST)
        && found->pair->raw.len)
    {
        *in = found->pair->raw;
        return LEADQ_OK;
    }

    *in = found->pair->value;

    return found->pair->scalar ? LEADQ_OK : LEADQ_BAD_TYPE;
}


/* Checks field i; its value, possibly empty, is in work->text. */

static leadq_code_e
leadq_shape_value(leadq_work_t *work, size_t i)
{
    leadq_str_t           in;
    leadq_code_e          code;
    const leadq_field_t  *field;

    field = &work->shape->fields[i];

    if (field == work->shape->whole) {
        code = leadq_body_check(&field->rule, work->given->pairs,
                                &work->list);
        work->text.data = work->list.data;
        work->text.len = work->list.len;

        return code == LEADQ_OK && field->required && work->text.len == 0
               ? LEADQ_REQUIRED : code;
    }

    code = leadq_shape_input(work, i, &in);
    if (code != LEADQ_OK) {
        return code;
    }

    code = leadq_shape_type(work, &field->rule, &in);

    if (field->rule.type == LEADQ_TYPE_EMAIL) {
        leadq_shape_suspect(work, field, &in, code);
    }

    if (code != LEADQ_OK) {
        return code;
    }

    if (work->text.len == 0 && field->fallback.len) {
        code = leadq_shape_type(work, &field->rule, &field->fallback);
        if (code != LEADQ_OK) {
            return code;
        }
    }

    if (!field->required) {
        return LEADQ_OK;
    }

    /* a required bool is a box that must be ticked */

    if (work->text.len == 0
        || (field->rule.type == LEADQ_TYPE_BOOL && work->text.data[0] != 't'))
    {
        return LEADQ_REQUIRED;
    }

    return LEADQ_OK;
}


static leadq_code_e
leadq_shape_type(leadq_work_t *work, const leadq_rule_t *rule,
    const leadq_str_t *in)
{
    leadq_code_e  code;

    if (rule->type == LEADQ_TYPE_LIST) {
        code = leadq_list_check(rule, in->data, in->len, &work->list);

        work->text.data = work->list.data;
        work->text.len = work->list.len;

        return code;
    }

    code = leadq_type_check(rule, in->data, in->len, work->given->now,
                            &work->value);

    work->text.data = work->value.data;
    work->text.len = work->value.len;

    return code;
}


static void
leadq_shape_put(leadq_work_t *work, const leadq_field_t *field)
{
    leadq_extra_t  *extra;

    extra = work->given->extra;

    leadq_shape_key(work->row, &field->name);

    if (extra != NULL && extra->key == field) {
        extra->key_at = work->row->len;
    }

    leadq_shape_put_value(work, field);

    if (extra != NULL && extra->key == field) {
        extra->key_len = work->row->len - extra->key_at;
    }
}


static void
leadq_shape_put_value(leadq_work_t *work, const leadq_field_t *field)
{
    const leadq_str_t  *about;

    if (field->mac) {
        about = &work->given->about[field - work->shape->fields];

        if (leadq_mac_put(work->row, field->rule.keys, about,
                          work->text.data, work->text.len)
            != 0)
        {
            work->row->failed = 1;
        }

        return;
    }

    switch (field->rule.type) {

    case LEADQ_TYPE_BOOL:
    case LEADQ_TYPE_INT:
    case LEADQ_TYPE_JSON:
    case LEADQ_TYPE_LIST:
    case LEADQ_TYPE_BODY:
        leadq_buf_put(work->row, work->text.data, work->text.len);
        break;

    default:
        leadq_json_put(work->row, work->text.data, work->text.len);
        break;
    }
}


/* An address whose domain looks like a slip, whether it is valid or not. */

static void
leadq_shape_suspect(leadq_work_t *work, const leadq_field_t *field,
    const leadq_str_t *in, leadq_code_e code)
{
    int                   found;
    leadq_suggestion_t   *suggestion;
    leadq_suggestions_t  *all;

    all = work->suggestions;

    if (all->n == LEADQ_SUGGESTIONS_MAX) {
        return;
    }

    suggestion = &all->suggestion[all->n];

    if (code == LEADQ_OK) {
        found = leadq_suggest_email(work->value.data, work->value.len,
                                    suggestion);

    } else {
        found = (code == LEADQ_EMAIL_NO_DOMAIN
                 || code == LEADQ_EMAIL_BAD_DOMAIN)
                && leadq_suggest_email(in->data, in->len, suggestion);
    }

    if (found) {
        suggestion->field = field->name;
        all->n++;
    }
}


static void
leadq_shape_suggest(leadq_work_t *work)
{
    leadq_buf_t  *row;

    row = work->row;

    if (work->suggestions->n == 0) {
        return;
    }

    leadq_buf_puts(row, row->len > 1 ? ",\"$suggest\":" : "\"$suggest\":");
    leadq_suggest_put(row, work->suggestions);
}


/* Values of the server: trusted as facts, not as text. */

static void
leadq_shape_sets(leadq_work_t *work)
{
    size_t              i, len;
    const leadq_str_t  *value;

    for (i = 0; i < work->shape->nsets; i++) {
        value = &work->given->sets[i];
        len = value->len;

        if (len == 0) {
            continue;
        }

        if (len > LEADQ_VALUE_MAX) {
            len = LEADQ_VALUE_MAX;
        }

        leadq_shape_key(work->row, &work->shape->sets[i]);
        leadq_json_put(work->row, value->data, len);
    }
}


/* Bad values that may pass do so only along with a good pass_if field. */

static void
leadq_shape_invalid(leadq_work_t *work)
{
    size_t          i;
    leadq_buf_t    *row;
    leadq_error_t  *error;

    row = work->row;

    if (work->passed.n == 0) {
        return;
    }

    if (!work->pass_if_valid) {

        for (i = 0; i < work->passed.n; i++) {
            error = &work->passed.error[i];
            leadq_error_add(work->errors, &error->field, error->code);
        }

        return;
    }

    leadq_buf_puts(row, row->len > 1 ? ",\"$invalid\":{" : "\"$invalid\":{");

    for (i = 0; i < work->passed.n; i++) {
        error = &work->passed.error[i];

        if (i) {
            leadq_buf_put(row, ",", 1);
        }

        leadq_json_put(row, error->field.data, error->field.len);
        leadq_buf_puts(row, ":\"");
        leadq_buf_puts(row, leadq_code_name(error->code));
        leadq_buf_puts(row, "\"");
    }

    leadq_buf_puts(row, "}");
}


/*
 * The fingerprint covers what the client said, the first bytes of the row:
 * who repeats a request over another network says the same.
 */

static void
leadq_shape_extra(leadq_work_t *work, size_t said)
{
    char            hex[LEADQ_FINGERPRINT_LEN + 1];
    leadq_buf_t    *row;
    leadq_extra_t  *extra;

    row = work->row;
    extra = work->given->extra;

    if (extra == NULL || work->errors->n || row->failed) {
        return;
    }

    leadq_shape_word(row, "$session", extra->session);
    leadq_shape_word(row, "$trap", extra->trap);

    if (extra->once.len) {

        if (leadq_fingerprint(extra->once.data, extra->once.len, hex) != 0) {
            row->failed = 1;
            return;
        }

        leadq_shape_word(row, "$form", hex);
    }

    if (extra->fingerprint && (extra->key == NULL || extra->key_len)) {

        if (leadq_fingerprint(row->data, said, hex) != 0) {
            row->failed = 1;
            return;
        }

        leadq_shape_word(row, "$fingerprint", hex);
    }
}


/* Plain text of our own, if there is one. */

static void
leadq_shape_word(leadq_buf_t *row, const char *name, const char *word)
{
    if (word != NULL) {
        leadq_buf_puts(row, row->len > 1 ? ",\"" : "\"");
        leadq_buf_puts(row, name);
        leadq_buf_puts(row, "\":\"");
        leadq_buf_puts(row, word);
        leadq_buf_put(row, "\"", 1);
    }
}


static void
leadq_shape_key(leadq_buf_t *row, const leadq_str_t *name)
{
    if (row->len > 1) {
        leadq_buf_put(row, ",", 1);
    }

    leadq_json_put(row, name->data, name->len);
    leadq_buf_put(row, ":", 1);
}


/* There are never more than LEADQ_ERRORS_MAX: one a field, one a pair. */

static void
leadq_error_add(leadq_errors_t *errors, const leadq_str_t *field,
    leadq_code_e code)
{
    leadq_error_t  *error;

    if (errors->n == LEADQ_ERRORS_MAX) {
        return;
    }

    error = &errors->error[errors->n++];
    error->field = *field;
    error->code = code;

    if (error->field.len > LEADQ_NAME_MAX) {
        error->field.len = LEADQ_NAME_MAX;
    }
}


static int
leadq_str_eq(const leadq_str_t *a, const leadq_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}
