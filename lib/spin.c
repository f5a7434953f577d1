#include "spin.h"

#include <sched.h>

enum {
	SPIN_ROUNDS = 7,    /* of 1, 2, 4 ... pauses: about as long as going to sleep and being woken takes */
	YIELDS = 4,
	YIELD_REST = 4,     /* times as long as it took it is not tried again when it was late */
	VAIN = 16,          /* in vain so many times running: from then on only every so-manieth wait tries */
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

bool spin_is_worth_it(const struct spin *s)
{
	uint32_t vain = shim_load(&s->vain, relaxed);

	return vain < VAIN || vain % VAIN == 0;
}

void spin_learn(struct spin *s, bool won)
{
	uint32_t vain = shim_load(&s->vain, relaxed), now = won ? 0 : vain + 1;

	if (now != vain)
		shim_store(&s->vain, now, relaxed);
}

/* Looking disturbs whoever is waited for: so ever more seldom, and there is more when it comes. */
static bool spin(bool (*ready)(const void *), const void *arg)
{
	bool won = ready(arg);
	int round, i;

	for (round = 0; round < SPIN_ROUNDS && !won; round++) {
		for (i = 0; i < 1 << round; i++)
			cpu_pause();
		won = ready(arg);
	}
	return won;
}

static bool yield(struct spin *s, bool (*ready)(const void *), const void *arg)
{
	moment began = moment_now(), took = 0;
	bool won = false;
	int i;

	if (began < shim_load(&s->rest, relaxed))
		return false;
	for (i = 0; i < YIELDS && !won && took < YIELD_LATE; i++) {
		cpu_yield();
		won = ready(arg);
		took = moment_now() - began;
	}
	if (took >= YIELD_LATE)
		shim_store(&s->rest, began + took * YIELD_REST, relaxed);
	return won;
}

bool spin_until(struct spin *s, bool (*ready)(const void *), const void *arg)
{
	bool won = false;

	if (!s)
		return false;
	if (spin_is_worth_it(s))
		won = (!spin_alone() && spin(ready, arg)) || yield(s, ready, arg);
	spin_learn(s, won);
	return won;
}
