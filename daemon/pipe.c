#include "pipe.h"

#include "admit.h"
#include "catalogue.h"
#include "inquiry.h"
#include "job.h"
#include "leatd.h"
#include "meeting.h"
#include "pipe_check.h"
#include "type.h"
#include "../lib/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct pipe {
	struct job *whole;
	size_t count;
	struct type *types[PIPE_STAGES_MAX];    /* a reference to each */
	const struct job_config *configs[PIPE_STAGES_MAX];      /* theirs, as pipe_check.h wants them */

	struct lock lock;               /* guards whether there are stages, for those who list them */
	struct job *stages[PIPE_STAGES_MAX];    /* a reference on each, and of those that have not entered a channel another; NULL: none */

	/* Of who has the whole at work. */
	struct ctx *ctx;                /* parent of the stages' */
	struct chan *home;              /* where they go when they are over */
	bool over[PIPE_STAGES_MAX];
	size_t out;                     /* stages that are in a channel or with a runner, and have not come home */
	bool stopped;                   /* the rest has been cancelled */
	const struct job *failed;       /* the first stage that has; NULL: none */
	struct answer failure;          /* and what it says */
};

/* --- What can be one --- */

/* What this catalogue's configuration says of it: the type's own may be older, and only mean the same. */
static struct job_config *config_in(const struct catalogue *c, const struct type *type)
{
	size_t i = 0;

	while (c->types[i] != type)
		i++;
	return c->config->jobs[i];
}

bool pipe_is_possible(const struct catalogue *c, const struct pipe_order *order, struct slice id, struct answer *why)
{
	const struct job_config *configs[PIPE_STAGES_MAX];
	struct pipe_fault fault;

	if (id.len > PIPE_ID_MAX) {
		*why = answer_make(CODE_ERR, "the id of a PIPE is at most 61 characters, since its stages are ID.0, ID.1 and so on");
		return false;
	}
	for (size_t i = 0; i < order->count; i++)
		configs[i] = config_in(c, order->types[i]);
	if (pipe_check(c->config, configs, order->count, &fault))
		return true;
	*why = answer_make(CODE_ERR, fault.detail);
	answer_fact_text(why, "name", slice_of(fault.name));
	if (fault.needed > 0) {
		answer_fact(why, "needed", (int64_t)fault.needed);
		answer_fact(why, "most", (int64_t)fault.most);
	}
	return false;
}

int64_t pipe_deadline(const struct pipe_order *order)
{
	int64_t sum = 0;

	for (size_t i = 0; i < order->count; i++)
		sum += order->types[i]->config->deadline;
	return sum;
}

int64_t pipe_max_deadline(const struct pipe_order *order)
{
	int64_t most = INT64_MAX;

	for (size_t i = 0; i < order->count; i++)
		most = order->types[i]->config->max_deadline < most ? order->types[i]->config->max_deadline : most;
	return most;
}

/* --- The pipe --- */

static void set_types(struct pipe *p, const struct pipe_order *order)
{
	const struct type *type = p->whole->type;

	p->count = order ? order->count : type->config->stage_count;
	for (size_t i = 0; i < p->count; i++) {
		p->types[i] = type_ref(order ? order->types[i] : type->stages[i]);
		p->configs[i] = p->types[i]->config;
	}
}

struct pipe *pipe_new(struct job *whole, const struct pipe_order *order)
{
	struct pipe *p = job_charge(whole, sizeof(*p)) ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->whole = whole;
	set_types(p, order);
	p->home = chan_new(sizeof(struct job *), p->count);
	p->ctx = ctx_with_cancel(whole->ctx);
	whole->pipe = p;
	if (p->home && p->ctx)
		return p;
	whole->pipe = NULL;
	pipe_free(p);
	return NULL;
}

/* Takes the stages out of the view of others, and lets go of them. Those that have not been ended are by now somebody else's. */
static void forget_stages(struct pipe *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct job *job;

		lock_acquire(&p->lock);
		job = p->stages[i];
		p->stages[i] = NULL;
		lock_release(&p->lock);
		if (job)
			job_unref(job);
	}
}

/* Ends one that is not in a channel. */
static void end_outside(struct pipe *p, size_t i, enum code code, moment now)
{
	(void)!job_end_waiting(p->stages[i], code, now);
	/* The reference that the channel would have got. */
	job_unref(p->stages[i]);
	p->over[i] = true;
}

