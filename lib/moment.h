/* Time: absolute nanoseconds on CLOCK_MONOTONIC. Every deadline of leat is a moment, so that a wait that is
 * cut in pieces does not grow. Any thread. */
#ifndef LEAT_MOMENT_H
#define LEAT_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t moment;

#define FOREVER INT64_MAX   /* never reached */
#define NOW ((moment)0)     /* already past: poll, never block */

#define MICROSECONDS ((int64_t)1000)       /* in nanoseconds: moment_in(50 * MICROSECONDS) */
#define MILLISECONDS ((int64_t)1000000)
#define SECONDS ((int64_t)1000000000)

/* The present; always greater than NOW. */
moment moment_now(void);

/* The present plus `ns`, and `when` plus `ns`. Neither wraps: they stop at FOREVER and at INT64_MIN, and
 * FOREVER plus anything is FOREVER. */
moment moment_in(int64_t ns);
moment moment_add(moment when, int64_t ns);

/* How long so much takes, in nanoseconds, at so much a second, which is not 0. At most FOREVER. */
int64_t moment_span(uint64_t amount, uint64_t per_second);

/* Whether `when` has come. Reads no clock for NOW, for what lies before it, and for FOREVER. */
bool moment_reached(moment when);

static inline moment moment_min(moment a, moment b)
{
	return a < b ? a : b;
}

#endif
