#include "spin.h"

#include <sched.h>

/* A program that explores every step cannot afford as many. */
#ifndef SPIN_PAUSES
#define SPIN_PAUSES 128
#endif
#ifndef SPIN_YIELDS
#define SPIN_YIELDS 40
#endif

enum {
	STEP = 8,           /* pauses between two looks, at most */
	YIELD_REST = 4,     /* times as long as it took it is not tried again when it was late */
	VAIN = 16,          /* in vain so many times running: from then on only every so-manieth wait tries */
	NEAR = 8,           /* waits that begin with a yield, before it is tried again the other way */
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

/* Each look takes the line from whoever is waited for: so it is taken at ever longer intervals, up to where they would
 * delay us more than him. */
static bool spin(bool (*ready)(const void *), const void *arg)
{
	unsigned paused = 0, step = 1, i;

	while (paused < SPIN_PAUSES) {
		for (i = 0; i < step; i++, paused++)
			cpu_pause();
		if (ready(arg))
			return true;
		if (step < STEP)
			step *= 2;
	}
	return false;
}

/* `most` times. */
static bool yield(struct spin *s, bool (*ready)(const void *), const void *arg, int most, int *yields)
{
	moment began = moment_now(), took = 0;
	bool won = false;

	*yields = 0;
	if (began < shim_load(&s->rest, relaxed))
		return false;
	while (*yields < most && !won && took < YIELD_LATE) {
		cpu_yield();
		++*yields;
		won = ready(arg);
		took = moment_now() - began;
	}
	if (took >= YIELD_LATE)
		shim_store(&s->rest, began + took * YIELD_REST, relaxed);
	return won;
}

static bool look(struct spin *s, bool (*ready)(const void *), const void *arg)
{
	uint32_t near = shim_load(&s->near, relaxed), now = near;
	bool won = false;
	int yields;

	if (near > 0) {
		won = yield(s, ready, arg, 1, &yields);
		now = won ? near - 1 : 0;
	}
	if (!won && !spin_alone())
		won = spin(ready, arg);
	if (!won && yield(s, ready, arg, SPIN_YIELDS, &yields)) {
		won = true;
		now = yields == 1 && !spin_alone() ? NEAR : 0;
	}
	if (now != near)
		shim_store(&s->near, now, relaxed);
	return won;
}

bool spin_until(struct spin *s, bool (*ready)(const void *), const void *arg)
{
	bool won;

	if (!s)
		return false;
	won = ready(arg) || (spin_is_worth_it(s) && look(s, ready, arg));
	spin_learn(s, won);
	return won;
}
