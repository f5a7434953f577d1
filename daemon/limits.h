/* The resource limits of a command: the `limit.*` keys as those of the kernel (setrlimit(2)), which hold for each of its processes, or
 * of its leaf (controllers.h), which hold for all of them together.
 *
 * What the leaf limits is not limited for each process besides. Address space is not memory: a runtime reserves much more of it than it
 * ever uses. And RLIMIT_NPROC counts all that the user runs, leatd and other jobs included, so that it would always be the first to say no. */
#ifndef LEAT_LIMITS_H
#define LEAT_LIMITS_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

struct job_config;
struct leaf_limits;

enum { LIMITS_MAX = 4 };

struct limits {
	struct {
		int resource;
		struct rlimit is;
	} each[LIMITS_MAX];
	size_t count;
};

/* What a job's command may have at most, and never more than leatd itself may; `descriptors` is what it gets when the job does not say.
 * `by_leaf`: the controllers of its leaf. */
void limits_make(struct limits *, const struct job_config *, const struct rlimit *descriptors, unsigned by_leaf);

/* What its leaf limits. */
void limits_of_leaf(struct leaf_limits *, const struct job_config *);

/* Whether it was limit.cpu that ended a process by this signal after this much CPU time. */
bool limits_ended_by_cpu(const struct job_config *, int signal, const struct rusage *);

#endif
