#include "admit.h"

#include "batch.h"
#include "forecast.h"
#include "leatd.h"
#include "share.h"
#include "workers.h"
#include "../lib/random.h"

/* What is known when a request is looked at. */
struct look {
	struct type *type;
	moment now;
	uint64_t places;                /* that it needs */
	bool has_places;
	const struct peer *peer;        /* NULL: nobody who is to be remembered */
	enum refusal *said;             /* where to say why it is refused; NULL: nowhere */
};

/* Up to `most`: spreads out those who come again, so that they do not come together. */
static int64_t spread_ms(uint64_t most)
{
	return random_below(most < UINT32_MAX ? (uint32_t)most + 1 : UINT32_MAX);
}

/* How long an operator takes, nobody knows: a second is what a restart takes. */
static bool by_operator(enum refusal why)
{
	return why == REFUSED_draining || why == REFUSED_paused;
}

/* It is not for want of places. */
static bool is_closed(enum refusal why)
{
	return by_operator(why) || why == REFUSED_crash_loop;
}

static int64_t quarantine_ms(const struct type *type, moment now)
{
	return type->workers ? workers_quarantine_ms(type->workers, now) : 0;
}

static int64_t retry_ms(const struct look *l, enum refusal why)
{
	if (by_operator(why))
		return 1000 + spread_ms(999);
	if (why == REFUSED_crash_loop)
		return quarantine_ms(l->type, l->now) + spread_ms(1000);

	uint64_t wait_ms = (uint64_t)(forecast_wait(l->type, l->has_places ? l->places : 0, l->now) / MILLISECONDS);

	return (int64_t)wait_ms + spread_ms(wait_ms + 100);
}

#define LITERAL(text) { text, sizeof(text) - 1 }

