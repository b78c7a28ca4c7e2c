/*
 * The reference of tests/bench/callbacks: libcurl's multi interface on libuv
 * and nothing else.  Does so many GETs with so many at a time, and says what
 * they cost: "requests seconds cpu_us".
 *
 *     bare URL REQUESTS CONCURRENCY
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

typedef struct {
    uv_poll_t poll;
    curl_socket_t fd;
} watch_t;

static CURLM *multi;
static uv_timer_t timer;
static const char *url;
static long left, failed;

static size_t
on_body(char *data, size_t size, size_t n, void *user)
{
    (void)data;
    (void)user;
    return size * n;
}

static void
start(CURL *easy)
{
    left--;
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_multi_add_handle(multi, easy);
}

static void
collect(void)
{
    CURLMsg *msg;
    CURL *easy;
    long status;
    int more;

    while ((msg = curl_multi_info_read(multi, &more)) != NULL) {
        easy = msg->easy_handle;
        status = 0;
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        failed += status != 200;
        (void)curl_multi_remove_handle(multi, easy);
        if (left > 0) {
            start(easy);
        } else {
            curl_easy_cleanup(easy);
        }
    }
}

static void
on_socket(uv_poll_t *poll, int status, int events)
{
    watch_t *watch = (watch_t *)poll;
    int running, bits;

    bits = (events & UV_READABLE ? CURL_CSELECT_IN : 0)
           | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0)
           | (status < 0 ? CURL_CSELECT_ERR : 0);
    (void)curl_multi_socket_action(multi, watch->fd, bits, &running);
    collect();
}

static void
on_timer(uv_timer_t *handle)
{
    int running;

    (void)handle;
    (void)curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect();
}

static void
on_closed(uv_handle_t *handle)
{
    free(handle);
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *user)
{
    watch_t *watch = user;

    (void)easy;
    (void)data;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            (void)curl_multi_assign(multi, fd, NULL);
            (void)uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, on_closed);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = calloc(1, sizeof(*watch));
        if (watch == NULL) {
            return -1;
        }
        watch->fd = fd;
        (void)uv_poll_init_socket(uv_default_loop(), &watch->poll, fd);
        (void)curl_multi_assign(multi, fd, watch);
    }
    (void)uv_poll_start(&watch->poll,
                        (what & CURL_POLL_IN ? UV_READABLE : 0)
                            | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                        on_socket);
    return 0;
}

static int
want_timer(CURLM *handle, long timeout_ms, void *user)
{
    (void)handle;
    (void)user;
    if (timeout_ms < 0) {
        (void)uv_timer_stop(&timer);
    } else {
        /* 0 would run in this very round, again and again */
        (void)uv_timer_start(&timer, on_timer,
                             timeout_ms == 0 ? 1 : (uint64_t)timeout_ms, 0);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct rusage usage;
    uint64_t began;
    long n, i, at_a_time;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bare URL REQUESTS CONCURRENCY\n");
        return 2;
    }
    url = argv[1];
    n = left = strtol(argv[2], NULL, 10);
    at_a_time = strtol(argv[3], NULL, 10);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, at_a_time);
    (void)uv_timer_init(uv_default_loop(), &timer);
    began = uv_hrtime();
    for (i = 0; i < at_a_time && left > 0; i++) {
        start(curl_easy_init());
    }
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("%ld %.3f %.2f\n", n, (double)(uv_hrtime() - began) / 1e9,
                 ((double)usage.ru_utime.tv_sec * 1e6
                  + (double)usage.ru_utime.tv_usec
                  + (double)usage.ru_stime.tv_sec * 1e6
                  + (double)usage.ru_stime.tv_usec)
                     / (double)n);
    (void)curl_multi_cleanup(multi);
    return failed == 0 ? 0 : 1;
}
