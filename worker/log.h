/*
 * The log: one line an event on standard error, "<priority>subject verb
 * key=value", as journald reads it.  Never personal data, codes, payloads,
 * conninfo or URL queries: ids instead.
 */

#ifndef LEADQ_LOG_H
#define LEADQ_LOG_H

#include <stddef.h>

typedef enum {
    LOG_LEVEL_ERROR = 3, /* a person must act */
    LOG_LEVEL_WARN = 4,  /* something went wrong and we recovered */
    LOG_LEVEL_INFO = 6,  /* life cycle, one line per settled job */
    LOG_LEVEL_DEBUG = 7  /* states */
} log_level_e;

void log_set_level(log_level_e level);

/* The level of a name ("info"), or -1. */
int log_level_parse(const char *name);

void log_write(log_level_e level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Lines between the two are written together, at the second one. */
void log_hold(void);
void log_release(void);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define LOG_TEXT_SIZE 400

/*
 * Writes a text as a value of a log line into out: in quotes when it has
 * blanks or quotes, control characters replaced, cut when too long.
 */
const char *log_text(char out[LOG_TEXT_SIZE], const char *text);

#endif
