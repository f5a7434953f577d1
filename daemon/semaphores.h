/* The semaphores that job types share: `[semaphore NAME]`, and `uses = NAME ...` of a job.
 *
 * A job takes a permit of each that it uses after it has left its queue and before it runs, always in the order of their names, so that two
 * types cannot wait for each other. It waits there holding its runner, and is still a waiting job: its deadline and its client's
 * going away end it like any other that waits. It gives the permits back when nothing of it runs any more. */
#ifndef LEAT_SEMAPHORES_H
#define LEAT_SEMAPHORES_H

#include "config.h"
#include "../lib/compiler.h"
#include "../lib/lock.h"

#include <stddef.h>
#include <stdint.h>

struct catalogue;
struct job;
struct semaphore;
struct type;

/* Counted: each catalogue that has it holds a reference, and each type that uses it. */
struct named_semaphore {
	shim_u64 references;
	const struct semaphore_config *config;
	struct config *owner;           /* of it; a reference */
	struct semaphore *semaphore;
	struct lock lock;               /* of the users */
	const struct type **users;      /* the types that use it, in the order in which they came; owned */
	size_t user_count;
};

/* `config` is of `owner`. NULL: no memory. */
must_check struct named_semaphore *named_semaphore_new(struct config *owner, const struct semaphore_config *config);
struct named_semaphore *named_semaphore_ref(struct named_semaphore *);
void named_semaphore_unref(struct named_semaphore *);

/* Finds those of a catalogue that a type uses: it is one of their users until it leaves. 0 or -errno. */
must_check int semaphores_join(const struct catalogue *, struct type *);
void semaphores_leave(struct type *);

/* Takes what the job's type uses. False: the job's context has ended, or it has been given up, and none is held. On its runner's thread. */
must_check bool semaphores_take(struct job *);
void semaphores_give_back(struct type *);

/* How many permits nobody holds: a snapshot. */
uint64_t semaphores_free(const struct named_semaphore *);

#endif
