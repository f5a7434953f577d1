/* A job type at work: its configuration, its books, and the pool that runs its jobs. Types are bulkheads: they share no runner and
 * no place, so a flood of one cannot starve another. */
#ifndef LEAT_TYPE_H
#define LEAT_TYPE_H

#include "books.h"
#include "config.h"
#include "../lib/pool.h"

struct chan;
struct job;
struct leatd;

struct type {
	const struct job_config *config;
	struct slice name;
	struct leatd *leatd;
	struct pool *pool;      /* of struct job * */
	struct chan *leaves;    /* of struct leaf *: idle ones, see cgroup.h; NULL: there are none */
	shim_u64 buried;        /* jobs that ended while they waited and still lie in the channel */
	struct books books;
};

/* Makes the pool; no thread starts before there is work. 0 or -errno. */
must_check int type_start(struct type *, const struct job_config *, struct leatd *);

/* Lets the runners finish what is in the channel and end. No job may be offered any more. */
void type_stop(struct type *);

#endif
