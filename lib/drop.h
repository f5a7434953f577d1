/* Drop: try to send, else count it and go on (a send in a select with a default). For what may be lost and must not hold anybody
 * up: log lines, samples, work that is better refused than kept waiting. Zeroed memory has dropped nothing. Any thread.
 *
 * The counter is the point: what is dropped in silence is a mystery later. Never for what must arrive, nor in a loop that
 * tries until it works: that is a send, written badly. On a channel without capacity almost everything is dropped. */
#ifndef LEAT_DROP_H
#define LEAT_DROP_H

#include "chan.h"
#include "shim.h"

struct drop {
	shim_u64 dropped;
	shim_u64 told;   /* of these, how many drop_news() has told of */
};

/* true: sent. false: no room, closed or nil: counted, and the caller keeps the element. Never blocks. */
bool drop_send(struct drop *, struct chan *, const void *elem);

/* How many were dropped so far. */
uint64_t drop_count(const struct drop *);

/* How many were dropped since the last time this was asked: for "17 lines dropped" now and then. Each is told of once,
 * whoever asks. */
uint64_t drop_news(struct drop *);

#endif
