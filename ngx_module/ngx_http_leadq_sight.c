
/*
 * Sight: figures of all worker processes, and the locations that show them.
 *
 * The zone exists if some location has leadq_metrics or leadq_status; without
 * one nothing is counted.  Its size depends on nothing, so a reload that
 * changes the number of worker processes or the functions keeps the figures.
 * Each worker process writes a slot of its own (see leadq_metrics.h) and has
 * it from its first to its last moment, so old and new processes of a reload
 * never share one.
 *
 * Figures must never cost a lead: a process without a slot does not count.
 */

#include "ngx_http_leadq.h"


#define NGX_HTTP_LEADQ_TEXT_MAX  (1024 * 1024)


typedef struct {
    leadq_buf_t                   text;
    ngx_uint_t                    status;
    ngx_str_t                     type;
} ngx_http_leadq_page_t;


static char *ngx_http_leadq_sight(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_leadq_zone_init(ngx_shm_zone_t *zone, void *data);
static void ngx_http_leadq_zone_names(ngx_http_leadq_main_conf_t *mcf,
    ngx_log_t *log);
static int ngx_http_leadq_alive(uint64_t pid);
static ngx_int_t ngx_http_leadq_metrics_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_sum(ngx_http_request_t *r,
    leadq_metrics_sum_t **sum);
static ngx_int_t ngx_http_leadq_show(ngx_http_request_t *r,
    ngx_http_leadq_page_t *page);


static ngx_str_t  ngx_http_leadq_zone_name = ngx_string("leadq_metrics");


/* leadq_metrics; */

char *
ngx_http_leadq_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_leadq_sight(cf, cmd, conf, ngx_http_leadq_metrics_handler);
}


/* leadq_status; */

char *
ngx_http_leadq_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_leadq_sight(cf, cmd, conf, ngx_http_leadq_status_handler);
}


static char *
ngx_http_leadq_sight(ngx_conf_t *cf, ngx_command_t *cmd, void *conf,
    ngx_http_handler_pt handler)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    size_t                       size;
    ngx_shm_zone_t              *zone;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_leadq_main_conf_t  *mcf;

    if (lcf->sight == handler) {
        return "is duplicate";
    }

    if (lcf->sight) {
        return "is not possible beside the other one of \"leadq_metrics\" "
               "and \"leadq_status\" in one location";
    }

    lcf->sight = handler;
    ngx_http_leadq_place(cf, &lcf->sight_place);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = handler;

    /* pages and their descriptors, and what else the slab allocator needs */

    size = sizeof(leadq_metrics_t);
    size = ngx_align(size + size / 64 + 8 * ngx_pagesize, ngx_pagesize);

    zone = ngx_shared_memory_add(cf, &ngx_http_leadq_zone_name, size,
                                 &ngx_http_leadq_module);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_leadq_module);
    mcf->zone = zone;

    zone->init = ngx_http_leadq_zone_init;
    zone->data = mcf;

    return NGX_CONF_OK;
}


char *
ngx_http_leadq_sight_check(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_http_leadq_main_conf_t  *mcf;

    if (lcf->place.line) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location shows figures, it cannot have other leadq "
                      "directives in %V:%ui", &lcf->place.file,
                      lcf->place.line);
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_leadq_module);

    if (mcf->databases.nelts == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "nothing to show figures of, there is no "
                      "\"leadq_database\" in %V:%ui",
                      &lcf->sight_place.file, lcf->sight_place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* In the master, before its worker processes; data is of the cycle before. */

static ngx_int_t
ngx_http_leadq_zone_init(ngx_shm_zone_t *zone, void *data)
{
    leadq_metrics_t             *metrics;
    ngx_slab_pool_t             *slab;
    ngx_http_leadq_main_conf_t  *mcf;

    mcf = zone->data;
    slab = (ngx_slab_pool_t *) zone->shm.addr;

    if (data || zone->shm.exists) {
        metrics = slab->data;

        if (metrics == NULL || !leadq_metrics_fits(metrics)) {
            ngx_log_error(NGX_LOG_ERR, zone->shm.log, 0,
                          "leadq counts nothing: the zone \"%V\" is of "
                          "another version, a restart makes a new one",
                          &zone->shm.name);
            return NGX_OK;
        }

    } else {
        metrics = ngx_slab_alloc(slab, sizeof(leadq_metrics_t));

        if (metrics == NULL) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "leadq has no room in the zone \"%V\"",
                          &zone->shm.name);
            return NGX_ERROR;
        }

        leadq_metrics_init(metrics);
        slab->data = metrics;
    }

    mcf->metrics = metrics;
    ngx_http_leadq_zone_names(mcf, zone->shm.log);

    return NGX_OK;
}


