/* Durations counted in buckets that are less than 1 % wide: any number of them in a constant room. One thread. */
#ifndef OPENLOOP_HISTOGRAM_H
#define OPENLOOP_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_FINE = 7,      /* 2^7 buckets for each doubling */
	HISTOGRAM_LONGEST = 40,  /* 2^40 ns, 18 minutes: what is longer counts as that */
	HISTOGRAM_BUCKETS = (HISTOGRAM_LONGEST - HISTOGRAM_FINE + 1) << HISTOGRAM_FINE,
};

/* All zero is empty. */
struct histogram {
	uint64_t count;
	int64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* A negative duration counts as none. */
void histogram_add(struct histogram *, int64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *);

/* The least duration that `share` (0 to 1) of them do not exceed, at most a bucket too long; 0 of none. */
int64_t histogram_at(const struct histogram *, double share);

#endif
