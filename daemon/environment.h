/* The environment of a command: what the configuration and the job say, and nothing of leatd's own. */
#ifndef LEAT_ENVIRONMENT_H
#define LEAT_ENVIRONMENT_H

#include "../lib/compiler.h"

#include <stddef.h>

struct job;
struct job_config;

enum { ENVIRONMENT_VARS_MAX = 16, ENVIRONMENT_ROOM_BYTES = 512 };

/* Room for what is not of the configuration. */
struct environment {
	char *const *configured;        /* replace what a command finds otherwise */
	size_t configured_count;
	char *vars[ENVIRONMENT_VARS_MAX];
	size_t count;
	char room[ENVIRONMENT_ROOM_BYTES];
	size_t used;
};

/* NAME=VALUE, ended by NULL. `job`: NULL for a program that is not of one job. The caller frees the vector, not what it points to: that is
 * in *room and in the configuration. NULL: no memory. */
must_check char **environment_make(struct environment *room, const struct job_config *, const struct job *);

#endif