static void
ngx_http_leadq_zone_names(ngx_http_leadq_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_uint_t                    i, k, other;
    ngx_http_leadq_database_t   **database;
    ngx_http_leadq_function_t   **function;

    database = mcf->databases.elts;
    other = 0;

    for (i = 0; i < mcf->databases.nelts; i++) {
        database[i]->place_in_zone =
            leadq_metrics_database(mcf->metrics,
                                   (char *) database[i]->name.data,
                                   database[i]->name.len);

        if (database[i]->place_in_zone == 0) {
            ngx_log_error(NGX_LOG_WARN, log, 0,
                          "leadq has no gauges of database \"%V\": only %d "
                          "names have room, a restart forgets old ones",
                          &database[i]->name, LEADQ_METRICS_DATABASES - 1);
        }

        function = database[i]->functions.elts;

        for (k = 0; k < database[i]->functions.nelts; k++) {
            function[k]->place_in_zone =
                leadq_metrics_function(mcf->metrics,
                                       (char *) database[i]->name.data,
                                       database[i]->name.len,
                                       (char *) function[k]->name.data,
                                       function[k]->name.len);
            other += function[k]->place_in_zone == 0;
        }
    }

    if (other) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "leadq counts %ui functions together: only %d names "
                      "have room, a restart forgets old ones", other,
                      LEADQ_METRICS_FUNCTIONS - 1);
    }
}


void
ngx_http_leadq_sight_open(ngx_cycle_t *cycle, ngx_http_leadq_main_conf_t *mcf)
{
    ngx_uint_t                    i, k;
    leadq_slot_t                 *slot;
    ngx_slab_pool_t              *slab;
    ngx_http_leadq_database_t   **database;
    ngx_http_leadq_function_t   **function;

    if (mcf->metrics == NULL) {
        return;
    }

    slab = (ngx_slab_pool_t *) mcf->zone->shm.addr;

    ngx_shmtx_lock(&slab->mutex);
    slot = leadq_metrics_claim(mcf->metrics, (uint64_t) ngx_pid,
                               ngx_http_leadq_alive);
    ngx_shmtx_unlock(&slab->mutex);

    if (slot == NULL) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "leadq process counts nothing: all %d slots are taken",
                      LEADQ_METRICS_SLOTS);
        return;
    }

    mcf->slot = slot;
    database = mcf->databases.elts;

    for (i = 0; i < mcf->databases.nelts; i++) {
        database[i]->metrics = &slot->database[database[i]->place_in_zone];

        function = database[i]->functions.elts;

        for (k = 0; k < database[i]->functions.nelts; k++) {
            function[k]->metrics =
                &slot->function[function[k]->place_in_zone];
        }
    }
}


void
ngx_http_leadq_sight_close(ngx_http_leadq_main_conf_t *mcf)
{
    leadq_metrics_release(mcf->slot);
    mcf->slot = NULL;
}


