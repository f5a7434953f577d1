/* An open-loop load generator: `openloop --help`. One thread; it waits for sockets and for the next arrival in one place. */
#include "openloop/options.h"
#include "openloop/tally.h"

#include "../../lib/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_MAX = 8192, EVENTS = 256, SENDS_BETWEEN_LOOKS = 64, WINDOW_MS = 100 };

/* How long an answer may be overdue before it is called unanswered. */
static const int64_t patience = 2 * SECONDS;

struct connection {
	int fd;
	struct source *source;
	bool is_connecting;
	size_t idle_at;                     /* in source->idle, when nothing is under way */
	unsigned first, under_way;          /* in due[], a ring */
	moment due[OPTIONS_PIPELINE];
	size_t have;
	char bytes[REPLY_MAX + 1];
};

struct source {
	const char *name;
	struct in_addr from;
	struct arrivals arrivals;
	struct connection **idle;           /* the last used is used next: its memory is warm, and too many do no harm */
	size_t idle_count;
	unsigned connection_count;
	struct tally tally;
};

/* By when the requests were due, but `goodput`: by when they were done. */
struct window {
	uint64_t offered, ok, refused, other, goodput;
	int64_t slowest_ns;
};

struct load {
	struct options options;
	int epoll;
	reply_read *read;
	char *requests;                     /* as many as may be pipelined, one behind the other */
	size_t request_bytes;
	struct source sources[OPTIONS_SOURCES];
	uint64_t under_way, opened;
	moment begin, measured, end;
	struct histogram lag;
	struct window *windows;
	size_t window_count;
};

