/* How many places of a job type each peer holds, for `client_share`: one peer may not hold more than its part while others wait.
 *
 * Others wait not only in the queue. Who was refused waits at home until it comes again, and who waited a moment ago will soon
 * again: would each instant at which nobody else stands in the queue count, one that asks often enough would fill it in every one of
 * them, and the next of the others would be refused for the wait that it found. So a want is remembered for a while.
 *
 * A peer is a client's address without its port; all of a unix socket's clients of one user are one. There is an entry for each peer that
 * holds a place, so there are never more entries than places, and all of them are made at the start: counting and refusing
 * allocate nothing. Any thread; a short lock, which only types with a client_share have. */
#ifndef LEAT_SHARE_H
#define LEAT_SHARE_H

#include "peer.h"
#include "../lib/compiler.h"
#include "../lib/moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct share;
struct share_entry;

/* `places` there are; `percent` of them, but at least one, are a peer's part. NULL: no memory. */
must_check struct share *share_new(size_t places, unsigned percent);
void share_free(struct share *);

/* What a job finds. */
struct share_scene {
	moment now;
	uint64_t waiting;       /* how many jobs wait in all, without these */
	bool is_free;           /* none of these need wait, and so neither does anybody else */
	int64_t wait;           /* how long the last of them is expected to, in nanoseconds */
};

/* Counts `n` more waiting jobs of this peer, and remembers that it waits. NULL, and none is counted: they would be over its part, and
 * others wait. */
must_check struct share_entry *share_take(struct share *, const struct peer *, uint32_t n, const struct share_scene *);
/* It was refused, and told to come again in `comes_in` nanoseconds. */
void share_refused(struct share *, const struct peer *, moment now, int64_t comes_in);
/* It waits no more. */
void share_started(struct share *, struct share_entry *);
/* The places of n jobs are free. `started`: share_started() was called for them. */
void share_give_back(struct share *, struct share_entry *, uint32_t n, bool started);

#endif
