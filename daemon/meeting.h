/* Jobs that can only run together meet: each takes a runner of its type, and when all are there, and hold the permits that they need,
 * they begin. The stages of a pipe do, that stream into each other.
 *
 * Since each keeps its runner while it waits for the others, they could wait for those of another meeting, and those for them. So they come in
 * the order of the types' names, those of the next type not before all of the one before have a runner; and those of one type enter its
 * channel one behind the other, with nobody of another meeting between them. Permits are taken when all runners are there, in the
 * order of the semaphores' names; who holds permits waits for no runner.
 *
 * While they wait they are waiting jobs like any other: each can be given up, and its context ends its waiting. One that fails to come is
 * for whoever called the meeting to see, who closes it then and cancels the others. */
#ifndef LEAT_MEETING_H
#define LEAT_MEETING_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct job;
struct meeting;

/* Of these jobs, which have been admitted and not entered their channels yet; each gets a reference. False: no memory. */
must_check bool meeting_call(struct job *const *jobs, size_t count);
/* The last reference. NULL does nothing. */
void meeting_unref(struct meeting *);

/* The first enter their channel. */
void meeting_begin(struct meeting *);
/* No further job enters its channel: job->entered says which ones have. Any thread. */
void meeting_close(struct meeting *);

/* Puts one that is alone into the channel of its type. If there is no thread for it, it goes home with the refusal. */
void meeting_enter_alone(struct job *);

/* --- On the runner of one of the jobs --- */

/* Waits until all are here, with their permits, or its context has ended. meeting_leave() has to follow in either case. */
void meeting_join(struct job *);
/* It is over; the last one gives the permits back. */
void meeting_leave(struct job *);

#endif
