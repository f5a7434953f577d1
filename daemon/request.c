#include "request.h"

#include "admit.h"
#include "args.h"
#include "batch.h"
#include "ids.h"
#include "job.h"
#include "leatd.h"
#include "log.h"
#include "pipe.h"
#include "run.h"
#include "text.h"
#include "tokens.h"

#include <errno.h>

/* Of those that never wait: how many of them one hand is enough for. */
enum { ITEMS_A_HAND = 256 };

bool request_set_deadline(struct request *request, struct slice text, struct answer *why)
{
	int64_t ns;

	if (text_duration(text, &ns) && ns > 0) {
		request->deadline_ns = ns;
		return true;
	}
	*why = answer_make(CODE_ERR, "the deadline is not a duration over 0 such as 250ms or 5s");
	return false;
}

bool request_set_id(struct request *request, struct slice text, struct answer *why)
{
	if (text_is_name(text, JOB_ID_MAX)) {
		request->id = text;
		return true;
	}
	*why = answer_make(CODE_ERR, "the id is not 1 to 64 of A-Za-z0-9._-");
	return false;
}

bool request_set_stages(struct request *request, const struct slice *stages, size_t count, struct answer *why)
{
	request->stages = stages;
	request->stage_count = count;
	if (count >= PIPE_STAGES_MIN && count <= PIPE_STAGES_MAX)
		return true;
	*why = answer_make(CODE_ERR, "a pipe has 2 to 16 jobs");
	return false;
}

struct type *request_find_type(const struct catalogue *c, struct slice name, struct answer *why)
{
	struct type *type = catalogue_type(c, name);
	const char *nearest;

	if (type)
		return type;
	*why = answer_make(CODE_NOJOB, "no such job");
	if (name.len > 0)
		answer_fact_text(why, "job", (struct slice){ name.at, name.len < JOB_NAME_MAX ? name.len : JOB_NAME_MAX });
	nearest = catalogue_nearest_type(c, name);
	if (nearest)
		answer_fact_text(why, "nearest", slice_of(nearest));
	return NULL;
}

bool request_pause(const struct catalogue *c, struct slice name, bool paused, struct answer *why)
{
	struct type *type = request_find_type(c, name, why);

	if (!type)
		return false;
	if (!paused) {
		type_resume(type);
	} else if (!type_pause(type)) {
		*why = answer_make(CODE_BUSY, "no memory left for it");
		answer_fact_text(why, "reason", SLICE("memory"));
		return false;
	}
	log_notice(c->leatd->log, paused ? "paused" : "resumed", log_text("job", type->name));
	return true;
}

void request_drain(struct leatd *leatd, const struct token *who)
{
	log_notice(leatd->log, "a client asks for a drain", log_text("token", token_name(who)));
	leatd_drain(leatd);
}

/* True, and the claim, or NULL for an id that leatd makes up. */
static bool claim_id(struct leatd *leatd, struct slice id, struct id_claim **claim, struct answer *why)
{
	bool memory;

	*claim = NULL;
	if (id.len == 0)
		return true;
	*claim = ids_claim(leatd->ids, id, &memory);
	if (*claim)
		return true;
	*why = answer_make(memory ? CODE_BUSY : CODE_ERR, memory ? "no memory left for it" : "a job of this id is in flight");
	return false;
}

/* The stages of a pipe that a client has put together are let in with it, those of a pipeline when it runs. False: everything is given
 * back but the claim. */
static bool add_stages(struct job_order *order, struct job *job, struct answer *why)
{
	struct answer unsaid;
	enum refusal reason = REFUSED_memory;

	if (pipe_new(job, order->pipe)) {
		if (!order->pipe || pipe_admit(job->pipe, order->peer, order->arrived, why, &reason))
			return true;
		why = &unsaid;
	}
	job->charged -= job_order_size(order);
	job_unref(job);
	job_unref(job);
	admit_leave(order, reason, why);
	return false;
}

static bool lacks_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE;
}

static struct job *new_job(const struct job_order *order)
{
	struct job *job = job_new(order);

	if (job || !lacks_descriptors())
		return job;
	admit_sweep(order->catalogue);
	return job_new(order);
}

/* A place was given; the job is on its way, or everything is given back but the claim. */
static struct job *send_off(struct job_order *order, struct answer *why)
{
	struct job *job = new_job(order);

	if (!job) {
		bool descriptors = lacks_descriptors();

		admit_leave(order, REFUSED_memory, why);
		if (descriptors) {
			why->detail = "no descriptors left for its stream";
			why->texts = NULL;
		}
		return NULL;
	}
	if (order->type->config->kind == KIND_PIPELINE && !add_stages(order, job, why))
		return NULL;
	if (admit_enter(order->type, job, why))
		return job;
	job_unref(job);
	job_unref(job);
	return NULL;
}

