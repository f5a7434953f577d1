/* A crew: threads that start all together or not at all. What the patterns are run by.
 *
 * They are detached and block every signal; whoever wants to know when they are over says so in `over`. Nothing of theirs
 * runs before all of them exist: if one cannot be had none runs, and what they were to work on is untouched. */
#ifndef LEAT_CREW_H
#define LEAT_CREW_H

#include "compiler.h"

#include <stdbool.h>
#include <stddef.h>

struct crew_order {
	const char *name;     /* of the threads, at most 15 bytes are used; copied; NULL: keeps the name of the process */
	size_t count;
	void (*run)(size_t index, void *arg);   /* in each: 0 to count - 1 */
	void (*over)(void *arg);                /* in the last of them, when all have returned; may free arg; may be NULL */
	void *arg;            /* theirs from now on: over() may have come before crew_start() returns */
};

/* false: no memory or not enough threads; neither run() nor over() was or will be called. A crew of none is over at once.
 * Any thread. */
bool crew_start(const struct crew_order *) must_check;

#endif
