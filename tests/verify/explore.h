/* The explorer: runs the real source of lib/ on threads of its own making, one at a time, and decides at each operation of
 * the shim who goes on. So a program can be run in many orders, each of them again by its number. Found are: a failed
 * must(), threads that sleep for ever, threads that go round for ever, a use of freed memory or of a dead frame by an
 * operation of the shim, a write to freed memory, a leak, a write to a closed descriptor, a crash.
 *
 * A run has a default: a thread goes on until it sleeps, pauses or ends, then the next one in turn does; the clock stands until
 * nobody else can go on. A schedule is the list of the points where something else was done than by default:
 *	12t2   before step 12: thread 2 goes on             12u2  likewise, and the late stores of who went so far stay late
 *	12c    the clock jumps to the next moment of interest
 *	12s1   thread 1 wakes up for no reason                12f1  the late stores of thread 1 become visible
 * A replay is the name of the program, @, the number of CPUs that lib/ is told of, n if who naps or yields goes on
 * at once (so that who waits is soon asleep for good), : and that list, with commas. */
#ifndef LEAT_VERIFY_EXPLORE_H
#define LEAT_VERIFY_EXPLORE_H

#include "../../lib/moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPLORE_THREADS = 6, EXPLORE_MOMENTS = 4 };

/* The time at which a run begins. */
#define EXPLORE_START (1 * SECONDS)

struct program {
	const char *name, *what;
	void *(*setup)(int variant);    /* before the threads; returns what they and finish() get */
	int variant;
	void (*threads[EXPLORE_THREADS])(void *world);
	void (*finish)(void *world);    /* after all threads have ended; must not block, and frees everything */
	moment moments[EXPLORE_MOMENTS];   /* what the clock may jump to, besides the deadlines of who sleeps */
	int bound;      /* how far the exhaustive part goes when there is time: the most deviations from the default */
	bool no_late;   /* do not delay stores */
};

/* Ends the run, which has failed. Never returns. */
_Noreturn void explore_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define must(condition) ((condition) ? (void)0 : explore_fail("%s:%d: not so: %s", __FILE__, __LINE__, #condition))

/* Sleeps until the descriptor (of a watch) is readable; the program's epoll. false: it was not until the deadline. */
bool explore_readable(int fd, moment deadline);
bool explore_is_readable(int fd);

/* How many times a descriptor was written in this run, and a point where others may come first that is no operation of lib/. */
unsigned explore_writes(void);

/* Lets others go first: for loops of a program that poll. */
void explore_pause(void);

/* The number of the thread that runs. */
int explore_self(void);

#endif
