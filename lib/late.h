/* Cancellation, with a slot for the late result: a call that its caller may walk away from, at a deadline or when it is no longer
 * wanted. It runs in a thread of its own and leaves its result in a channel with one place; so it can end even if nobody
 * waits any more, and the late result is dropped by the drop function with the last reference to the channel.
 *
 * Walking away does not stop the work, it only tells it: run() is given a ctx that has ended then, and should look at it. Until
 * it returns it costs a thread and what it holds. Callers that give up and try again pile those up: bound them, by a semaphore
 * around the call, or by a pool.
 *
 * After Kennedy, "Concurrency patterns: cancellation" (Ardan Labs). */
#ifndef LEAT_LATE_H
#define LEAT_LATE_H

#include "chan.h"

struct late_options {
	size_t input_size;
	struct chan_options result;   /* its size and its drop; the capacity is 1, whatever is said here */
	/* Owns what *input points to; fills in *result. The ctx ends when nobody waits for it any more. */
	void (*run)(void *input, void *result, struct ctx *, void *arg);
	void *arg;                    /* borrowed; must outlive the run */
	const char *name;             /* of the thread; may be NULL */
};

/* Starts the call and returns the slot, to receive one result from (then CHAN_CLOSED), alone or in a select; the caller owns one
 * reference, and walks away by letting it go. NULL: no memory, no thread or no run; the caller keeps the input. Any thread. */
struct chan *late_start(const struct late_options *, const void *input, struct ctx *) must_check;

/* Starts the call and waits for its result. CHAN_OK: *result is the caller's. CHAN_NOMEM: it was not started, the caller keeps the
 * input. Otherwise the caller has walked away: CHAN_WOULD_BLOCK, CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE; *result is as it was,
 * and run() sees its ctx end. Any thread. */
enum chan_status late_call(const struct late_options *, const void *input, void *result, struct ctx *, moment deadline);

#endif
