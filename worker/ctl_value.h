/*
 * Single values of the business document.  Each function returns NULL for a
 * good one, else the reason, to be read after the value's path.
 */

#ifndef LEADQ_CTL_VALUE_H
#define LEADQ_CTL_VALUE_H

#define CTL_VALUE_MAX_DAYS 400

/* What sources, networks, series and templates are called. */
const char *ctl_value_name(const char *text);

/* "ru", "pt-BR" */
const char *ctl_value_lang(const char *text);

/* The name of a file in the worker's secrets_dir. */
const char *ctl_value_secret(const char *text);

/*
 * An interval as PostgreSQL reads and writes it, of weeks and smaller units:
 * "0", "2 days", "90 min", "1 week 3 days", "1 day 02:30:00".
 */
const char *ctl_value_interval(const char *text, long *seconds);

/* "150", "150.00": what numeric(12, 2) holds. */
const char *ctl_value_money(const char *text);

const char *ctl_value_currency(const char *text);

/* "09:30", up to "24:00" */
const char *ctl_value_clock(const char *text);

/* "order.placed": words with dots between them */
const char *ctl_value_event(const char *text);

/* The hash of a secret: 64 hexadecimal digits, lower case. */
const char *ctl_value_sha256(const char *text);

/* The name of an HTTP header (a token, RFC 9110). */
const char *ctl_value_header(const char *text);

/* Where JSON has something: "messages.0.messageId". */
const char *ctl_value_path(const char *text);

/* The name of a host, in lower case, with a dot: "brand.ru" */
const char *ctl_value_host(const char *text);

/* Whom nginx knows by that name: "anna", "o.petrova@brand.ru" */
const char *ctl_value_user(const char *text);

/* How phones begin: "+7940" */
const char *ctl_value_prefix(const char *text);

/* http(s)://host[:port][/path], to which "/c/..." can be added. */
const char *ctl_value_base_url(const char *text);

#endif
