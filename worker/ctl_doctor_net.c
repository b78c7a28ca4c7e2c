/*
 * What the doctor can see of the outside world: libcurl connects, greets and
 * encrypts as the worker would, and leaves.  No mail, no request.
 */

#include "ctl_doctor.h"
#include "url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 10000L
#define URL_SIZE 300

/* An easy handle that only connects; NULL: no memory. */
static CURL *
connector(const char *url, long connect_timeout_ms, char *err)
{
    CURL *easy;

    err[0] = '\0';
    easy = curl_easy_init();
    if (easy == NULL) {
        return NULL;
    }
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, err) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            connect_timeout_ms)
               != CURLE_OK)
    {
        curl_easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

static const char *
advice_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "correct the host's name, or the resolver of this host";
    case CURLE_COULDNT_CONNECT:
        return "see whether it runs, and whether a firewall stands between";
    case CURLE_OPERATION_TIMEDOUT:
        return "it did not answer in time: see whether it runs, and whether "
               "a firewall stands between";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "its certificate is not good: have it renewed, or correct the "
               "host's name, or the clock and the CA certificates of this "
               "host";
    case CURLE_SSL_CONNECT_ERROR:
        return "see whether the port speaks TLS";
    case CURLE_USE_SSL_FAILED:
        return "it offers no STARTTLS: correct smtp_tls, or the relay";
    case CURLE_LOGIN_DENIED:
        return "correct smtp_user and the password file";
    default:
        return "see what the other side logs";
    }
}

static void
connect_to(doctor_t *doctor, const char *check, const char *where, CURL *easy,
           const char *err)
{
    CURLcode code;

    code = curl_easy_perform(easy);
    if (code == CURLE_OK) {
        doctor_say(doctor, DOCTOR_OK, check, NULL, "%s", where);
    } else {
        doctor_say(doctor, DOCTOR_FAIL, check, advice_of(code), "%s: %s",
                   where, err[0] == '\0' ? curl_easy_strerror(code) : err);
    }
}

/* --- the relay ----------------------------------------------------------- */

static int
set_relay(CURL *easy, const conf_t *conf)
{
    long use, verify;

    use = conf->smtp_tls == CONF_TLS_OFF   ? CURLUSESSL_NONE
          : conf->smtp_tls == CONF_TLS_TRY ? CURLUSESSL_TRY
                                           : CURLUSESSL_ALL;
    verify = conf->smtp_tls == CONF_TLS_REQUIRE
             || strncmp(conf->smtp_url, "smtps:", 6) == 0;
    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_USE_SSL, use) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L)
               != CURLE_OK)
    {
        return -1;
    }
    if (conf->smtp_user != NULL
        && (curl_easy_setopt(easy, CURLOPT_USERNAME, conf->smtp_user)
                != CURLE_OK
            || curl_easy_setopt(easy, CURLOPT_PASSWORD, conf->smtp_password)
                   != CURLE_OK))
    {
        return -1;
    }
    return 0;
}

static void
check_relay(doctor_t *doctor)
{
    const conf_t *conf = doctor->conf;
    char err[CURL_ERROR_SIZE], url[URL_SIZE];
    CURL *easy;

    /* the name behind the host is the one of EHLO */
    (void)snprintf(url, sizeof(url), "%s/%s", conf->smtp_url,
                   conf->smtp_helo == NULL ? "" : conf->smtp_helo);
    easy = connector(url, conf->connect_timeout_ms, err);
    if (easy == NULL || set_relay(easy, conf) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, "mail relay", "try again",
                   "out of memory");
    } else {
        connect_to(doctor, "mail relay", conf->smtp_url, easy, err);
    }
    curl_easy_cleanup(easy);
}

/* --- networks and gateways ----------------------------------------------- */

/* Scheme, host and port of a URL template: its host stands there literally. */
static int
url_begin(const char *url, char out[URL_SIZE])
{
    const char *host;
    size_t len;

    len = url_host(url, strlen(url), &host);
    if (len == 0 || (size_t)(host - url) + len >= URL_SIZE - 1) {
        return -1;
    }
    (void)snprintf(out, URL_SIZE, "%.*s", (int)((size_t)(host - url) + len),
                   url);
    return 0;
}

static void
check_target(doctor_t *doctor, const char *what, const char *name,
             const char *template)
{
    char check[100], err[CURL_ERROR_SIZE], url[URL_SIZE];
    CURL *easy;

    (void)snprintf(check, sizeof(check), "%s %s", what, name);
    if (url_begin(template, url) != 0) {
        doctor_say(doctor, DOCTOR_FAIL, check,
                   "correct its url: leadqctl config check",
                   "its url has no host");
        return;
    }
    easy = connector(
        url, doctor->conf == NULL ? 5000L : doctor->conf->connect_timeout_ms,
        err);
    if (easy == NULL
        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")
               != CURLE_OK)
    {
        doctor_say(doctor, DOCTOR_FAIL, check, "try again", "out of memory");
    } else {
        connect_to(doctor, check, url, easy, err);
    }
    curl_easy_cleanup(easy);
}

/* Those that are in use: others hear nothing.  Rows: what, name, url. */
static const char targets[] =
    "select 'network', n.name, n.url from leadq.network n"
    " where exists (select from leadq.source_partner s"
    "                where s.network_id = n.network_id)"
    " union all"
    " select 'gateway', g.name, g.url from leadq.gateway g"
    " where exists (select from leadq.profile_step t"
    "                where t.gateway_id = g.gateway_id)"
    "    or exists (select from leadq.profile p"
    "                where p.captcha_id = g.gateway_id)"
    " order by 1 desc, 2";

static void
check_targets(doctor_t *doctor)
{
    PGresult *res;
    int row;

    res = doctor_ask(doctor, targets);
    for (row = 0; res != NULL && row < PQntuples(res); row++) {
        check_target(doctor, PQgetvalue(res, row, 0), PQgetvalue(res, row, 1),
                     PQgetvalue(res, row, 2));
    }
    PQclear(res);
}

void
doctor_net(doctor_t *doctor)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    if (doctor->conf != NULL) {
        check_relay(doctor);
    }
    if (doctor->connected) {
        check_targets(doctor);
    }
    curl_global_cleanup();
}
