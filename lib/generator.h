/* The generator: a function that starts a producer and returns its channel. One thread makes element after element and
 * sends each; who has the channel has a handle on a service.
 *
 *	bool count(void *elem, struct ctx *ctx, void *arg) { *(int *)elem = (*(int *)arg)++; return true; }
 *	...
 *	struct chan *numbers = generator_start(&(struct generator_options){ .out = { .elem_size = sizeof(int) }, .next = count,
 *									    .arg = &i }, ctx);
 *
 * The thread ends, and the channel is closed, when next() says so, when the ctx ends, or when the consumer, who has had
 * enough, closes the channel (a receiver may do that here: a sender that finds it closed keeps its element). A consumer who
 * only lets go of the channel, and neither cancels nor closes, leaves a thread behind that is blocked in its send for ever. So
 * does a next() that blocks on something else than its ctx. CHAN_CLOSED says that the producer has ended only if nobody else has
 * closed the channel: what arg points to is best freed by end().
 *
 * After Pike, "Go Concurrency Patterns" (2012). */
#ifndef LEAT_GENERATOR_H
#define LEAT_GENERATOR_H

#include "chan.h"

struct generator_options {
	struct chan_options out;   /* the channel: capacity is how far the producer may run ahead; drop is also called for an
				    * element that was made and that nobody took */
	bool (*next)(void *elem, struct ctx *, void *arg);   /* makes one. false: that was the last, and *elem is nothing */
	void (*end)(void *arg);    /* the thread needs arg no more; before the channel is closed; may be NULL */
	void *arg;
	const char *name;          /* of the thread; may be NULL */
};

/* The channel, to receive from and to close; the caller owns one reference. It takes a reference on the ctx (NULL: none). NULL: no
 * memory or no thread, or no next; then end() is not called. Any thread. */
struct chan *generator_start(const struct generator_options *, struct ctx *) must_check;

#endif
