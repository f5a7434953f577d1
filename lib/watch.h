/* A watch: how an event loop waits for a channel. Its descriptor becomes readable when there is something to receive
 * (or the channel was closed) after the watch was armed; it is written at most once per arming, by whoever sends.
 *
 *	w = chan_watch_new(c, &fd);                      add fd to the loop, for reading, level or edge triggered
 *	on readable, and once at the start:
 *		do n = chan_try_recv_many(c, batch, 64, &why), use them; while (n == 64 and there is time);
 *		if (!chan_watch_arm(w)) run this again soon;
 *
 * Spurious readiness is possible, a lost one is not. A thread that is blocked in a receive goes before the watches; of
 * several watches one message wakes one, and closing wakes all.
 * A watch belongs to one thread, the loop's; the senders may be any. */
#ifndef LEAT_WATCH_H
#define LEAT_WATCH_H

#include "compiler.h"

#include <stdbool.h>

struct chan;
struct chan_watch;

/* A watch on `chan`, not armed, which holds a reference on it. *fd belongs to the watch: neither read, write nor close
 * it. NULL, and *fd = -1: no memory or no descriptor. A nil channel may be watched, and never is ready.
 * On a channel made of time the descriptor becomes readable at its moment, on ctx_done() at cancellation and at
 * the deadline. */
struct chan_watch *chan_watch_new(struct chan *, int *fd) must_check;

/* Makes the descriptor not readable and asks for a wake-up. false: there is something to receive already and the watch
 * is not armed; go on draining. Call it after every readiness, when drained. */
bool chan_watch_arm(struct chan_watch *) must_check;

/* Take the descriptor out of the loop first. A sender that is just about to write it closes it instead of us; if the
 * watch was woken and had not been armed again, its wake-up is passed to another watch. NULL does nothing. */
void chan_watch_free(struct chan_watch *);

#endif