static void give_up(const char *what)
{
	fprintf(stderr, "openloop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool counts(const struct load *l, moment due)
{
	return due >= l->measured;
}

static struct window *window_of(struct load *l, moment when)
{
	size_t i = (size_t)((when - l->begin) / (WINDOW_MS * MILLISECONDS));

	return &l->windows[i < l->window_count ? i : l->window_count - 1];
}

/* --- requests --- */

static void write_request(struct load *l)
{
	const struct options *o = &l->options;
	char *text;
	int n;

	if (o->asks_nothing && o->is_http)
		n = asprintf(&text, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", o->server);
	else if (o->asks_nothing)
		n = asprintf(&text, "*1\r\n$4\r\nPING\r\n");
	else if (o->is_http)
		n = asprintf(&text, "POST /v1/run/%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n%s", o->job, o->server, strlen(o->payload), o->payload);
	else
		n = asprintf(&text, "*3\r\n$3\r\nRUN\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(o->job), o->job, strlen(o->payload), o->payload);
	if (n < 0)
		give_up("request");
	l->request_bytes = (size_t)n;
	l->requests = malloc(l->request_bytes * o->pipeline);
	if (!l->requests)
		give_up("requests");
	for (unsigned i = 0; i < o->pipeline; i++)
		memcpy(l->requests + i * l->request_bytes, text, l->request_bytes);
	free(text);
}

/* An answer, or none if `reply` is NULL, to a request that was due at `due`. */
static void conclude(struct load *l, struct source *source, moment due, const struct reply *reply, const char *error)
{
	moment now = moment_now();
	bool in_time = now - due <= l->options.deadline_ns;
	struct window *window = window_of(l, due);

	l->under_way--;
	if (reply && reply->kind == REPLY_OK && in_time) {
		window->ok++;
		window_of(l, now)->goodput++;
		if (now >= l->measured && now < l->end)
			source->tally.done++;
		if (now - due > window->slowest_ns)
			window->slowest_ns = now - due;
	} else if (reply && reply->kind == REPLY_REFUSED) {
		window->refused++;
	} else {
		window->other++;
	}
	if (!counts(l, due))
		return;
	if (reply)
		tally_answer(&source->tally, reply, now - due, in_time);
	else
		tally_error(&source->tally, error);
}

/* --- connections --- */

static void make_idle(struct connection *c)
{
	c->idle_at = c->source->idle_count;
	c->source->idle[c->source->idle_count++] = c;
}

static void take_idle(struct connection *c)
{
	struct connection *last = c->source->idle[--c->source->idle_count];

	c->source->idle[c->idle_at] = last;
	last->idle_at = c->idle_at;
}

static void watch(struct load *l, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (epoll_ctl(l->epoll, operation, c->fd, &event) < 0)
		give_up("epoll_ctl");
}

/* Without TIME_WAIT, which would use the ports up over many runs. */
static void drop(struct load *l, struct connection *c, const char *error)
{
	const struct linger reset = { .l_onoff = 1 };

	if (c->under_way == 0)
		take_idle(c);
	for (; c->under_way > 0; c->under_way--)
		conclude(l, c->source, c->due[c->first++ % OPTIONS_PIPELINE], NULL, error);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(c->fd);
	c->source->connection_count--;
	free(c);
}

/* A connection that is not idle. `waits`: until it is there. NULL if it cannot be had. */
static struct connection *open_connection(struct load *l, struct source *source, bool waits)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr = source->from };
	const int yes = 1;
	struct connection *c;
	int fd;

	if (source->connection_count >= l->options.max_connections)
		return NULL;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0);
	if (fd < 0)
		return NULL;
	/* The port is chosen at connect(), when the other end is known, so that one address has as many as there are pairs. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if ((source->from.s_addr != INADDR_ANY && bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0) ||
		(connect(fd, (const struct sockaddr *)&l->options.address, sizeof(l->options.address)) < 0 && errno != EINPROGRESS) ||
		!(c = calloc(1, sizeof(*c)))) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->source = source;
	c->is_connecting = !waits;
	source->connection_count++;
	l->opened++;
	watch(l, c, EPOLL_CTL_ADD, EPOLLIN | (c->is_connecting ? EPOLLOUT : 0));
	return c;
}

static bool send_requests(struct load *l, struct connection *c, unsigned n)
{
	size_t bytes = n * l->request_bytes;

	/* It is a few hundred bytes into an empty socket: what does not fit at once is an error like any other. */
	if (send(c->fd, l->requests, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)bytes)
		return true;
	drop(l, c, "send");
	return false;
}

static void expect_answer(struct load *l, struct connection *c, moment due)
{
	c->due[(c->first + c->under_way++) % OPTIONS_PIPELINE] = due;
	l->under_way++;
	window_of(l, due)->offered++;
	if (counts(l, due))
		c->source->tally.offered++;
}

static void go_on(struct load *l, struct connection *c, unsigned answered)
{
	moment now = moment_now();

	if (!l->options.is_closed || now >= l->end) {
		if (c->under_way == 0)
			make_idle(c);
		return;
	}
	for (unsigned i = 0; i < answered; i++)
		expect_answer(l, c, now);
	send_requests(l, c, answered);
}

static void connected(struct load *l, struct connection *c)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		drop(l, c, "connect");
		return;
	}
	c->is_connecting = false;
	watch(l, c, EPOLL_CTL_MOD, EPOLLIN);
	send_requests(l, c, c->under_way);
}

static void readable(struct load *l, struct connection *c)
{
	ssize_t n = recv(c->fd, c->bytes + c->have, REPLY_MAX - c->have, MSG_DONTWAIT);
	size_t used = 0;
	unsigned answered = 0;
	struct reply reply;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || c->under_way == 0) {
		drop(l, c, n < 0 ? "reset" : n == 0 ? "closed" : "unasked");
		return;
	}
	c->have += (size_t)n;
	c->bytes[c->have] = 0;
	while (used < c->have && c->under_way > 0 && (n = l->read(c->bytes + used, c->have - used, &reply)) > 0) {
		conclude(l, c->source, c->due[c->first++ % OPTIONS_PIPELINE], &reply, NULL);
		c->under_way--;
		answered++;
		used += (size_t)n;
	}
	memmove(c->bytes, c->bytes + used, c->have - used);
	c->have -= used;
	if (n < 0 || c->have == REPLY_MAX || (c->have > 0 && c->under_way == 0)) {
		if (c->under_way == 0)
			make_idle(c);
		drop(l, c, "not_understood");
	} else if (answered > 0) {
		go_on(l, c, answered);
	}
}

