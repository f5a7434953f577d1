#include "exchange.h"

#include "access.h"
#include "conn_impl.h"
#include "inquiry.h"
#include "job.h"
#include "leatd.h"
#include "map.h"
#include "run.h"
#include "stream_in.h"
#include "stream_out.h"
#include "tokens.h"
#include "type.h"
#include "../lib/stock.h"

struct leatd *exchange_leatd(const struct exchange *ex)
{
	return ex->conn->loop->leatd;
}

const struct catalogue *exchange_catalogue(const struct exchange *ex)
{
	return ex->conn->loop->catalogue;
}

const struct tokens *exchange_tokens(const struct exchange *ex)
{
	return ex->conn->loop->catalogue->access->tokens;
}

void exchange_set_who(struct exchange *ex, const struct token *who)
{
	ex->who = who;
	conn_set_who(ex->conn, who);
}

void exchange_set_version(struct exchange *ex, int version)
{
	ex->conn->version = version;
	ex->wire.version = version;
}

bool exchange_may_run(struct exchange *ex, struct slice job)
{
	if (token_may_run(ex->who, job))
		return true;
	exchange_deny_right(ex, "run", job);
	return false;
}

bool exchange_is_secure(const struct exchange *ex)
{
	return ex->conn->tls != NULL;
}

bool exchange_came_to(const struct exchange *ex, struct slice address)
{
	struct sockaddr_storage here;
	socklen_t len = sizeof(here);
	char text[PEER_TEXT_MAX];
	struct peer ours;

	if ((ex->peer.family != AF_INET && ex->peer.family != AF_INET6) || getsockname(ex->conn->fd, (void *)&here, &len) < 0)
		return false;
	ours = peer_of(ex->conn->fd, &here);
	peer_text(&ours, text);
	return slice_is_nocase(address, (struct slice){ text, (size_t)(strrchr(text, ':') - text) });
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
	struct exchange *kept = stock_take(sizeof(*kept));

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
	return ex;
}

static void end_parts(struct exchange *ex)
{
	if (ex->parts)
		ex->parts->end(ex->parts, ex);
	ex->parts = NULL;
}

static void end_unit(struct exchange *ex)
{
	if (ex->unit)
		ex->unit->class->end(ex->unit);
	ex->unit = NULL;
}

