#include "stream_out.h"

#include "conn_impl.h"
#include "job.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct stream_out {
	struct parts parts;
	struct exchange *ex;
	struct stream stream;           /* its reading end */
	struct event readable;
	bool begun;                     /* the head was written */
};

enum pulled { PULLED_ALL, PULLED_ENOUGH, PULLED_END };

static struct stream_out *of(struct exchange *ex)
{
	return container_of(ex->parts, struct stream_out, parts);
}

static void begin(struct stream_out *s)
{
	struct exchange *ex = s->ex;

	/* What has come through the stream was written after the start; the state says so where no stream can. */
	(void)shim_load(&ex->job->state, acquire);
	reply_stream_begin(&ex->conn->out.bytes, &ex->wire, ex->job);
	s->begun = true;
}

/* While memory is short, no more waits than an answer that is not fetched may take then. */
static size_t step_of(struct loop *loop)
{
	return purse_is_scarce(&loop->purse) ? PARTS_SCARCE_BYTES : PARTS_WAITING_BYTES;
}

/* What is in the stream goes to the connection's output. */
static enum pulled pull(struct stream_out *s)
{
	struct conn *conn = s->ex->conn;
	struct loop *loop = conn->loop;
	size_t step = step_of(loop);

	while (out_waiting(&conn->out) < step) {
		ssize_t n = read(s->stream.reader, loop->scratch, step);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? PULLED_END : PULLED_ALL;
		if (!s->begun)
			begin(s);
		reply_stream_part(&conn->out.bytes, &s->ex->wire, (struct slice){ loop->scratch, (size_t)n });
	}
	return PULLED_ENOUGH;
}

/* HTTP/1.0 has no other way to say that what came is not all. */
static void end_begun(struct exchange *ex, const struct answer *a)
{
	if (!ex->wire.minor && a->code != CODE_OK)
		conn_reset(ex->conn);
	else
		reply_stream_end(&ex->conn->out.bytes, &ex->wire, a, ex->job);
}

/* The job has come home, and the stream is empty. Takes the exchange's reference on the job. */
static void end_answer(struct stream_out *s)
{
	struct exchange *ex = s->ex;
	const struct answer *a = exchange_job_answer(ex);

	if (!s->begun && a->code == CODE_OK)
		begin(s);
	if (s->begun)
		end_begun(ex, a);
	else
		reply_answer(&ex->conn->out.bytes, &ex->wire, a, ex->job);
	job_unref(ex->job);
}

static bool write_parts(struct parts *parts, struct exchange *ex)
{
	struct stream_out *s = of(ex);
	enum pulled pulled;

	/* Abandoned: all that is left to say was put there. */
	if (ex->ready && !ex->job) {
		if (!ex->wire.minor && s->begun)
			conn_reset(ex->conn);
		ex->conn->broken |= ex->bytes.failed;
		buf_add_slice(&ex->conn->out.bytes, buf_slice(&ex->bytes));
		return true;
	}
	pulled = pull(s);
	parts->more = pulled == PULLED_ENOUGH;
	if (pulled == PULLED_ENOUGH || !ex->ready)
		return false;
	end_answer(s);
	return true;
}

static void end_parts(struct parts *parts unused_arg, struct exchange *ex)
{
	struct stream_out *s = of(ex);

	event_del(&s->readable);
	stream_close_reader(&s->stream);
	free(s);
}

static void on_readable(evutil_socket_t fd unused_arg, short what unused_arg, void *arg)
{
	struct stream_out *s = arg;
	struct conn *conn = s->ex->conn;

	loop_enter(conn->loop);
	conn_touch(conn);
	loop_leave(conn->loop);
}

bool stream_out_start(struct exchange *ex, struct job *job)
{
	struct stream_out *s = malloc(sizeof(*s));

	if (!s)
		return false;
	*s = (struct stream_out){ .parts = { .write = write_parts, .end = end_parts }, .ex = ex, .stream = { job->out.reader, -1 } };
	job->out.reader = -1;
	ex->parts = &s->parts;
	/* An edge, so that it need not be taken out of the loop while the client is slow. */
	return event_assign(&s->readable, ex->conn->loop->base, s->stream.reader, EV_READ | EV_PERSIST | EV_ET, on_readable, s) == 0 &&
	       event_add(&s->readable, NULL) == 0;
}

void stream_out_abandon(struct exchange *ex, struct job *job, const struct answer *a)
{
	struct stream_out *s = of(ex);

	if (s->begun)
		reply_stream_end(&ex->bytes, &ex->wire, a, job);
	else
		reply_answer(&ex->bytes, &ex->wire, a, job);
	event_del(&s->readable);
	stream_close_reader(&s->stream);
}
