/* The workers of a job type: who is there, who has a job, when one is started, ended and replaced, and when none can be started.
 *
 * At most `concurrency` of them are there at a time, those that are on their way out among them. A runner takes one for its job: an
 * idle one, or it waits for one that is started for it. A thread of the type tends to them: it starts what is wanted or is to be ahead
 * (prestart), hears their READY, reads what they say on stderr, ends those that were idle for too long, and clears away the dead.
 *
 * After a worker that failed (it did not become ready, it died, or it broke the protocol) none is started for 100 ms, after each more
 * twice as long, up to 10 s; a job that is done sets that back. When WORKER_STARTS_MAX in a row did not become ready, the type is
 * quarantined: its jobs fail, and admission refuses new ones, until one that is started after that time by way of trial does. */
#ifndef LEAT_WORKERS_H
#define LEAT_WORKERS_H

#include "worker_errors.h"
#include "worker_parse.h"
#include "worker_process.h"
#include "../lib/patience.h"

enum { WORKER_STARTS_MAX = 5, WORKER_ROOM_BYTES = 64 * 1024 };

struct workers;

enum worker_state {
	WORKER_STARTING,        /* nobody's: it has not said READY */
	WORKER_IDLE,            /* nobody's: among those that can be taken */
	WORKER_BUSY,            /* a runner's, which has taken it */
	WORKER_ENDING,          /* nobody's: it was told to end, or has ended */
};

struct worker {
	struct workers *workers;
	struct worker_process process;
	struct worker_errors errors;
	struct chan *gone;              /* one element when nothing of its tree is left */

	/* Guarded by the lock of `workers`. */
	enum worker_state state;
	bool is_gone;
	bool was_ready;                 /* it has said READY */
	moment since;                   /* idle; or the end of its time to start */

	/* Whose it is: the one who tends while it starts, then the runner that has it. */
	uint64_t jobs;                  /* that it was given */
	struct patience patience;       /* with its answers */
	const char *wrong;              /* it broke the protocol: what it did; static; or NULL */
	struct worker_parser parser;
	size_t at, len;                 /* what it has written and is not used, in `room` */
	char room[WORKER_ROOM_BYTES];
};

/* 0 or -errno. Nothing is started before there is a job, unless prestart says so. */
must_check int workers_start(struct type *, struct workers **);
/* Begins to end them. No job may come any more. NULL does nothing. */
void workers_retire(struct workers *);
/* Whether all of them have ended, after workers_retire(): workers_stop() need not wait then. True of NULL. */
bool workers_are_over(const struct workers *);
/* Waits until all of them have ended. NULL does nothing. */
void workers_stop(struct workers *);

/* 0, or how long it is until a worker is started by way of trial, in milliseconds, at least 1: then jobs are to be refused. Any thread; does
 * not block. */
int64_t workers_quarantine_ms(const struct workers *, moment now);

/* A worker for this job. Waits for one until the context of the job ends. NULL: there is none, and the answer is set. On a runner thread, as
 * all below. */
must_check struct worker *workers_take(struct workers *, struct job *);

/* Back, fit for another job. `done`: it has just done one. */
void workers_give(struct worker *, bool done);

/* It is of no more use: kills it, and does not wait. `failed`: that was its own fault. */
void workers_discard(struct worker *, bool failed);

/* Kills it, and returns when nothing of its tree is left: then its end can be looked at, until workers_bury(). */
void workers_kill(struct worker *);
void workers_bury(struct worker *, bool failed);

#endif
