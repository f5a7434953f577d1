/* Channels that are made of time: no thread, no queue, nothing that could leak. They become ready by the clock, and a
 * select that holds one sleeps no longer than until then. Elements are moments: when the tick was due. Only to
 * receive from, select on and watch: sending and closing are CHAN_INVALID. Let go with chan_unref().
 * After crossbeam-channel's `at` and `tick`. */
#ifndef LEAT_TIMER_H
#define LEAT_TIMER_H

#include "compiler.h"
#include "moment.h"

struct chan;

/* Ready once, from `when` on; the one who receives it takes it. FOREVER: never. NULL: no memory. */
struct chan *chan_after(moment when) must_check;

/* Ready every `period_ns` from now, in phase. Ticks that nobody took in time are dropped, but for one.
 * NULL: no memory, or a period below 1. */
struct chan *chan_ticker(int64_t period_ns) must_check;

#endif
