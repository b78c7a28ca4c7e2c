/*
 * Columns of a file become fields of a lead, and those are checked by the
 * code that checks the requests of the web.
 */

#include "ctl_error.h"
#include "ctl_import.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_SUBS 30
#define MAX_COLUMN 200 /* bytes of a name that a message quotes */

typedef struct {
    const char *name;
    leadq_type_e type;
    size_t max;           /* 0: the type's own */
    const char *fallback; /* NULL: none */
    int required;
    int passes; /* a partner's lead is kept though the value is bad */
} known_t;

/* The fields of conf/nginx/leadq.conf, and what an old base knows besides. */
static const known_t known[] = {
    {"email", LEADQ_TYPE_EMAIL, 0, NULL, 0, 1},
    {"phone", LEADQ_TYPE_PHONE, 0, NULL, 0, 1},
    {"name", LEADQ_TYPE_TEXT, 100, NULL, 0, 1},
    {"click_id", LEADQ_TYPE_TOKEN, 255, NULL, 0, 0},
    {"lang", LEADQ_TYPE_TOKEN, 35, NULL, 0, 1},
    {"consent_pd", LEADQ_TYPE_BOOL, 0, NULL, 1, 0},
    {"consent_ads", LEADQ_TYPE_BOOL, 0, "0", 0, 0},
    {"consent_at", LEADQ_TYPE_DATE, 0, NULL, 0, 0},
    {"text_version", LEADQ_TYPE_TOKEN, 64, NULL, 0, 1},
    {"evidence", LEADQ_TYPE_ENUM, 0, "import", 0, 0},
    {"page_url", LEADQ_TYPE_URL, 0, NULL, 0, 1},
    {"form_version", LEADQ_TYPE_TOKEN, 64, NULL, 0, 1},
    {"advisor", LEADQ_TYPE_TOKEN, 64, NULL, 0, 1},
    {"point", LEADQ_TYPE_TOKEN, 64, NULL, 0, 1},
    {"ip", LEADQ_TYPE_TOKEN, 45, NULL, 0, 1},
    {"ua", LEADQ_TYPE_TEXT, 500, NULL, 0, 1},
};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

#define STR(text)                \
    {                            \
        sizeof(text) - 1, (text) \
    }

static const leadq_str_t evidences[] = {STR("import"), STR("paper"),
                                        STR("checkbox"), STR("otp")};
static const leadq_str_t sets[] = {STR("source")};

/* --- the shape ----------------------------------------------------------- */

static const char sub_names[N_SUBS][8] = {
    "sub1",  "sub2",  "sub3",  "sub4",  "sub5",  "sub6",  "sub7",  "sub8",
    "sub9",  "sub10", "sub11", "sub12", "sub13", "sub14", "sub15", "sub16",
    "sub17", "sub18", "sub19", "sub20", "sub21", "sub22", "sub23", "sub24",
    "sub25", "sub26", "sub27", "sub28", "sub29", "sub30"};

static void
add_field(ctl_import_map_t *map, const known_t *k)
{
    leadq_field_t *field;

    field = &map->fields[map->shape.nfields++];
    field->name.data = k->name;
    field->name.len = strlen(k->name);
    field->rule.type = k->type;
    field->rule.max = k->max != 0 ? k->max : leadq_types[k->type].max_default;
    field->required = k->required != 0;
    field->passes = k->passes != 0;
    if (k->fallback != NULL) {
        field->fallback.data = k->fallback;
        field->fallback.len = strlen(k->fallback);
    }
    if (k->type == LEADQ_TYPE_ENUM) {
        field->rule.values = evidences;
        field->rule.nvalues = sizeof(evidences) / sizeof(evidences[0]);
    }
}

/* The index of a field, or -1. */
static int
find_field(const ctl_import_map_t *map, const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < map->shape.nfields; i++) {
        if (map->fields[i].name.len == len
            && strncasecmp(map->fields[i].name.data, name, len) == 0)
        {
            return (int)i;
        }
    }
    return -1;
}

static void
build_shape(ctl_import_map_t *map)
{
    known_t sub = {NULL, LEADQ_TYPE_TEXT, 255, NULL, 0, 1};
    size_t i;

    for (i = 0; i < N_KNOWN; i++) {
        add_field(map, &known[i]);
    }
    for (i = 0; i < N_SUBS; i++) {
        sub.name = sub_names[i];
        add_field(map, &sub);
    }
    for (i = 0; i < LEADQ_FIELDS_MAX; i++) {
        map->columns[i] = -1;
    }
    map->fields[0].required = map->letters != 0;
    map->shape.fields = map->fields;
    map->shape.sets = sets;
    map->shape.nsets = 1;
    map->shape.pass_if = &map->fields[find_field(map, "click_id", 8)];
}

