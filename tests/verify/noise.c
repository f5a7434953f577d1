#include "noise_shim.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Of so many points. */
enum { POINTS = 1 << 20, STALLS = 2, NAPS = 150, YIELDS = 4000, PAUSES = 30000 };

static _Thread_local uint64_t state;

static unsigned loudness(void)
{
	static unsigned loud = UINT32_MAX;   /* the same for all, whoever finds it out */
	const char *said;

	if (loud == UINT32_MAX) {
		said = getenv("LEAT_NOISE");
		loud = said ? (unsigned)strtoul(said, NULL, 10) : 1;
	}
	return loud;
}

static uint64_t next(void)
{
	struct timespec t;

	if (state == 0) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		state = ((uint64_t)(uintptr_t)&state ^ (uint64_t)t.tv_nsec << 20) | 1;
	}
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void nap(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

void noise_point(void)
{
	uint64_t dice = next() >> 20;
	unsigned loud = loudness();
	uint32_t at = (uint32_t)(dice % POINTS), i;

	if (at >= PAUSES * loud)
		return;
	if (at < STALLS * loud)
		nap(20000000);
	else if (at < NAPS * loud)
		nap((long)(dice >> 20) % 50000);
	else if (at < YIELDS * loud)
		sched_yield();
	else
		for (i = 0; i < (dice >> 30) % 200; i++)
			__asm__ volatile("");
}
