#include "route.h"

#include "exchange.h"
#include "http.h"
#include "leatd.h"
#include "report.h"

static void fail(struct exchange *ex, enum code code, int status, const char *detail)
{
	struct answer a = answer_make(code, detail);

	a.http_status = status;
	exchange_answer(ex, &a);
}

static void content(struct exchange *ex, struct slice type, struct buf *body)
{
	if (body->failed)
		fail(ex, CODE_BUSY, 503, "no memory left for the answer");
	else {
		reply_content(exchange_begin(ex), &ex->wire, 200, type, buf_slice(body));
		exchange_end(ex);
	}
	buf_free(body);
}

/* A duration from a header or, if there is none, from the query. */
static bool set_deadline(struct request *request, const struct http_request *http, struct answer *why)
{
	char room[32];
	int n;

	if (http->leat_deadline.at)
		return request_set_deadline(request, http->leat_deadline, why);
	n = http_query_value(http->query, SLICE("deadline"), room, sizeof(room));
	if (n == -1)
		return true;
	return request_set_deadline(request, (struct slice){ room, n < 0 ? 0 : (size_t)n }, why);
}

static void post_run(struct exchange *ex, const struct http_request *http, struct slice job)
{
	struct request request = { .job = job, .payload = http->body };
	struct answer why;

	if (!http->has_body) {
		fail(ex, CODE_ERR, 411, "a POST needs a Content-Length or a chunked body, if only of length 0");
		return;
	}
	/* 55 is the length of the only version there is; another one is handed on to nobody. */
	if (http->traceparent.len == 55)
		request.traceparent = http->traceparent;
	if (!set_deadline(&request, http, &why) || (http->leat_id.at && !request_set_id(&request, http->leat_id, &why)))
		exchange_answer(ex, &why);
	else
		exchange_run(ex, &request);
}

static void get_jobs(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	struct buf body = { 0 };

	report_json(exchange_leatd(ex), report_job, &body);
	content(ex, SLICE("application/json"), &body);
}

static void get_metrics(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	struct buf body = { 0 };

	report_metrics(exchange_leatd(ex), &body);
	content(ex, SLICE("text/plain; version=0.0.4; charset=utf-8"), &body);
}

static void get_health(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	struct buf body = { 0 };

	buf_add_slice(&body, SLICE("ok\n"));
	content(ex, SLICE("text/plain; charset=utf-8"), &body);
}

static void get_ready(struct exchange *ex, const struct http_request *http, struct slice rest)
{
	if (shim_load(&exchange_leatd(ex)->draining, relaxed))
		fail(ex, CODE_DRAINING, 503, "leatd is stopping");
	else
		get_health(ex, http, rest);
}

static const struct route {
	struct slice path;              /* ends in '/': what follows is handed over */
	bool post;                      /* else GET and HEAD */
	void (*run)(struct exchange *, const struct http_request *, struct slice rest);
} routes[] = {
	{ SLICE("/v1/run/"), true, post_run },
	{ SLICE("/v1/jobs"), false, get_jobs },
	{ SLICE("/metrics"), false, get_metrics },
	{ SLICE("/healthz"), false, get_health },
	{ SLICE("/readyz"), false, get_ready },
};

static bool matches(const struct route *route, struct slice path)
{
	if (route->path.at[route->path.len - 1] != '/')
		return slice_is(path, route->path);
	return path.len > route->path.len && memcmp(path.at, route->path.at, route->path.len) == 0;
}

/* Without `:PORT`. */
static struct slice host_name(struct slice host)
{
	const char *bracket = host.len && host.at[0] == '[' ? memchr(host.at, ']', host.len) : NULL;
	const char *colon;

	if (bracket)
		return (struct slice){ host.at, (size_t)(bracket + 1 - host.at) };
	colon = host.len ? memchr(host.at, ':', host.len) : NULL;
	return (struct slice){ host.at, colon ? (size_t)(colon - host.at) : host.len };
}

/* A page that had a name of its own point to this machine (DNS rebinding) gives that name. */
static bool host_is_ours(const struct leatd *leatd, struct slice host)
{
	struct slice name = host_name(host);

	for (char **known = leatd->hosts; *known; known++) {
		if (slice_is_nocase(name, slice_of(*known)))
			return true;
	}
	return false;
}

static bool is_not(struct slice entry, void *arg)
{
	return !slice_is_nocase(entry, *(const struct slice *)arg);
}

/* A page that leatd has served itself, or one that the configuration names. */
static bool origin_is_allowed(const struct leatd *leatd, const struct http_request *http)
{
	struct slice origin = http->origin;

	if (origin.len == http->host.len + 7 && memcmp(origin.at, "http://", 7) == 0 &&
	    slice_is_nocase((struct slice){ origin.at + 7, origin.len - 7 }, http->host))
		return true;
	return !config_each(leatd->config->server.allow_origins, is_not, &origin);
}

static bool may_ask(struct exchange *ex, const struct http_request *http)
{
	const struct leatd *leatd = exchange_leatd(ex);

	if (http->host.at && !host_is_ours(leatd, http->host))
		fail(ex, CODE_ERR, 421, "the Host header names none of my addresses; see server_names");
	else if (http->origin.at && !origin_is_allowed(leatd, http))
		fail(ex, CODE_NOAUTH, 403, "a page of this origin may not ask; see allow_origins");
	else
		return true;
	return false;
}

struct type *route_type(const struct leatd *leatd, const struct http_request *http)
{
	const struct slice run = SLICE("/v1/run/"), path = http->path;

	if (http->method != HTTP_POST || path.len < run.len || memcmp(path.at, run.at, run.len) != 0)
		return NULL;
	return leatd_type(leatd, (struct slice){ path.at + run.len, path.len - run.len });
}

void route_dispatch(struct exchange *ex, const struct http_request *http)
{
	bool get = http->method == HTTP_GET || http->method == HTTP_HEAD;

	if (!may_ask(ex, http))
		return;
	for (size_t i = 0; i < countof(routes); i++) {
		const struct route *route = &routes[i];

		if (!matches(route, http->path))
			continue;
		if (route->post ? http->method == HTTP_POST : get) {
			route->run(ex, http, (struct slice){ http->path.at + route->path.len, http->path.len - route->path.len });
		} else {
			reply_not_allowed(exchange_begin(ex), &ex->wire, route->post ? "POST" : "GET, HEAD");
			exchange_end(ex);
		}
		return;
	}
	if (http->method == HTTP_OTHER)
		fail(ex, CODE_ERR, 501, "unknown method");
	else
		fail(ex, CODE_ERR, 404, "nothing at this address; there are /v1/run/JOB, /v1/jobs, /metrics, /healthz, /readyz");
}
