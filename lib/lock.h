/* A mutex in one futex word, for short critical sections. Zeroed memory is an open lock. Unlocking touches
 * nothing after it has let go, so the next holder may free the memory. Not recursive.
 * After Drepper, "Futexes Are Tricky", mutex 2. */
#ifndef LEAT_LOCK_H
#define LEAT_LOCK_H

#include "compiler.h"
#include "shim.h"

enum { LOCK_OPEN, LOCK_HELD, LOCK_CROWDED };   /* crowded: someone may be asleep on it */

struct lock {
	shim_u32 word;
};

void lock_wait(struct lock *);

static inline void lock_acquire(struct lock *lock)
{
	uint32_t seen = LOCK_OPEN;

	if (unlikely(!shim_cas(&lock->word, &seen, LOCK_HELD, acquire)))
		lock_wait(lock);
}

static inline void lock_release(struct lock *lock)
{
	if (unlikely(shim_xchg(&lock->word, LOCK_OPEN, release) == LOCK_CROWDED))
		futex_wake(&lock->word, 1);
}

#endif
