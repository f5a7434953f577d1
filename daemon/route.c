#include "route.h"

#include "args.h"
#include "batch.h"
#include "events.h"
#include "exchange.h"
#include "http.h"
#include "http_query.h"
#include "inquiry.h"
#include "leatd.h"
#include "map.h"
#include "page.h"
#include "payloads.h"
#include "report.h"
#include "tokens.h"

#include <stdlib.h>

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

/* `stream=1`: the output is wanted as it comes. */
static bool set_stream(struct exchange *ex, struct request *request, const struct http_request *http, struct answer *why)
{
	char said = '0';
	int n = http->query.len > 0 ? http_query_value(http->query, SLICE("stream"), &said, 1) : -1;

	if (n != -1 && (n != 1 || (said != '0' && said != '1'))) {
		*why = answer_make(CODE_ERR, "stream is 1, or 0");
		return false;
	}
	request->stream_out = said == '1';
	ex->wire.streamed = request->stream_out;
	return true;
}

/* The pairs `arg.NAME=VALUE` of the query. */
static bool add_args(struct arg_values *args, struct slice query, char *room, struct answer *why)
{
	const struct slice prefix = SLICE("arg.");
	struct http_pair pair;
	int n;

	args->count = 0;
	while ((n = http_query_next(&query, &pair, &room)) > 0) {
		if (pair.name.len < prefix.len || memcmp(pair.name.at, prefix.at, prefix.len) != 0)
			continue;
		pair.name = (struct slice){ pair.name.at + prefix.len, pair.name.len - prefix.len };
		if (!arg_values_add(args, pair.name, pair.value, why))
			return false;
	}
	if (n < 0)
		*why = answer_make(CODE_ERR, "the query is not percent-encoded as it should be");
	return n == 0;
}

/* By itself, so that requests without a query do without the room. */
static never_inline void run_with_query(struct exchange *ex, struct request *request, struct slice query)
{
	char room[HTTP_LINE_MAX];
	struct arg_values args;
	struct answer why;

	if (!add_args(&args, query, room, &why)) {
		exchange_answer(ex, &why);
		return;
	}
	if (args.count > 0)
		request->args = &args;
	exchange_run(ex, request);
}

/* Of the form that all versions have so far (W3C Trace Context): jobs may rely on it. */
static bool is_traceparent(struct slice text)
{
	static const char form[] = "00-00000000000000000000000000000000-0000000000000000-00";

	if (text.len != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (form[i] == '-' ? text.at[i] != '-' : hex_digit(text.at[i]) < 0)
			return false;
	}
	return true;
}

/* What the headers say, and the deadline. */
static bool set_common(struct request *request, const struct http_request *http, struct answer *why)
{
	if (!http->has_body) {
		*why = answer_make(CODE_ERR, "a POST needs a Content-Length or a chunked body, if only of length 0");
		why->http_status = 411;
		return false;
	}
	if (is_traceparent(http->traceparent))
		request->traceparent = http->traceparent;
	return set_deadline(request, http, why) && (!http->leat_id.at || request_set_id(request, http->leat_id, why));
}

static void post_run(struct exchange *ex, const struct http_request *http, struct slice job)
{
	struct request request = { .job = job, .payload = http->body, .stream_in = http->streamed };
	struct answer why;

	if (!set_common(&request, http, &why) || !set_stream(ex, &request, http, &why))
		exchange_answer(ex, &why);
	else if (http->query.len > 0)
		run_with_query(ex, &request, http->query);
	else
		exchange_run(ex, &request);
}

/* A number of the query, if it is there. */
static bool set_number(struct map_request *map, struct slice query, struct slice name,
		       bool (*set)(struct map_request *, struct slice text, struct answer *why), struct answer *why)
{
	char room[32];
	int n = http_query_value(query, name, room, sizeof(room));

	return n == -1 || set(map, (struct slice){ room, n < 0 ? 0 : (size_t)n }, why);
}