static int
ngx_http_leadq_alive(uint64_t pid)
{
    return kill((pid_t) pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}


static ngx_int_t
ngx_http_leadq_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    const char                  *names[LEADQ_METRICS_OUTCOMES + 1];
    ngx_uint_t                   i;
    leadq_metrics_sum_t         *sum;
    ngx_http_leadq_page_t        page;
    ngx_http_leadq_main_conf_t  *mcf;

    rc = ngx_http_leadq_sum(r, &sum);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < LEADQ_METRICS_OUTCOMES; i++) {
        names[i] = ngx_http_leadq_outcome_name(i);

        if (names[i] == NULL) {
            break;
        }
    }

    names[i] = NULL;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_leadq_module);

    leadq_buf_init(&page.text, NGX_HTTP_LEADQ_TEXT_MAX);
    leadq_metrics_text(&page.text, mcf->metrics, sum, names);

    page.status = NGX_HTTP_OK;
    ngx_str_set(&page.type, "text/plain; version=0.0.4; charset=utf-8");

    return ngx_http_leadq_show(r, &page);
}


static ngx_int_t
ngx_http_leadq_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, comma;
    leadq_status_e                status, worst;
    leadq_metrics_sum_t          *sum;
    ngx_http_leadq_page_t         page;
    leadq_database_view_t        *view;
    ngx_http_leadq_database_t   **database;
    ngx_http_leadq_main_conf_t   *mcf;

    rc = ngx_http_leadq_sum(r, &sum);

    if (rc != NGX_OK) {
        return rc;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_leadq_module);
    database = mcf->databases.elts;
    worst = LEADQ_STATUS_OK;
    comma = 0;

    leadq_buf_init(&page.text, NGX_HTTP_LEADQ_TEXT_MAX);
    leadq_buf_puts(&page.text, "{\"databases\":[");

    for (i = 0; i < mcf->databases.nelts; i++) {

        if (database[i]->place_in_zone == 0) {
            continue;                           /* nobody knows */
        }

        view = &sum->view[database[i]->place_in_zone];
        status = leadq_metrics_status(view, ngx_current_msec,
                                      database[i]->timeout);
        worst = ngx_max(worst, status);

        if (comma) {
            leadq_buf_puts(&page.text, ",");
        }

        comma = 1;

        leadq_metrics_status_put(&page.text, (char *) database[i]->name.data,
                                 database[i]->name.len, view, status);
    }

    leadq_buf_puts(&page.text, "],\"status\":\"");
    leadq_buf_puts(&page.text, leadq_metrics_status_name(worst));
    leadq_buf_puts(&page.text, "\"}\n");

    page.status = worst >= LEADQ_STATUS_FULL ? NGX_HTTP_SERVICE_UNAVAILABLE
                                             : NGX_HTTP_OK;
    ngx_str_set(&page.type, "application/json");

    return ngx_http_leadq_show(r, &page);
}


static ngx_int_t
ngx_http_leadq_sum(ngx_http_request_t *r, leadq_metrics_sum_t **sum)
{
    ngx_int_t                    rc;
    ngx_http_leadq_main_conf_t  *mcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_leadq_module);

    if (mcf->metrics == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    *sum = ngx_palloc(r->pool, sizeof(leadq_metrics_sum_t));
    if (*sum == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    leadq_metrics_sum(mcf->metrics, ngx_http_leadq_alive, *sum);

    return NGX_OK;
}


/* Sends the page and frees its text. */

static ngx_int_t
ngx_http_leadq_show(ngx_http_request_t *r, ngx_http_leadq_page_t *page)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_buf_t        *b;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    text.data = (u_char *) page->text.data;
    text.len = page->text.len;

    b = page->text.failed ? NULL : ngx_create_temp_buf(r->pool, text.len);

    if (b) {
        b->last = ngx_cpymem(b->last, text.data, text.len);
    }

    leadq_buf_done(&page->text);

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));
    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    r->disable_not_modified = 1;
    r->headers_out.status = page->status;
    r->headers_out.content_length_n = text.len;
    r->headers_out.content_type = page->type;
    r->headers_out.content_type_len = page->type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}
