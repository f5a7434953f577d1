/* Select: wait for several channel operations at once, and do one of them.
 *
 *	struct chan_case cases[] = { CHAN_RECV_CASE(jobs, &job), CHAN_SEND_CASE(out, &result), CHAN_RECV_CASE(ctx_done(ctx), NULL) };
 *	switch (chan_select(cases, 3, NULL, moment_in(5 * SECONDS), &why)) {
 *	case 0: if (cases[0].status == CHAN_CLOSED) jobs = NULL; ...
 *
 * A case whose channel is nil is never ready: that is how a case is switched off. A case on a closed channel is ready.
 * The same channel may stand in several cases, in both directions; a select never meets itself, two selects do meet.
 * No two channels are locked at the same time. Cases are tried one after the other; that none was ready at one instant is known
 * by looking a second time and finding each channel as it was. Then a waiter on each, a second look, and sleep. */
#ifndef LEAT_SELECT_H
#define LEAT_SELECT_H

#include "moment.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

struct chan;
struct ctx;

enum chan_op { CHAN_OP_SKIP, CHAN_OP_SEND, CHAN_OP_RECV };   /* skip: never ready, like nil */

/* The size of what a void pointer points to: taken as right. */
#define CHAN_ANY_SIZE SIZE_MAX

struct chan_case {
	enum chan_op op;
	struct chan *chan;         /* borrowed; nil is never ready */
	void *elem;                /* as for chan_send() and chan_recv() */
	size_t elem_size;          /* must be the channel's; a channel of size 0 fits any */
	enum chan_status status;   /* out, for the case that ran: CHAN_OK or CHAN_CLOSED */
};

#define CHAN_POINTED_SIZE(p) \
	(__builtin_types_compatible_p(__typeof__(p), void *) || __builtin_types_compatible_p(__typeof__(p), const void *) \
		? CHAN_ANY_SIZE : sizeof *(p))
#define CHAN_SEND_CASE(c, p) ((struct chan_case){ CHAN_OP_SEND, (c), (void *)(uintptr_t)(p), CHAN_POINTED_SIZE(p), CHAN_OK })
#define CHAN_RECV_CASE(c, p) ((struct chan_case){ CHAN_OP_RECV, (c), (p), CHAN_POINTED_SIZE(p), CHAN_OK })

/* Does one of the `n` cases and returns its index, or -1 if none could be done; then *why says what prevented it:
 * CHAN_WOULD_BLOCK (deadline NOW: at one instant none was ready), CHAN_TIMED_OUT, CHAN_CANCELED, CHAN_DEADLINE,
 * CHAN_INVALID (a case that is wrong: nothing was done), CHAN_NOMEM (only for more than 8 cases; always for more than
 * 32767). With an index, *why
 * is the status of the case. `why` may be NULL.
 * Uniformly random among the cases that are ready. */
int chan_select(struct chan_case *cases, int n, struct ctx *, moment deadline, enum chan_status *why);

/* The same, but the lowest index among those that are ready at the moment just before it runs. A case that is always ready
 * starves those after it. */
int chan_select_ordered(struct chan_case *cases, int n, struct ctx *, moment deadline, enum chan_status *why);

#endif
