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
	NEAR_TRY = 8,       /* of the waits that begin with a yield, every so-manieth spins first all the same */
	NEAR_MOST = 64,     /* such waits running; then it sleeps */
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
static bool yield(struct spin *s, moment deadline, bool (*ready)(const void *), const void *arg, int most, int *yields)
{
	moment began = moment_now(), took = 0;
	bool won = false;

	*yields = 0;
	if (began < shim_load(&s->rest, relaxed))
		return false;
	while (*yields < most && !won && took < YIELD_LATE && began + took < deadline) {
		cpu_yield();
		++*yields;
		won = ready(arg);
		took = moment_now() - began;
	}
	if (took >= YIELD_LATE)
		shim_store(&s->rest, began + took * YIELD_REST, relaxed);
	return won;
}

/* Whoever was waited for came with the first yield: he stands in the queue of this CPU. While that is so, spinning only keeps him from
 * running. But we do not share a CPU for long if there are more: to sleep is what lets the kernel put us elsewhere. */
static bool look(struct spin *s, moment deadline, bool (*ready)(const void *), const void *arg)
{
	uint32_t near = shim_load(&s->near, relaxed), now = 0;
	bool won = false, alone = spin_alone();
	int yields = 0;

	if (near < NEAR_MOST) {
		if (near % NEAR_TRY != 0)
			won = yield(s, deadline, ready, arg, 1, &yields);
		if (!won && !alone && spin(ready, arg)) {
			won = true;
			yields = 0;
		}
		won = won || yield(s, deadline, ready, arg, SPIN_YIELDS, &yields);
		now = won && yields == 1 && !alone ? near + 1 : 0;
	}
	if (now != near)
		shim_store(&s->near, now, relaxed);
	return won;
}

bool spin_until(struct spin *s, moment deadline, bool (*ready)(const void *), const void *arg)
{
	bool won;

	if (!s)
		return false;
	won = ready(arg) || (spin_is_worth_it(s) && look(s, deadline, ready, arg));
	spin_learn(s, won);
	return won;
}
