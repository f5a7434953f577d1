#include "stream_in.h"

#include "conn_impl.h"
#include "job.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What is thrown away at most, so that the connection can go on. */
static const uint64_t SKIP_MAX = (uint64_t)64 << 20;

struct stream_in {
	struct conn *conn;
	struct exchange *ex;            /* whose body it is; NULL: that has been answered */
	struct event writable;          /* of the stream; in the loop while it is full */
	bool full;
	bool unwanted;                  /* the rest is thrown away */
	bool says_continue, close_after;
	uint64_t skipped;
	bool failed;
	struct answer fault;            /* if it has */
};

static void on_writable(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct stream_in *b = arg;
	struct loop *loop = b->conn->loop;

	loop_enter(loop);
	b->full = false;
	conn_touch(b->conn);
	loop_leave(loop);
}

struct stream_in *stream_in_start(struct exchange *ex, bool says_continue, bool close_after)
{
	struct stream_in *b = malloc(sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct stream_in){ .conn = ex->conn, .ex = ex, .says_continue = says_continue, .close_after = close_after };
	if (event_assign(&b->writable, ex->conn->loop->base, ex->job->in.writer, EV_WRITE, on_writable, b) < 0) {
		free(b);
		return NULL;
	}
	ex->body = b;
	return b;
}

/* Nobody will read the rest of this body. */
static void stop_reading(struct stream_in *b)
{
	b->conn->no_more = true;
	if (b->ex)
		b->ex->wire.keep_alive = false;
}

static void throw_away_from_now_on(struct stream_in *b)
{
	if (b->unwanted)
		return;
	event_del(&b->writable);
	b->full = false;
	b->unwanted = true;
	if (http_body_left(&b->conn->parser.http) > SKIP_MAX)
		stop_reading(b);
}

static size_t throw_away(struct stream_in *b, size_t len)
{
	b->skipped += len;
	if (b->skipped > SKIP_MAX)
		stop_reading(b);
	return len;
}

static void wait_for_room(struct stream_in *b)
{
	b->full = true;
	if (event_add(&b->writable, NULL) < 0)
		b->conn->broken = true;
}

size_t stream_in_take(struct stream_in *b, struct slice part)
{
	size_t taken = 0;

	/* Slow is who sends nothing, not who sends much. */
	b->conn->phase_began = b->conn->loop->now;
	while (!b->unwanted && !b->full && taken < part.len) {
		ssize_t n = write(b->ex->job->in.writer, part.at + taken, part.len - taken);

		if (n > 0)
			taken += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			wait_for_room(b);
		else if (n < 0 && errno != EINTR)
			throw_away_from_now_on(b);      /* the job has closed it */
	}
	return taken + (b->unwanted ? throw_away(b, part.len - taken) : 0);
}

bool stream_in_is_full(const struct stream_in *b)
{
	return b->full;
}

void stream_in_end(struct stream_in *b)
{
	struct conn *conn = b->conn;

	if (!b->unwanted)
		stream_close_writer(&b->ex->job->in);
	if (b->close_after)
		conn->no_more = true;
	stream_in_free(b);
	conn->body = NULL;
}

void stream_in_fail(struct stream_in *b, const struct answer *fault)
{
	b->failed = true;
	b->fault = *fault;
	stop_reading(b);
	if (b->ex && !b->ex->ready)
		exchange_cancel(b->ex);
}

void stream_in_free(struct stream_in *b)
{
	if (!b)
		return;
	event_del(&b->writable);
	if (b->ex)
		b->ex->body = NULL;
	free(b);
}

const struct answer *stream_in_fault(const struct stream_in *b)
{
	return b->failed ? &b->fault : NULL;
}

void stream_in_say_continue(struct stream_in *b, struct buf *out)
{
	if (b->says_continue)
		buf_add_slice(out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	b->says_continue = false;
}

void stream_in_job_over(struct stream_in *b)
{
	throw_away_from_now_on(b);
}

void stream_in_answered(struct stream_in *b)
{
	throw_away_from_now_on(b);
	b->ex = NULL;
}
