#include "admit.h"

#include "forecast.h"
#include "leatd.h"
#include "share.h"
#include "workers.h"
#include "../lib/random.h"

/* What is known when a request is looked at. */
struct look {
	struct type *type;
	moment now;
	bool has_place;
	const struct peer *peer;        /* NULL: nobody who is to be remembered */
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

	uint64_t wait_ms = (uint64_t)(forecast_wait(l->type, l->has_place, l->now) / MILLISECONDS);

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

	books_refuse(&l->type->books, why, l->has_place);
	if (l->type->share && l->peer && !is_closed(why))
		share_refused(l->type->share, l->peer, l->now, retry * MILLISECONDS);
	*refusal = answer_make(why == REFUSED_draining ? CODE_DRAINING : CODE_BUSY, refusal_words(why));
	answer_fact_text(refusal, "reason", slice_of(refusal_name(why)));
	answer_fact(refusal, "retry_ms", retry);
	if (refusal->code == CODE_BUSY)
		refusal->texts = &busy_texts[why];
	return false;
}

static bool still_waits(void *elem, void *arg unused_arg)
{
	struct job *job = *(struct job **)elem;

	if (shim_load(&job->state, relaxed) == JOB_WAITING)
		return true;
	job_bury(job);
	return false;
}

/* Jobs that gave their place up hold their payload until a runner comes by; when memory is short it is worth going for them. */
static bool charge(struct leatd *leatd, size_t bytes)
{
	if (leatd_charge(leatd, bytes))
		return true;
	for (size_t i = 0; i < leatd->type_count; i++) {
		if (shim_load(&leatd->types[i].buried, relaxed) > 0)
			pool_sweep(leatd->types[i].pool, still_waits, NULL);
	}
	return leatd_charge(leatd, bytes);
}

/* Whether it would be over before its deadline, as far as we know. */
static bool would_end(const struct look *l, struct job_order *order, int64_t wait)
{
	int64_t left = order->deadline - l->now;

	if (!l->type->config->predict || (wait + estimate_median(&l->type->estimate) <= left && forecast_need(l->type) <= left))
		return true;
	/* With a free runner it is only the estimate that speaks against it, and that may be wrong. */
	order->probe = wait == 0 && estimate_probe(&l->type->estimate, l->now);
	return order->probe;
}

static bool has_share(const struct look *l, struct job_order *order, int64_t wait)
{
	const struct type *type = l->type;
	struct share_scene scene = { .now = l->now, .wait = wait };
	struct books_copy books;

	if (!type->share)
		return true;
	books = books_read(&type->books);
	/* Not this one. */
	scene.waiting = books.waiting > 0 ? books.waiting - 1 : 0;
	/* With a semaphore a job may wait although a runner is free. */
	scene.is_free = type->uses_count == 0 && scene.waiting + books.running < type->config->concurrency;
	order->share = share_take(type->share, order->peer, &scene);
	return order->share != NULL;
}

/* A place and the bytes are taken; gives the bytes back if not. */
static bool may_wait(const struct look *l, struct job_order *order, struct answer *refusal)
{
	const struct job_config *config = l->type->config;
	int64_t wait = config->predict || config->max_wait > 0 ? forecast_wait(l->type, 1, l->now) : 0;
	enum refusal why;

	if (!would_end(l, order, wait))
		why = REFUSED_would_miss_deadline;
	else if (config->max_wait > 0 && wait > config->max_wait)
		why = REFUSED_max_wait;
	else if (!has_share(l, order, wait))
		why = REFUSED_client_share;
	else
		return true;
	leatd_discharge(l->type->leatd, job_order_size(order));
	return refuse(l, why, refusal);
}

bool admit_place(struct job_order *order, struct answer *refusal)
{
	struct type *type = order->type;
	struct look l = { .type = type, .now = order->arrived, .peer = order->peer };

	l.has_place = books_take_place(&type->books, type->config->concurrency + type->config->queue);
	if (shim_load(&type->leatd->draining, relaxed))
		return refuse(&l, REFUSED_draining, refusal);
	if (type_is_paused(type))
		return refuse(&l, REFUSED_paused, refusal);
	if (quarantine_ms(type, l.now) > 0)
		return refuse(&l, REFUSED_crash_loop, refusal);
	if (!l.has_place)
		return refuse(&l, REFUSED_queue_full, refusal);
	if (!charge(type->leatd, job_order_size(order)))
		return refuse(&l, REFUSED_memory, refusal);
	return may_wait(&l, order, refusal);
}

void admit_starved(struct type *type, moment now, struct answer *refusal)
{
	struct look l = { .type = type, .now = now };
	bool draining = shim_load(&type->leatd->draining, relaxed);

	l.has_place = books_take_place(&type->books, type->config->concurrency + type->config->queue);
	refuse(&l, draining ? REFUSED_draining : REFUSED_memory, refusal);
}

void admit_leave(struct job_order *order, struct answer *refusal)
{
	struct look l = { .type = order->type, .now = order->arrived, .has_place = true };

	leatd_discharge(order->type->leatd, job_order_size(order));
	if (order->share)
		share_give_back(order->type->share, order->share, false);
	refuse(&l, REFUSED_memory, refusal);
}

bool admit_enter(struct type *type, struct job *job, struct answer *refusal)
{
	struct look l = { .type = type, .now = job->arrived, .has_place = true };
	enum chan_status status = pool_try_submit(type->pool, &job);

	/* Those that gave their place up while they waited still lie in the channel, which has room for as many again. When they
	 * have used it up, half of the channel is swept out at once: a constant cost for each. */
	while (status == CHAN_WOULD_BLOCK && pool_sweep(type->pool, still_waits, NULL) > 0)
		status = pool_try_submit(type->pool, &job);
	if (status == CHAN_OK)
		return true;
	if (job->share)
		share_give_back(type->share, job->share, false);
	return refuse(&l, REFUSED_memory, refusal);
}
