/* How long a job that comes now would wait before it runs.
 *
 * What is before it, over how many are served at a time:
 *
 *     (estimate of a run * those that wait + what is left of those that run) / concurrency
 *
 * and 0 if a runner is free. A semaphore is a queue of the same kind, with permits for runners, which jobs of several types pass: the
 * longest of these waits counts. Pure; any thread; reads a few atomics. */
#ifndef LEAT_FORECAST_H
#define LEAT_FORECAST_H

#include "type.h"

/* In nanoseconds. `own`: places that are taken already and not before it: its own, and of a batch those of the items behind it. 0 also
 * while nothing is known of the type. */
int64_t forecast_wait(const struct type *, uint64_t own, moment now);

/* How long before its deadline a job has to start to end in time: the median of its runs, and for a command the time at its end at
 * which it would be told to stop. 0: nothing is known. Not to be added to the wait, which is rather too long: it ends when all that is
 * before a job is done, and the job starts when the first runner is free. */
int64_t forecast_need(const struct type *);

#endif
