/* Restored sequence, for one thread such as an event loop: a window of results that come out of order and leave in order.
 * Nothing here blocks and nothing is locked; the results themselves come in over a channel that the loop watches.
 *
 *	if (!reorder_expect(window, &ticket)) stop reading requests;      a request: its answer is the next in the sequence
 *	reorder_put(window, ticket, &answer);                             an answer has come home, whichever
 *	while (reorder_take(window, &answer)) write it;                   those whose turn it is
 *
 * The window is bounded: with `places` tickets out, or held behind one that is, no more are given. One that never comes stops all
 * behind it: who knows that it will not come says reorder_skip(). Owned by one thread; not refcounted. */
#ifndef LEAT_REORDER_H
#define LEAT_REORDER_H

#include "chan.h"

struct reorder;

/* `result` describes the results: their size, `capacity` places (at least 1), and drop, which is called for each that was put in
 * and not taken. NULL: no memory, or no places. */
struct reorder *reorder_new(const struct chan_options *result) must_check;
void reorder_free(struct reorder *);   /* NULL does nothing */

/* The next ticket of the sequence. false: the window is full. */
bool reorder_expect(struct reorder *, uint64_t *ticket) must_check;

/* The result for this ticket, copied in and owned by the window. false: it is not expected, or has come already: the caller
 * keeps it. */
bool reorder_put(struct reorder *, uint64_t ticket, const void *result) must_check;

/* There will be no result for this ticket; those behind it need not wait. false: as above. */
bool reorder_skip(struct reorder *, uint64_t ticket);

/* The next result in the order of the tickets. false: it has not come yet, or nothing is expected. */
bool reorder_take(struct reorder *, void *result) must_check;

/* How many tickets were given for which nothing was taken, or skipped, yet. */
size_t reorder_len(const struct reorder *);

#endif
