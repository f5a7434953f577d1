/* Admission: the only place that says no to a job.
 *
 * A refusal allocates nothing, wakes no thread and writes no log line, and takes no lock but that of client_share. What is accepted
 * has a place: `concurrency` to run and `queue` to wait, exactly. The pattern is Go's drop (a send in a select with a default), with
 * the words that a client needs to try again: a time drawn from [W, 2 W + 100 ms] for the predicted wait W (forecast.h). */
#ifndef LEAT_ADMIT_H
#define LEAT_ADMIT_H

#include "answer.h"
#include "job.h"
#include "type.h"

struct batch;
struct catalogue;

/* Takes the places of this order in one step, all or none, and the bytes. True: the order has what admission knows of it;
 * follow with job_new() and admit_enter(), or with admit_leave(). False: `refusal` is the answer, and the books have it. Any thread.
 *
 * The first that holds refuses: draining; paused; its workers cannot start (workers.h); all places taken, or no bytes left; it would not
 * end in time (W and the median of its runs are more than the time left); W over `max_wait`; the client has its `client_share`, and others
 * wait (share.h). Of a batch, W is that of the last item that has to succeed. */
must_check bool admit_place(struct job_order *, struct answer *refusal);

/* Puts the job into its type's channel, with the channel's reference. False: there is no thread to run it; `refusal` is the answer,
 * the place is given back, and both references are the caller's. Any thread; never blocks. */
must_check bool admit_enter(struct type *, struct job *, struct answer *refusal);

/* The same with the hands of a batch (batch.h), as many as there are threads and memory for, but at least one; then the channel owns them.
 * False: there was not even one. */
must_check bool admit_enter_hands(struct batch *, struct answer *refusal);
/* Puts a hand whose turn is over, or that was held, at the end of the channel again. False: there is no room, and it is still the caller's. Any
 * thread. */
must_check bool admit_again(struct job *hand);

/* Gives back what admit_place() took, because no job could be made (REFUSED_memory), or because another that it needs was refused. */
void admit_leave(struct job_order *, enum refusal why, struct answer *refusal);

/* Jobs that gave their place up hold their payload and their streams until a runner comes by; when those are short it is worth going for
 * them. Any thread. */
void admit_sweep(const struct catalogue *);

/* Refuses a job whose payload could not be read, for want of memory: it is submitted with this. Any thread. */
void admit_starved(struct type *, moment now, struct answer *refusal);

#endif
