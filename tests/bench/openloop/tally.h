/* What came of the requests of one client, or of all. One thread. */
#ifndef OPENLOOP_TALLY_H
#define OPENLOOP_TALLY_H

#include "histogram.h"
#include "reply.h"

#include <stdbool.h>

enum { TALLY_REASONS = 16 };

struct reason_count {
	enum reply_kind kind;
	char reason[REPLY_REASON_MAX];
	uint64_t count;
};

/* All zero is empty. offered = ok + late + refused + timeout + error + unanswered, when all is over. */
struct tally {
	uint64_t offered;
	uint64_t ok, late, refused, timeout, error, unanswered; /* late: done, but after the deadline */
	uint64_t done;                                          /* in time, and within the time that counts, whenever it was due */
	struct histogram accepted, refusals;                    /* how long until the answer: whatever was not refused; refusals */
	struct histogram service;                               /* how long it ran, by the server's word, of those that were ok */
	int64_t busy_ns, wasted_ns;                             /* sum of that, of all; and of those that ended late or not well */
	struct reason_count reasons[TALLY_REASONS];             /* more than that are not told apart */
};

/* An answer `latency_ns` after its request; `in_time`: by the deadline. */
void tally_answer(struct tally *, const struct reply *, int64_t latency_ns, bool in_time);

/* A request that failed on our side of the connection. */
void tally_error(struct tally *, const char *reason);

void tally_merge(struct tally *into, const struct tally *);

/* As lines of logfmt, on standard output. `seconds` is how long the requests took to offer. */
void tally_print(const struct tally *, const char *source, double seconds);

/* One such line of a histogram. */
void histogram_print(const struct histogram *, const char *what, const char *source);

#endif
