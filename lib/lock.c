#include "lock.h"
#include "spin.h"

enum { LOCK_SPIN = 60 };

static bool try_now(struct lock *lock)
{
	uint32_t seen = LOCK_OPEN;

	return shim_load(&lock->word, relaxed) == LOCK_OPEN && shim_cas(&lock->word, &seen, LOCK_HELD, acquire);
}

/* Worth a short look: nobody holds a lock for long, unless its holder is not running; then he may stand in the queue of this
 * CPU. Once one sleeps, each release costs a wake-up until nobody does. */
static bool look_for(struct lock *lock)
{
	int spins = spin_alone() ? 0 : LOCK_SPIN;

	for (; spins > 0; spins--) {
		if (try_now(lock))
			return true;
		cpu_pause();
	}
	/* Once: it may take as long as others like. */
	cpu_yield();
	return try_now(lock);
}

void lock_wait(struct lock *lock)
{
	if (look_for(lock))
		return;
	/* From here on it counts as crowded, also by us when we get it: others may sleep, and we cannot know. */
	while (shim_xchg(&lock->word, LOCK_CROWDED, acquire) != LOCK_OPEN)
		futex_wait(&lock->word, LOCK_CROWDED, FOREVER);
}
