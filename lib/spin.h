/* Whether to look for what is waited for before going to sleep: learned, for each place where one can sleep, from whether it
 * helped. Sleeping and waking cost both sides some microseconds; a CPU that spins costs others that time, and one that
 * is given away (yield) may come back late. So:
 *   first spin, about as long as sleeping and waking take. Never when this thread may use one CPU only: whoever is
 *   waited for could not run;
 *   then yield a few times, if that has not been late: whoever is waited for may stand in the queue of this CPU, and what
 *   he does until he must wait himself is then done in one go;
 *   when all that was in vain many times running, sleep at once, and try it only now and then.
 * The steps are those of crossbeam's Backoff. */
#ifndef LEAT_SPIN_H
#define LEAT_SPIN_H

#include "shim.h"

#include <stdbool.h>

struct spin {
	shim_u32 vain;   /* waits in vain, since the last that was not */
	shim_i64 rest;   /* no yields until then; both are approximate and raced over without harm */
};

/* Whether this thread may use one CPU only. */
bool spin_alone(void);

/* Whether the next wait is to begin with looking; and whether that has helped. */
bool spin_is_worth_it(const struct spin *);
void spin_learn(struct spin *, bool won);

/* Whether `ready` became true before it was time to sleep. `spin` NULL: does not wait at all. */
bool spin_until(struct spin *, bool (*ready)(const void *), const void *arg);

#endif