/* --- --map and --set ----------------------------------------------------- */

/* Cuts "FIELD=VALUE" off the list at *at; the field's index, or -1. */
static int
next_pair(const ctl_import_map_t *map, const char *option, char **at,
          char **value)
{
    char *name;
    int field;

    name = *at;
    *at = strchr(name, ',');
    if (*at != NULL) {
        *(*at)++ = '\0';
    }
    *value = strchr(name, '=');
    if (*value == NULL || (*value)[1] == '\0') {
        return ctl_error("--%s: \"%s\" is not FIELD=%s", option, name,
                         strcmp(option, "map") == 0 ? "COLUMN" : "VALUE");
    }
    *(*value)++ = '\0';
    field = find_field(map, name, strlen(name));
    if (field == -1) {
        return ctl_error("--%s: there is no field \"%s\"; leadqctl(8) has "
                         "the list",
                         option, name);
    }
    if (map->columns[field] != -1 || map->values[field].data != NULL) {
        return ctl_error("--%s: the field \"%s\" is named twice", option,
                         name);
    }
    return field;
}

static leadq_str_t
trimmed(const leadq_str_t *text)
{
    leadq_str_t out = *text;

    while (out.len > 0 && out.data[out.len - 1] == ' ') {
        out.len--;
    }
    while (out.len > 0 && out.data[0] == ' ') {
        out.data++;
        out.len--;
    }
    return out;
}

/* The column of a name, or else of a number from 1; -1: none; -2: several. */
static int
find_column(const records_t *header, const char *name)
{
    leadq_str_t column;
    long number;
    char *end;
    size_t i;
    int found;

    found = -1;
    for (i = 0; i < header->n; i++) {
        column = trimmed(&header->fields[i]);
        if (column.len == strlen(name)
            && memcmp(column.data, name, column.len) == 0) {
            found = found == -1 ? (int)i : -2;
        }
    }
    if (found != -1) {
        return found;
    }
    number = strtol(name, &end, 10);
    return *end == '\0' && number >= 1 && number <= (long)header->n
               ? (int)number - 1
               : -1;
}

static int
read_map(ctl_import_map_t *map, const records_t *header)
{
    char *at, *value;
    int field;

    for (at = map->map; at != NULL;) {
        field = next_pair(map, "map", &at, &value);
        if (field == -1) {
            return -1;
        }
        map->columns[field] = find_column(header, value);
        if (map->columns[field] < 0) {
            return ctl_error(
                "--map: there %s a column \"%.*s\" in the first "
                "line%s",
                map->columns[field] == -1 ? "is not" : "is twice", MAX_COLUMN,
                value,
                map->columns[field] == -1 ? "" : ": give its number instead");
        }
    }
    return 0;
}

static int
read_set(ctl_import_map_t *map)
{
    static leadq_value_t out;
    leadq_code_e code;
    char *at, *value;
    int field;

    for (at = map->set; at != NULL;) {
        field = next_pair(map, "set", &at, &value);
        if (field == -1) {
            return -1;
        }
        map->values[field].data = value;
        map->values[field].len = strlen(value);
        code = leadq_type_check(&map->fields[field].rule, value, strlen(value),
                                time(NULL), &out);
        if (code != LEADQ_OK) {
            return ctl_error("--set: %s %s", map->fields[field].name.data,
                             leadq_code_detail(code));
        }
    }
    return 0;
}

/* Columns that are called like fields are those fields. */
static int
match_names(ctl_import_map_t *map, const records_t *header)
{
    leadq_str_t column;
    size_t i;
    int field, by_map[LEADQ_FIELDS_MAX];

    memcpy(by_map, map->columns, sizeof(by_map));
    for (i = 0; i < header->n; i++) {
        column = trimmed(&header->fields[i]);
        field = find_field(map, column.data, column.len);
        if (field == -1 || by_map[field] != -1
            || map->values[field].data != NULL) {
            continue;
        }
        if (map->columns[field] != -1) {
            return ctl_error("the first line has two columns \"%s\": tell by "
                             "--map %s=NUMBER which is meant",
                             map->fields[field].name.data,
                             map->fields[field].name.data);
        }
        map->columns[field] = (int)i;
    }
    return 0;
}

static int
is_given(const ctl_import_map_t *map, const char *name)
{
    int field;

    field = find_field(map, name, strlen(name));
    return map->columns[field] != -1 || map->values[field].data != NULL;
}

static int
check_whole(const ctl_import_map_t *map)
{
    if (!is_given(map, "email") && (map->letters || !is_given(map, "phone"))) {
        return ctl_error("no column is the field \"email\": say which by "
                         "--map email=COLUMN");
    }
    if (!is_given(map, "consent_pd")) {
        return ctl_error("no column is the field \"consent_pd\": if all of "
                         "these people agreed to the processing of their "
                         "data, say so by --set consent_pd=yes");
    }
    return 0;
}

