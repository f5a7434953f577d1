/* What leatd serves: a configuration, its job types and its semaphores, and who may come in. Made whole by main, at the start and at each
 * reload, then never written to, so any thread that holds a reference may read it.
 *
 * Each loop holds a reference to the one in force and is given the next by LOOP_RENEW. A type whose section says the same as before is
 * the same type in the next catalogue: its pool, its workers and all that was learned go on. One whose section has changed is a new type,
 * which goes on with the books of the old one and is paused if that is; a job that was admitted by the old one is run by it. */
#ifndef LEAT_CATALOGUE_H
#define LEAT_CATALOGUE_H

#include "buf.h"
#include "config.h"
#include "slice.h"
#include "../lib/compiler.h"
#include "../lib/shim.h"

struct leatd;
struct named_semaphore;
struct type;

struct catalogue {
	shim_u64 references;
	struct leatd *leatd;
	struct config *config;          /* a reference */
	struct access *access;          /* who may come in; a reference */
	struct type **types;            /* sorted by name, as in the configuration; a reference to each */
	size_t type_count;
	struct type *pipes;             /* of the pipes that clients put together; not among them. See pipe.h */
	struct named_semaphore **semaphores;    /* sorted by name, as in the configuration; a reference to each */
	size_t semaphore_count;
};

/* What is different from the one before. */
struct catalogue_change {
	size_t added, changed, removed; /* job types */
};

/* Of this configuration, whose reference is taken over, also on failure. `before`: the one in force, or NULL. NULL: something could not be
 * started, and `errors` has a line for it; what was started is then among leatd->retired. On main's thread. */
must_check struct catalogue *catalogue_new(struct leatd *, struct config *, const struct catalogue *before, struct catalogue_change *,
					   struct buf *errors);
struct catalogue *catalogue_ref(struct catalogue *);
/* Any thread. NULL does nothing. */
void catalogue_unref(struct catalogue *);

/* Puts those types of `old` that are not in `new` (NULL: all) on leatd->retired; see type.h. On main's thread. */
void catalogue_retire(const struct catalogue *old, const struct catalogue *new);

/* The type of that name, or NULL. */
struct type *catalogue_type(const struct catalogue *, struct slice name);
/* The type that was made of it, or NULL. */
struct type *catalogue_type_of(const struct catalogue *, const struct job_config *);
/* The name nearest to one that is not there, or NULL. */
const char *catalogue_nearest_type(const struct catalogue *, struct slice name);

#endif