/* --- arrivals --- */

static void offer(struct load *l, struct source *source, moment due)
{
	struct connection *c;

	if (source->idle_count > 0) {
		c = source->idle[source->idle_count - 1];
		take_idle(c);
	} else {
		c = open_connection(l, source, false);
	}
	if (counts(l, due))
		histogram_add(&l->lag, moment_now() - due);
	if (c) {
		expect_answer(l, c, due);
		if (!c->is_connecting)
			send_requests(l, c, 1);
		return;
	}
	l->under_way++;
	window_of(l, due)->offered++;
	if (counts(l, due))
		source->tally.offered++;
	conclude(l, source, due, NULL, "no_connection");
}

static struct source *next_source(struct load *l)
{
	struct source *next = &l->sources[0];

	for (unsigned i = 1; i < l->options.source_count; i++) {
		if (l->sources[i].arrivals.next < next->arrivals.next)
			next = &l->sources[i];
	}
	return next;
}

/* Sends what is due; when the next one is. Looks at the answers in between, however far behind it is. */
static moment offer_what_is_due(struct load *l)
{
	struct source *source = next_source(l);

	for (unsigned i = 0; i < SENDS_BETWEEN_LOOKS && source->arrivals.next <= moment_now(); i++) {
		offer(l, source, source->arrivals.next);
		arrivals_step(&source->arrivals);
		source = next_source(l);
	}
	return source->arrivals.next;
}

static void wait_for(struct load *l, moment until)
{
	struct epoll_event events[EVENTS];
	int64_t ns = until - moment_now();
	struct timespec limit = { 0 };
	int n;

	if (ns > 0)
		limit = (struct timespec){ .tv_sec = ns / SECONDS, .tv_nsec = ns % SECONDS };
	n = epoll_pwait2(l->epoll, events, EVENTS, &limit, NULL);
	if (n < 0 && errno != EINTR)
		give_up("epoll_pwait2");
	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if (c->is_connecting)
			connected(l, c);
		else
			readable(l, c);
	}
}

/* --- the run --- */

static void prepare(struct load *l)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* Wake up when it is due, not up to 50 us later so that the kernel may join wake-ups. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	random_seed(l->options.seed);
	l->read = l->options.is_http ? reply_http : reply_resp;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		give_up("epoll_create1");
	write_request(l);
}

static void open_ahead(struct load *l, struct source *source)
{
	source->idle = calloc(l->options.max_connections, sizeof(struct connection *));
	if (!source->idle)
		give_up("connections");
	while (source->connection_count < l->options.connections) {
		struct connection *c = open_connection(l, source, true);

		if (!c)
			give_up(l->options.server);
		make_idle(c);
	}
}

static double prepare_sources(struct load *l)
{
	double seconds = 0;

	for (unsigned i = 0; i < l->options.source_count; i++) {
		struct source *source = &l->sources[i];

		source->name = l->options.sources[i].name;
		source->from = l->options.sources[i].from;
		source->arrivals = l->options.sources[i].arrivals;
		if (arrivals_seconds(&source->arrivals) > seconds)
			seconds = arrivals_seconds(&source->arrivals);
		open_ahead(l, source);
	}
	return seconds;
}

