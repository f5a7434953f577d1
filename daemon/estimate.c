#include "estimate.h"

/* How long nothing may have been learned before a probe is let through, whatever a run takes. */
#define PROBE_LEAST_NS (100 * MILLISECONDS)
#define PROBE_MOST_NS (10 * SECONDS)

enum { SUB_BITS = 4, UNIT_BITS = 10, BUCKET_BITS = 10 };

_Static_assert(ESTIMATE_BUCKETS < 1 << BUCKET_BITS, "the number of a bucket fits");

int64_t estimate_median(const struct estimate *e)
{
	return shim_load(&e->median_ns, relaxed);
}

int64_t estimate_mean(const struct estimate *e)
{
	return shim_load(&e->mean_ns, relaxed);
}

/* The number of a bucket is the exponent and the first four bits after the leading one, of the time in about microseconds. */
static size_t bucket_of(int64_t ns)
{
	uint64_t units = (uint64_t)ns >> UNIT_BITS;
	size_t octave, i;

	if (units < 1 << SUB_BITS)
		return (size_t)units;
	octave = 63 - SUB_BITS - (size_t)__builtin_clzll(units);
	i = ((octave + 1) << SUB_BITS) + ((units >> octave) & ((1 << SUB_BITS) - 1));
	return i < ESTIMATE_BUCKETS ? i : ESTIMATE_BUCKETS - 1;
}

/* The least time that is over the bucket. */
static int64_t bucket_end(size_t i)
{
	uint64_t mantissa = (i & ((1 << SUB_BITS) - 1)) + 1;

	if (i >> SUB_BITS == 0)
		return (int64_t)(mantissa << UNIT_BITS);
	return (int64_t)((mantissa + (1 << SUB_BITS)) << ((i >> SUB_BITS) - 1) << UNIT_BITS);
}

/* A word of the window: the time, and the bucket that it is counted in, from 1, or 0. */
static uint64_t word_of(int64_t ns, bool counted)
{
	return (uint64_t)ns << BUCKET_BITS | (counted ? bucket_of(ns) + 1 : 0);
}

static void move_bucket(struct estimate *e, size_t from, size_t to)
{
	if (from == to)
		return;
	if (from > 0)
		shim_sub(&e->buckets[from - 1], 1, relaxed);
	else
		shim_add(&e->counted, 1, relaxed);
	if (to > 0)
		shim_add(&e->buckets[to - 1], 1, relaxed);
	else
		shim_sub(&e->counted, 1, relaxed);
}

/* The newest takes the place of the oldest. */
static uint64_t put(struct estimate *e, uint64_t word)
{
	uint64_t n = shim_add(&e->recorded, 1, relaxed);
	uint64_t old = shim_xchg(&e->window[n % ESTIMATE_WINDOW], word, relaxed);
	uint64_t mask = (1 << BUCKET_BITS) - 1;

	move_bucket(e, old & mask, word & mask);
	shim_add(&e->sum_ns, (word >> BUCKET_BITS) - (old >> BUCKET_BITS), relaxed);
	return n + 1;
}

/* When all that was counted has left the window, what it said stays. */
static int64_t find_median(const struct estimate *e)
{
	int64_t counted = (int32_t)shim_load(&e->counted, relaxed);
	int64_t below = 0;

	for (size_t i = 0; i < ESTIMATE_BUCKETS; i++) {
		/* Below 0 for a moment, while another thread has taken out what a third has yet to put in. */
		int32_t n = (int32_t)shim_load(&e->buckets[i], relaxed);

		below += n > 0 ? n : 0;
		if (2 * below >= counted && below > 0)
			return bucket_end(i);
	}
	return estimate_median(e);
}

void estimate_record(struct estimate *e, int64_t ns, bool whole, unsigned weight, moment now)
{
	int64_t median = estimate_median(e);
	uint64_t ended = whole ? shim_add(&e->ended, weight, relaxed) + weight : shim_load(&e->ended, relaxed);
	uint64_t word = word_of(ns, whole || (median > 0 && ns > median));
	int64_t sum, n = 0;

	for (unsigned i = 0; i < weight; i++)
		n = (int64_t)put(e, word);
	sum = (int64_t)shim_load(&e->sum_ns, relaxed);
	shim_store(&e->mean_ns, sum > 0 ? sum / (n < ESTIMATE_WINDOW ? n : ESTIMATE_WINDOW) : 0, relaxed);
	if (ended >= ESTIMATE_KNOWN)
		shim_store(&e->median_ns, find_median(e), relaxed);
	shim_store(&e->learned_at, now, relaxed);
}

bool estimate_probe(struct estimate *e, moment now)
{
	int64_t learned_at = shim_load(&e->learned_at, relaxed);
	int64_t pause = estimate_median(e);

	if (pause < PROBE_LEAST_NS)
		pause = PROBE_LEAST_NS;
	if (pause > PROBE_MOST_NS)
		pause = PROBE_MOST_NS;
	return now - learned_at >= pause && shim_cas(&e->learned_at, &learned_at, now, relaxed);
}