/* A list of the command line that can be cut into pieces; -1: no memory. */
static int
copy_list(char **list, const char *text)
{
    if (text == NULL) {
        return 0;
    }
    *list = strdup(text);
    return *list == NULL ? ctl_error("no memory") : 0;
}

int
ctl_import_map_init(ctl_import_map_t *map, const records_t *header,
                    const ctl_options_t *options, int letters)
{
    memset(map, 0, sizeof(*map));
    map->letters = letters;
    map->source = options->source;
    build_shape(map);
    if (copy_list(&map->map, options->map) == -1
        || copy_list(&map->set, options->set) == -1
        || read_map(map, header) == -1 || read_set(map) == -1
        || match_names(map, header) == -1)
    {
        return -1;
    }
    return check_whole(map);
}

void
ctl_import_map_done(ctl_import_map_t *map)
{
    free(map->map);
    free(map->set);
    map->map = NULL;
    map->set = NULL;
}

/* --- one record ---------------------------------------------------------- */

static void
collect(const ctl_import_map_t *map, const records_t *record,
        leadq_pairs_t *pairs)
{
    leadq_pair_t *pair;
    size_t i;
    int column;

    pairs->n = 0;
    for (i = 0; i < map->shape.nfields; i++) {
        column = map->columns[i];
        if (map->values[i].data == NULL
            && (column == -1 || (size_t)column >= record->n))
        {
            continue;
        }
        pair = &pairs->pair[pairs->n++];
        memset(pair, 0, sizeof(*pair));
        pair->name = map->fields[i].name;
        pair->value = map->values[i].data != NULL ? map->values[i]
                                                  : record->fields[column];
        pair->scalar = 1;
    }
}

static int
has(const json_t *row, const char *name)
{
    return json_object_get(row, name) != NULL;
}

/* A lead must be somebody's, whatever its source does with it. */
static int
check_somebody(const ctl_import_map_t *map, leadq_errors_t *errors,
               const buf_t *row)
{
    json_t *json;

    json = json_loadb(buf_str(row), row->len, 0, NULL);
    if (json == NULL) {
        return -1;
    }
    if (!has(json, "email") && !has(json, "phone") && !has(json, "click_id")) {
        errors->error[0].field = map->fields[0].name;
        errors->error[0].code = LEADQ_REQUIRED;
        errors->n = 1;
    }
    json_decref(json);
    return 0;
}

int
ctl_import_map_check(const ctl_import_map_t *map, const records_t *record,
                     leadq_errors_t *errors, buf_t *row)
{
    leadq_str_t source = {strlen(map->source), map->source};
    static leadq_suggestions_t suggestions;
    static leadq_pairs_t pairs;
    leadq_given_t given = {
        .pairs = &pairs, .sets = &source, .now = time(NULL)};

    collect(map, record, &pairs);
    buf_reset(row);
    if (leadq_shape_check(&map->shape, &given, errors, &suggestions, row) != 0)
    {
        return -1;
    }
    buf_add(row, "", 0); /* its terminator, which the shape does not need */
    if (row->failed) {
        return -1;
    }
    if (errors->n > 0 || map->letters) {
        return 0;
    }
    return check_somebody(map, errors, row);
}

static void
add_text(buf_t *text, const json_t *row, const char *name)
{
    const char *value;

    value = json_string_value(json_object_get(row, name));
    buf_add_str(text, value == NULL ? "" : value);
    buf_add_char(text, '\0');
}

int
ctl_import_map_id(const ctl_import_map_t *map, const char *salt,
                  const buf_t *row, char id[LEADQ_UUID_LEN + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    json_t *json;
    buf_t text;
    int rc;

    json = json_loadb(buf_str(row), row->len, 0, NULL);
    buf_init(&text, RECORDS_MAX_LEN);
    buf_add_str(&text, salt);
    buf_add_char(&text, '\0');
    buf_add_str(&text, map->source);
    buf_add_char(&text, '\0');
    add_text(&text, json, "click_id");
    add_text(&text, json, has(json, "email") ? "email" : "phone");

    rc = -1;
    if (json != NULL && !text.failed
        && EVP_Digest(buf_str(&text), text.len, digest, NULL, EVP_sha256(),
                      NULL)
               == 1)
    {
        digest[6] = (unsigned char)(0x80 | (digest[6] & 0x0f));
        digest[8] = (unsigned char)(0x80 | (digest[8] & 0x3f));
        leadq_uuid_format(digest, id);
        rc = 0;
    }
    buf_done(&text);
    json_decref(json);
    return rc;
}
