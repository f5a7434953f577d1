#include "events.h"

#include "access.h"
#include "conn_impl.h"
#include "inquiry.h"
#include "leatd.h"
#include "report.h"
#include "tokens.h"

#include <stdlib.h>

#define INTERVAL_NS (1 * SECONDS)

enum { RECONNECT_MS = 2000 };

struct event_stream {
	struct parts parts;             /* first */
	struct exchange *exchange;
	struct access *access;          /* that has let it in; a reference */
	struct wheel_timer timer;
	struct buf next;                /* an event that is not written yet; counts as the connection's kept_bytes */
	uint64_t number;                /* of events */
	bool begun;
	bool ops;                       /* may see the jobs in flight */
};

static struct loop *loop_of(const struct event_stream *stream)
{
	return stream->exchange->conn->loop;
}

/* Why it has to end, or NULL. */
static const char *reason_to_end(const struct event_stream *stream)
{
	const struct loop *loop = loop_of(stream);

	if (loop->stopping || shim_load(&loop->leatd->draining, relaxed))
		return "stopping";
	/* It may be for a token that is no more. */
	return loop->catalogue->access != stream->access ? "tokens" : NULL;
}

/* --- Writing --- */

static void add_head(struct buf *to, const struct wire *wire)
{
	reply_chunked(to, wire, SLICE("text/event-stream"),
		      SLICE("Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n"));
}

static void add_chunk(struct buf *to, struct slice chunk)
{
	http_begin_chunk(to, chunk.len);
	buf_add_slice(to, chunk);
	http_end_chunk(to);
}

static void forget_next(struct event_stream *stream)
{
	stream->exchange->conn->kept_bytes -= stream->next.cap;
	buf_free(&stream->next);
}

static void add_end(struct buf *to, const char *why)
{
	char room[64];
	struct buf text = buf_on(room);

	buf_addf(&text, "event: end\ndata: %s\n\n", why);
	add_chunk(to, buf_slice(&text));
	buf_free(&text);
	http_last_chunk(to);
	buf_add_slice(to, SLICE("\r\n"));
}

static bool write_parts(struct parts *parts, struct exchange *ex)
{
	struct event_stream *stream = container_of(parts, struct event_stream, parts);
	struct buf *to = &ex->conn->out.bytes;
	const char *why = reason_to_end(stream);

	if (!stream->begun)
		add_head(to, &ex->wire);
	stream->begun = true;
	if (stream->next.len > 0)
		add_chunk(to, buf_slice(&stream->next));
	forget_next(stream);
	if (why)
		add_end(to, why);
	return why != NULL;
}

static void end_parts(struct parts *parts, struct exchange *ex)
{
	struct event_stream *stream = container_of(parts, struct event_stream, parts);
	struct leatd *leatd = loop_of(stream)->leatd;

	wheel_remove(&stream->timer);
	if (ex->inquiry)
		inquiry_forget(ex->inquiry);
	ex->inquiry = NULL;
	forget_next(stream);
	access_unref(stream->access);
	free(stream);
	leatd_discharge(leatd, sizeof(*stream));
	shim_sub(&leatd->event_streams, 1, relaxed);
}

/* --- An event --- */

static void compose(struct event_stream *stream, const struct inquiry_result *jobs)
{
	struct buf *to = &stream->next;
	struct conn *conn = stream->exchange->conn;

	buf_addf(to, "id: %llu\n", (unsigned long long)++stream->number);
	if (stream->number == 1)
		buf_addf(to, "retry: %d\n", RECONNECT_MS);
	buf_add_slice(to, SLICE("data: "));
	report_snapshot(loop_of(stream)->catalogue, jobs, to);
	buf_add_slice(to, SLICE("\n\n"));
	/* Half of one is none; there is another one in a second. */
	if (to->failed)
		buf_free(to);
	conn->kept_bytes += to->cap;
	conn_touch(conn);
}

