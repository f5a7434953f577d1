/* Admission: the only place that says no to a job.
 *
 * A refusal allocates nothing, takes no lock, wakes no thread and writes no log line. What is accepted has a place: `concurrency`
 * to run and `queue` to wait, exactly. The pattern is Go's drop (a send in a select with a default), with the words that a client needs
 * to try again. */
#ifndef LEAT_ADMIT_H
#define LEAT_ADMIT_H

#include "answer.h"
#include "type.h"

/* Takes a place, and the bytes, for a job of this payload. True: follow with admit_enter() or admit_leave(). False: `refusal` is
 * the answer, and the books have it. Any thread. */
must_check bool admit_place(struct type *, size_t payload_bytes, struct answer *refusal);

/* Puts the job into its type's channel, with the channel's reference. False: there is no thread to run it; `refusal` is the answer,
 * the place is given back, and both references are the caller's. Any thread; never blocks. */
must_check bool admit_enter(struct type *, struct job *, struct answer *refusal);

/* Gives back what admit_place() took, because no job could be made. */
void admit_leave(struct type *, size_t payload_bytes, struct answer *refusal);

/* Refuses a job whose payload could not be read, for want of memory: it is submitted with this. Any thread. */
void admit_starved(struct type *, struct answer *refusal);

#endif
