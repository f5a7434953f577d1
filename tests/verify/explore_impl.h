/* What the parts of the explorer know of each other. */
#ifndef LEAT_VERIFY_EXPLORE_IMPL_H
#define LEAT_VERIFY_EXPLORE_IMPL_H

#include "explore.h"

enum { STEPS = 20000 };   /* a run that has more goes round for ever */

/* What can be done at a step: sets of bits, so that a step fits in a word. */
enum doing { DO_THREAD = 0, DO_UNFLUSHED = 8, DO_CLOCK = 16, DO_SPURIOUS = 24, DO_FLUSH = 32, DO_DEFAULT = 63 };

struct deviation {
	int step;
	int doing;   /* a number of a bit */
};

struct schedule {
	struct deviation *list;
	int count, room;
};

/* How the deviations of a run are chosen. */
struct chooser {
	enum { CHOOSE_GIVEN, CHOOSE_WALK, CHOOSE_PRIORITIES } how;
	struct schedule given;     /* CHOOSE_GIVEN */
	uint64_t random;           /* the state of the generator */
	unsigned rarity;           /* CHOOSE_WALK: one step in so many deviates */
	int length;                /* CHOOSE_PRIORITIES: how many steps a run may have */
};

struct run_result {
	bool failed;
	char why[600];
	int steps;
	struct schedule taken;     /* the deviations that were taken */
	const uint64_t *could;     /* of each step: what could have been done besides */
};

struct explore_options {
	int cpus;
	bool spurious;      /* sleepers may wake for no reason */
	bool naps_pass;     /* who naps or yields goes on at once, so that who waits is soon asleep for good */
	bool trace;         /* print each step */
};

/* Runs the program once. The result is valid until the next run. */
const struct run_result *explore_run(const struct program *, struct chooser *, const struct explore_options *);

/* Of the run that is on, for who handles its crash. */
const struct run_result *explore_result(void);

/* "12t2,15c" and back; false: not understood. */
void schedule_print(const struct schedule *);
bool schedule_parse(struct schedule *, const char *text);
void schedule_add(struct schedule *, struct deviation);

uint64_t explore_random(uint64_t *state);

/* The simulated surroundings of a run. In explore_world.c. */
void world_begin(int cpus);
void world_check(void);          /* leaks, writes to what was freed; calls explore_fail() */
void world_end(void);
bool world_is_freed(const volatile void *);
bool world_readable(int fd, moment now);
moment world_due(int fd);        /* when a descriptor becomes readable by itself */

/* In explore.c, for explore_world.c. */
void explore_step(const char *what);

/* The list of programs ends with a NULL name. */
extern const struct program chan_programs[], select_programs[], rest_programs[];

#endif
