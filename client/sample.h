/* What a server says of itself at one moment, and what has happened between two of them. */
#ifndef LEAT_SAMPLE_H
#define LEAT_SAMPLE_H

#include "session.h"

#include "../lib/moment.h"

enum { SAMPLE_BUCKETS = 64, SAMPLE_NAME_MAX = 128 };

struct sample_type {
	char name[SAMPLE_NAME_MAX];
	uint64_t concurrency, queue, waiting, running, submitted, refused, ended, failed;       /* failed: ended, and not done */
	bool paused;
	char why[48];                                   /* the reason of most refusals; empty: there were none */
	uint64_t queued[SAMPLE_BUCKETS], ran[SAMPLE_BUCKETS];
};

struct sample_job {
	char id[SAMPLE_NAME_MAX], job[SAMPLE_NAME_MAX], state[16], peer[SAMPLE_NAME_MAX];
	uint64_t age_ms, left_ms;
};

struct sample {
	moment at;
	char version[32];
	uint64_t uptime_s, draining, connections, max_connections, memory, max_memory;
	int64_t bounds_us[SAMPLE_BUCKETS];              /* upper bounds of the buckets; the last one has none */
	size_t bounds;
	struct sample_type *types;                      /* in the order of their names */
	size_t type_count;
	bool sees_jobs;                                 /* has the right to */
	struct sample_job *jobs;                        /* that wait and run, the oldest first */
	size_t job_count;
	uint64_t more_jobs;
};

/* Asks for one; `with_jobs`: also for the jobs in flight. But for TOLD session->why says what is wrong. Free in any case. */
enum told sample_take(struct sample *, struct session *, bool with_jobs) must_check;
void sample_free(struct sample *);

/* The type of that name in another sample, or NULL. */
const struct sample_type *sample_type(const struct sample *, const char *name);

/* How many a second, of a counter that was `then` and is `now`. */
double sample_rate(const struct sample *from, const struct sample *to, uint64_t then, uint64_t now);

/* The microseconds that `percent` of what came into these buckets since `then` (NULL: since the start) did not exceed; negative: nothing
 * came. */
int64_t sample_percentile(const struct sample *, const uint64_t *now, const uint64_t *then, unsigned percent);

#endif
