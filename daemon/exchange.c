#include "exchange.h"

#include "conn_impl.h"
#include "inquiry.h"
#include "job.h"
#include "leatd.h"

#include <stdlib.h>

struct leatd *exchange_leatd(const struct exchange *ex)
{
	return ex->conn->loop->leatd;
}

void exchange_set_version(struct exchange *ex, int version)
{
	ex->conn->version = version;
	ex->wire.version = version;
}

uint64_t exchange_conn_number(const struct exchange *ex)
{
	return ex->conn->number;
}

/* --- The line --- */

/* A copy of the handler's exchange at the end of the line. NULL: no memory, and the connection is lost. */
static struct exchange *keep(struct exchange *ex)
{
	struct conn *conn = ex->conn;
	struct exchange *kept = malloc(sizeof(*kept));

	if (!kept) {
		conn->broken = true;
		return NULL;
	}
	*kept = *ex;
	ex->kept = kept;
	*conn->last = kept;
	conn->last = &kept->next;
	conn->exchanges++;
	return kept;
}

/* That an answer takes until its turn comes. Jobs pay for theirs. */
static size_t kept_bytes(const struct exchange *ex)
{
	return sizeof(*ex) + ex->bytes.cap;
}

/* Takes the first one out of the line. */
static struct exchange *take_first(struct conn *conn)
{
	struct exchange *ex = conn->first;

	conn->first = ex->next;
	if (!conn->first)
		conn->last = &conn->first;
	conn->exchanges--;
	if (ex->ready && !ex->job)
		conn->kept_bytes -= kept_bytes(ex);
	wheel_remove(&ex->timer);
	return ex;
}

static void pop(struct conn *conn)
{
	struct exchange *ex = take_first(conn);

	buf_free(&ex->bytes);
	free(ex);
}

struct buf *exchange_begin(struct exchange *ex)
{
	struct conn *conn = ex->conn;

	if (ex->kept)
		return &ex->kept->bytes;
	/* With nobody before it in the line, it is its turn. */
	if (!conn->first || !keep(ex))
		return &conn->out.bytes;
	return &ex->kept->bytes;
}

void exchange_end(struct exchange *ex)
{
	if (ex->kept) {
		ex->kept->ready = true;
		ex->conn->kept_bytes += kept_bytes(ex->kept);
		conn_touch(ex->conn);
	}
	if (ex->close_after)
		ex->conn->no_more = true;
}

struct exchange *exchange_later(struct exchange *ex, struct inquiry *inquiry)
{
	struct exchange *kept = keep(ex);

	if (!kept)
		return NULL;
	kept->kept = kept;
	kept->inquiry = inquiry;
	if (ex->close_after)
		ex->conn->no_more = true;
	return kept;
}

void exchange_answer(struct exchange *ex, const struct answer *a)
{
	struct buf *to = exchange_begin(ex);

	reply_answer(to, &ex->wire, a, NULL);
	if (a->code == CODE_OK) {
		buf_add_slice(to, a->output);
		reply_end(to, &ex->wire);
	}
	exchange_end(ex);
}

/* Takes the exchange's reference on the job. */
static void write_job(struct conn *conn, const struct exchange *ex)
{
	struct buf *to = &conn->out.bytes;
	struct job *job = ex->job;

	reply_answer(to, &ex->wire, &job->answer, job);
	if (job->answer.code != CODE_OK) {
		job_unref(job);
		return;
	}
	if (!out_add_result(&conn->out, job, job->answer.output, purse_is_scarce(&conn->loop->purse)))
		conn->broken = true;
	reply_end(to, &ex->wire);
}

void exchanges_write(struct conn *conn)
{
	while (conn->first && conn->first->ready) {
		struct exchange *ex = conn->first;

		if (ex->job)
			write_job(conn, ex);
		else if (ex->bytes.failed)
			conn->broken = true;
		else
			buf_add_slice(&conn->out.bytes, buf_slice(&ex->bytes));
		pop(conn);
	}
	if (conn->out.bytes.failed)
		conn->broken = true;
}

/* --- Jobs --- */

/* Takes the job out of its queue, if it is still there, and ends it. */
static bool give_up_waiting(struct exchange *ex, enum code code)
{
	struct loop *loop = ex->conn->loop;

	if (!job_give_up(ex->job, code, loop->now))
		return false;
	loop->jobs_out--;
	return true;
}

static void settle(struct exchange *ex)
{
	wheel_remove(&ex->timer);
	ex->ready = true;
	conn_touch(ex->conn);
}

