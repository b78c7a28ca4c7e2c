
/*
 * A million mutated requests against a running nginx.
 *
 *     make.c    request number N of a seed: the same bytes every time
 *     answer.c  is what came back a well-formed answer?
 *     main.c    connections, deadlines, figures
 *
 * Framed requests say truly where they end, whatever is wrong with them
 * otherwise: each must be answered, on connections that stay.  Wild ones were
 * mutated as a whole, so nobody knows how many requests they are: each has a
 * connection of its own, and what comes on it until nginx ends it must be
 * answers.
 */

#ifndef DOOR_H_INCLUDED
#define DOOR_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


typedef struct {
    char    *data;
    size_t   len;
    size_t   room;
} text_t;

typedef struct {
    int      head;                          /* its answer has no body */
    int      last;                          /* the connection ends after it */
} request_t;

typedef struct {
    int          status;
    int          interim;                   /* 1xx: the answer follows */
    int          close;                     /* Connection: close */
    size_t       len;                       /* of head and body */
    const char  *id;                        /* of a row, 36 bytes; or NULL */
    const char  *outcome;                   /* ends at '\r'; or NULL */
} answer_t;


/* Grows as needed; ends the program when there is no memory. */
void text_put(text_t *text, const char *data, size_t len);
void text_puts(text_t *text, const char *string);

/* Words that requests may have: tokens, links.  Borrowed. */
void make_words(char **words, size_t n);

/* Appends request n of the seed; it ends its connection only if may_end. */
void make_request(text_t *out, uint64_t seed, uint64_t n, int wild,
    int may_end, request_t *request);

/*
 * Looks for an answer at the beginning of the bytes; end: no more will come.
 *
 * Returns 1, 0 (more is needed) or -1 (not well-formed; *why says what).
 */
int answer_read(const char *data, size_t len, int head, int end,
    answer_t *answer, const char **why);


#endif /* DOOR_H_INCLUDED */
