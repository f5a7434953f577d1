/* The life of one worker as a process: from its start to the moment when nothing of its tree is left. In a keeper (keeper.h), which does
 * only that, and listens to orders. It takes no lock and no memory of leatd's, so that it can still kill the tree when leatd was killed
 * in the middle of anything.
 *
 * The pipes belong to leatd's threads: the keeper starts a worker and lets it go, and does not speak with it. */
#ifndef LEAT_WORKER_PROCESS_H
#define LEAT_WORKER_PROCESS_H

#include "program.h"
#include "../lib/compiler.h"
#include "../lib/shim.h"

/* In the order in which they overrule each other. */
enum worker_order {
	WORKER_ORDER_NONE,
	WORKER_ORDER_END,               /* its stdin has been closed: SIGTERM after `grace`, and SIGKILL after another */
	WORKER_ORDER_TERMINATE,         /* SIGTERM now; it is the caller's to have it killed */
	WORKER_ORDER_KILL,              /* SIGKILL to the whole tree */
};

struct worker_process {
	struct program program;
	struct type *type;              /* borrowed */
	int orders;                     /* eventfd */
	shim_u32 order;

	/* The keeper's, and everybody's when it is gone. */
	uint32_t obeyed;                /* the last order that it has seen */
	bool by_itself;                 /* its first process ended before it was told to */
	const char *what;               /* it was not started: the step that failed, and why */
	int error;
	moment next;                    /* when the next step is due */
};

/* Its pipes and its descriptor. 0 or -errno; either way follow with worker_process_free(). */
must_check int worker_process_init(struct worker_process *, struct type *);
void worker_process_free(struct worker_process *);

/* Any thread. An order that is less than the last one does nothing. */
void worker_process_order(struct worker_process *, enum worker_order);

/* Starts it, unless it is to be killed already, and returns when nothing of it is left. On a thread with every signal blocked. */
void worker_process_live(struct worker_process *);

#endif