void pipe_drop(struct pipe *p)
{
	moment now = moment_now();

	for (size_t i = 0; i < p->count; i++) {
		if (p->stages[i] && !p->over[i])
			end_outside(p, i, CODE_CANCELED, now);
	}
	forget_stages(p);
}

void pipe_free(struct pipe *p)
{
	if (!p)
		return;
	pipe_drop(p);
	for (size_t i = 0; i < p->count; i++)
		type_unref(p->types[i]);
	ctx_unref(p->ctx);
	chan_unref(p->home);
	free(p);
}

/* --- Admission --- */

static struct job_order order_of(const struct pipe *p, size_t i, const struct peer *peer, moment now)
{
	return (struct job_order){
		.type = p->types[i], .traceparent = p->whole->traceparent, .arrived = now, .deadline = p->whole->deadline, .parent = p->ctx,
		.home = p->home, .peer = peer, .is_stage = true, .places = 1, .quorum = 1, .width = 1,
	};
}

/* A refusal is answered with who it is that refuses. */
static void add_stage_facts(const struct pipe *p, size_t i, struct answer *a)
{
	a->texts = NULL;
	answer_fact(a, "stage", (int64_t)i);
	answer_fact_text(a, "job", p->types[i]->name);
}

static void leave_all(struct job_order *orders, size_t count, enum refusal reason)
{
	struct answer unsaid;

	for (size_t i = 0; i < count; i++)
		admit_leave(&orders[i], reason, &unsaid);
}

static bool take_places(const struct pipe *p, struct job_order *orders, struct answer *why, enum refusal *reason)
{
	for (size_t i = 0; i < p->count; i++) {
		if (admit_place(&orders[i], why))
			continue;
		*reason = orders[i].refused;
		leave_all(orders, i, *reason);
		add_stage_facts(p, i, why);
		return false;
	}
	return true;
}

static bool make_stage(struct pipe *p, size_t i, struct job_order *order)
{
	char id[JOB_ID_MAX + 24];
	struct job *job;

	/* That of an item of a batch may be longer than a client may choose. */
	snprintf(id, sizeof(id), "%.*s.%zu", PIPE_ID_MAX, p->whole->id, i);
	order->id = slice_of(id);
	job = job_new(order);
	if (!job)
		return false;
	p->over[i] = false;
	lock_acquire(&p->lock);
	p->stages[i] = job;
	lock_release(&p->lock);
	return true;
}

/* From each command to the next one. */
static bool connect_stages(struct pipe *p, size_t first, size_t end)
{
	for (size_t i = first; i + 1 < end; i++) {
		struct job *from = p->stages[i], *to = p->stages[i + 1];
		struct stream s;

		if (!job_charge(from, STREAM_BYTES) || stream_open_between(&s) < 0)
			return false;
		from->is_piped = true;
		from->out.writer = s.writer;
		to->in.reader = s.reader;
	}
	return true;
}

static bool connect_groups(struct pipe *p)
{
	for (size_t first = 0, end; first < p->count; first = end) {
		end = pipe_group_end(p->configs, p->count, first);
		if (end == first + 1)
			continue;
		if (!connect_stages(p, first, end) || !meeting_call(&p->stages[first], end - first))
			return false;
	}
	return true;
}

/* Without an end in the books, in which they are refused then. */
static void unmake_stages(struct pipe *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		p->stages[i]->charged -= job_size(0);
		job_unref(p->stages[i]);
		p->over[i] = true;
	}
	forget_stages(p);
}

static bool make_stages(struct pipe *p, struct job_order *orders, struct answer *why)
{
	size_t made = 0;

	errno = 0;
	while (made < p->count && make_stage(p, made, &orders[made]))
		made++;
	if (made == p->count && connect_groups(p))
		return true;

	bool descriptors = errno == EMFILE || errno == ENFILE;

	unmake_stages(p, made);
	leave_all(orders + 1, p->count - 1, REFUSED_memory);
	admit_leave(&orders[0], REFUSED_memory, why);
	if (descriptors) {
		why->detail = "no descriptors left for its streams";
		why->texts = NULL;
	}
	return false;
}

bool pipe_admit(struct pipe *p, const struct peer *peer, moment now, struct answer *why, enum refusal *reason)
{
	struct job_order orders[PIPE_STAGES_MAX];

	for (size_t i = 0; i < p->count; i++)
		orders[i] = order_of(p, i, peer, now);
	*reason = REFUSED_memory;
	return take_places(p, orders, why, reason) && make_stages(p, orders, why);
}

