#include "spin.h"

#include <sched.h>

enum {
	SPIN_MOST = 400,    /* pauses: about as long as going to sleep and being woken takes */
	SPIN_LEAST = 4,     /* even if it never helped */
	SPIN_SHARE = 8,     /* the newest weighs one in so many */
	YIELD_MOST = 16,    /* likewise */
	YIELD_SHARE = 8,
	YIELD_REST = 4,     /* times as long as it took it is not tried again when it was late */
	RETRY = 64,         /* one in so many waits tries everything */
};

/* A yield that takes longer has run into someone who uses up his time; the kernel charges us for as much. */
#define YIELD_LATE MILLISECONDS

/* The mask is read once in the life of a thread: it is set before a program starts, or not at all. */
bool spin_alone(void)
{
	static _Thread_local int cpus;
	cpu_set_t set;

	if (cpus == 0)
		cpus = sched_getaffinity(0, sizeof(set), &set) ? 2 : CPU_COUNT(&set);
	return cpus < 2;
}

uint32_t spin_budget(struct spin *s)
{
	uint32_t budget;

	if (!s || spin_alone())
		return 0;
	budget = 2 * shim_load(&s->average, relaxed) + SPIN_LEAST;
	return budget < SPIN_MOST ? budget : SPIN_MOST;
}

void spin_learn(struct spin *s, uint32_t used, bool won)
{
	uint32_t average;

	if (!s)
		return;
	average = shim_load(&s->average, relaxed) * (SPIN_SHARE - 1);
	average = (won ? average + used + SPIN_SHARE - 1 : average) / SPIN_SHARE;
	shim_store(&s->average, average, relaxed);
}

static bool spin(struct spin *s, bool whole, bool (*ready)(const void *), const void *arg)
{
	uint32_t budget = spin_budget(s), used = 0;
	bool won = false;

	if (budget == 0)
		return false;
	budget = whole ? SPIN_MOST : budget;
	for (; used < budget && !(won = ready(arg)); used++)
		cpu_pause();
	spin_learn(s, used, won);
	return won;
}

static bool yield(struct spin *s, bool whole, bool (*ready)(const void *), const void *arg)
{
	uint32_t average = shim_load(&s->yields, relaxed), used = 0;
	uint32_t budget = whole ? YIELD_MOST : (2 * average + YIELD_SHARE - 1) / YIELD_SHARE;
	moment began, took = 0;
	bool won = false;

	if (budget == 0 || (began = moment_now()) < shim_load(&s->rest, relaxed))
		return false;
	budget = budget < YIELD_MOST ? budget : YIELD_MOST;
	while (used < budget && !won && took < YIELD_LATE) {
		cpu_yield();
		used++;
		won = ready(arg);
		took = moment_now() - began;
	}
	if (took >= YIELD_LATE)
		shim_store(&s->rest, began + took * YIELD_REST, relaxed);
	if (won)
		average = average - average / YIELD_SHARE + used;
	else
		average = average - (average + YIELD_SHARE - 1) / YIELD_SHARE;
	shim_store(&s->yields, average, relaxed);
	return won;
}

bool spin_until(struct spin *s, bool (*ready)(const void *), const void *arg)
{
	uint32_t times;

	if (!s)
		return false;
	times = shim_load(&s->times, relaxed);
	shim_store(&s->times, times + 1, relaxed);
	return spin(s, times % RETRY == 0, ready, arg) || yield(s, times % RETRY == 0, ready, arg);
}
