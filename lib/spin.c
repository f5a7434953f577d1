#include "spin.h"

#include <sched.h>

enum {
	SPIN_MOST = 400,    /* pauses: about as long as going to sleep and being woken takes */
	SPIN_LEAST = 8,     /* even if it never helped: to find out when it begins to */
	SPIN_SHARE = 8,     /* the newest weighs one in so many */
};

/* The mask is read once in the life of a thread: it is set before a program starts, or not at all. */
bool spin_alone(void)
{
	static _Thread_local int cpus;
	cpu_set_t set;

	if (cpus == 0)
		cpus = sched_getaffinity(0, sizeof(set), &set) ? 2 : CPU_COUNT(&set);
	return cpus < 2;
}

uint32_t spin_budget(struct spin *spin)
{
	uint32_t budget;

	if (!spin || spin_alone())
		return 0;
	budget = 2 * shim_load(&spin->average, relaxed) + SPIN_LEAST;
	return budget < SPIN_MOST ? budget : SPIN_MOST;
}

void spin_learn(struct spin *spin, uint32_t used, bool won)
{
	uint32_t average;

	if (!spin)
		return;
	average = shim_load(&spin->average, relaxed);
	if (won)
		average = (average * (SPIN_SHARE - 1) + used + SPIN_SHARE - 1) / SPIN_SHARE;
	else
		average = average * (SPIN_SHARE - 1) / SPIN_SHARE;
	shim_store(&spin->average, average, relaxed);
}
