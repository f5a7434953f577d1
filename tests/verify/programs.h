/* What the programs of the explorer share: a world of a few channels, whose history is written down and judged at the end. */
#ifndef LEAT_VERIFY_PROGRAMS_H
#define LEAT_VERIFY_PROGRAMS_H

#include "explore_impl.h"
#include "history.h"

#include "../../lib/chan.h"

#include <stdlib.h>

enum { WORLD_OPS = 64, WORLD_NUMBERS = 8 };

struct world {
	struct named c[HISTORY_CHANNELS];
	struct history history;
	struct log log;
	_Atomic uint64_t clock;
	struct op ops[WORLD_OPS];
	struct ctx *ctx, *child;
	struct semaphore *semaphore;
	struct waitgroup *group;
	struct chan_watch *watch;
	int fd;
	uint32_t numbers[WORLD_NUMBERS];   /* the program's own counts; 0 at first */
	enum chan_status statuses[EXPLORE_THREADS];
};

/* Channel i has capacities[i]; the list ends with -1. */
static inline struct world *world_new(const int *capacities, unsigned flags)
{
	struct world *w = calloc(1, sizeof(*w));
	uint8_t i;

	w->log = (struct log){ .clock = &w->clock, .ops = w->ops, .room = WORLD_OPS };
	for (i = 0; capacities[i] >= 0; i++) {
		struct chan_options options = { .elem_size = sizeof(uint32_t), .capacity = (size_t)capacities[i], .flags = flags };
		w->c[i] = (struct named){ chan_new_with(&options), i };
		w->history.capacity[i] = (size_t)capacities[i];
	}
	return w;
}

/* Judges the history, and frees the world. */
static inline void world_judge(struct world *w)
{
	const char *wrong;
	int i;

	w->history.ops = w->ops;
	w->history.count = w->log.count;
	wrong = history_linear(&w->history);
	if (!wrong)
		wrong = history_patterns(&w->history, false);
	for (i = 0; i < HISTORY_CHANNELS; i++)
		chan_unref(w->c[i].chan);
	ctx_unref(w->ctx);
	semaphore_unref(w->semaphore);
	waitgroup_unref(w->group);
	if (wrong)
		explore_fail("%s", wrong);
	free(w);
}

/* Takes out what is left, so that the judge sees what was lost. */
static inline void world_drain(struct world *w)
{
	uint32_t value;
	int i;

	for (i = 0; i < HISTORY_CHANNELS; i++)
		while (w->c[i].chan && did_try_recv(&w->log, w->c[i], &value) == CHAN_OK)
			;
}

static inline void world_end_drained(void *world)
{
	world_drain(world);
	world_judge(world);
}

/* A value that no other thread sends, and no other send of this one. */
static inline uint32_t value_number(uint32_t i)
{
	return (uint32_t)explore_self() * 100 + 100 + i;
}

#define capacities(...) ((const int[]){ __VA_ARGS__, -1 })

#endif