static void compose_with_jobs(struct exchange *ex, const struct inquiry_result *jobs)
{
	compose(container_of(ex->parts, struct event_stream, parts), jobs);
}

/* The one before is not sent, or not even made. */
static bool has_to_wait(const struct event_stream *stream)
{
	const struct exchange *ex = stream->exchange;

	return stream->next.len > 0 || out_waiting(&ex->conn->out) > 0 || ex->inquiry;
}

static void make_event(struct event_stream *stream)
{
	if (stream->ops)
		(void)inquiry_follow(stream->exchange, INQUIRY_JOBS, compose_with_jobs);
	else
		compose(stream, NULL);
}

static void on_timer(struct wheel_timer *timer)
{
	struct event_stream *stream = container_of(timer, struct event_stream, timer);

	wheel_set(&loop_of(stream)->wheel, timer, moment_add(loop_of(stream)->now, INTERVAL_NS));
	if (reason_to_end(stream))
		conn_touch(stream->exchange->conn);
	else if (!has_to_wait(stream))
		make_event(stream);
}

/* --- Its beginning --- */

static void refuse(struct exchange *ex, const char *detail, const char *reason)
{
	struct answer a = answer_make(CODE_BUSY, detail);

	answer_fact_text(&a, "reason", slice_of(reason));
	answer_fact(&a, "retry_ms", RECONNECT_MS);
	exchange_answer(ex, &a);
}

static void fail(struct exchange *ex, enum code code, int status, const char *detail)
{
	struct answer a = answer_make(code, detail);

	a.http_status = status;
	exchange_answer(ex, &a);
}

/* One more, if there may be. */
static bool take_place(const struct catalogue *c)
{
	struct leatd *leatd = c->leatd;

	if (shim_add(&leatd->event_streams, 1, relaxed) < c->config->server.event_streams)
		return true;
	shim_sub(&leatd->event_streams, 1, relaxed);
	return false;
}

static void start(struct exchange *ex, struct event_stream *stream)
{
	struct loop *loop = ex->conn->loop;
	bool ops = token_may(ex->who, RIGHT_OPS);

	*stream = (struct event_stream){ .parts = { .write = write_parts, .end = end_parts }, .access = access_ref(loop->catalogue->access), .ops = ops };
	stream->exchange = exchange_in_parts(ex, &stream->parts);
	if (!stream->exchange) {
		access_unref(stream->access);
		free(stream);
		leatd_discharge(loop->leatd, sizeof(*stream));
		shim_sub(&loop->leatd->event_streams, 1, relaxed);
		return;
	}
	stream->timer.fire = on_timer;
	wheel_set(&loop->wheel, &stream->timer, moment_add(loop->now, INTERVAL_NS));
	make_event(stream);
}

static void answer_get(struct exchange *ex)
{
	struct leatd *leatd = exchange_leatd(ex);
	bool paid = leatd_charge(leatd, sizeof(struct event_stream));
	struct event_stream *stream = paid ? malloc(sizeof(*stream)) : NULL;

	if (stream) {
		start(ex, stream);
		return;
	}
	if (paid)
		leatd_discharge(leatd, sizeof(*stream));
	shim_sub(&leatd->event_streams, 1, relaxed);
	refuse(ex, "no memory left for it", "memory");
}

void events_answer(struct exchange *ex)
{
	struct leatd *leatd = exchange_leatd(ex);

	if (!ex->wire.minor) {
		fail(ex, CODE_ERR, 505, "an event stream needs HTTP/1.1");
	} else if (shim_load(&leatd->draining, relaxed)) {
		fail(ex, CODE_DRAINING, 503, "leatd is stopping");
	} else if (ex->wire.head_only) {
		add_head(exchange_begin(ex), &ex->wire);
		exchange_end(ex);
	} else if (!take_place(exchange_catalogue(ex))) {
		refuse(ex, "too many event streams; see event_streams", "event_streams");
	} else {
		answer_get(ex);
	}
}
