/* The books of one job type. Whenever the daemon is quiet they balance exactly:
 *
 *     submitted = refused + waiting + running + ended
 *
 * A job is submitted when admission looks at it, and ended once, by whoever owns it then. Any thread; nothing here blocks.
 *
 * Counted, because a type that a reload changes goes on with the books of the one before, whose last jobs still stand in them. */
#ifndef LEAT_BOOKS_H
#define LEAT_BOOKS_H

#include "../lib/compiler.h"
#include "../lib/moment.h"
#include "../lib/shim.h"

#include <stdint.h>

enum refusal {
#define REFUSAL(name, words) REFUSED_##name,
#define OUTCOME(name)
#include "books.def"
#undef REFUSAL
#undef OUTCOME
	REFUSALS
};

enum outcome {
#define REFUSAL(name, words)
#define OUTCOME(name) OUTCOME_##name,
#include "books.def"
#undef REFUSAL
#undef OUTCOME
	OUTCOMES
};

/* Buckets of a histogram: upper bounds in nanoseconds, the last one open. */
enum { HISTOGRAM_BUCKETS = 20 };
extern const int64_t histogram_bounds[HISTOGRAM_BUCKETS - 1];

struct histogram {
	shim_u64 buckets[HISTOGRAM_BUCKETS];    /* of each bucket alone, not of all up to it */
	shim_u64 sum_ns;
};

/* The time in nanoseconds that so many percent of what it holds did not exceed, read off between the bounds; 0: it holds nothing. */
int64_t histogram_percentile(const struct histogram *, unsigned percent);

struct books {
	shim_u64 references;
	/* Of who writes the summaries (see summary.h): what the last one has told. */
	uint64_t told[REFUSALS];
	/* Written by the loops. */
	shim_u64 submitted cache_aligned;
	shim_u64 refused[REFUSALS];
	/* Written by the loops and the runners. */
	shim_u64 inside cache_aligned;  /* places taken: waiting and running */
	shim_u64 held_back;             /* of the waiting: those of batches whose results are not taken, see batch.h */
	shim_u64 running;               /* how many, and the sum of when they started: see books_running() */
	shim_u64 abandoned;             /* of the running: those that were answered and are not over */
	shim_u64 ended[OUTCOMES];
	struct histogram queued, ran;
};

/* Empty ones, with one reference. NULL: no memory. */
must_check struct books *books_new(void);
struct books *books_ref(struct books *);
/* NULL does nothing. */
void books_unref(struct books *);

/* Takes `n` of `places` in one step; false, and none is taken, if so many are not free. Either way n jobs are submitted. */
bool books_take_places(struct books *, uint64_t n, uint64_t places);
/* A refusal of n jobs; `had_places`: they had taken them. */
void books_refuse(struct books *, enum refusal, uint64_t n, bool had_places);
/* Waiting becomes running. */
void books_start(struct books *, moment arrived, moment started);
/* A running job has been answered, and keeps its place (1), or not after all (-1); and it is over. */
void books_abandon(struct books *, int change);
void books_end_abandoned(struct books *, moment started, moment ended);
/* A job that waited, or that ran, is over; its place is free when this returns. */
void books_end_waiting(struct books *, enum outcome);
void books_end_running(struct books *, enum outcome, moment started, moment ended);

/* What runs at one instant: how many, and for how long all of them together, to a microsecond each. */
struct books_running {
	uint64_t count;
	int64_t elapsed_ns;
};
struct books_running books_running(const struct books *, moment now);

/* How many places are taken: a snapshot. */
uint64_t books_inside(const struct books *);
/* The same without those who stand in nobody's way. */
uint64_t books_in_line(const struct books *);
/* So many more of the waiting are held back, or fewer. */
void books_hold_back(struct books *, int64_t change);

/* A copy to read. Each number is right; that they fit together is certain only while nothing moves. */
struct books_copy {
	uint64_t submitted, refused[REFUSALS], waiting, running, abandoned, ended[OUTCOMES];
};
struct books_copy books_read(const struct books *);

const char *refusal_name(enum refusal);
const char *refusal_words(enum refusal);
const char *outcome_name(enum outcome);

#endif
