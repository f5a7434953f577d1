/* Gives memory back to the system after a peak: malloc keeps what was freed between two things that are still in use. Looked at once a
 * second, by main: what is resident and not accounted for has grown, so it is worth going through the heap. One thread. */
#ifndef LEAT_TRIM_H
#define LEAT_TRIM_H

#include "../lib/moment.h"

#include <stdbool.h>
#include <stddef.h>

struct leatd;

struct trim {
	size_t base_bytes;      /* resident and not accounted for: after the last time; 0: not known */
	moment next;            /* when to look again */
	bool asked;             /* the loops have been */
};

/* Before the first thread: tells malloc to keep little. */
void trim_init(struct trim *);

/* Looks, if it is time. True: the loops are to give back what they keep, and the next look is about what is then left. */
bool trim_look(struct trim *, const struct leatd *);

#endif
