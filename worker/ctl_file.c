#include "ctl_file.h"

#include "buf.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
ctl_file_read(const char *path, size_t max, fault_t *fault)
{
    char chunk[8192];
    size_t n;
    FILE *file;
    buf_t text;

    buf_init(&text, max);
    file = fopen(path, "re");
    if (file == NULL) {
        (void)fault_set(fault, 0, "%s", strerror(errno));
        return NULL;
    }
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        buf_add(&text, chunk, n);
    }
    if (ferror(file)) {
        (void)fault_set(fault, 0, "%s", strerror(errno));
    } else if (text.failed) {
        (void)fault_set(fault, 0, "is larger than %zu bytes", max);
    } else if (strlen(buf_str(&text)) != text.len) {
        (void)fault_set(fault, 0, "has a zero byte: not a text file");
    } else {
        (void)fclose(file);
        return buf_take(&text);
    }
    (void)fclose(file);
    buf_done(&text);
    return NULL;
}

char *
ctl_file_join(const char *dir, const char *name)
{
    char *path;

    if (name[0] == '/') {
        return strdup(name);
    }
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

int
ctl_file_sha256(const char *text, char hex[CTL_FILE_SHA256_LEN + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int i, len;

    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1)
    {
        return -1;
    }
    for (i = 0; i < CTL_FILE_SHA256_LEN / 2; i++) {
        (void)snprintf(hex + i * 2, 3, "%02x", digest[i]);
    }
    return 0;
}

static int
is_sql(const struct dirent *entry)
{
    size_t len;

    len = strlen(entry->d_name);
    return len > 4 && entry->d_name[0] != '.'
           && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int
ctl_file_list(ctl_file_list_t *list, const char *dir)
{
    struct dirent **entries;
    int i, n, failed;

    list->n = 0;
    list->names = NULL;
    n = scandir(dir, &entries, is_sql, by_name);
    if (n < 0) {
        return -1;
    }
    list->names = calloc((size_t)n + 1, sizeof(char *));
    failed = list->names == NULL;
    for (i = 0; i < n; i++) {
        if (!failed) {
            list->names[i] = strdup(entries[i]->d_name);
            failed = list->names[i] == NULL;
            list->n += !failed;
        }
        free(entries[i]);
    }
    free(entries);
    if (failed) {
        ctl_file_list_done(list);
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

void
ctl_file_list_done(ctl_file_list_t *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        free(list->names[i]);
    }
    free(list->names);
    list->n = 0;
    list->names = NULL;
}