bool exchange_cancel(struct exchange *ex)
{
	/* Its client has gone, so it is cancelled already. */
	if (!ex->conn)
		return true;
	if (give_up_waiting(ex, CODE_CANCELED)) {
		/* A runner may hold it at the gate of a paused type. */
		ctx_cancel(ex->job->ctx);
		settle(ex);
		return true;
	}
	if (shim_load(&ex->job->state, relaxed) == JOB_ENDED)
		return false;
	ctx_cancel(ex->job->ctx);
	return true;
}

/* Its deadline. A job that runs is its runner's to stop. */
static void on_deadline(struct wheel_timer *timer)
{
	struct exchange *ex = container_of(timer, struct exchange, timer);

	if (give_up_waiting(ex, CODE_TIMEOUT))
		settle(ex);
}

static struct ctx *conn_ctx(struct conn *conn)
{
	if (!conn->ctx)
		conn->ctx = ctx_with_cancel(conn->loop->ctx);
	return conn->ctx;
}

/* The job is on its way: its end will be the answer. */
static void await(struct exchange *ex, struct job *job)
{
	struct loop *loop = ex->conn->loop;
	struct exchange *kept = keep(ex);

	loop->jobs_out++;
	if (!kept) {
		ctx_cancel(job->ctx);
		job_unref(job);
		return;
	}
	/* Only this thread looks at it, when the job has come home, so it is in time. */
	job->exchange = kept;
	kept->job = job;
	kept->timer.fire = on_deadline;
	wheel_set(&loop->wheel, &kept->timer, job->deadline);
}

void exchange_run(struct exchange *ex, const struct request *request)
{
	struct conn *conn = ex->conn;
	struct loop *loop = conn->loop;
	struct requester requester = { .ctx = conn_ctx(conn), .home = loop->done, .peer = &conn->peer };
	struct answer refusal;
	struct job *job;

	if (!requester.ctx) {
		conn->broken = true;
		return;
	}
	job = request_submit(loop->leatd, request, &requester, loop->now, &refusal);
	if (!job) {
		if (refusal.code == CODE_BUSY || refusal.code == CODE_DRAINING)
			summary_refused(loop);
		exchange_answer(ex, &refusal);
		return;
	}
	await(ex, job);
	if (ex->close_after)
		conn->no_more = true;
}

/* Its client has gone, but it runs until it is dead, and is to be seen until then. */
static void leave(struct loop *loop, struct exchange *ex)
{
	ex->conn = NULL;
	ex->next = loop->left;
	ex->link = &loop->left;
	if (ex->next)
		ex->next->link = &ex->next;
	loop->left = ex;
}

static void left_is_over(struct exchange *ex)
{
	*ex->link = ex->next;
	if (ex->next)
		ex->next->link = ex->link;
	job_unref(ex->job);
	free(ex);
}

void exchange_job_home(struct job *job)
{
	struct exchange *ex = job->exchange;

	/* The channel's reference. */
	job_unref(job);
	if (ex && ex->conn)
		settle(ex);
	else if (ex)
		left_is_over(ex);
}

/* It is out of the line. */
static void drop(struct loop *loop, struct exchange *ex)
{
	if (ex->job && !ex->ready && !give_up_waiting(ex, CODE_CANCELED)) {
		leave(loop, ex);
		return;
	}
	if (ex->job) {
		ex->job->exchange = NULL;
		job_unref(ex->job);
	}
	if (ex->inquiry)
		inquiry_forget(ex->inquiry);
	buf_free(&ex->bytes);
	free(ex);
}

void exchanges_drop(struct conn *conn)
{
	/* All that run, at once. */
	if (conn->first)
		ctx_cancel(conn->ctx);
	while (conn->first)
		drop(conn->loop, take_first(conn));
}

static bool each(struct exchange *first, bool (*visit)(struct exchange *, void *), void *arg)
{
	struct exchange *next;
	bool on = true;

	for (struct exchange *ex = first; ex && on; ex = next) {
		next = ex->next;
		if (ex->job && !ex->ready && shim_load(&ex->job->state, relaxed) != JOB_ENDED)
			on = visit(ex, arg);
	}
	return on;
}

void exchanges_each(struct loop *loop, bool (*visit)(struct exchange *, void *), void *arg)
{
	bool on = each(loop->left, visit, arg);

	for (struct conn *conn = loop->conns; conn && on; conn = conn->next)
		on = each(conn->first, visit, arg);
}

void exchanges_cancel_waiting(struct conn *conn)
{
	for (struct exchange *ex = conn->first; ex; ex = ex->next) {
		if (ex->job && !ex->ready && give_up_waiting(ex, CODE_CANCELED)) {
			ctx_cancel(ex->job->ctx);
			settle(ex);
		}
	}
}

void exchanges_cancel_running(struct conn *conn)
{
	for (struct exchange *ex = conn->first; ex; ex = ex->next) {
		if (ex->job && !ex->ready)
			ctx_cancel(ex->job->ctx);
	}
}
