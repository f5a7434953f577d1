/* The resource limits of a command: the `limit.*` keys as those of the kernel (setrlimit(2)), which hold for each of its processes. */
#ifndef LEAT_LIMITS_H
#define LEAT_LIMITS_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

struct job_config;

enum { LIMITS_MAX = 4 };

struct limits {
	struct {
		int resource;
		struct rlimit is;
	} each[LIMITS_MAX];
	size_t count;
};

/* What a job's command may have at most, and never more than leatd itself may; `descriptors` is what it gets when the job does not say. */
void limits_make(struct limits *, const struct job_config *, const struct rlimit *descriptors);

/* Whether it was limit.cpu that ended a process by this signal after this much CPU time. */
bool limits_ended_by_cpu(const struct job_config *, int signal, const struct rusage *);

#endif
