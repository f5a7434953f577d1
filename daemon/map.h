/* MAP: a batch (batch.h) as the answer to a request, on the side of its loop. Results come in as they end (fan-in), and leave so, or in the
 * order of the payloads (restored sequence: each waits in its item for its turn). The answer begins before all of them are there.
 *
 * A client that reads slowly leaves results in their items, where they are charged to max_memory, and not in the connection's output. When
 * too much lies there, no more items are begun until it has read: see batch.h. On the loop's thread. */
#ifndef LEAT_MAP_H
#define LEAT_MAP_H

#include "request.h"

struct exchange;
struct job;

struct map_request {
	struct request request;         /* without a payload */
	const struct slice *payloads;
	size_t count;
	uint64_t width, quorum;         /* 0: not limited; all of them */
	bool as_they_end;               /* else in the order of the payloads; of HTTP only */
};

/* Reads what a client sent. False: not a number over 0, and *why is the answer. */
must_check bool map_set_width(struct map_request *, struct slice text, struct answer *why);
must_check bool map_set_quorum(struct map_request *, struct slice text, struct answer *why);

/* Answers the request, exactly once. Refuses (NOAUTH) who has not the right to run that job. */
void map_run(struct exchange *, const struct map_request *);

/* --- For exchange.c --- */

/* The whole of a batch has come home. */
void map_home(struct job *whole);

#endif
