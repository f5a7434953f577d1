/* The encapsulated worker: a thread with the channels through which alone it can be spoken to. The function makes the channels,
 * owns them and returns them, so that none of them can be nil, of the wrong size, or closed by a stranger, and nobody needs to know how
 * many threads or locks are behind it.
 *
 *	static void serve(struct chan *in, struct chan *out, struct ctx *ctx, void *arg)
 *	{
 *		while (chan_recv(in, &question, ctx, FOREVER) == CHAN_OK && chan_send(out, answer(&question), ctx, FOREVER) == CHAN_OK)
 *			;
 *	}
 *
 * Everything that the worker has is touched by its thread only: no lock. When run() returns both channels are closed: who sends
 * to it keeps the element, who receives sees the end. Wrap it in a type of your own with functions that say what
 * is asked (log_put, store_get): the channels are its inside. A worker that waits to give an answer takes no questions: do not
 * wait in a send to it without taking its answers, or give `out` room for them. */
#ifndef LEAT_ENCAPSULATED_H
#define LEAT_ENCAPSULATED_H

#include "chan.h"

struct encapsulated;

struct encapsulated_options {
	struct chan_options in, out;   /* out may be all zero if the worker says nothing */
	/* Ranges over `in` until it is closed; should end soon when the ctx does. */
	void (*run)(struct chan *in, struct chan *out, struct ctx *, void *arg);
	void *arg;                     /* the worker's until it has ended */
	const char *name;              /* of the thread; may be NULL */
};

/* The worker runs when this returns, and ends with `ctx` (NULL: none). The caller owns one reference. NULL: no memory, no
 * thread or no run. */
struct encapsulated *encapsulated_start(const struct encapsulated_options *, struct ctx *) must_check;

/* The channels, borrowed; never nil. in: to send to. out: to receive from, select on, watch. Any thread. */
struct chan *encapsulated_in(struct encapsulated *);
struct chan *encapsulated_out(struct encapsulated *);

/* Closes `in` and waits until the worker has done what was left there and has returned. CHAN_OK: it has. CHAN_WOULD_BLOCK (NOW),
 * CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE: not yet; may be called again. Take its answers meanwhile, or it may never.
 * Any thread but the worker's. */
enum chan_status encapsulated_stop(struct encapsulated *, struct ctx *, moment deadline);

struct encapsulated *encapsulated_ref(struct encapsulated *);

/* The last reference of the callers tells the worker to end at once (its ctx is cancelled, `in` is closed), and does not wait; what
 * nobody took is dropped, and the memory goes with the thread. */
void encapsulated_unref(struct encapsulated *);

#endif
