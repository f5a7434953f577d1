/* The stderr of a worker: each line is an entry of the log, with the id of the job that ran, or had run last, when it was written.
 *
 * Whoever finds that there is something reads it: the one who tends the workers, or a runner that is about to give the worker its next
 * job, so that what it said about the last one is not taken for the next one's. Any thread; never blocks for long. */
#ifndef LEAT_WORKER_ERRORS_H
#define LEAT_WORKER_ERRORS_H

#include "job.h"
#include "../lib/lock.h"

struct worker_errors {
	struct type *type;              /* set once */
	struct lock lock;               /* of all below */
	int *fd;                        /* our end of the pipe; -1 at its end */
	char id[JOB_ID_MAX + 1];        /* empty: there was no job yet */
	size_t line_len;                /* of the line that is being read */
	char line[256];
	char last[256];                 /* the last whole line since the job began */
};

void worker_errors_init(struct worker_errors *, struct type *, int *fd);

/* What to wait for; -1: nothing more comes. */
int worker_errors_fd(struct worker_errors *);
/* Reads what is there. False: nothing was. */
bool worker_errors_read(struct worker_errors *);

/* From now on it is about this job. `is_ready`: there may be something to read about the one before. */
void worker_errors_begin(struct worker_errors *, const char *id, bool is_ready);

/* Reads the rest, and copies the last line about this job: empty if there was none. */
void worker_errors_last(struct worker_errors *, char last[sizeof(((struct job *)0)->last_error)]);

#endif
