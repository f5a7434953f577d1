#include "job.h"

#include "batch.h"
#include "ids.h"
#include "leatd.h"
#include "log.h"
#include "meeting.h"
#include "pipe.h"
#include "share.h"
#include "type.h"
#include "../lib/stock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	JOB_BESIDE_BYTES = 1024,
	/* A stream has two descriptors, and all of them together at most a quarter of what there can be: the rest is for connections, and
	 * for the runs of the others. */
	DESCRIPTORS_A_STREAM = 2 * 4,
};

size_t job_size(size_t bytes)
{
	return sizeof(struct job) + JOB_TRACE_MAX + bytes + JOB_BESIDE_BYTES;
}

size_t job_order_size(const struct job_order *order)
{
	size_t streams = (size_t)order->stream_in + order->stream_out;

	return job_size(order->payload.len + order->args.len) + streams * STREAM_BYTES;
}

/* Two halves in hex: one of this process, one that counts. */
static void make_id(struct leatd *leatd, char id[JOB_ID_MAX + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t count = shim_add(&leatd->ids_given, 1, relaxed);
	uint64_t value = leatd->id_seed ^ count;

	for (int i = 15; i >= 0; i--, value >>= 4)
		id[i] = hex[value & 15];
	id[16] = '\0';
}

/* Copies into the room after the struct. */
static struct slice keep(char **room, struct slice s)
{
	struct slice kept = { *room, s.len };

	if (s.len)
		memcpy(*room, s.at, s.len);
	*room += s.len;
	return kept;
}

static bool count_streams(struct leatd *leatd, unsigned n)
{
	if (n == 0 || shim_add(&leatd->job_streams, n, relaxed) + n <= leatd->descriptors.rlim_max / DESCRIPTORS_A_STREAM)
		return true;
	shim_sub(&leatd->job_streams, n, relaxed);
	return false;
}

static void uncount_streams(struct leatd *leatd, unsigned n)
{
	if (n > 0)
		shim_sub(&leatd->job_streams, n, relaxed);
}

/* False, and errno: they cannot be had. */
static bool open_streams(struct job *job, const struct job_order *order)
{
	int r;

	job->streams = (unsigned)order->stream_in + order->stream_out;
	if (!count_streams(order->type->leatd, job->streams)) {
		errno = EMFILE;
		return false;
	}
	r = order->stream_in ? stream_open(&job->in, true) : 0;
	if (r == 0 && order->stream_out)
		r = stream_open(&job->out, false);
	if (r == 0)
		return true;
	stream_close(&job->in);
	uncount_streams(order->type->leatd, job->streams);
	errno = -r;
	return false;
}

struct job *job_new(const struct job_order *order)
{
	size_t size = sizeof(struct job) + order->payload.len + order->traceparent.len + order->args.len;
	struct job *job = stock_take(size);
	char *room;

	if (!job)
		return NULL;
	memset(job, 0, offsetof(struct job, answer.facts));
	job->size = size;
	job->detail[0] = job->last_error[0] = '\0';
	job->in = job->out = STREAM_CLOSED;
	job->ctx = ctx_with_deadline(order->parent, order->deadline);
	if (!job->ctx || !open_streams(job, order)) {
		ctx_unref(job->ctx);
		stock_give(job, size);
		return NULL;
	}
	room = job->bytes;
	job->type = type_ref(order->type);
	job->payload = keep(&room, order->payload);
	job->traceparent = keep(&room, order->traceparent);
	job->args = keep(&room, order->args);
	job->arrived = order->arrived;
	job->deadline = order->deadline;
	job->home = order->home;
	job->probe = order->probe;
	job->share = order->share;
	job->charged = job_order_size(order);
	job->is_stage = order->is_stage;
	job->claim = order->claim;
	if (order->id.len)
		memcpy(job->id, order->id.at, order->id.len);
	else
		make_id(order->type->leatd, job->id);
	shim_init(&job->state, JOB_WAITING);
	shim_init(&job->references, 2);
	return job;
}

void job_unref(struct job *job)
{
	if (shim_sub(&job->references, 1, acq_rel) != 1)
		return;
	stream_close(&job->in);
	stream_close(&job->out);
	uncount_streams(job->type->leatd, job->streams);
	leatd_discharge(job->type->leatd, job->charged);
	ctx_unref(job->ctx);
	if (job->batch)
		batch_free(job->batch);
	pipe_free(job->pipe);
	meeting_unref(job->meeting);
	type_unref(job->type);
	free(job->output);
	stock_give(job, job->size);
}

bool job_claim(struct job *job, enum job_state to)
{
	uint32_t waiting = JOB_WAITING;

	return shim_cas(&job->state, &waiting, (uint32_t)to, acq_rel);
}

bool job_charge(struct job *job, size_t bytes)
{
	if (!leatd_charge(job->type->leatd, bytes))
		return false;
	job->charged += bytes;
	return true;
}

enum outcome job_outcome_of(enum code code)
{
	switch (code) {
	case CODE_OK:
		return OUTCOME_done;
	case CODE_TIMEOUT:
		return OUTCOME_timeout;
	case CODE_CANCELED:
	case CODE_ERR:          /* the rest of its request was not to be understood */
		return OUTCOME_canceled;
	case CODE_KILLED:
	case CODE_TOOBIG:
		return OUTCOME_killed;
	case CODE_FAILED:
	case CODE_BUSY:
	case CODE_DRAINING:
	case CODE_NOJOB:
	case CODE_NOID:
	case CODE_NOAUTH:
	case CODE_NOPROTO:
		break;
	}
	return OUTCOME_failed;
}

void job_set_done(struct job *job, struct slice output)
{
	answer_ok(&job->answer, output);
	job->outcome = OUTCOME_done;
}

void job_set_failure(struct job *job, enum code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(job->detail, sizeof(job->detail), format, args);
	va_end(args);
	job->answer = answer_make(code, job->detail);
	job->outcome = job_outcome_of(code);
}

/* Where the halves of a traceparent lie: 00-TRACE-SPAN-FLAGS. */
enum { TRACE_AT = 3, TRACE_LEN = 32, SPAN_AT = TRACE_AT + TRACE_LEN + 1, SPAN_LEN = 16 };

/* The span is that of whoever asked for the job. */
static void add_trace(struct log_field *fields, struct slice traceparent)
{
	if (traceparent.len < SPAN_AT + SPAN_LEN)
		return;
	fields[0] = log_text("trace_id", (struct slice){ traceparent.at + TRACE_AT, TRACE_LEN });
	fields[1] = log_text("span_id", (struct slice){ traceparent.at + SPAN_AT, SPAN_LEN });
}

static never_inline void log_ended(const struct job *job, moment now)
{
	struct log *log = job->type->leatd->log;
	const shim_u32 *state = job->item ? &job->item->state : &job->state;
	moment started = job->started ? job->started : now;
	struct log_field fields[9] = {
		log_text("job", job->type->name), log_text("id", slice_of(job->id)), log_text("outcome", slice_of(outcome_name(job->outcome))),
		log_number("queue_us", (started - job->arrived) / MICROSECONDS),
	};
	size_t n = 4;

	if (job->started)
		fields[n++] = log_number("run_us", (now - started) / MICROSECONDS);
	if (shim_load(state, relaxed) == JOB_ABANDONED)
		fields[n++] = log_number("abandoned", 1);
	add_trace(fields + n, job->traceparent);
	log_put(log, LOG_LEVEL_JOBS, "job ended", fields);
}

void job_log_ended(const struct job *job, moment now)
{
	if (log_wants(job->type->leatd->log, LOG_LEVEL_JOBS))
		log_ended(job, now);
}

bool job_end_waiting(struct job *job, enum code code, moment now)
{
	int64_t waited_ms = (now - job->arrived) / MILLISECONDS;

	if (!job_claim(job, JOB_ENDED))
		return false;
	if (code == CODE_TIMEOUT)
		job_set_failure(job, code, "out of time while waiting, after %lld ms", (long long)waited_ms);
	else
		job_set_failure(job, code, "cancelled while waiting");
	answer_fact_text(&job->answer, "state", SLICE("waiting"));
	answer_fact(&job->answer, "after_ms", waited_ms);
	job->ended = now;
	ids_release(job->claim);
	if (job->share)
		share_give_back(job->type->share, job->share, 1, false);
	books_end_waiting(job->type->books, job->outcome);
	job_log_ended(job, now);
	return true;
}

bool job_give_up(struct job *job, enum code code, moment now)
{
	/* Counted before it can be taken out. */
	shim_add(&job->type->buried, 1, relaxed);
	if (job_end_waiting(job, code, now)) {
		/* Its runner may be waiting for a semaphore. */
		if (job->type->uses_count > 0)
			ctx_cancel(job->ctx);
		return true;
	}
	shim_sub(&job->type->buried, 1, relaxed);
	return false;
}

bool job_start(struct job *job, moment now)
{
	if (!job_claim(job, JOB_STARTING))
		return false;
	job->started = now;
	if (job->share)
		share_started(job->type->share, job->share);
	books_start(job->type->books, job->arrived, now);
	/* From here on its loop may look at `started`. */
	shim_store(&job->state, JOB_RUNNING, release);
	return true;
}

/* It came to its own end, and not to one that we made. */
static bool is_whole(const struct job *job)
{
	return job->outcome != OUTCOME_timeout && job->outcome != OUTCOME_canceled;
}

void job_learn(const struct job *job, moment now)
{
	/* How long it took was up to the others as well. */
	if (job->meeting)
		return;
	estimate_record(&job->type->estimate, now - job->started, is_whole(job), job->probe ? ESTIMATE_PROBE_WEIGHT : 1, now);
}

bool job_end_running(struct job *job, moment now)
{
	uint32_t running = JOB_RUNNING;

	ids_release(job->claim);
	job_learn(job, now);
	if (job->share)
		share_give_back(job->type->share, job->share, 1, true);
	if (shim_cas(&job->state, &running, JOB_ENDED, acq_rel)) {
		job->ended = now;
		books_end_running(job->type->books, job->outcome, job->started, now);
		job_log_ended(job, now);
		return true;
	}
	books_end_abandoned(job->type->books, job->started, now);
	job_log_ended(job, now);
	job_unref(job);
	return false;
}

bool job_abandon(struct job *job, moment now, struct answer *answer)
{
	uint32_t running = JOB_RUNNING;

	/* Counted before the runner can take it back. */
	books_abandon(job->type->books, 1);
	if (!shim_cas(&job->state, &running, JOB_ABANDONED, acq_rel)) {
		books_abandon(job->type->books, -1);
		return false;
	}
	job->ended = now;
	*answer = answer_make(CODE_TIMEOUT, "out of time while running, and not over yet");
	answer_fact_text(answer, "state", SLICE("running"));
	answer_fact(answer, "after_ms", (now - job->started) / MILLISECONDS);
	answer_fact(answer, "abandoned", 1);
	return true;
}

void job_bury(struct job *job)
{
	shim_sub(&job->type->buried, 1, relaxed);
	job_unref(job);
}

void job_cut_short(struct job *job)
{
	int64_t ran_ms = (moment_now() - job->started) / MILLISECONDS;

	if (ctx_is_canceled(job->ctx))
		job_set_failure(job, CODE_CANCELED, "cancelled while running");
	else
		job_set_failure(job, CODE_TIMEOUT, "out of time while running, after %lld ms", (long long)ran_ms);
	answer_fact_text(&job->answer, "state", SLICE("running"));
	answer_fact(&job->answer, "after_ms", ran_ms);
}
