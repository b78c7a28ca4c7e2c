#include "secret.h"

#include <stdio.h>
#include <string.h>

static FILE *
open_file(const char *dir, const char *name)
{
    char path[1024];
    int len;

    len = snprintf(path, sizeof(path), "%s/%s", dir, name);
    return len < 0 || (size_t)len >= sizeof(path) ? NULL : fopen(path, "re");
}

int
secret_is_name(const char *name)
{
    size_t len;

    len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    return len > 0 && len <= SECRET_MAX_NAME && name[len] == '\0'
           && *name != '.';
}

const char *
secret_read(secret_t *secret, const char *dir, const char *name, size_t max)
{
    char *line;
    FILE *file;

    secret->n = 0;
    if (name == NULL || dir == NULL) {
        return "no secret is configured";
    }
    if (!secret_is_name(name)) {
        return "not a name of a secret";
    }
    file = open_file(dir, name);
    if (file == NULL) {
        return "the secret's file cannot be read";
    }
    while (secret->n < max && secret->n < SECRET_MAX_LINES) {
        line = secret->line[secret->n];
        if (fgets(line, sizeof(secret->line[0]), file) == NULL) {
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        if (*line == '\0') {
            break;
        }
        secret->n++;
    }
    (void)fclose(file);
    return secret->n == 0 ? "the secret's file is empty" : NULL;
}

void
secret_forget(secret_t *secret)
{
    explicit_bzero(secret, sizeof(*secret));
}