static bool set_order(struct map_request *map, struct slice query, struct answer *why)
{
	char room[32];
	int n = http_query_value(query, SLICE("order"), room, sizeof(room));
	struct slice order = { room, n < 0 ? 0 : (size_t)n };

	map->as_they_end = n == -1 || slice_is(order, SLICE("end"));
	if (map->as_they_end || slice_is(order, SLICE("input")))
		return true;
	*why = answer_make(CODE_ERR, "the order is not `input` or `end`");
	return false;
}

/* The body is in the connection's window, which may be written to until the request has been dealt with. */
static bool set_payloads(struct map_request *map, struct payloads *payloads, const struct http_request *http, struct answer *why)
{
	bool good = payloads_read(payloads, (char *)(uintptr_t)http->body.at, http->body.len, http->content_type, BATCH_ITEMS_MAX, why);

	map->payloads = payloads->list;
	map->count = payloads->count;
	return good;
}

static bool set_map(struct map_request *map, struct payloads *payloads, const struct http_request *http, struct answer *why)
{
	return set_common(&map->request, http, why) && set_number(map, http->query, SLICE("width"), map_set_width, why) &&
	       set_number(map, http->query, SLICE("quorum"), map_set_quorum, why) && set_order(map, http->query, why) &&
	       set_payloads(map, payloads, http, why);
}

static void post_map(struct exchange *ex, const struct http_request *http, struct slice job)
{
	struct map_request map = { .request.job = job };
	struct payloads payloads = { 0 };
	char room[HTTP_LINE_MAX];
	struct arg_values args;
	struct answer why;

	if (set_map(&map, &payloads, http, &why) && add_args(&args, http->query, room, &why)) {
		map.request.args = args.count > 0 ? &args : NULL;
		map_run(ex, &map);
	} else {
		exchange_answer(ex, &why);
	}
	free(payloads.list);
}

/* The segments of the address are the jobs. False: there are too few, or too many. */
static bool set_pipe(struct request *request, struct slice stages[PIPE_STAGES_MAX + 1], struct slice rest, struct answer *why)
{
	size_t n = 0;

	while (n <= PIPE_STAGES_MAX) {
		const char *slash = memchr(rest.at, '/', rest.len);
		size_t len = slash ? (size_t)(slash - rest.at) : rest.len;

		stages[n++] = (struct slice){ rest.at, len };
		if (!slash)
			break;
		rest = (struct slice){ slash + 1, rest.len - len - 1 };
	}
	return request_set_stages(request, stages, n, why);
}

/* Those of RUN would be of no job in particular. */
static never_inline bool has_args(struct slice query, struct answer *why)
{
	char room[HTTP_LINE_MAX];
	struct arg_values args;

	if (!add_args(&args, query, room, why))
		return true;
	*why = answer_make(CODE_ERR, "a pipe takes no arguments");
	return args.count > 0;
}

static void post_pipe(struct exchange *ex, const struct http_request *http, struct slice rest)
{
	struct request request = { .payload = http->body, .stream_in = http->streamed };
	struct slice stages[PIPE_STAGES_MAX + 1];
	struct answer why;

	if (!set_common(&request, http, &why) || !set_stream(ex, &request, http, &why) || !set_pipe(&request, stages, rest, &why) ||
	    (http->query.len > 0 && has_args(http->query, &why)))
		exchange_answer(ex, &why);
	else
		exchange_run(ex, &request);
}

static void get_jobs(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	struct buf body = { 0 };

	report_json(exchange_catalogue(ex), report_job, &body);
	content(ex, SLICE("application/json"), &body);
}

static void answer_ps(struct exchange *ex, const struct inquiry_result *result)
{
	struct buf body = { 0 };

	report_inquiry_json(result, &body);
	body.failed |= result->no_memory;
	content(ex, SLICE("application/json"), &body);
}

static void get_ps(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	inquiry_start(ex, INQUIRY_JOBS, SLICE(""), answer_ps);
}

static void no_content(struct exchange *ex)
{
	reply_content(exchange_begin(ex), &ex->wire, 204, SLICE(""), SLICE(""));
	exchange_end(ex);
}