/* Of every refusal that says BUSY; a unit test compares them with what would be put together. */
static const struct answer_texts busy_texts[REFUSALS] = {
#define REFUSAL(name, words) [REFUSED_##name] = { \
	LITERAL("BUSY " words " reason=" #name " retry_ms="), \
	LITERAL("{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"BUSY\",\"detail\":\"" words \
		"\",\"reason\":\"" #name "\",\"retry_ms\":") },
#define OUTCOME(name)
#include "books.def"
#undef REFUSAL
#undef OUTCOME
};

static bool refuse(const struct look *l, enum refusal why, struct answer *refusal)
{
	int64_t retry = retry_ms(l, why);

	books_refuse(l->type->books, why, l->places, l->has_places);
	if (l->said)
		*l->said = why;
	if (l->type->share && l->peer && !is_closed(why))
		share_refused(l->type->share, l->peer, l->now, retry * MILLISECONDS);
	*refusal = answer_make(why == REFUSED_draining ? CODE_DRAINING : CODE_BUSY, refusal_words(why));
	answer_fact_text(refusal, "reason", slice_of(refusal_name(why)));
	answer_fact(refusal, "retry_ms", retry);
	if (refusal->code == CODE_BUSY)
		refusal->texts = &busy_texts[why];
	return false;
}

/* To come again would help only if there are so many places at all. */
static bool refuse_places(const struct look *l, struct answer *refusal)
{
	uint64_t all = l->type->config->concurrency + l->type->config->queue;

	refuse(l, REFUSED_queue_full, refusal);
	if (l->places > all) {
		refusal->texts = NULL;
		answer_fact(refusal, "places", (int64_t)all);
		answer_fact(refusal, "needed", (int64_t)l->places);
	}
	return false;
}

static bool still_waits(void *elem, void *arg unused_arg)
{
	struct job *job = *(struct job **)elem;

	if (job->batch ? batch_has_more(job->batch) : shim_load(&job->state, relaxed) == JOB_WAITING)
		return true;
	if (job->batch)
		batch_free_hand(job);
	else
		job_bury(job);
	return false;
}

void admit_sweep(const struct catalogue *c)
{
	for (size_t i = 0; c && i < c->type_count; i++) {
		if (shim_load(&c->types[i]->buried, relaxed) > 0)
			pool_sweep(c->types[i]->pool, still_waits, NULL);
	}
}

static bool charge(const struct job_order *order, size_t bytes)
{
	struct leatd *leatd = order->type->leatd;

	if (leatd_charge(leatd, bytes))
		return true;
	admit_sweep(order->catalogue);
	return leatd_charge(leatd, bytes);
}

/* How long the last that has to succeed would wait: for those before it, and, of a batch that is narrower than its type, for its own. */
static int64_t wait_of(const struct look *l, const struct job_order *order)
{
	int64_t wait = forecast_wait(l->type, order->places - order->quorum + 1, l->now);
	int64_t own;

	if (order->quorum == 1)
		return wait;
	own = (int64_t)((order->quorum - 1) / order->width) * estimate_mean(&l->type->estimate);
	return own > wait ? own : wait;
}

/* Whether it would be over before its deadline, as far as we know. */
static bool would_end(const struct look *l, struct job_order *order, int64_t wait)
{
	int64_t left = order->deadline - l->now;

	if (!l->type->config->predict || (wait + estimate_median(&l->type->estimate) <= left && forecast_need(l->type) <= left))
		return true;
	/* With a free runner it is only the estimate that speaks against it, and that may be wrong. */
	order->probe = forecast_wait(l->type, order->places, l->now) == 0 && estimate_probe(&l->type->estimate, l->now);
	return order->probe;
}

static bool has_share(const struct look *l, struct job_order *order, int64_t wait)
{
	const struct type *type = l->type;
	struct share_scene scene = { .now = l->now, .wait = wait };
	struct books_copy books;

	/* Inside of a pipeline it is that which counts for its client. */
	if (!type->share || !l->peer)
		return true;
	books = books_read(type->books);
	/* Not this one. */
	scene.waiting = books.waiting > l->places ? books.waiting - l->places : 0;
	/* With a semaphore a job may wait although a runner is free. */
	scene.is_free = type->uses_count == 0 && scene.waiting + books.running + l->places <= type->config->concurrency;
	order->share = share_take(type->share, order->peer, (uint32_t)l->places, &scene);
	return order->share != NULL;
}

static size_t order_size(const struct job_order *order)
{
	return job_order_size(order) + order->beside_bytes;
}

/* A place and the bytes are taken; gives the bytes back if not. */
static bool may_wait(const struct look *l, struct job_order *order, struct answer *refusal)
{
	const struct job_config *config = l->type->config;
	int64_t wait = config->predict || config->max_wait > 0 ? wait_of(l, order) : 0;
	enum refusal why;

	if (!would_end(l, order, wait))
		why = REFUSED_would_miss_deadline;
	else if (config->max_wait > 0 && wait > config->max_wait)
		why = REFUSED_max_wait;
	else if (!has_share(l, order, wait))
		why = REFUSED_client_share;
	else
		return true;
	leatd_discharge(l->type->leatd, order_size(order));
	return refuse(l, why, refusal);
}

/* It is a part of what has been let in. */
static bool is_let_in(const struct job_order *order)
{
	return order->is_stage && !order->peer;
}

bool admit_place(struct job_order *order, struct answer *refusal)
{
	struct type *type = order->type;
	struct look l = { .type = type, .now = order->arrived, .places = order->places, .peer = order->peer, .said = &order->refused };

	l.has_places = books_take_places(type->books, l.places, type->config->concurrency + type->config->queue);
	if (shim_load(&type->leatd->draining, relaxed) && !is_let_in(order))
		return refuse(&l, REFUSED_draining, refusal);
	if (type_is_paused(type))
		return refuse(&l, REFUSED_paused, refusal);
	if (quarantine_ms(type, l.now) > 0)
		return refuse(&l, REFUSED_crash_loop, refusal);
	if (!l.has_places)
		return refuse_places(&l, refusal);
	if (!charge(order, order_size(order)))
		return refuse(&l, REFUSED_memory, refusal);
	return may_wait(&l, order, refusal);
}

void admit_starved(struct type *type, moment now, struct answer *refusal)
{
	struct look l = { .type = type, .now = now, .places = 1 };
	bool draining = shim_load(&type->leatd->draining, relaxed);

	l.has_places = books_take_places(type->books, 1, type->config->concurrency + type->config->queue);
	refuse(&l, draining ? REFUSED_draining : REFUSED_memory, refusal);
}

void admit_leave(struct job_order *order, enum refusal why, struct answer *refusal)
{
	struct look l = { .type = order->type, .now = order->arrived, .places = order->places, .has_places = true };

	leatd_discharge(order->type->leatd, order_size(order));
	if (order->share)
		share_give_back(order->type->share, order->share, (uint32_t)order->places, false);
	refuse(&l, why, refusal);
}

/* Into the channel. Those that gave their place up while they waited still lie there, and there is room for as many again. When they have
 * used it up, half of the channel is swept out at once: a constant cost for each. */
static bool submit(struct type *type, struct job *job)
{
	enum chan_status status = pool_try_submit(type->pool, &job);

	while (status == CHAN_WOULD_BLOCK && pool_sweep(type->pool, still_waits, NULL) > 0)
		status = pool_try_submit(type->pool, &job);
	return status == CHAN_OK;
}

static bool refuse_entry(const struct job *job, uint64_t places, struct answer *refusal)
{
	struct look l = { .type = job->type, .now = job->arrived, .places = places, .has_places = true };

	if (job->share)
		share_give_back(job->type->share, job->share, (uint32_t)places, false);
	return refuse(&l, REFUSED_memory, refusal);
}

bool admit_enter(struct type *type, struct job *job, struct answer *refusal)
{
	return submit(type, job) || refuse_entry(job, 1, refusal);
}

bool admit_enter_hands(struct batch *batch, struct answer *refusal)
{
	struct job *hand = batch_new_hand(batch);
	struct type *type = batch->whole->type;

	if (!hand || !submit(type, hand)) {
		if (hand)
			batch_free_hand(hand);
		return refuse_entry(batch->whole, batch->count, refusal);
	}
	/* One can do it all; the others only help. */
	for (size_t i = 1; i < batch->hands && (hand = batch_new_hand(batch)); i++) {
		if (submit(type, hand))
			continue;
		batch_free_hand(hand);
		break;
	}
	return true;
}

bool admit_again(struct job *hand)
{
	return submit(hand->type, hand);
}
