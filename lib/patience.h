/* Whether to wait awake for what may come soon, rather than to sleep at once: learned from how long the waits before took, asleep or awake.
 * To fall asleep and to be woken costs some tens of microseconds, so that what comes within that time is better awaited awake; and whose
 * waits are long does not look at all. Approximate: it may be raced over without harm. */
#ifndef LEAT_PATIENCE_H
#define LEAT_PATIENCE_H

#include "moment.h"
#include "shim.h"

#include <stdbool.h>

/* Zeroed memory is one that has not learned anything. */
struct patience {
	shim_u32 credit;        /* over 0: it has paid to wait awake */
};

enum { PATIENCE_MAX = 64, PATIENCE_LOSS = 8 };

/* About what it takes to go to sleep and to be woken. */
#define PATIENCE_NS (50 * MICROSECONDS)

/* Waits awake for an instant, by letting others run who want this CPU. False: it is time to sleep; otherwise look, and call again. `began`: when
 * the waiting did; `*now`: the same at first, and then ours. */
static inline bool patience_wait(const struct patience *p, moment began, moment *now)
{
	if (shim_load(&p->credit, relaxed) == 0 || *now - began >= PATIENCE_NS)
		return false;
	cpu_yield();
	*now = moment_now();
	return true;
}

/* So long it took in all until there was something. */
static inline void patience_learn(struct patience *p, int64_t waited_ns)
{
	uint32_t credit = shim_load(&p->credit, relaxed);

	if (waited_ns < PATIENCE_NS)
		credit += credit < PATIENCE_MAX;
	else
		credit = credit > PATIENCE_LOSS ? credit - PATIENCE_LOSS : 0;
	shim_store(&p->credit, credit, relaxed);
}

#endif