static void answer_cancel(struct exchange *ex, const struct inquiry_result *result)
{
	if (result->cancelled)
		no_content(ex);
	else if (result->no_memory)
		fail(ex, CODE_BUSY, 503, "no memory left to look for it everywhere");
	else
		fail(ex, CODE_NOID, 404, "no job of this id waits or runs");
}

static void delete_ps(struct exchange *ex, const struct http_request *http unused_arg, struct slice id)
{
	struct request request;
	struct answer why;

	if (request_set_id(&request, id, &why))
		inquiry_start(ex, INQUIRY_CANCEL, request.id, answer_cancel);
	else
		exchange_answer(ex, &why);
}

static void set_paused(struct exchange *ex, struct slice job, bool paused)
{
	struct answer why;

	if (request_pause(exchange_catalogue(ex), job, paused, &why))
		no_content(ex);
	else
		exchange_answer(ex, &why);
}

static void post_pause(struct exchange *ex, const struct http_request *http unused_arg, struct slice job)
{
	set_paused(ex, job, true);
}

static void post_resume(struct exchange *ex, const struct http_request *http unused_arg, struct slice job)
{
	set_paused(ex, job, false);
}

static void post_drain(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	request_drain(exchange_leatd(ex), ex->who);
	no_content(ex);
}

static void get_page(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	page_answer(ex, exchange_leatd(ex)->page);
}

static void get_events(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	events_answer(ex);
}

static void answer_reload(struct exchange *ex, const struct inquiry_result *result)
{
	const struct inquiry_reload *reload = result->reload;
	struct buf body = { 0 };

	if (!reload) {
		fail(ex, CODE_BUSY, 503, "leatd is about to end, or has too much to do");
	} else if (!reload->done) {
		buf_add_slice(&body, buf_slice(&reload->words));
		buf_add_char(&body, '\0');
		fail(ex, CODE_ERR, 400, body.failed ? "it is wrong: see the log" : body.at);
		buf_free(&body);
	} else {
		buf_addf(&body, "{\"added\":%zu,\"changed\":%zu,\"removed\":%zu,\"at_restart\":", reload->added, reload->changed, reload->removed);
		buf_add_json(&body, buf_slice(&reload->at_restart));
		buf_add_slice(&body, SLICE("}\n"));
		content(ex, SLICE("application/json"), &body);
	}
}

static void post_reload(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	inquiry_start(ex, INQUIRY_RELOAD, SLICE(""), answer_reload);
}

