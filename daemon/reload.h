/* Reading the configuration again while leatd serves: SIGHUP, the command RELOAD, POST /v1/reload. All of it or nothing: when anything is
 * wrong, what was in force stays. No connection and no job is lost by it.
 *
 * A job keeps what it was admitted with, and what waits in the queue of a type that has changed or gone is still run as it was promised, so
 * for a while runs of the old type and of the new one go on side by side; the places of both are counted together. On main's thread. */
#ifndef LEAT_RELOAD_H
#define LEAT_RELOAD_H

#include "inquiry.h"
#include "../lib/moment.h"

struct chan;
struct config;
struct leatd;
struct loop;

/* Where the configuration is read from. */
struct config_source {
	const char *path;               /* NULL: /etc/leat/leatd.ini if it is there, else the built-in one */
	const char *const *overrides;   /* `SECTION.KEY=VALUE`, of the command line */
	size_t override_count;
};

/* As config_load(). */
must_check struct config *config_source_load(const struct config_source *, struct buf *errors);

struct reload {
	struct leatd *leatd;
	struct config_source source;
	struct config *first;           /* what leatd was started with: what takes effect at a restart only is still as it says; a reference */
	struct loop *const *loops;
	size_t loop_count;
	struct chan *renewed;           /* of const struct catalogue *: see loop.h */
};

/* Fills in all but the source. The loops and the channel are borrowed. */
void reload_init(struct reload *, struct leatd *, struct loop *const *loops, size_t loop_count, struct chan *renewed);
void reload_free(struct reload *);

/* Reads it again; when this returns every loop goes by it. Waits for the loops, and for nothing else. True: it is in force. What came of it
 * is logged, and in `outcome`, which the caller frees. */
bool reload_run(struct reload *, struct inquiry_reload *outcome);

/* Brings the types that are retired a step nearer to their end. Returns when to look again. */
moment reload_look(struct leatd *);

#endif
