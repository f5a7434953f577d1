#include "output.h"

#include "job.h"
#include "type.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	FIRST_BYTES = 4096,
	/* What a kind that does not splice puts into the stream at a time. */
	STREAM_STEP_BYTES = 16 * 1024,
};

void output_init(struct output *o, struct job *job)
{
	*o = (struct output){ .job = job };
}

static bool is_streamed(const struct output *o)
{
	return o->job->out.writer >= 0 && !o->job->is_piped;
}

static size_t most(const struct output *o)
{
	return o->job->type->config->max_output;
}

static bool resize(struct output *o, size_t cap)
{
	char *output = job_charge(o->job, cap - o->cap) ? realloc(o->job->output, cap) : NULL;

	if (!output) {
		o->limit = OUTPUT_NO_MEMORY;
		return false;
	}
	o->job->output = output;
	o->cap = cap;
	return true;
}

/* Twice as much, or what is needed, but no more than can be of use. */
static bool grow(struct output *o, size_t need)
{
	size_t useful = most(o) + 1;    /* one more, to see that it is over */
	size_t cap = o->cap ? o->cap * 2 : FIRST_BYTES;

	if (cap < need)
		cap = need;
	return resize(o, cap < useful ? cap : useful);
}

/* --- Streamed --- */

static char *stream_room(struct output *o, size_t *room)
{
	if (o->limit != OUTPUT_FITS || (o->cap == 0 && !resize(o, STREAM_STEP_BYTES)))
		return NULL;
	*room = o->cap;
	return o->job->output;
}

/* What is over max_output is not sent. */
static bool stream_add(struct output *o, const void *bytes, size_t len)
{
	size_t fits = len < most(o) - o->len ? len : most(o) - o->len;

	if (o->limit != OUTPUT_FITS)
		return false;
	if (!stream_write(&o->job->out, bytes, fits, o->job->ctx))
		o->limit = OUTPUT_CUT_SHORT;
	else if (fits < len)
		o->limit = OUTPUT_TOO_BIG;
	o->len += fits;
	return o->limit == OUTPUT_FITS;
}

/* How much of it the stream takes now; -1: nobody reads it any more. */
static ssize_t write_now(const struct output *o, const char *at, size_t len)
{
	size_t written = 0;

	while (written < len) {
		ssize_t n = write(o->job->out.writer, at + written, len - written);

		if (n > 0)
			written += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			return -1;
	}
	return (ssize_t)written;
}

static bool stream_offer(struct output *o, struct slice *bytes)
{
	size_t fits = bytes->len < most(o) - o->len ? bytes->len : most(o) - o->len;
	ssize_t n = o->limit == OUTPUT_FITS ? write_now(o, bytes->at, fits) : 0;

	if (n < 0) {
		o->limit = OUTPUT_CUT_SHORT;
	} else {
		o->len += (size_t)n;
		*bytes = (struct slice){ bytes->at + n, bytes->len - (size_t)n };
		if ((size_t)n == fits && bytes->len > 0)
			o->limit = OUTPUT_TOO_BIG;
	}
	return o->limit == OUTPUT_FITS;
}

/* All that is allowed has been moved: is there more? */
static enum output_taken look_for_more(struct output *o, int fd)
{
	char byte;
	ssize_t n = read(fd, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return OUTPUT_WAITS_FOR_SOURCE;
	if (n > 0)
		o->limit = OUTPUT_TOO_BIG;
	return OUTPUT_ENDED;
}

static enum output_taken stream_take(struct output *o, int fd)
{
	switch (stream_move(&o->job->out, fd, most(o) - o->len, &o->len)) {
	case STREAM_EMPTY:
		return OUTPUT_WAITS_FOR_SOURCE;
	case STREAM_FULL:
		return OUTPUT_WAITS_FOR_READER;
	case STREAM_MOST:
		return look_for_more(o, fd);
	case STREAM_END:
	case STREAM_UNREAD:     /* and so the job is cancelled */
		break;
	}
	return OUTPUT_ENDED;
}

/* --- Either way --- */

char *output_room(struct output *o, size_t *room)
{
	if (is_streamed(o))
		return stream_room(o, room);
	if (o->limit != OUTPUT_FITS || (o->len == o->cap && !grow(o, o->len + 1)))
		return NULL;
	*room = o->cap - o->len;
	return o->job->output + o->len;
}

void output_put(struct output *o, size_t bytes)
{
	if (is_streamed(o)) {
		stream_add(o, o->job->output, bytes);
		return;
	}
	o->len += bytes;
	if (o->len > most(o))
		o->limit = OUTPUT_TOO_BIG;
}

enum output_taken output_take(struct output *o, int fd)
{
	size_t room;
	char *to;

	if (is_streamed(o))
		return stream_take(o, fd);
	while ((to = output_room(o, &room))) {
		ssize_t n = read(fd, to, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return OUTPUT_WAITS_FOR_SOURCE;
		if (n <= 0)
			break;
		output_put(o, (size_t)n);
	}
	return OUTPUT_ENDED;
}

bool output_add(struct output *o, const void *bytes, size_t len)
{
	if (is_streamed(o))
		return stream_add(o, bytes, len);
	if (len > most(o) - o->len) {
		o->limit = OUTPUT_TOO_BIG;
		return false;
	}
	if (o->limit != OUTPUT_FITS || (len > o->cap - o->len && !grow(o, o->len + len)))
		return false;
	if (len > 0)
		memcpy(o->job->output + o->len, bytes, len);
	output_put(o, len);
	return true;
}

bool output_offer(struct output *o, struct slice *bytes)
{
	const struct slice all = *bytes;

	if (is_streamed(o))
		return stream_offer(o, bytes);
	bytes->len = 0;
	return output_add(o, all.at, all.len);
}

/* The payload is of no use to anybody any more, and what a failure would say neither, but a hand's own room is for its next item. */
static char *room_in_job(struct job *job, size_t len)
{
	if (len <= job->payload.len)
		return (char *)(uintptr_t)job->payload.at;
	return len <= sizeof(job->last_error) && !job->batch ? job->last_error : NULL;
}

bool output_answer_whole(struct output *o, const void *bytes, size_t len)
{
	char *room = room_in_job(o->job, len);

	if (!room) {
		if (!resize(o, len))
			return false;
		room = o->job->output;
	}
	memcpy(room, bytes, len);
	job_set_done(o->job, (struct slice){ room, len });
	return true;
}

void output_answer_done(const struct output *o)
{
	job_set_done(o->job, is_streamed(o) ? SLICE("") : (struct slice){ o->job->output, o->len });
}

void output_answer_limit(const struct output *o)
{
	struct job *job = o->job;

	if (o->limit == OUTPUT_CUT_SHORT) {
		job_cut_short(job);
		return;
	}
	if (o->limit == OUTPUT_NO_MEMORY) {
		job_set_failure(job, CODE_KILLED, "no memory left for its output");
		answer_fact_text(&job->answer, "reason", SLICE("memory"));
		return;
	}
	job_set_failure(job, CODE_TOOBIG, "the output is over max_output");
	answer_fact(&job->answer, "max_output", (int64_t)job->type->config->max_output);
	job->answer.http_status = 502;
}
