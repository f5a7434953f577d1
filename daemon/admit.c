#include "admit.h"

#include "job.h"
#include "leatd.h"

#include <sys/random.h>

/* Spreads out those who come again, so that they do not come together. */
static uint64_t random_below(uint64_t n)
{
	static __thread uint64_t state;

	if (state == 0 && getrandom(&state, sizeof(state), GRND_NONBLOCK) != sizeof(state))
		state = (uint64_t)moment_now() | 1;
	/* xorshift64: Marsaglia, Xorshift RNGs, 2003. */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? state % n : 0;
}

/* Drawn from [W, 2 W + 100 ms] for a predicted wait W: what is inside times how long one takes, over how many run at a time. */
static int64_t retry_ms(const struct type *type)
{
	struct books_copy books = books_read(&type->books);
	uint64_t wait_ms = (books.waiting + books.running) * books.service_ns / type->config->concurrency / (uint64_t)MILLISECONDS;

	return (int64_t)(wait_ms + random_below(wait_ms + 101));
}

static void refuse(struct type *type, enum refusal why, bool had_place, struct answer *refusal)
{
	books_refuse(&type->books, why, had_place);
	*refusal = answer_make(why == REFUSED_draining ? CODE_DRAINING : CODE_BUSY, refusal_words(why));
	answer_fact_text(refusal, "reason", slice_of(refusal_name(why)));
	/* Whoever comes after us does not know how long it will take: a second is what a restart takes. */
	answer_fact(refusal, "retry_ms", why == REFUSED_draining ? 1000 + (int64_t)random_below(1000) : retry_ms(type));
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

bool admit_place(struct type *type, size_t payload_bytes, struct answer *refusal)
{
	struct leatd *leatd = type->leatd;
	bool has_place = books_take_place(&type->books, type->config->concurrency + type->config->queue);

	if (shim_load(&leatd->draining, relaxed))
		refuse(type, REFUSED_draining, has_place, refusal);
	else if (!has_place)
		refuse(type, REFUSED_queue_full, has_place, refusal);
	else if (!charge(leatd, job_size(payload_bytes)))
		refuse(type, REFUSED_memory, has_place, refusal);
	else
		return true;
	return false;
}

void admit_starved(struct type *type, struct answer *refusal)
{
	bool has_place = books_take_place(&type->books, type->config->concurrency + type->config->queue);
	bool draining = shim_load(&type->leatd->draining, relaxed);

	refuse(type, draining ? REFUSED_draining : REFUSED_memory, has_place, refusal);
}

void admit_leave(struct type *type, size_t payload_bytes, struct answer *refusal)
{
	leatd_discharge(type->leatd, job_size(payload_bytes));
	refuse(type, REFUSED_memory, true, refusal);
}

bool admit_enter(struct type *type, struct job *job, struct answer *refusal)
{
	enum chan_status status = pool_try_submit(type->pool, &job);

	/* Those that gave their place up while they waited still lie in the channel, which has room for as many again. When they
	 * have used it up, half of the channel is swept out at once: a constant cost for each. */
	while (status == CHAN_WOULD_BLOCK && pool_sweep(type->pool, still_waits, NULL) > 0)
		status = pool_try_submit(type->pool, &job);
	if (status == CHAN_OK)
		return true;
	refuse(type, REFUSED_memory, true, refusal);
	return false;
}
