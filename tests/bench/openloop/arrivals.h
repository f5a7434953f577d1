/* When requests arrive: a Poisson process whose rate is constant by phases. */
#ifndef OPENLOOP_ARRIVALS_H
#define OPENLOOP_ARRIVALS_H

#include "../../../lib/compiler.h"
#include "../../../lib/moment.h"

#include <stdbool.h>

enum { ARRIVALS_PHASES = 8 };

struct arrivals {
	struct phase {
		double rate; /* a second; may be 0 */
		double seconds;
	} phases[ARRIVALS_PHASES];
	unsigned phase_count;

	moment next; /* the next arrival; FOREVER when there is none any more */
	unsigned phase;
	moment phase_end;
};

/* Reads `RATE[:SECONDS],...`; `seconds` is for phases that do not say how long. False if it is not that. */
must_check bool arrivals_parse(struct arrivals *, const char *text, double seconds);
double arrivals_seconds(const struct arrivals *);

/* Sets `next` to the first arrival, and to the one after it. They draw from this thread's random_below(). */
void arrivals_start(struct arrivals *, moment begin);
void arrivals_step(struct arrivals *);

#endif
