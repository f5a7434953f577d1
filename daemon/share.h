/* How many places of a job type each peer holds, for `client_share`: one peer may not hold more than its part while others wait.
 *
 * A peer is a client's address without its port; all of a unix socket's clients of one user are one. There is an entry for each peer that
 * holds a place, so there are never more entries than places, and all of them are made at the start: counting and refusing
 * allocate nothing. Any thread; a short lock, which only types with a client_share have. */
#ifndef LEAT_SHARE_H
#define LEAT_SHARE_H

#include "peer.h"
#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct share;
struct share_entry;

/* `places` there are; `percent` of them, but at least one, are a peer's part. NULL: no memory. */
must_check struct share *share_new(size_t places, unsigned percent);
void share_free(struct share *);

/* Counts one more waiting job of this peer. `waiting`: how many jobs wait in all, without this one. NULL: it has its part already, and
 * others wait. */
must_check struct share_entry *share_take(struct share *, const struct peer *, uint64_t waiting);
/* It waits no more. */
void share_started(struct share *, struct share_entry *);
/* Its place is free. `started`: share_started() was called. */
void share_give_back(struct share *, struct share_entry *, bool started);

#endif