static void start(struct load *l, double seconds)
{
	l->window_count = (size_t)(seconds * 1000 / WINDOW_MS) + (size_t)((l->options.deadline_ns + patience) / MILLISECONDS / WINDOW_MS) + 2;
	l->windows = calloc(l->window_count, sizeof(*l->windows));
	if (!l->windows)
		give_up("windows");
	l->begin = moment_now();
	l->measured = moment_add(l->begin, (int64_t)(l->options.warm_up * (double)SECONDS));
	l->end = moment_add(l->begin, (int64_t)(seconds * (double)SECONDS));
	for (unsigned i = 0; i < l->options.source_count; i++)
		arrivals_start(&l->sources[i].arrivals, l->begin);
}

static void start_closed(struct load *l)
{
	struct source *source = &l->sources[0];

	while (source->idle_count > 0) {
		struct connection *c = source->idle[0];

		take_idle(c);
		go_on(l, c, l->options.pipeline);
	}
}

/* What this program did not come to at all, because somebody stopped it. */
static void own_up(struct load *l)
{
	for (struct source *source = next_source(l); source->arrivals.next != FOREVER; source = next_source(l)) {
		moment due = source->arrivals.next;

		if (counts(l, due)) {
			source->tally.offered++;
			tally_error(&source->tally, "not_sent");
			histogram_add(&l->lag, moment_now() - due);
		}
		arrivals_step(&source->arrivals);
	}
}

static void run(struct load *l)
{
	moment last = moment_add(l->end, l->options.deadline_ns + patience), next;

	if (l->options.is_closed)
		start_closed(l);
	while (moment_now() < last) {
		next = offer_what_is_due(l);
		if (next == FOREVER && l->under_way == 0)
			return;
		wait_for(l, moment_min(next, last));
	}
	own_up(l);
}

static void print_windows(const struct load *l)
{
	for (size_t i = 0; i < l->window_count - 1; i++) {
		const struct window *w = &l->windows[i];

		printf("window at_ms=%zu offered=%" PRIu64 " ok=%" PRIu64 " refused=%" PRIu64 " other=%" PRIu64 " goodput=%" PRIu64 " slowest_us=%.0f\n",
			i * WINDOW_MS, w->offered, w->ok, w->refused, w->other, w->goodput, (double)w->slowest_ns / 1e3);
	}
}

/* Whether the figures may be believed. */
static bool report(struct load *l)
{
	const struct options *o = &l->options;
	double seconds = (double)(l->end - l->measured) / (double)SECONDS;
	int64_t lag = histogram_at(&l->lag, .99);
	static struct tally all; /* too large for a stack */

	printf("run server=%s protocol=%s job=%s loop=%s seed=%" PRIu64 " sources=%u connections_opened=%" PRIu64 "\n", o->server,
		o->is_http ? "http" : "resp", o->job, o->is_closed ? "closed" : "open", o->seed, o->source_count, l->opened);
	for (unsigned i = 0; i < o->source_count; i++) {
		struct tally *t = &l->sources[i].tally;

		t->unanswered = t->offered - t->ok - t->late - t->refused - t->timeout - t->error;
		tally_merge(&all, t);
		if (o->source_count > 1)
			tally_print(t, l->sources[i].name, seconds);
	}
	tally_print(&all, "all", seconds);
	if (o->shows_windows)
		print_windows(l);
	printf("lag p50_us=%.1f p99_us=%.1f max_us=%.1f void=%d\n", (double)histogram_at(&l->lag, .5) / 1e3, (double)lag / 1e3,
		(double)l->lag.max / 1e3, lag > o->max_lag_ns);
	if (lag <= o->max_lag_ns)
		return true;
	fprintf(stderr, "openloop: void: 1 %% of the requests were sent more than %.2f ms later than they were due, %.2f ms are allowed\n",
		(double)lag / 1e6, (double)o->max_lag_ns / 1e6);
	return false;
}

int main(int argc, char **argv)
{
	static struct load load; /* too large for a stack */
	double seconds;

	load.options = options_read(argc, argv);
	prepare(&load);
	seconds = prepare_sources(&load);
	start(&load, seconds);
	run(&load);
	return report(&load) ? 0 : 3;
}
