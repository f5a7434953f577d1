/* Calls in a thread of their own that are expected to block, and ways to see that they do: by looking inside the channel. */
#ifndef LEAT_BLOCKED_H
#define LEAT_BLOCKED_H

#include "testing.h"

#include "../../lib/chan_impl.h"

static inline size_t waiters_in(struct lock *lock, const struct waitlist *list)
{
	const struct waiter *w;
	size_t n = 0;

	lock_acquire(lock);
	for (w = list->first; w; w = w->next)
		n++;
	lock_release(lock);
	return n;
}

static inline size_t receivers_of(struct chan *c)
{
	return waiters_in(&inside(c)->lock, &inside(c)->receivers);
}

static inline size_t senders_of(struct chan *c)
{
	return waiters_in(&inside(c)->lock, &inside(c)->senders);
}

/* One channel operation in a thread. Set what it needs, blocked_start(), and look at the result after blocked_end(). */
struct blocked {
	enum chan_op op;
	struct chan *chan;
	int value;              /* to send, or received */
	struct ctx *ctx;
	moment deadline;
	enum chan_status status;
	pthread_t thread;
};

static inline void *blocked_main(void *arg)
{
	struct blocked *b = arg;

	if (b->op == CHAN_OP_SEND)
		b->status = chan_send(b->chan, &b->value, b->ctx, b->deadline);
	else
		b->status = chan_recv(b->chan, &b->value, b->ctx, b->deadline);
	return NULL;
}

static inline void blocked_start(struct blocked *b)
{
	size_t senders = b->chan ? senders_of(b->chan) : 0;
	size_t receivers = b->chan ? receivers_of(b->chan) : 0;

	b->thread = thread_start(blocked_main, b);
	if (b->chan && b->op == CHAN_OP_SEND)
		wait_until(senders_of(b->chan) == senders + 1, SOON);
	else if (b->chan)
		wait_until(receivers_of(b->chan) == receivers + 1, SOON);
}

static inline enum chan_status blocked_end(struct blocked *b)
{
	thread_join(b->thread);
	return b->status;
}

#endif
