/* A job type at work: its configuration, its books, and the pool that runs its jobs. Types are bulkheads: they share no runner and
 * no place, so a flood of one cannot starve another.
 *
 * Counted: each catalogue and each job has a reference, and main has one of its own, which is the last. A type that no catalogue has any
 * more is retired: main looks at it now and then, and when nothing but main knows of it, it is ended and freed, without waiting. */
#ifndef LEAT_TYPE_H
#define LEAT_TYPE_H

#include "books.h"
#include "config.h"
#include "estimate.h"
#include "watchdog.h"
#include "../lib/gate.h"
#include "../lib/lock.h"
#include "../lib/pool.h"

struct catalogue;
struct chan;
struct job;
struct leatd;
struct named_semaphore;
struct plugin_object;
struct share;
struct workers;

struct type {
	const struct job_config *config;
	struct config *owner;   /* of it; a reference */
	struct slice name;
	struct leatd *leatd;
	struct pool *pool;      /* of struct job * */
	struct plugin_object *plugin;   /* KIND_PLUGIN */
	struct gate *gate;      /* shut while the type is paused; shared with those of its name before it that are not over */
	struct chan *leaves;    /* of struct leaf *: idle ones, see cgroup.h; NULL: there are none */
	struct workers *workers;        /* NULL: its kind has none */
	struct type *stages[PIPE_STAGES_MAX];   /* KIND_PIPELINE: what it leads through, config->stage_count of them; a reference to each */
	struct lock entry;      /* held while several jobs that need each other enter the channel: see meeting.h */
	shim_u64 buried;        /* jobs that ended while they waited and still lie in the channel */
	struct share *share;    /* NULL: a peer may hold all places */
	struct named_semaphore *uses[USES_MAX];         /* in the order in which they are taken */
	size_t uses_count;
	struct books *books;    /* shared likewise */
	struct type *next;      /* main's: of those that are retired */
	struct pool_stand stand;        /* main's: how its pool stood at the last look of the watchdog */
	shim_u64 references cache_aligned;
	struct estimate estimate;
};

/* Makes the pool, and what the kind needs besides; no runner starts before there is work. `before`: the one of that name that it takes over
 * from, or NULL. 0, and main's reference, or -errno. On main's thread, as all that is about the end. */
must_check int type_start(const struct catalogue *, const struct job_config *, const struct type *before, struct type **);
/* Any thread. */
struct type *type_ref(struct type *);
void type_unref(struct type *);

/* A paused type refuses new jobs, and what waits does not start, but its time goes on; what runs goes on. Whatever was about to
 * start at that moment starts. False: no memory. Any thread. */
must_check bool type_pause(struct type *);
void type_resume(struct type *);

static inline bool type_is_paused(const struct type *type)
{
	return gate_is_shut(type->gate);
}

/* One step towards the end of a retired type, without waiting. True: it has ended, and is freed. */
bool type_look(struct type *);

/* Begins to end what lives on between jobs. No job may be offered any more. */
void type_retire(struct type *);

/* Lets the runners finish what is in the channel and end. No job may be offered any more. */
void type_stop(struct type *);
/* After that, and when main's reference is the last. */
void type_free(struct type *);

#endif
