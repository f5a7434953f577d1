/* How long to look for what is waited for before going to sleep: learned, for each place where one can sleep, from what was
 * worth it. Sleeping and waking cost both sides some microseconds; a CPU that spins costs others that time, and one that is
 * given away (yield) may come back late. So:
 *   first spin, about as long as it took the last times. Never when this thread may use one CPU only: whoever is
 *   waited for could not run;
 *   then yield a few times, as long as that mostly helps and brings the CPU back soon: whoever is waited for may stand
 *   in the queue of this CPU, which is cheaper than sleeping;
 *   now and then try again what has not been worth it for some time.
 * After glibc's adaptive mutex, with the average also going down when spinning was in vain. */
#ifndef LEAT_SPIN_H
#define LEAT_SPIN_H

#include "shim.h"

#include <stdbool.h>

struct spin {
	shim_u32 average;   /* pauses */
	shim_u32 yields;    /* in eighths */
	shim_u32 times;
	shim_i64 rest;      /* no yields until then; all of these are approximate and raced over without harm */
};

/* Whether this thread may use one CPU only. */
bool spin_alone(void);

/* How many pauses to spend at most, now. NULL, or on one CPU: none. */
uint32_t spin_budget(struct spin *);

/* `used` pauses were spent; `won`: what was waited for came in that time. NULL is allowed. */
void spin_learn(struct spin *, uint32_t used, bool won);

/* Whether `ready` became true before it was time to sleep. `spin` NULL: does not wait at all. */
bool spin_until(struct spin *, bool (*ready)(const void *), const void *arg);

#endif
