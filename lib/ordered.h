/* Restored sequence, with threads: results come out of order and are received in order. For each result a place is taken in a
 * line, in the order that is wanted; a place is a wait channel with room for one result, and the line is a channel of such
 * channels. Who makes the result sends it there and never waits; the receiver waits at the head of the line.
 *
 *	place = ordered_place(line, ctx, FOREVER, NULL);      in the order of the requests
 *	chan_send(place, &result, NULL, NOW); chan_unref(place);          any thread, any order
 *	while (ordered_recv(line, &result, ctx, FOREVER) == CHAN_OK)      in the order of the requests again
 *
 * The window is bounded: when `capacity` places wait behind the one at the head, ordered_place() waits. One slow result holds
 * up all behind it, but not the work on them. A place that is let go neither filled nor closed holds up the line for
 * ever: who cannot deliver closes it, and it is passed over. */
#ifndef LEAT_ORDERED_H
#define LEAT_ORDERED_H

#include "chan.h"

struct ordered;

/* `result` describes the results: their size, and drop, which is called once for each that nobody received. `capacity` is the
 * window. The caller owns one reference. NULL: no memory. */
struct ordered *ordered_new(const struct chan_options *result) must_check;
struct ordered *ordered_ref(struct ordered *);

/* The last reference lets the line go. Places that are still out stay valid: what is sent there is dropped. */
void ordered_unref(struct ordered *);

/* The next place in the line, owned by the caller, to send one result to. NULL, with *why (may be NULL): CHAN_CLOSED, CHAN_WOULD_BLOCK,
 * CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE, CHAN_NOMEM. Any thread; those that race get their places in some order. */
struct chan *ordered_place(struct ordered *, struct ctx *, moment deadline, enum chan_status *why) must_check;

/* The next result in the order of the places. CHAN_CLOSED: there are no more. Otherwise as for chan_recv(); what has not come
 * in time is still the next. One thread at a time. */
enum chan_status ordered_recv(struct ordered *, void *result, struct ctx *, moment deadline);

/* No more places; those that were taken will be received. */
void ordered_close(struct ordered *);

#endif
