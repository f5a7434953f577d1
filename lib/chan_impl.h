/* The inside of a channel. Private to lib/. */
#ifndef LEAT_CHAN_IMPL_H
#define LEAT_CHAN_IMPL_H

#include "chan.h"
#include "compiler.h"
#include "fast.h"
#include "waiter.h"
#include "watch_impl.h"

struct chan_kind {
	/* Receives, or says why not, by the clock alone; and whether it would. NULL: this is a real channel, with a buffer
	 * and senders. */
	enum chan_status (*poll)(struct chan *, void *elem);
	bool (*ready)(const struct chan *);
	void (*destroy)(struct chan *);   /* the last reference is gone */
};

/* What of a channel only lib/ sees: its struct chan has room for it. */
struct inside {
	struct lock lock;   /* guards the lists */
	struct waitlist receivers, senders;
	struct watchlist watches;
	struct spin receiving, sending;   /* written when waiting was in vain: seldom, or it does not matter */
};

_Static_assert(_Alignof(struct inside) <= _Alignof(uint64_t) && sizeof(struct inside) <= CHAN_INSIDE_BYTES, "the inside of a channel fits");

static inline struct inside *inside(const struct chan *c)
{
	return (struct inside *)(uintptr_t)c->inside;
}

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

static inline bool chan_is_polled(const struct chan *c)
{
	return c->kind->poll != NULL;
}

/* Does one operation of a valid case without waiting. `past`: also past those who have been called and not come yet, and
 * waits for those who are in the middle of an operation, so that CHAN_WOULD_BLOCK is exact. */
enum chan_status chan_attempt(struct chan *, enum chan_op, void *elem, bool past);

/* Whether a case could go on: enum look of ring.h. For an unbuffered channel a guess that is right when it says idle. */
int chan_look(struct chan *, enum chan_op);

/* The second look of who has asked for attention on a buffered channel (or is the one others rely on, and has just
 * said that he no longer is). False: whoever changes that from now on sees that he is asked. */
bool chan_look_again(struct chan *, enum chan_op) must_check;

/* The bits of `attention` that say who waits become what the lists say. After each change of them. */
void chan_note_locked(struct chan *);

/* The unbuffered channel: hands over, or CHAN_WOULD_BLOCK if nobody is there. */
enum chan_status chan_offer_locked(struct chan *, const void *elem, struct wakes *);
enum chan_status chan_take_locked(struct chan *, void *elem, struct wakes *);

/* Puts a waiter into the list of the senders, or of the receivers; `first`: it was there before and was called in vain. */
void chan_enlist_sender_locked(struct chan *, struct waiter *, const void *elem, bool first, struct wakes *);
void chan_enlist_receiver_locked(struct chan *, struct waiter *, void *elem, bool first);
void chan_delist(struct chan *, struct waitlist *, struct waiter *);

/* The buffered channel: serves who waits, as far as elements, room and the throttle go. */
void chan_settle_locked(struct chan *, struct wakes *);

/* To be called by who was called through this case (call->called), as soon as possible: calls the next. */
void chan_answer(struct chan *, enum chan_op);

/* Closes, and claims all who wait. The caller holds the lock. */
void chan_close_locked(struct chan *, struct wakes *);

/* Waits with a call that stands in its lists until it is claimed by one of them (CHAN_OK), the ctx ends (CHAN_CANCELED,
 * CHAN_DEADLINE) or the deadline passes (CHAN_TIMED_OUT). Does not take the caller's waiters out. In ctx.c. */
enum chan_status ctx_wait(struct ctx *, struct call *, moment deadline, struct spin *);

/* Waits for one of valid cases, and does it; in select.c. chan_send() and chan_recv() are selects of one case when they
 * have to wait. `looked`: the caller has spun. */
int select_wait(struct chan_case *, int n, bool looked, struct ctx *, moment deadline, enum chan_status *why);

#endif
