/* The semaphores that job types share: `[semaphore NAME]`, and `uses = NAME ...` of a job.
 *
 * A job takes a permit of each that it uses after it has left its queue and before it runs, always in the order of their names, so that two
 * types cannot wait for each other. It waits there holding its runner, and is still a waiting job: its deadline and its client's
 * going away end it like any other that waits. It gives the permits back when nothing of it runs any more. */
#ifndef LEAT_SEMAPHORES_H
#define LEAT_SEMAPHORES_H

#include "config.h"
#include "../lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct job;
struct leatd;
struct semaphore;
struct type;

struct named_semaphore {
	const struct semaphore_config *config;
	struct semaphore *semaphore;
	const struct type **users;      /* the types that use it; owned */
	size_t user_count;
};

/* Makes those of the configuration, before any type is started. 0 or -errno. */
must_check int semaphores_start(struct leatd *);
/* After the last type has stopped. */
void semaphores_stop(struct leatd *);

/* Finds those that a type uses. */
void semaphores_join(struct leatd *, struct type *);

/* Takes what the job's type uses. False: the job's context has ended, or it has been given up, and none is held. On its runner's thread. */
must_check bool semaphores_take(struct job *);
void semaphores_give_back(struct type *);

/* How many permits nobody holds: a snapshot. */
uint64_t semaphores_free(const struct named_semaphore *);

#endif
