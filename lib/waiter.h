/* How a call blocks. Private to lib/.
 *
 * A blocked call is a claim word on the caller's stack. It stands in the list of each thing it waits for with a waiter, also on
 * the caller's stack. Whoever changes the word from WAITING to CLAIMED owns the wake-up: it fills in what
 * happened, and finishes the call. The caller itself may change it from WAITING to ABANDONED and is then free to go.
 * So of many wakers and a time-out exactly one wins.
 *
 *	caller:  put the waiters into the lists, under their locks ... look again ... call_await() ... take the waiters out
 *	waker:   under the lock: waitlist_claim(), fill in, wakes_add(); after unlocking: wakes_deliver()
 *
 * The word is the last thing of the caller's frame that a waker touches; the futex call after that may reach a frame that is
 * gone, where it is a spurious wake-up, and all waits here bear those. */
#ifndef LEAT_WAITER_H
#define LEAT_WAITER_H

#include "lock.h"
#include "spin.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>

struct chan_watch;

#define CALL_INDEX_MOST INT16_MAX   /* of a waiter: see struct call */

struct call {
	shim_u32 state;
	int16_t index;       /* set by the claimer: the waiter through which it was claimed */
	uint8_t status;      /* set by the claimer: enum chan_status; CHAN_WOULD_BLOCK: in vain, look again */
	bool called;         /* set by the claimer: others wait behind, see chan_answer() */
	struct call *next;   /* while claimed: the claimer's list */
};

struct waiter {
	struct waiter *next, *prev;   /* guarded by the lock of the list, as is `listed` */
	struct call *call;
	union {
		const void *from;     /* a sender's element */
		void *into;           /* where a receiver wants it; NULL: nowhere */
		size_t permits;       /* how many a semaphore's waiter asks for */
	};
	int index;
	bool listed;
};

/* A call that waits in one place: all that the other side touches lies on one line, a small element too. */
struct meeting {
	_Alignas(64) struct waiter waiter;
	struct call call;
	uint64_t room;
};

_Static_assert(sizeof(struct meeting) == 64, "what meets is one line");

/* First come, first served. Zeroed memory is an empty list. Guarded by the lock of the thing waited for. */
struct waitlist {
	struct waiter *first, *last;
};

/* Calls that were claimed and the watch that was fired under a lock, to be woken when it is released. */
struct wakes {
	struct call *first, *last;
	struct chan_watch *watch;   /* owns a reference */
};

void call_init(struct call *);

/* Whether the caller gave up before anyone claimed the call. If not, call_await() will return true soon. */
bool call_abandon(struct call *) must_check;

/* Spins, then sleeps, until the call is finished (true: see `index` and `status`) or the deadline has passed and
 * nobody had claimed it (false: abandoned). */
bool call_await(struct call *, moment deadline, struct spin *) must_check;

void waitlist_add(struct waitlist *, struct waiter *);
void waitlist_add_first(struct waitlist *, struct waiter *);

/* Whether a call other than this one waits in the list, so far as can be seen. */
bool waitlist_has_other(const struct waitlist *, const struct call *);

/* Takes the waiter out if it is in: a waker may have done it before. */
void waitlist_remove(struct waitlist *, struct waiter *);

/* Takes this waiter out. Whether its call could be claimed; if not, others have, or it gave up. */
bool waitlist_claim_one(struct waitlist *, struct waiter *) must_check;

/* Takes out the first waiter whose call could be claimed, and those before it, whose calls others have claimed. NULL: none. */
struct waiter *waitlist_claim(struct waitlist *) must_check;

/* The waiter's call, just claimed, is to be finished with this status. */
void wakes_add(struct wakes *, struct waiter *, enum chan_status);

/* Finishes the calls and writes to the watch. With no lock held. */
void wakes_deliver(struct wakes *);

#endif