/* --- Conducting --- */

static size_t index_of(const struct pipe *p, const struct job *job)
{
	size_t i = 0;

	while (p->stages[i] != job)
		i++;
	return i;
}

/* Those that ran come before those that had to wait for them. */
static size_t blame(const struct pipe *p, size_t i)
{
	return p->stages[i]->started ? i : p->count + i;
}

/* Of those that had too little time it is the first one that the others waited for. */
static bool is_first_late(const struct pipe *p, size_t i)
{
	return p->failure.code == CODE_TIMEOUT && p->stages[i]->answer.code == CODE_TIMEOUT && blame(p, i) < blame(p, index_of(p, p->failed));
}

static void note_failure(struct pipe *p, size_t i)
{
	if (p->failed && !is_first_late(p, i))
		return;
	p->failed = p->stages[i];
	p->failure = p->stages[i]->answer;
	add_stage_facts(p, i, &p->failure);
}

/* Those that wait give their places up at once; those that run end by their contexts, or their deadline, and come home. */
static void stop(struct pipe *p, enum code code)
{
	moment now = moment_now();

	p->stopped = true;
	for (size_t i = 0; i < p->count; i++) {
		if (p->stages[i]->meeting)
			meeting_close(p->stages[i]->meeting);
	}
	if (code != CODE_TIMEOUT)
		ctx_cancel(p->ctx);
	for (size_t i = 0; i < p->count; i++) {
		if (p->over[i])
			continue;
		if (!p->stages[i]->entered) {
			end_outside(p, i, code, now);
		} else if (job_give_up(p->stages[i], code, now)) {
			p->over[i] = true;
			p->out--;
		}
	}
}

static void come_home(struct pipe *p, struct job *job)
{
	size_t i = index_of(p, job);

	p->over[i] = true;
	p->out--;
	job_unref(job);         /* the channel's reference */
	if (job->answer.code == CODE_OK)
		return;
	note_failure(p, i);
	if (p->stopped)
		return;
	/* The deadline is everybody's. */
	stop(p, job->answer.code == CODE_TIMEOUT && (job->started || moment_reached(job->deadline)) ? CODE_TIMEOUT : CODE_CANCELED);
}

static void await(struct pipe *p)
{
	while (p->out > 0) {
		struct job *job;
		enum chan_status status = chan_recv(p->home, &job, p->stopped ? NULL : p->ctx, FOREVER);

		if (status == CHAN_OK)
			come_home(p, job);
		else
			stop(p, ctx_is_canceled(p->ctx) ? CODE_CANCELED : CODE_TIMEOUT);
	}
}

/* All that is between the first and the last of a pipe is its own; what the whole reads and writes is theirs. */
static void give_streams(struct pipe *p)
{
	struct job *whole = p->whole, *first = p->stages[0], *last = p->stages[p->count - 1];

	first->payload = whole->payload;
	if (whole->in.reader >= 0) {
		first->in.reader = whole->in.reader;
		whole->in.reader = -1;
	}
	last->out.writer = whole->out.writer;
	whole->out.writer = -1;
}

static void begin_group(struct pipe *p, size_t first, size_t end)
{
	p->out = end - first;
	if (end - first > 1)
		meeting_begin(p->stages[first]->meeting);
	else
		meeting_enter_alone(p->stages[first]);
}

/* The output of the group that ends here becomes the payload of the next. False: it is too large. */
static bool pass_on(struct pipe *p, size_t end)
{
	struct job *from = p->stages[end - 1], *to = p->stages[end];
	size_t most = from->type->owner->server.max_payload;

	to->payload = from->answer.output;
	if (to->payload.len <= most)
		return true;
	p->failed = from;
	p->failure = answer_make(CODE_TOOBIG, "the output of a stage is over max_payload, and the next one takes its payload whole");
	p->failure.http_status = 502;
	answer_fact(&p->failure, "max_payload", (int64_t)most);
	add_stage_facts(p, end - 1, &p->failure);
	return false;
}

static void conduct(struct pipe *p)
{
	give_streams(p);
	for (size_t first = 0, end; first < p->count && !p->stopped; first = end) {
		end = pipe_group_end(p->configs, p->count, first);
		begin_group(p, first, end);
		await(p);
		if (!p->stopped && end < p->count && !pass_on(p, end))
			stop(p, CODE_CANCELED);
	}
	/* What was given up while it waited did not come home. */
	for (size_t i = 0; i < p->count; i++) {
		if (p->stages[i]->answer.code != CODE_OK)
			note_failure(p, i);
	}
}

