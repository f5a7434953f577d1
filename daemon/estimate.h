/* How long a run of a job type takes, learned from the runs that ended.
 *
 * A window of the last runs, with a histogram of them (buckets of a sixteenth of a power of two) that gives the median, and their
 * mean. So it forgets by count: when a type becomes ten times as slow or as fast, the median has followed after half a window.
 *
 * A run that was cut short (deadline, cancelled) took at least so long: it counts for the mean, which is about how long a runner is held,
 * and for the median only if it was longer than the median, which it then pushes up. Until a few runs have come to their own end,
 * nothing is known, and nobody is refused for it.
 *
 * Fixed memory. Any thread may record and read; nothing here blocks or takes a lock. Threads that record at once may leave a number
 * a little off until the next one. */
#ifndef LEAT_ESTIMATE_H
#define LEAT_ESTIMATE_H

#include "../lib/compiler.h"
#include "../lib/moment.h"
#include "../lib/shim.h"

enum {
	ESTIMATE_WINDOW = 64,
	ESTIMATE_KNOWN = 3,             /* runs that have to come to their own end before the median is known */
	ESTIMATE_PROBE_WEIGHT = 16,     /* a probe counts as so many runs: two of them heal a wrong median */
	ESTIMATE_OCTAVES = 37,          /* from a microsecond on: more than a day */
	ESTIMATE_BUCKETS = 16 * (ESTIMATE_OCTAVES + 1),
};

/* Zeroed memory is an estimate that knows nothing. */
struct estimate {
	/* What admission reads. 0: not known. */
	shim_i64 median_ns cache_aligned;
	shim_i64 mean_ns;
	shim_i64 learned_at;                    /* when the last run was recorded, or the last probe was let through */
	/* Of those who record. */
	shim_u64 recorded cache_aligned;        /* so many times, with the weights */
	shim_u64 ended;                         /* by themselves */
	shim_u64 sum_ns;                        /* of the window */
	shim_u64 window[ESTIMATE_WINDOW];       /* the time and its bucket in one word */
	shim_u32 counted;                       /* in the buckets */
	shim_u32 buckets[ESTIMATE_BUCKETS];
};

/* A run took `ns`; `whole`: it came to its own end. `weight` is 1, or ESTIMATE_PROBE_WEIGHT for a probe. */
void estimate_record(struct estimate *, int64_t ns, bool whole, unsigned weight, moment now);

/* Half of the runs take no longer than this, rounded up to the next bucket; 0: not known. */
int64_t estimate_median(const struct estimate *);
/* How long a run holds its runner; 0: none has ended yet. */
int64_t estimate_mean(const struct estimate *);

/* A type that refuses everything because it is thought to be too slow learns nothing more. So every now and then, when nothing has been
 * learned for as long as a run is thought to take, one is let through: true for one of those who ask. */
bool estimate_probe(struct estimate *, moment now);

#endif
