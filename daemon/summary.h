/* One log line a second says how many jobs were refused, and why: a refusal by itself writes nothing. On a loop's thread. */
#ifndef LEAT_SUMMARY_H
#define LEAT_SUMMARY_H

#include "books.h"
#include "wheel.h"

struct loop;

/* Of each loop; zeroed memory will do. */
struct summary {
	struct wheel_timer timer;
};

/* A job was refused. The line is written within a second, by whichever loop was the first to call this. */
void summary_refused(struct loop *);
/* The loop ends. What it had still to say is said now. */
void summary_stop(struct loop *);

#endif
