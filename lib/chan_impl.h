/* The inside of a channel. Private to lib/. */
#ifndef LEAT_CHAN_IMPL_H
#define LEAT_CHAN_IMPL_H

#include "chan.h"
#include "compiler.h"
#include "waiter.h"
#include "watch_impl.h"

struct chan_kind {
	/* Receives, or says why not, by the clock alone; and whether it would. NULL: this is a real channel, with a buffer
	 * and senders. */
	enum chan_status (*poll)(struct chan *, void *elem);
	bool (*ready)(const struct chan *);
	void (*destroy)(struct chan *);   /* the last reference is gone */
};

/* Who wants to be told what happens to a channel: all that an operation looks at besides the buffer.
 * Waking costs more than a hundred operations, so of each side one at a time is called: he was handed an element (room),
 * is on his way, and calls the next if there is more. */
#define ATTENTION_RECEIVERS UINT64_C(1)          /* some stand in the list */
#define ATTENTION_SENDERS UINT64_C(2)
#define ATTENTION_WATCHED UINT64_C(4)            /* a watch is armed */
#define ATTENTION_WAITING UINT64_C(7)
#define ATTENTION_RECEIVER_CALLED UINT64_C(8)
#define ATTENTION_SENDER_CALLED UINT64_C(16)
#define ATTENTION_CLOSING UINT64_C(32)           /* a single producer must not go on */
#define ATTENTION_CLOSED UINT64_C(64)            /* nothing more will be sent */
#define ATTENTION_COMER UINT64_C(128)            /* of an unbuffered channel, and above: counts who came to wait */

struct chan {
	const struct chan_kind *kind;   /* this line is set once, but for refs */
	size_t elem_size, capacity;
	size_t stride, offset;          /* from slot to slot; in a slot, of the element */
	uint64_t mark, lap;             /* see ring.h */
	void (*drop)(void *elem, void *arg);
	void *drop_arg;
	unsigned flags;
	bool fenced;                    /* there is no membarrier: see ring.h */
	shim_u32 refs;
	shim_i64 due;   /* it becomes ready by itself at this moment; changed by timers only */

	cache_aligned shim_u64 head;
	struct spin receiving;

	cache_aligned shim_u64 tail;
	struct spin sending;

	cache_aligned shim_u64 attention;   /* bits are set under the lock */
	struct lock lock;                   /* guards the rest */
	struct waitlist receivers, senders;
	struct watchlist watches;
};

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

static inline bool chan_is_polled(const struct chan *c)
{
	return c->kind->poll != NULL;
}

/* One that has a ring: the others are the unbuffered ones, and those that are made of time. */
static inline bool chan_is_buffered(const struct chan *c)
{
	return c->mark != 0;
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
void chan_settle(struct chan *);

/* Sends into a full buffer whose receivers have not come yet, by serving them; likewise from an empty one. */
enum chan_status chan_send_past(struct chan *, const void *elem);
enum chan_status chan_recv_past(struct chan *, void *elem);

/* To be called by who was called through this case (call->called), as soon as possible: calls the next. */
void chan_answer(struct chan *, enum chan_op);

/* Closes, and claims all who wait. The caller holds the lock. */
void chan_close_locked(struct chan *, struct wakes *);

/* Waits with a call that stands in its lists until it is claimed by one of them (CHAN_OK), the ctx ends (CHAN_CANCELED,
 * CHAN_DEADLINE) or the deadline passes (CHAN_TIMED_OUT). Does not take the caller's waiters out. In ctx.c. */
enum chan_status ctx_wait(struct ctx *, struct call *, moment deadline, struct spin *);

/* Waits for one of valid cases, and does it; in select.c. chan_send() and chan_recv() are selects of one case when they
 * have to wait. */
int select_wait(struct chan_case *, int n, struct ctx *, moment deadline, enum chan_status *why);

#endif