/* --- The answer --- */

/* What the stage has room for is the whole's from here on. */
static void move_text(struct slice *text, const char *from, size_t size, char *to)
{
	if (text->at >= from && text->at < from + size)
		text->at = to + (text->at - from);
}

static void answer_failed(struct pipe *p)
{
	struct job *whole = p->whole;
	struct answer *a = &whole->answer;

	*a = p->failure;
	memcpy(whole->detail, p->failed->detail, sizeof(whole->detail));
	memcpy(whole->last_error, p->failed->last_error, sizeof(whole->last_error));
	if (a->detail == p->failed->detail)
		a->detail = whole->detail;
	for (size_t i = 0; i < a->fact_count; i++)
		move_text(&a->facts[i].text, p->failed->last_error, sizeof(p->failed->last_error), whole->last_error);
	whole->outcome = job_outcome_of(a->code);
}

/* The whole outlives its stages, and its answer the whole run. */
static bool keep_output(struct job *whole, struct job *last)
{
	struct slice *output = &whole->answer.output;

	*output = last->answer.output;
	if (output->len == 0 || output->at == whole->payload.at)
		return true;
	if (output->at == last->output) {
		size_t held = last->charged - job_size(0);

		whole->output = last->output;
		whole->charged += held;
		last->output = NULL;
		last->charged -= held;
		return true;
	}
	whole->output = job_charge(whole, output->len) ? malloc(output->len) : NULL;
	if (!whole->output)
		return false;
	memcpy(whole->output, output->at, output->len);
	output->at = whole->output;
	return true;
}

static void answer_done(struct pipe *p)
{
	struct job *whole = p->whole;

	job_set_done(whole, SLICE(""));
	if (keep_output(whole, p->stages[p->count - 1]))
		return;
	job_set_failure(whole, CODE_KILLED, "no memory left for its output");
	answer_fact_text(&whole->answer, "reason", SLICE("memory"));
}

static void answer_refused(struct job *whole, const struct answer *refusal)
{
	whole->answer = *refusal;
	whole->outcome = job_outcome_of(refusal->code);
}

static void run(struct pipe *p)
{
	enum refusal reason;
	struct answer refusal;

	if (!p->stages[0] && !pipe_admit(p, NULL, moment_now(), &refusal, &reason)) {
		answer_refused(p->whole, &refusal);
		return;
	}
	conduct(p);
	if (p->failed)
		answer_failed(p);
	else
		answer_done(p);
	forget_stages(p);
}

void pipe_run(struct job *whole)
{
	struct pipe *p = whole->pipe ? whole->pipe : pipe_new(whole, NULL);

	if (!p) {
		job_set_failure(whole, CODE_KILLED, "no memory left for its stages");
		answer_fact_text(&whole->answer, "reason", SLICE("memory"));
		return;
	}
	run(p);
	/* Of a batch it is a hand, which has another item next. */
	if (!whole->batch)
		return;
	pipe_free(p);
	whole->pipe = NULL;
}

/* --- Seen from outside --- */

static bool is_at_work(const struct job *job)
{
	uint32_t state = job ? shim_load(&job->state, relaxed) : JOB_ENDED;

	return state != JOB_ENDED && state != JOB_ABANDONED;
}

void pipe_list(struct pipe *p, const struct inquiry_job *like, void (*add)(void *, const struct inquiry_job *), void *arg)
{
	struct inquiry_job seen = *like;

	lock_acquire(&p->lock);
	for (size_t i = 0; i < p->count; i++) {
		const struct job *job = p->stages[i];

		if (!is_at_work(job))
			continue;
		memset(seen.job, 0, sizeof(seen.job));
		memcpy(seen.job, job->type->name.at, job->type->name.len);
		seen.arrived = job->arrived;
		seen.deadline = job->deadline;
		seen.running = shim_load(&job->state, relaxed) == JOB_RUNNING;
		memcpy(seen.id, job->id, sizeof(seen.id));
		add(arg, &seen);
	}
	lock_release(&p->lock);
}

bool pipe_has(struct pipe *p, const char *id)
{
	bool found = false;

	lock_acquire(&p->lock);
	for (size_t i = 0; i < p->count; i++)
		found |= is_at_work(p->stages[i]) && strcmp(p->stages[i]->id, id) == 0;
	lock_release(&p->lock);
	return found;
}
