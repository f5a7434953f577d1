/* How far a long request has come: a bar on stderr, if that is a terminal; otherwise nothing. */
#ifndef LEAT_PROGRESS_H
#define LEAT_PROGRESS_H

#include "../lib/moment.h"

#include <stdbool.h>
#include <stddef.h>

struct progress {
	size_t all;                     /* how many there will be */
	bool shown;
	moment next;                    /* no sooner is it drawn again */
};

void progress_begin(struct progress *, size_t all);
/* So many are done. Cheap, and may be called as often as one likes. NULL does nothing. */
void progress_show(struct progress *, size_t done);
/* Wipes it away. */
void progress_end(struct progress *);

#endif
