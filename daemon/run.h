/* A runner's turn: takes a job out of the channel, runs it by its kind, ends it, and sends it home. On a runner thread. */
#ifndef LEAT_RUN_H
#define LEAT_RUN_H

#include "answer.h"
#include "../lib/moment.h"

struct job;
struct type;

/* The work of a type's pool; `elem` is a struct job **: a job, or a hand of a batch. */
void run_job(void *elem, void *unused);

/* Sends a job that is over home. Any thread. */
void run_go_home(struct job *);

/* --- For hand.c --- */

/* What to answer instead of starting it: its time is up, or nobody wants it any more. CODE_OK: it is worth it. */
enum code run_why_not(const struct job *, moment now);
/* Runs it by its kind; sets its answer and outcome. */
void run_kind(struct job *);
/* Whether a run of this kind may take long, and so has to hear of a cancellation. */
bool run_may_block(const struct type *);

/* Whether it ends soon after its deadline, by force if need be: then there is something to wait for. Any thread. */
bool run_can_be_ended(const struct job *);

#endif
