/* Signals as a channel: a generator whose values are the numbers of the signals that came. */
#ifndef LEAT_SIGNALS_H
#define LEAT_SIGNALS_H

#include "../lib/compiler.h"

struct chan;

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGCHLD in the caller, and in all threads it starts from then on. First of all. */
void signals_block(void);

/* Starts the thread that waits for them; the channel, of int, is the caller's. NULL: no memory or no thread. The thread ends with
 * the process. */
must_check struct chan *signals_start(void);

#endif