/* The same for the whole of a batch, whose hands are on their way then. */
static struct job *send_off_batch(struct job_order *order, struct answer *why)
{
	struct job *whole = job_new(order);

	if (!whole || !batch_new(whole, order->batch)) {
		admit_leave(order, REFUSED_memory, why);
		if (!whole)
			return NULL;
		whole->charged = 0;
		job_unref(whole);
	} else if (admit_enter_hands(whole->batch, why)) {
		return whole;
	}
	whole->claim = NULL;
	job_unref(whole);
	return NULL;
}

static moment deadline_of(const struct job_order *order, int64_t asked_ns)
{
	const struct job_config *config = order->type->config;
	int64_t usual = order->pipe ? pipe_deadline(order->pipe) : config->deadline;
	int64_t most = order->pipe ? pipe_max_deadline(order->pipe) : config->max_deadline;
	int64_t ns = asked_ns ? asked_ns : usual;

	return moment_add(order->arrived, ns < most ? ns : most);
}

static struct job *submit(struct leatd *leatd, struct job_order *order, int64_t deadline_ns, struct answer *why)
{
	struct job *job;

	if (!claim_id(leatd, order->id, &order->claim, why))
		return NULL;
	order->deadline = deadline_of(order, deadline_ns);
	if (!admit_place(order, why))
		job = NULL;
	else
		job = order->batch ? send_off_batch(order, why) : send_off(order, why);
	if (!job)
		ids_release(order->claim);
	return job;
}

/* By itself, so that the others do without the room. */
static never_inline struct job *submit_with_args(struct leatd *leatd, struct job_order *order, const struct request *request,
						  struct answer *why)
{
	char room[ARGS_PACKED_MAX];

	if (!args_pack(order->type->config, request->args, room, &order->args, why))
		return NULL;
	return submit(leatd, order, request->deadline_ns, why);
}

static struct job *submit_request(struct leatd *leatd, struct job_order *order, const struct request *request, struct answer *why)
{
	if (request->args || order->type->config->arg_count > 0)
		return submit_with_args(leatd, order, request, why);
	return submit(leatd, order, request->deadline_ns, why);
}

/* By itself, so that the others do without the room. */
static never_inline struct job *submit_pipe(const struct catalogue *c, struct job_order *order, const struct request *request,
					    struct answer *why)
{
	struct pipe_order pipe = { .count = request->stage_count };

	order->type = c->pipes;
	order->pipe = &pipe;
	for (size_t i = 0; i < pipe.count; i++) {
		pipe.types[i] = request_find_type(c, request->stages[i], why);
		if (pipe.types[i])
			continue;
		answer_fact(why, "stage", (int64_t)i);
		return NULL;
	}
	return pipe_is_possible(c, &pipe, request->id, why) ? submit(c->leatd, order, request->deadline_ns, why) : NULL;
}

struct job *request_submit(const struct catalogue *c, const struct request *request, const struct requester *requester, moment arrived,
			   struct answer *why)
{
	struct job_order order = {
		.catalogue = c, .payload = request->payload, .id = request->id,
		.traceparent = request->traceparent, .arrived = arrived, .parent = requester->ctx, .home = requester->home,
		.peer = requester->peer, .stream_in = request->stream_in, .stream_out = request->stream_out, .places = 1, .quorum = 1, .width = 1,
	};

	if (request->stages)
		return submit_pipe(c, &order, request, why);
	order.type = request_find_type(c, request->job, why);
	return order.type ? submit_request(c->leatd, &order, request, why) : NULL;
}

static size_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Short items are not worth a hand, and perhaps a thread, for a few of them. */
static size_t hands_for(const struct type *type, size_t count, size_t width)
{
	return run_may_block(type) ? width : least(width, count / ITEMS_A_HAND + 1);
}

struct batch *request_submit_batch(const struct catalogue *c, const struct request *request, const struct batch_order *asked,
				   const struct requester *requester, moment arrived, struct answer *why)
{
	struct batch_order batch = *asked;
	struct job_order order = {
		.type = request_find_type(c, request->job, why), .catalogue = c, .id = request->id, .traceparent = request->traceparent,
		.arrived = arrived, .parent = requester->ctx, .home = requester->home, .peer = requester->peer, .places = batch.count,
		.quorum = batch.quorum, .batch = &batch,
	};
	struct job *whole;

	if (!order.type)
		return NULL;
	order.width = least(batch.width ? batch.width : batch.count, least(order.type->config->concurrency, batch.count));
	batch.hands = hands_for(order.type, batch.count, order.width);
	order.beside_bytes = batch_size(batch.count, batch.bytes, batch.hands);
	whole = submit_request(c->leatd, &order, request, why);
	return whole ? whole->batch : NULL;
}
