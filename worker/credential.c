#include "credential.h"
#include "buf.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SECRET 1024
#define MAX_PATH 4096
#define MAX_CONNINFO 16384

char *
credential_path(const char *path, const char *conf_path)
{
    const char *dir, *slash;
    buf_t out;

    if (strncmp(path, "%d", 2) != 0 || (path[2] != '\0' && path[2] != '/')) {
        return strdup(path);
    }
    buf_init(&out, MAX_PATH);
    dir = getenv("CREDENTIALS_DIRECTORY");
    slash = strrchr(conf_path, '/');
    if (dir != NULL) {
        buf_add_str(&out, dir);
    } else if (slash != NULL) {
        buf_add(&out, conf_path, (size_t)(slash - conf_path));
    } else {
        buf_add_str(&out, ".");
    }
    buf_add_str(&out, path + 2);
    return buf_take(&out);
}

char *
credential_read(const char *path)
{
    char secret[MAX_SECRET + 2];
    FILE *file;
    char *copy;

    file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    copy = NULL;
    errno = EIO;
    if (fgets(secret, sizeof(secret), file) != NULL) {
        secret[strcspn(secret, "\r\n")] = '\0';
        copy = strdup(secret);
        explicit_bzero(secret, sizeof(secret));
    }
    (void)fclose(file);
    return copy;
}

void
credential_free(char *secret)
{
    if (secret != NULL) {
        explicit_bzero(secret, strlen(secret));
        free(secret);
    }
}

static void
add_option(buf_t *out, const char *keyword, const char *value)
{
    const char *p;

    buf_addf(out, "%s%s='", out->len == 0 ? "" : " ", keyword);
    for (p = value; *p != '\0'; p++) {
        if (*p == '\'' || *p == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, *p);
    }
    buf_add_char(out, '\'');
}

char *
credential_conninfo(const char *conninfo, const char *password, fault_t *fault)
{
    PQconninfoOption *options, *option;
    char *text;
    buf_t out;

    options = PQconninfoParse(conninfo, NULL);
    if (options == NULL) {
        (void)fault_set(fault, 0, "not a connection string of libpq");
        return NULL;
    }
    buf_init(&out, MAX_CONNINFO);
    for (option = options; option->keyword != NULL; option++) {
        if (option->val == NULL) {
            continue;
        }
        if (strcmp(option->keyword, "password") == 0) {
            PQconninfoFree(options);
            buf_done(&out);
            (void)fault_set(fault, 0, "there is a password in it already");
            return NULL;
        }
        add_option(&out, option->keyword, option->val);
    }
    add_option(&out, "password", password);
    PQconninfoFree(options);
    text = buf_take(&out);
    if (text == NULL) {
        (void)fault_set(fault, 0, "longer than %d bytes", MAX_CONNINFO);
    }
    return text;
}
