
/*
 * door PORT WILD-PORT SEED REQUESTS DEADLINE-MS FILE [WORD ...]
 *
 * Sends the requests and judges the answers; the ids of rows that clients
 * were promised go to FILE, one a line, the figures to the output.  Ends with
 * 1 and says why at the first answer that may not be.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "door.h"


#define CONNECTIONS  96
#define WILD         48                     /* of these, the last ones */
#define PIPELINED    4


typedef struct {
    int        fd;                          /* -1: to be opened */
    int        wild;
    int        ended;                       /* an answer said close */
    text_t     before;                  /* what was sent before that, */
    text_t     out;
    text_t     in;
    size_t     sent;
    uint64_t   number;                      /* of the first request */
    size_t     next;                        /* request to be answered */
    size_t     n;
    request_t  request[PIPELINED];
    uint64_t   since;                       /* ms, the last byte */
} client_t;


static struct {
    uint16_t  port[2];                      /* framed, wild */
    uint64_t  seed;
    uint64_t  total;
    uint64_t  made;
    uint64_t  deadline;
    uint64_t  slowest;
    uint64_t  answers;
    uint64_t  status[600];
    FILE     *ids;
} run;


static uint64_t
now_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}


static void
show(const char *title, const char *data, size_t len)
{
    size_t         i;
    unsigned char  c;

    printf("%s, %zu bytes:\n", title, len);

    for (i = 0; i < len && i < 4096; i++) {
        c = (unsigned char) data[i];

        if (c == '\n') {
            printf("\\n\n");

        } else if (c < 0x20 || c > 0x7e) {
            printf("\\x%02x", c);

        } else {
            putchar(c);
        }
    }

    printf("\n");
}


static void
fail(const client_t *client, const char *why)
{
    printf("seed %llu, request %llu and what follows it, answer %zu of %zu, "
           "%s: %s\n", (unsigned long long) run.seed,
           (unsigned long long) client->number, client->next + 1, client->n,
           client->wild ? "wild" : "framed", why);
    show("before", client->before.data ? client->before.data : "",
         client->before.len);
    show("sent", client->out.data, client->out.len);
    show("got", client->in.data ? client->in.data : "", client->in.len);
    exit(1);
}


/* Every client has an address of its own; limits tell them apart. */