static void get_metrics(struct exchange *ex, const struct http_request *http unused_arg, struct slice rest unused_arg)
{
	struct buf body = { 0 };

	report_metrics(exchange_catalogue(ex), &body);
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

/* An address takes one method. */
static const struct route {
	struct slice path;              /* ends in '/', but for that alone: what follows, up to `end`, is handed over */
	struct slice end;
	enum http_method method;        /* GET stands for HEAD too */
	enum right right;
	void (*run)(struct exchange *, const struct http_request *, struct slice rest);
} routes[] = {
	{ SLICE("/v1/run/"), SLICE(""), HTTP_POST, RIGHT_LOOK, post_run },
	{ SLICE("/v1/map/"), SLICE(""), HTTP_POST, RIGHT_LOOK, post_map },
	{ SLICE("/v1/pipe/"), SLICE(""), HTTP_POST, RIGHT_LOOK, post_pipe },
	{ SLICE("/v1/jobs"), SLICE(""), HTTP_GET, RIGHT_LOOK, get_jobs },
	{ SLICE("/v1/jobs/"), SLICE("/pause"), HTTP_POST, RIGHT_OPS, post_pause },
	{ SLICE("/v1/jobs/"), SLICE("/resume"), HTTP_POST, RIGHT_OPS, post_resume },
	{ SLICE("/v1/ps"), SLICE(""), HTTP_GET, RIGHT_OPS, get_ps },
	{ SLICE("/v1/ps/"), SLICE(""), HTTP_DELETE, RIGHT_OPS, delete_ps },
	{ SLICE("/v1/events"), SLICE(""), HTTP_GET, RIGHT_LOOK, get_events },
	{ SLICE("/v1/drain"), SLICE(""), HTTP_POST, RIGHT_OPS, post_drain },
	{ SLICE("/"), SLICE(""), HTTP_GET, RIGHT_NONE, get_page },
	{ SLICE("/v1/reload"), SLICE(""), HTTP_POST, RIGHT_OPS, post_reload },
	{ SLICE("/metrics"), SLICE(""), HTTP_GET, RIGHT_LOOK, get_metrics },
	{ SLICE("/healthz"), SLICE(""), HTTP_GET, RIGHT_NONE, get_health },
	{ SLICE("/readyz"), SLICE(""), HTTP_GET, RIGHT_LOOK, get_ready },
};

/* True, and what stands between the beginning and the end of the address. */
static bool matches(const struct route *route, struct slice path, struct slice *rest)
{
	const size_t least = route->path.len + route->end.len;

	*rest = SLICE("");
	if (route->path.at[route->path.len - 1] != '/' || route->path.len == 1)
		return slice_is(path, route->path);
	if (path.len <= least || memcmp(path.at, route->path.at, route->path.len) != 0 ||
	    memcmp(path.at + path.len - route->end.len, route->end.at, route->end.len) != 0)
		return false;
	*rest = (struct slice){ path.at + route->path.len, path.len - least };
	return true;
}

static const char *allowed(const struct route *route)
{
	switch (route->method) {
	case HTTP_POST:
		return "POST, OPTIONS";
	case HTTP_DELETE:
		return "DELETE, OPTIONS";
	case HTTP_GET:
	case HTTP_HEAD:
	case HTTP_PUT:
	case HTTP_OPTIONS:
	case HTTP_PATCH:
	case HTTP_OTHER:
		break;
	}
	return "GET, HEAD, OPTIONS";
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

/* The configured text in place of the one that was sent, which is gone when the job has run. */
static bool is_not(struct slice entry, void *arg)
{
	struct slice *origin = arg;

	if (!slice_is_nocase(entry, *origin))
		return true;
	*origin = entry;
	return false;
}

/* A page that had a name of its own point to this machine (DNS rebinding) gives that name; an address can only be ours. */
static bool host_is_ours(const struct exchange *ex, struct slice host)
{
	struct slice name = host_name(host);

	for (char **known = exchange_leatd(ex)->hosts; *known; known++) {
		if (slice_is_nocase(name, slice_of(*known)))
			return true;
	}
	return !config_each(exchange_catalogue(ex)->config->server.server_names, is_not, &name) || exchange_came_to(ex, name);
}

/* A page that leatd has served itself. */
static bool origin_is_own(const struct http_request *http, bool secure)
{
	struct slice origin = http->origin, scheme = secure ? SLICE("https://") : SLICE("http://");

	return origin.len == http->host.len + scheme.len && memcmp(origin.at, scheme.at, scheme.len) == 0 &&
	       slice_is_nocase((struct slice){ origin.at + scheme.len, origin.len - scheme.len }, http->host);
}

struct slice route_origin(const struct catalogue *c, struct slice origin)
{
	return config_each(c->config->server.allow_origins, is_not, &origin) ? (struct slice){ NULL, 0 } : origin;
}

static bool may_ask(struct exchange *ex, const struct http_request *http)
{
	if (http->host.at && !host_is_ours(ex, http->host))
		exchange_deny_host(ex);
	else if (http->origin.at && !ex->wire.origin.len && !origin_is_own(http, exchange_is_secure(ex)))
		exchange_deny_origin(ex);
	else
		return true;
	return false;
}

static struct type *type_below(const struct catalogue *c, const struct http_request *http, struct slice folder)
{
	struct slice path = http->path;

	if (http->method != HTTP_POST || path.len < folder.len || memcmp(path.at, folder.at, folder.len) != 0)
		return NULL;
	return catalogue_type(c, (struct slice){ path.at + folder.len, path.len - folder.len });
}

/* Who reads the payload of a pipe. */
static struct type *first_of_pipe(const struct catalogue *c, const struct http_request *http)
{
	const struct slice folder = SLICE("/v1/pipe/"), path = http->path;
	const char *slash = path.len > folder.len ? memchr(path.at + folder.len, '/', path.len - folder.len) : NULL;
	struct http_request first = *http;

	if (!slash)
		return NULL;
	first.path.len = (size_t)(slash - path.at);
	return type_below(c, &first, folder);
}

struct type *route_type(const struct catalogue *c, const struct http_request *http)
{
	struct type *type = type_below(c, http, SLICE("/v1/run/"));

	if (!type)
		type = type_below(c, http, SLICE("/v1/map/"));
	return type ? type : first_of_pipe(c, http);
}

bool route_streams_body(const struct catalogue *c, const struct http_request *http)
{
	const struct type *type = type_below(c, http, SLICE("/v1/run/"));

	if (!type)
		type = first_of_pipe(c, http);
	return http->has_body && type && type->config->streams_stdin;
}

static const struct route *find_route(const struct http_request *http, struct slice *rest)
{
	for (size_t i = 0; i < countof(routes); i++) {
		if (matches(&routes[i], http->path, rest))
			return &routes[i];
	}
	return NULL;
}

/* Of `Authorization: Bearer TOKEN`. Empty: of another form. */
static struct slice bearer(struct slice authorization)
{
	static const char scheme[] = "Bearer ";
	size_t at = sizeof(scheme) - 1;

	if (authorization.len < at || strncasecmp(authorization.at, scheme, at) != 0)
		return (struct slice){ NULL, 0 };
	while (at < authorization.len && authorization.at[at] == ' ')
		at++;
	return (struct slice){ authorization.at + at, authorization.len - at };
}

bool route_admits(struct exchange *ex, const struct http_request *http)
{
	const struct tokens *tokens = exchange_tokens(ex);
	struct slice rest;
	const struct route *route = find_route(http, &rest);

	if (http->origin.at)
		ex->wire.origin = route_origin(exchange_catalogue(ex), http->origin);
	/* What is said goes before who the kernel or the certificate says it is. */
	if (tokens && http->authorization.at)
		ex->who = tokens_find(tokens, bearer(http->authorization));
	if (ex->who || (route && route->right == RIGHT_NONE))
		return true;
	/* A browser asks whether it may before it says who it is. */
	if (http->method == HTTP_OPTIONS && !http->has_body && !http->authorization.at)
		return true;
	if (http->has_body)
		ex->close_after = true;
	if (ex->close_after)
		ex->wire.keep_alive = false;
	exchange_deny_stranger(ex, http->authorization.at ? "wrong token" : "authentication required: Authorization: Bearer TOKEN");
	return false;
}

/* `*` is all of them. */
static void options(struct exchange *ex, const struct route *route)
{
	reply_options(exchange_begin(ex), &ex->wire, route ? allowed(route) : "GET, HEAD, POST, DELETE, OPTIONS");
	exchange_end(ex);
}

static void run_route(struct exchange *ex, const struct route *route, const struct http_request *http, struct slice rest)
{
	enum http_method method = http->method == HTTP_HEAD ? HTTP_GET : http->method;

	if (!token_may(ex->who, route->right)) {
		exchange_deny_right(ex, "ops", (struct slice){ NULL, 0 });
	} else if (method == route->method) {
		route->run(ex, http, rest);
	} else {
		reply_not_allowed(exchange_begin(ex), &ex->wire, allowed(route));
		exchange_end(ex);
	}
}

void route_dispatch(struct exchange *ex, const struct http_request *http)
{
	struct slice rest;
	const struct route *route = find_route(http, &rest);

	if (!route_admits(ex, http) || !may_ask(ex, http))
		return;
	if (http->method == HTTP_OPTIONS && (route || slice_is(http->path, SLICE("*"))))
		options(ex, route);
	else if (route)
		run_route(ex, route, http, rest);
	else if (http->method == HTTP_OTHER)
		fail(ex, CODE_ERR, 501, "unknown method");
	else
		fail(ex, CODE_ERR, 404, "nothing at this address; there are /, /v1/run/JOB, /v1/map/JOB, /v1/pipe/JOB/JOB, /v1/jobs, /v1/ps, /v1/events, "
		     "/v1/drain, /v1/reload, /metrics, /healthz, /readyz");
}
