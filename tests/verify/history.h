/* What was done to a few channels, by whom, when, and what came of it: to be judged afterwards. Elements are uint32_t, and no
 * value is sent twice.
 *
 * A history is a clock and logs; each log belongs to one thread (of the kernel). Times are tickets of the clock, so they say
 * truly what was over before what began. The did_...() calls do what their name says and write it down. */
#ifndef LEAT_VERIFY_HISTORY_H
#define LEAT_VERIFY_HISTORY_H

#include "../../lib/chan.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { HISTORY_CHANNELS = 4, HISTORY_MANY = 8 };

enum op_kind { DID_SEND, DID_RECV, DID_CLOSE, DID_SWEEP };

struct op {
	uint64_t call, ret;          /* ret UINT64_MAX: it never came back */
	uint32_t value;              /* sent; or received, if CHAN_OK */
	uint8_t kind, chan, status;  /* enum op_kind, the number of the channel, enum chan_status */
	bool joined;                 /* was done at the same instant as the one before it in the log */
	bool after;                  /* was done by the same call as the one before it in the log, after it */
};

struct log {
	_Atomic uint64_t *clock;
	struct op *ops;
	size_t count, room;          /* what does not fit is an abort() */
};

/* A channel, and what it is called in the history. */
struct named {
	struct chan *chan;
	uint8_t number;
};

enum chan_status did_send(struct log *, struct named, uint32_t value, struct ctx *, moment deadline);
enum chan_status did_recv(struct log *, struct named, uint32_t *value, struct ctx *, moment deadline);
enum chan_status did_try_send(struct log *, struct named, uint32_t value);
enum chan_status did_try_recv(struct log *, struct named, uint32_t *value);
/* For loops that poll: writes down only what was received, or that it is closed. */
enum chan_status did_poll(struct log *, struct named, uint32_t *value);
enum chan_status did_close(struct log *, struct named);

/* At most HISTORY_MANY. */
size_t did_send_many(struct log *, struct named, const uint32_t *values, size_t n, enum chan_status *why);
size_t did_recv_many(struct log *, struct named, uint32_t *values, size_t n, enum chan_status *why);

/* Sweeps out the odd values. */
size_t did_sweep_odd(struct log *, struct named);

/* A select. A case whose channel is not in the history has the number UNNAMED. At most HISTORY_MANY. */
#define UNNAMED 255
int did_select(struct log *, struct chan_case *, const uint8_t *numbers, int n, bool ordered, struct ctx *, moment deadline,
	enum chan_status *why);

/* All logs in one. */
struct history {
	size_t capacity[HISTORY_CHANNELS];
	struct op *ops;
	size_t count;
};

/* NULL, or what is wrong, in a text that lives until the next call from this thread. Both know that calls that were given up have
 * done nothing.
 * history_linear: whether all calls can be put on one line of instants, each within its call, so that sequential channels would
 *   have answered the same. Exact; for at most 64 calls.
 * history_patterns: whether any pattern stands in it that no such line allows: a value from nowhere, doubled, lost, out
 *   of order; "empty" while something was surely inside; "full" while there surely was room; more inside than fits; a sender
 *   and receiver that did not meet; a send after the close. n log n, for millions of calls. `drained`: nothing was left inside. */
const char *history_linear(const struct history *);
const char *history_patterns(const struct history *, bool drained);

/* "3-9 send 0 value 17 CHAN_OK" */
void history_print(const struct history *);

#endif
