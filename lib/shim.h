/* The only door to atomics, futexes, the clock and the pause instruction. Everything above goes through it, so that the same
 * source can be run in three ways:
 *   as shipped;
 *   with -DLEAT_SHIM='"file.h"': file.h defines SHIM_POINT() (called before each operation: schedule noise), and may
 *   define SHIM_OWN_WAITING and then itself gives futex_wait(), futex_wake(), cpu_pause() and shim_clock(), and
 *   SHIM_OWN_ATOMICS and then itself gives shim_load() to shim_keep_order() (a deterministic scheduler, in which each
 *   operation is a possible switch, and a store may be late). With SHIM_OWN_MEMBARRIER it also gives cpu_yield(),
 *   shim_has_membarrier() and shim_membarrier(); otherwise there is no membarrier, and what needs one does without.
 * No standalone fences: ThreadSanitizer does not understand them. */
#ifndef LEAT_SHIM_H
#define LEAT_SHIM_H

#include "moment.h"
#include "shim_atomics.h"

#ifndef SHIM_OWN_WAITING

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps while *word is `expected`, until woken or until the deadline: absolute, so that a wait in pieces does not grow.
 * 0 or ETIMEDOUT. May return 0 for no reason: the caller looks at *word again. */
static inline int futex_wait(shim_u32 *word, uint32_t expected, moment deadline)
{
	struct timespec at, *limit = NULL;

	if (deadline != FOREVER) {
		moment clamped = deadline < 0 ? 0 : deadline;
		at.tv_sec = clamped / SECONDS;
		at.tv_nsec = clamped % SECONDS;
		limit = &at;
	}
	SHIM_POINT();
	if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, limit, NULL, FUTEX_BITSET_MATCH_ANY) == 0)
		return 0;
	return errno == ETIMEDOUT ? ETIMEDOUT : 0;
}

/* Wakes up to `n` sleepers. Only the address is used: the word may be gone already, or be something else now. */
static inline void futex_wake(shim_u32 *word, int n)
{
	SHIM_POINT();
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static inline void cpu_pause(void)
{
	SHIM_POINT();
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb");
#endif
}

static inline moment shim_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (moment)t.tv_sec * SECONDS + t.tv_nsec;
}

static inline void cpu_yield(void)
{
	SHIM_POINT();
	sched_yield();
}

/* Whether there is a membarrier, for this process. To be asked before it is used. */
static inline bool shim_has_membarrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

/* Every thread of this process has passed a full barrier between call and return. */
static inline void shim_membarrier(void)
{
	SHIM_POINT();
	/* It was there when it was asked for; without it wake-ups would be lost, silently. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
		abort();
}

#elif !defined(SHIM_OWN_MEMBARRIER)

#include <stdbool.h>

static inline void cpu_yield(void)
{
	cpu_pause();
}

static inline bool shim_has_membarrier(void)
{
	return false;
}

static inline void shim_membarrier(void)
{
}

#endif
#endif
