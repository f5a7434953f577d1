/* A job type at work: its configuration, its books, and the pool that runs its jobs. Types are bulkheads: they share no runner and
 * no place, so a flood of one cannot starve another. */
#ifndef LEAT_TYPE_H
#define LEAT_TYPE_H

#include "books.h"
#include "config.h"
#include "estimate.h"
#include "../lib/gate.h"
#include "../lib/lock.h"
#include "../lib/pool.h"

struct chan;
struct job;
struct leatd;
struct named_semaphore;
struct plugin_object;
struct share;
struct workers;

struct type {
	const struct job_config *config;
	struct slice name;
	struct leatd *leatd;
	struct pool *pool;      /* of struct job * */
	struct plugin_object *plugin;   /* KIND_PLUGIN */
	struct gate *gate;      /* shut while the type is paused */
	struct chan *leaves;    /* of struct leaf *: idle ones, see cgroup.h; NULL: there are none */
	struct workers *workers;        /* NULL: its kind has none */
	struct lock entry;      /* held while several jobs that need each other enter the channel: see meeting.h */
	shim_u64 buried;        /* jobs that ended while they waited and still lie in the channel */
	struct share *share;    /* NULL: a peer may hold all places */
	struct named_semaphore *uses[USES_MAX];         /* in the order in which they are taken */
	size_t uses_count;
	struct books books;
	struct estimate estimate;
};

/* Makes the pool, and what the kind needs besides; no runner starts before there is work. 0 or -errno. */
must_check int type_start(struct type *, const struct job_config *, struct leatd *);

/* A paused type refuses new jobs, and what waits does not start, but its time goes on; what runs goes on. Whatever was about to
 * start at that moment starts. False: no memory. Any thread. */
must_check bool type_pause(struct type *);
void type_resume(struct type *);

static inline bool type_is_paused(const struct type *type)
{
	return gate_is_shut(type->gate);
}

/* Begins to end what lives on between jobs. No job may be offered any more. */
void type_retire(struct type *);

/* Lets the runners finish what is in the channel and end. No job may be offered any more. */
void type_stop(struct type *);

#endif