static void
connect_client(client_t *client, size_t i)
{
    int                 on;
    struct sockaddr_in  sin;

    on = 1;
    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t) i + 1);

    client->fd = socket(AF_INET, SOCK_STREAM, 0);

    (void) setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void) setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                      sizeof(on));

    if (bind(client->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
        fail(client, strerror(errno));
    }

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(run.port[client->wild]);

    if (connect(client->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0
        || fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0)
    {
        fail(client, strerror(errno));
    }

    client->ended = 0;
    client->in.len = 0;
}


/* Gives a client something to do; 0: there is nothing more. */

static int
begin(client_t *client, size_t i)
{
    size_t  n;

    if (run.made == run.total) {
        return 0;
    }

    if (client->fd == -1) {
        connect_client(client, i);
    }

    client->before.len = 0;
    text_put(&client->before, client->out.data ? client->out.data : "",
             client->out.len);
    client->out.len = 0;
    client->sent = 0;
    client->next = 0;
    client->number = run.made;
    client->since = now_ms();

    n = !client->wild && run.made % 5 == 0 ? PIPELINED : 1;
    n = n > run.total - run.made ? (size_t) (run.total - run.made) : n;

    for (client->n = 0; client->n < n; client->n++) {
        make_request(&client->out, run.seed, run.made++, client->wild,
                     client->n == n - 1, &client->request[client->n]);
    }

    return 1;
}


static void
send_some(client_t *client)
{
    size_t   len;
    ssize_t  n;

    /* now and then in pieces */

    len = client->out.len - client->sent;
    if (client->number % 7 == 0 && len > 40) {
        len = len / 2;
    }

    n = send(client->fd, client->out.data + client->sent, len, MSG_NOSIGNAL);

    if (n > 0) {
        client->sent += (size_t) n;
        client->since = now_ms();

    } else if (n < 0 && errno != EAGAIN) {

        /* nginx wants no more of it; what it answered is to be read */

        client->sent = client->out.len;
    }
}


/* HTTP/0.9 has no status line: a page of nginx, a problem, or a figure. */

static int
is_old(const client_t *client, size_t at)
{
    return client->in.data[at] == '<' || client->in.data[at] == '{'
           || (client->in.data[at] != 'H'
               && memmem(client->out.data, client->out.len, "GET ", 4));
}


/* Takes the answers that are there. */

static void
take(client_t *client, int end)
{
    int          rc, head, done;
    size_t       used;
    answer_t     answer;
    const char  *why;

    for (used = 0; used < client->in.len; used += answer.len) {

        if (client->ended || (!client->wild && client->next == client->n)) {
            fail(client, "bytes that belong to no answer");
        }

        if (client->wild && is_old(client, used)) {
            run.answers++;
            used = client->in.len;
            break;
        }

        head = !client->wild && client->request[client->next].head;
        rc = answer_read(client->in.data + used, client->in.len - used, head,
                         end, &answer, &why);

        if (rc < 0) {
            fail(client, why);
        }

        if (rc == 0) {
            break;
        }

        if (answer.interim) {
            continue;
        }

        done = answer.id && answer.outcome && answer.status < 400
               && strncmp(answer.outcome, "answered\r", 9) == 0;

        if (done) {
            fprintf(run.ids, "%.36s\n", answer.id);
        }

        run.answers++;
        run.status[answer.status]++;
        client->next++;
        client->ended = answer.close;
    }

    if (used) {
        client->in.len -= used;
        memmove(client->in.data, client->in.data + used, client->in.len);
    }
}


/* It was not answered in full, or did not say all of it. */

static int
waits(const client_t *client)
{
    return client->fd != -1
           && (client->wild || client->next < client->n
               || client->sent < client->out.len || client->ended);
}


static void
receive(client_t *client)
{
    char      bytes[16384];
    ssize_t   n;
    uint64_t  took;

    n = recv(client->fd, bytes, sizeof(bytes), 0);

    if (n < 0 && errno == EAGAIN) {
        return;
    }

    took = now_ms() - client->since;
    run.slowest = took > run.slowest ? took : run.slowest;

    if (n > 0) {
        text_put(&client->in, bytes, (size_t) n);
        client->since = now_ms();
        take(client, 0);
        return;
    }

    take(client, 1);

    if (!client->wild && !client->ended && client->next < client->n) {
        fail(client, "a request without an answer");
    }

    close(client->fd);
    client->fd = -1;
}


static void
report(void)
{
    int  i;

    printf("%llu requests of seed %llu, %llu answers, the slowest took "
           "%llu ms\n", (unsigned long long) run.made,
           (unsigned long long) run.seed, (unsigned long long) run.answers,
           (unsigned long long) run.slowest);

    for (i = 0; i < 600; i++) {
        if (run.status[i]) {
            printf("%d: %llu\n", i, (unsigned long long) run.status[i]);
        }
    }
}


static void
work(void)
{
    size_t         i, busy;
    struct pollfd  fds[CONNECTIONS];

    static client_t  clients[CONNECTIONS];

    for (i = 0; i < CONNECTIONS; i++) {
        clients[i].fd = -1;
        clients[i].wild = i >= CONNECTIONS - WILD;
    }

    do {
        for (i = 0, busy = 0; i < CONNECTIONS; i++) {
            if (!waits(&clients[i]) && !begin(&clients[i], i)) {
                fds[i].fd = -1;
                continue;
            }

            busy++;
            fds[i].fd = clients[i].fd;
            fds[i].events = POLLIN;

            if (clients[i].sent < clients[i].out.len) {
                fds[i].events |= POLLOUT;
            }
        }

        (void) poll(fds, CONNECTIONS, 100);

        for (i = 0; i < CONNECTIONS; i++) {
            if (fds[i].fd == -1) {
                continue;
            }

            if (fds[i].revents & POLLOUT) {
                send_some(&clients[i]);
            }

            if (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) {
                receive(&clients[i]);
            }

            if (waits(&clients[i])
                && now_ms() - clients[i].since > run.deadline)
            {
                fail(&clients[i], "nothing came within the deadline");
            }
        }

    } while (busy);
}


int
main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: door PORT WILD-PORT SEED REQUESTS "
                "DEADLINE-MS FILE [WORD ...]\n");
        return 2;
    }

    run.port[0] = (uint16_t) atoi(argv[1]);
    run.port[1] = (uint16_t) atoi(argv[2]);
    run.seed = strtoull(argv[3], NULL, 10);
    run.total = strtoull(argv[4], NULL, 10);
    run.deadline = strtoull(argv[5], NULL, 10);
    run.ids = fopen(argv[6], "w");

    if (run.ids == NULL) {
        perror(argv[6]);
        return 2;
    }

    make_words(argv + 7, (size_t) (argc - 7));
    work();

    if (fclose(run.ids) != 0) {
        perror(argv[6]);
        return 2;
    }

    report();

    return 0;
}