static void pop(struct conn *conn)
{
	struct exchange *ex = take_first(conn);

	end_parts(ex);
	if (ex->body)
		stream_in_answered(ex->body);
	end_unit(ex);
	buf_free(&ex->bytes);
	stock_give(ex, sizeof(*ex));
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

/* Will be answered later. */
static struct exchange *defer(struct exchange *ex)
{
	struct exchange *kept = keep(ex);

	if (!kept)
		return NULL;
	kept->kept = kept;
	if (ex->close_after)
		ex->conn->no_more = true;
	return kept;
}

struct exchange *exchange_later(struct exchange *ex, struct inquiry *inquiry)
{
	struct exchange *kept = defer(ex);

	if (kept)
		kept->inquiry = inquiry;
	return kept;
}

struct exchange *exchange_in_parts(struct exchange *ex, struct parts *parts)
{
	struct exchange *kept = defer(ex);

	if (kept) {
		kept->parts = parts;
		conn_touch(ex->conn);
	}
	return kept;
}

void exchange_answer(struct exchange *ex, const struct answer *a)
{
	struct buf *to;

	if (ex->body_to_come) {
		ex->wire.keep_alive = false;
		ex->close_after = true;
	}
	to = exchange_begin(ex);

	reply_answer(to, &ex->wire, a, NULL);
	if (a->code == CODE_OK) {
		buf_add_slice(to, a->output);
		reply_end(to, &ex->wire);
	}
	exchange_end(ex);
}

static void deny(struct exchange *ex, enum denial why, const struct answer *a)
{
	shim_add(&exchange_leatd(ex)->denied[why], 1, relaxed);
	exchange_answer(ex, a);
}

void exchange_deny_stranger(struct exchange *ex, const char *detail)
{
	struct answer a = answer_make(CODE_NOAUTH, detail);

	deny(ex, DENIED_TOKEN, &a);
}

void exchange_deny_right(struct exchange *ex, const char *right, struct slice job)
{
	struct answer a = answer_make(CODE_NOAUTH, "the token does not give the right to do that");

	a.http_status = 403;
	answer_fact_text(&a, "token", token_name(ex->who));
	answer_fact_text(&a, "right", slice_of(right));
	if (job.len > 0)
		answer_fact_text(&a, "job", (struct slice){ job.at, job.len < JOB_NAME_MAX ? job.len : JOB_NAME_MAX });
	deny(ex, DENIED_RIGHT, &a);
}

void exchange_deny_origin(struct exchange *ex)
{
	struct answer a = answer_make(CODE_NOAUTH, "a page of this origin may not ask; see allow_origins");

	a.http_status = 403;
	deny(ex, DENIED_ORIGIN, &a);
}

void exchange_deny_host(struct exchange *ex)
{
	struct answer a = answer_make(CODE_ERR, "the Host header names none of my addresses; see server_names");

	a.http_status = 421;
	deny(ex, DENIED_HOST, &a);
}

const struct answer *exchange_job_answer(const struct exchange *ex)
{
	const struct answer *fault = ex->body ? stream_in_fault(ex->body) : NULL;

	return fault ? fault : &ex->job->answer;
}

/* Takes the exchange's reference on the job. */
static void write_job(struct conn *conn, const struct exchange *ex)
{
	struct buf *to = &conn->out.bytes;
	struct job *job = ex->job;
	const struct answer *a = exchange_job_answer(ex);

	reply_answer(to, &ex->wire, a, job);
	if (a->code != CODE_OK) {
		job_unref(job);
		return;
	}
	if (!out_add_result(&conn->out, job, a->output, purse_is_scarce(&conn->loop->purse)))
		conn->broken = true;
	reply_end(to, &ex->wire);
}

static void write_whole(struct conn *conn, const struct exchange *ex)
{
	if (ex->job)
		write_job(conn, ex);
	else if (ex->bytes.failed)
		conn->broken = true;
	else
		buf_add_slice(&conn->out.bytes, buf_slice(&ex->bytes));
}

/* False: its turn has come, but not all of it. */
static bool write_next(struct conn *conn, struct exchange *ex)
{
	if (ex->body)
		stream_in_say_continue(ex->body, &conn->out.bytes);
	if (ex->parts)
		return ex->parts->write(ex->parts, ex);
	if (ex->ready)
		write_whole(conn, ex);
	return ex->ready;
}

void exchanges_write(struct conn *conn)
{
	while (conn->first && write_next(conn, conn->first))
		pop(conn);
	if (conn->out.bytes.failed)
		conn->broken = true;
}

bool exchanges_wait_for_turn(const struct conn *conn)
{
	const struct parts *parts = conn->first ? conn->first->parts : NULL;

	return parts && parts->more && out_waiting(&conn->out) == 0;
}

/* --- Jobs --- */

/* How long a runner may take after the deadline: to kill what it runs, and to see it gone. */
#define ABANDON_AFTER (1 * SECONDS)

/* Takes the job out of its queue, if it is still there, and ends it. */
static bool give_up_waiting(struct job *job, enum code code)
{
	if (!job_give_up(job, code, job->loop->now))
		return false;
	job->loop->jobs_out--;
	wheel_remove(&job->timer);
	return true;
}

static void settle(struct exchange *ex)
{
	ex->ready = true;
	if (ex->body)
		stream_in_job_over(ex->body);
	conn_touch(ex->conn);
}

bool exchange_cancel(struct exchange *ex)
{
	/* Its client has gone, so it is cancelled already. */
	if (!ex->conn)
		return true;
	if (give_up_waiting(ex->job, CODE_CANCELED)) {
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
	if (ex->job)
		job_unref(ex->job);
	end_unit(ex);
	stock_give(ex, sizeof(*ex));
}

/* The answer is made here, since all that the job could say is still its runner's. */
static void abandon(struct job *job, const struct answer *answer)
{
	struct exchange *ex = job->exchange;

	job->loop->jobs_out--;
	if (ex && !ex->conn) {
		left_is_over(ex);
		return;
	}
	if (ex) {
		if (ex->parts)
			stream_out_abandon(ex, job, answer);
		else
			reply_answer(&ex->bytes, &ex->wire, answer, job);
		ex->conn->kept_bytes += kept_bytes(ex);
		ex->job = NULL;
		settle(ex);
	}
	job_unref(job);
}

/* Its deadline, and then one second after another: counted from when we came by, so that a leatd that was stopped for a while
 * gives its runners that time too. */
static void on_deadline(struct wheel_timer *timer)
{
	struct job *job = container_of(timer, struct job, timer);
	moment now = job->loop->now;
	struct answer answer;

	if (give_up_waiting(job, CODE_TIMEOUT)) {
		if (job->exchange)
			settle(job->exchange);
		else
			job_unref(job);
	} else if ((job->late || !run_can_be_ended(job)) && job_abandon(job, now, &answer)) {
		abandon(job, &answer);
	} else {
		job->late = true;
		wheel_set(&job->loop->wheel, timer, moment_add(now, ABANDON_AFTER));
	}
}

struct ctx *exchange_ctx(struct exchange *ex)
{
	struct conn *conn = ex->conn;

	if (!conn->ctx)
		conn->ctx = ctx_with_cancel(conn->loop->ctx);
	if (!conn->ctx)
		conn->broken = true;
	return conn->ctx;
}

/* Of a pipeline the right to run it is enough; of what a client puts together it takes the right to run each. */
static bool may_run_all(struct exchange *ex, const struct request *request)
{
	if (!request->stages)
		return exchange_may_run(ex, request->job);
	for (size_t i = 0; i < request->stage_count; i++) {
		if (!exchange_may_run(ex, request->stages[i]))
			return false;
	}
	return true;
}

/* The job is on its way: its end will be the answer. */
static void await(struct exchange *ex, struct job *job, bool streamed)
{
	struct loop *loop = ex->conn->loop;
	struct exchange *kept = keep(ex);

	loop->jobs_out++;
	/* Only this thread looks at these, when the job has come home, so it is in time. */
	job->exchange = kept;
	job->loop = loop;
	job->timer.fire = on_deadline;
	wheel_set(&loop->wheel, &job->timer, job->deadline);
	if (kept)
		kept->job = job;
	else
		ctx_cancel(job->ctx);
	if (kept && streamed && !stream_out_start(kept, job))
		ex->conn->broken = true;
}

void exchange_refuse(struct exchange *ex, const struct answer *refusal)
{
	if (refusal->code == CODE_BUSY || refusal->code == CODE_DRAINING)
		summary_refused(ex->conn->loop);
	exchange_answer(ex, refusal);
}

void exchange_run(struct exchange *ex, const struct request *request)
{
	struct conn *conn = ex->conn;
	struct loop *loop = conn->loop;
	struct requester requester = { .ctx = exchange_ctx(ex), .home = loop->done, .peer = &conn->peer };
	struct answer refusal;
	struct job *job;

	if (request->stream_out && !ex->wire.minor) {
		/* It ends with the connection. */
		ex->wire.keep_alive = false;
		ex->close_after = true;
	}
	if (!requester.ctx || !may_run_all(ex, request))
		return;
	job = request_submit(loop->catalogue, request, &requester, loop->now, &refusal);
	if (!job) {
		exchange_refuse(ex, &refusal);
		return;
	}
	await(ex, job, request->stream_out);
	/* With a body to come it is not the last that is read. */
	if (ex->close_after && !ex->body_to_come)
		conn->no_more = true;
}

bool exchange_await_unit(struct exchange *ex, struct unit *unit, struct parts *parts)
{
	struct conn *conn = ex->conn;
	struct exchange *kept = keep(ex);

	if (ex->close_after)
		conn->no_more = true;
	if (!kept)
		return false;
	kept->unit = unit;
	kept->parts = parts;
	unit->exchange = kept;
	conn_touch(conn);
	return true;
}

void exchange_touch(struct exchange *ex)
{
	if (ex->conn)
		conn_touch(ex->conn);
}

void exchange_unit_over(struct unit *unit)
{
	if (!unit->exchange)
		unit->class->end(unit);
	else if (unit->exchange->conn)
		conn_touch(unit->exchange->conn);
	else
		left_is_over(unit->exchange);
}

void exchange_job_home(struct job *job)
{
	struct exchange *ex = job->exchange;

	if (job->batch) {
		map_home(job);
		return;
	}
	job->loop->jobs_out--;
	wheel_remove(&job->timer);
	job_unref(job);         /* the channel's reference */
	if (ex && ex->conn)
		settle(ex);
	else if (ex)
		left_is_over(ex);
	else
		job_unref(job); /* ours: there was no memory to keep its place */
}

/* It is out of the line. */
static void drop(struct loop *loop, struct exchange *ex)
{
	end_parts(ex);
	if (ex->body)
		stream_in_answered(ex->body);
	ex->body = NULL;
	if (ex->unit && !ex->unit->over) {
		leave(loop, ex);
		/* This may be the end of it. */
		ex->unit->class->cancel_waiting(ex->unit);
		return;
	}
	end_unit(ex);
	if (ex->job && !ex->ready && !give_up_waiting(ex->job, CODE_CANCELED)) {
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
	stock_give(ex, sizeof(*ex));
}

void exchanges_drop(struct conn *conn)
{
	/* All that run, at once. */
	if (conn->first)
		ctx_cancel(conn->ctx);
	while (conn->first)
		drop(conn->loop, take_first(conn));
}

static bool is_at_work(const struct exchange *ex)
{
	if (ex->unit)
		return !ex->unit->over;
	return ex->job && !ex->ready && shim_load(&ex->job->state, relaxed) != JOB_ENDED;
}

static bool each(struct exchange *first, bool (*visit)(struct exchange *, void *), void *arg)
{
	struct exchange *next;
	bool on = true;

	for (struct exchange *ex = first; ex && on; ex = next) {
		next = ex->next;
		if (is_at_work(ex))
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
		if (ex->job && !ex->ready && give_up_waiting(ex->job, CODE_CANCELED)) {
			ctx_cancel(ex->job->ctx);
			settle(ex);
		}
		if (ex->unit)
			ex->unit->class->cancel_waiting(ex->unit);
	}
}

void exchanges_cancel_running(struct conn *conn)
{
	for (struct exchange *ex = conn->first; ex; ex = ex->next) {
		if (ex->job && !ex->ready)
			ctx_cancel(ex->job->ctx);
		if (ex->unit)
			ex->unit->class->cancel_running(ex->unit);
	}
}
