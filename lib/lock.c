#include "lock.h"
#include "spin.h"

enum { LOCK_SPIN = 60 };

/* Worth a short look: nobody holds a lock for long, unless its holder is not running. */
static bool spin_for(struct lock *lock)
{
	uint32_t left = spin_alone() ? 0 : LOCK_SPIN;

	for (; left > 0; left--) {
		uint32_t seen = LOCK_OPEN;
		if (shim_load(&lock->word, relaxed) == LOCK_OPEN && shim_cas(&lock->word, &seen, LOCK_HELD, acquire))
			return true;
		cpu_pause();
	}
	return false;
}

void lock_wait(struct lock *lock)
{
	if (spin_for(lock))
		return;
	/* From here on it counts as crowded, also by us when we get it: others may sleep, and we cannot know. */
	while (shim_xchg(&lock->word, LOCK_CROWDED, acquire) != LOCK_OPEN)
		futex_wait(&lock->word, LOCK_CROWDED, FOREVER);
}
