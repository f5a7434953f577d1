/* How long to spin before going to sleep: learned, for each place where one can sleep, from how long it was worth it. Never
 * when this thread may use one CPU only: whoever is waited for could not run.
 * After glibc's adaptive mutex, with the average also going down when spinning was in vain. */
#ifndef LEAT_SPIN_H
#define LEAT_SPIN_H

#include "shim.h"

#include <stdbool.h>

struct spin {
	shim_u32 average;   /* pauses; approximate, raced over without harm */
};

/* Whether this thread may use one CPU only. */
bool spin_alone(void);

/* How many pauses to spend at most, now. NULL: none. */
uint32_t spin_budget(struct spin *);

/* `used` pauses were spent; `won`: what was waited for came in that time. NULL is allowed. */
void spin_learn(struct spin *, uint32_t used, bool won);

#endif
