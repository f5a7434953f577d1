/* What can be a pipe, as far as the configuration tells. Pure functions. */
#ifndef LEAT_PIPE_CHECK_H
#define LEAT_PIPE_CHECK_H

#include "config.h"

/* The stages fall into groups: longest runs of commands, which are at work together since each reads what the one before it writes, and
 * stages by themselves, which take their payload whole. Where the group that begins at `first` ends. */
size_t pipe_group_end(const struct job_config *const *stages, size_t count, size_t first);

/* Why it could never run. */
struct pipe_fault {
	const char *detail;
	const char *name;               /* of a job or a semaphore; lives as long as the configuration */
	uint64_t needed, most;          /* of its runners or permits; 0: it is not for want of them */
};

/* False: one of them takes arguments, or a group needs more runners or permits than there are. */
must_check bool pipe_check(const struct config *, const struct job_config *const *stages, size_t count, struct pipe_fault *);

#endif
