/* The inside of a channel. Private to lib/. */
#ifndef LEAT_CHAN_IMPL_H
#define LEAT_CHAN_IMPL_H

#include "chan.h"
#include "compiler.h"
#include "waiter.h"
#include "watch_impl.h"

struct chan_kind {
	/* Receives, or says why not, by the clock alone. NULL: this is a real channel, with a buffer and senders. */
	enum chan_status (*poll)(struct chan *, void *elem);
	void (*destroy)(struct chan *);   /* the last reference is gone */
};

struct chan {
	const struct chan_kind *kind;   /* this line is set once, but for refs */
	size_t elem_size, capacity;
	void (*drop)(void *elem, void *arg);
	void *drop_arg;
	unsigned flags;
	shim_u32 refs;
	shim_i64 due;   /* it becomes ready by itself at this moment; changed by timers only */

	cache_aligned struct lock lock;   /* guards the rest */
	shim_u32 closed;     /* these two are also read without the lock */
	shim_size count;     /* elements stored */
	size_t head;         /* the place of the oldest */
	struct waitlist receivers, senders;
	struct watchlist watches;
	struct spin receiving, sending;
};

/* The elements lie behind the channel: capacity * elem_size bytes. */
static inline unsigned char *chan_place(struct chan *c, size_t offset)
{
	size_t index = c->head + offset;

	return (unsigned char *)(c + 1) + (index < c->capacity ? index : index - c->capacity) * c->elem_size;
}

_Static_assert(sizeof(struct chan) <= 512, "an unbuffered channel is small");

/* An index of a waiter that is none of a case. */
#define INDEX_CTX (-1)

void chan_init(struct chan *, const struct chan_kind *, const struct chan_options *);

/* One reference less; true: it was the last, and the caller destroys the channel. */
bool chan_let_go(struct chan *) must_check;

static inline void waiter_init(struct waiter *w, struct call *call, int index)
{
	w->call = call;
	w->index = index;
	w->listed = false;
}

/* Stores or hands over; takes; CHAN_WOULD_BLOCK if that cannot be done now. The caller holds the lock. */
enum chan_status chan_offer_locked(struct chan *, const void *elem, struct wakes *);
enum chan_status chan_take_locked(struct chan *, void *elem, struct wakes *);

/* Puts a waiter into the list of the senders, or of the receivers. Nothing could be done just before, under the same lock. */
void chan_enlist_sender_locked(struct chan *, struct waiter *, const void *elem, struct wakes *);
void chan_enlist_receiver_locked(struct chan *, struct waiter *, void *elem);
void chan_delist(struct chan *, struct waitlist *, struct waiter *);

/* Closes, and claims all who wait. */
void chan_close_locked(struct chan *, struct wakes *);

/* Whether a receive would probably not block. */
bool chan_readable_locked(struct chan *);

static inline bool chan_is_polled(const struct chan *c)
{
	return c->kind->poll != NULL;
}

/* Waits with a call that stands in its lists until it is claimed by one of them (CHAN_OK), the ctx ends (CHAN_CANCELED,
 * CHAN_DEADLINE) or the deadline passes (CHAN_TIMED_OUT). Does not take the caller's waiters out. In ctx.c. */
enum chan_status ctx_wait(struct ctx *, struct call *, moment deadline, struct spin *);

#endif
