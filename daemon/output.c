#include "output.h"

#include "job.h"
#include "type.h"

#include <stdlib.h>

enum { FIRST_BYTES = 4096 };

void output_init(struct output *o, struct job *job)
{
	*o = (struct output){ .job = job };
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
	size_t most = o->job->type->config->max_output + 1;     /* one more, to see that it is over */
	size_t cap = o->cap ? o->cap * 2 : FIRST_BYTES;

	if (cap < need)
		cap = need;
	return resize(o, cap < most ? cap : most);
}

char *output_room(struct output *o, size_t *room)
{
	if (o->limit != OUTPUT_FITS || (o->len == o->cap && !grow(o, o->len + 1)))
		return NULL;
	*room = o->cap - o->len;
	return o->job->output + o->len;
}

void output_put(struct output *o, size_t bytes)
{
	o->len += bytes;
	if (o->len > o->job->type->config->max_output)
		o->limit = OUTPUT_TOO_BIG;
}

bool output_add(struct output *o, const void *bytes, size_t len)
{
	const size_t max = o->job->type->config->max_output;

	if (len > max - o->len) {
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

/* What a failure would say, and the payload, are of no use to anybody any more. */
static char *room_in_job(struct job *job, size_t len)
{
	return len <= sizeof(job->last_error) ? job->last_error : len <= job->payload.len ? job->bytes : NULL;
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
	o->job->answer = answer_make(CODE_OK, "");
	o->job->answer.output = (struct slice){ room, len };
	o->job->outcome = OUTCOME_done;
	return true;
}

void output_answer_done(const struct output *o)
{
	o->job->answer = answer_make(CODE_OK, "");
	o->job->answer.output = (struct slice){ o->job->output, o->len };
	o->job->outcome = OUTCOME_done;
}

void output_answer_limit(const struct output *o)
{
	struct job *job = o->job;

	if (o->limit == OUTPUT_NO_MEMORY) {
		job_set_failure(job, CODE_KILLED, "no memory left for its output");
		answer_fact_text(&job->answer, "reason", SLICE("memory"));
		return;
	}
	job_set_failure(job, CODE_TOOBIG, "the output is over max_output");
	answer_fact(&job->answer, "max_output", (int64_t)job->type->config->max_output);
	job->answer.http_status = 502;
}
