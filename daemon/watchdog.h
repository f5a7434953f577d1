/* The watchdog of systemd (WatchdogSec=): it is fed only when everything that leatd is made of has moved since the last time, so that a
 * leatd in which one thread hangs is started again like one that hangs as a whole.
 *
 * A generator ticks three times within the limit. At a tick each loop and the log thread are asked, over the channels that their work comes
 * by, to say that they are there, and each pool is looked at: one in which work waits beside a free runner must have begun something
 * since the tick before. When all have answered it is fed. What does not move is named in the log at every further tick.
 *
 * On main's thread, which must come back to it: it is one of those that have to move. */
#ifndef LEAT_WATCHDOG_H
#define LEAT_WATCHDOG_H

#include "../lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chan;
struct leatd;
struct loop;
struct watchdog;

/* `loops` is borrowed until watchdog_stop(). *to is NULL where systemd does not want it to be fed. 0 or -ENOMEM. */
must_check int watchdog_start(struct watchdog **to, struct leatd *, struct loop *const *loops, size_t count);
void watchdog_stop(struct watchdog *);

/* What to wait for: of moment, and then watchdog_tick(); of size_t, and then watchdog_beat() with it. nil without a watchdog. Borrowed. */
struct chan *watchdog_ticks(const struct watchdog *);
struct chan *watchdog_beats(const struct watchdog *);
void watchdog_tick(struct watchdog *);
void watchdog_beat(struct watchdog *, size_t part);

/* How a pool stands: whether work waits beside a free runner, and how many jobs it has begun. */
struct pool_stand {
	uint64_t begun;
	bool idle;
};

/* Whether a pool that stood like that at one tick, and like this at the next, works. */
static inline bool pool_moves(struct pool_stand before, struct pool_stand now)
{
	return !before.idle || !now.idle || before.begun != now.begun;
}

#endif
