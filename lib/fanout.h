/* Fan-out: N pieces of work at once, one thread each, and a channel with N places for their results, so that no sender ever blocks:
 * the consumer may be slow, or walk away. With a semaphore: at most as many at once as it has permits, and the semaphore may
 * be shared by several fan-outs, which then are bounded together.
 *
 *	results = fanout_start(&options, pieces, n, ctx);
 *	while (chan_recv(results, &result, NULL, FOREVER) == CHAN_OK) ...      as they come, in any order, until it is closed
 *
 * There is one result of each piece that was run. When the ctx ends no more pieces are begun, and those that run should look at
 * it. N is the caller's to bound: without a semaphore it is N threads, with or without N results are kept. When pieces come
 * all the time, a pool is better.
 *
 * After Kennedy, "Concurrency patterns: fan out" and "fan out semaphore" (Ardan Labs). */
#ifndef LEAT_FANOUT_H
#define LEAT_FANOUT_H

#include "chan.h"

struct fanout_options {
	size_t piece_size;
	struct chan_options result;   /* size and drop; the capacity is the number of pieces, whatever is said here */
	/* Does one piece: `index` is its place in the order given, *result is zeroed at first. */
	void (*run)(size_t index, const void *piece, void *result, struct ctx *, void *arg);
	void *arg;                    /* borrowed; must outlive the last run: when the results are closed */
	struct semaphore *limit;      /* a permit is taken for each piece that runs; NULL: all at once */
	const char *name;             /* of the threads; may be NULL */
};

/* Copies the pieces (what they point to stays the caller's) and returns the results; the caller owns one reference, and may let it go
 * before the end: results that nobody took are dropped. Takes references on the ctx (NULL: none) and the semaphore.
 * NULL: no memory, too few threads or no run; no piece was begun. With a semaphore a piece for which no thread can be had later is done by
 * the thread that hands them out. Any thread. */
struct chan *fanout_start(const struct fanout_options *, const void *pieces, size_t n, struct ctx *) must_check;

#endif
