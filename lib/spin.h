/* Whether to look for what is waited for before going to sleep: learned, for each place where one can sleep, from whether it
 * helped. To wake a thread costs the waker some microseconds, and it takes a few tens of them until it runs. So whoever waits
 * looks for about as long before he sleeps: then he has never lost more than twice what was to be lost (Karlin and others,
 * "Competitive randomized algorithms for non-uniform problems", 1990). Were it shorter, two sides of which one slept
 * once would go on waking each other for ever, each always late.
 *   First spin, for a few microseconds. Never when this thread may use one CPU only: whoever is waited for could not run.
 *   Then yield, if that has not been late: whoever is waited for may stand in the queue of this CPU, and what he does until he must
 *   wait himself is then done in one go. Where he does stand there, the next waits begin with that, and after many of them sleep once.
 *   When all that was in vain many times running, sleep at once, and try it only now and then. */
#ifndef LEAT_SPIN_H
#define LEAT_SPIN_H

#include "shim.h"

#include <stdbool.h>

struct spin {
	shim_u32 vain;   /* waits in vain, since the last that was not */
	shim_u32 near;   /* waits running that the first yield has ended: whoever was waited for stood in the queue of this CPU */
	shim_i64 rest;   /* no yields until then; all are approximate and raced over without harm */
};

/* Whether this thread may use one CPU only. */
bool spin_alone(void);

/* Whether the next wait is to begin with looking; and whether that has helped. */
bool spin_is_worth_it(const struct spin *);
void spin_learn(struct spin *, bool won);

/* Whether `ready` became true before it was time to sleep. `spin` NULL: does not wait at all. The deadline is
 * the caller's: no yield begins after it. */
bool spin_until(struct spin *, moment deadline, bool (*ready)(const void *), const void *arg);

#endif
