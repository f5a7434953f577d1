/* Timers for one thread: adding, moving and removing one costs the same however many there are.
 *
 * A ring of slots, a millisecond each; a timer lies in the slot of its time, or, if that is more than a turn away, in one where it is looked
 * at again. A timer fires up to a millisecond after it is due, never before.
 * Source: Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987, scheme 6. */
#ifndef LEAT_WHEEL_H
#define LEAT_WHEEL_H

#include "../lib/moment.h"

#include <stddef.h>

enum { WHEEL_SLOTS = 4096 };

struct wheel_timer {
	struct wheel_timer *next, *prev;        /* NULL: not in the wheel */
	moment due;
	void (*fire)(struct wheel_timer *);     /* set by the owner before it is first added; may set and remove any timer */
};

struct wheel {
	struct wheel_timer slots[WHEEL_SLOTS];  /* heads of rings */
	uint64_t used[WHEEL_SLOTS / 64];        /* a bit for each slot that may hold timers */
	int64_t tick;                           /* every slot before this one is done; milliseconds */
};

void wheel_init(struct wheel *, moment now);

/* Adds the timer, or moves it. The caller owns its memory and keeps it until it has fired or was removed. */
void wheel_set(struct wheel *, struct wheel_timer *, moment due);
/* Removes the timer from its wheel if it is in one. */
void wheel_remove(struct wheel_timer *);

/* Takes out every timer that is due at `now` and fires it. */
void wheel_turn(struct wheel *, moment now);

/* When to turn it next: no later than the earliest timer needs; FOREVER when it is empty. */
moment wheel_next(const struct wheel *);

#endif
