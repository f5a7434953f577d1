#include "histogram.h"

#include <math.h>

static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns >> HISTOGRAM_FINE == 0)
		return (unsigned)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_FINE;
	return (shift << HISTOGRAM_FINE) + (unsigned)(ns >> shift);
}

static int64_t longest_in(unsigned bucket)
{
	unsigned shift = bucket >> HISTOGRAM_FINE;

	if (shift == 0)
		return bucket;
	shift--;
	return ((int64_t)(bucket - (shift << HISTOGRAM_FINE) + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	const int64_t longest = ((int64_t)1 << HISTOGRAM_LONGEST) - 1;

	if (ns < 0)
		ns = 0;
	h->count++;
	if (ns > h->max)
		h->max = ns;
	h->buckets[bucket_of((uint64_t)(ns < longest ? ns : longest))]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	if (from->max > into->max)
		into->max = from->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

int64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->count), seen = 0;

	if (h->count == 0)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= wanted && seen > 0)
			return longest_in(i) < h->max ? longest_in(i) : h->max;
	}
	return h->max;
}
