/* An event loop: one thread that owns its connections. No other thread touches them; what it is to do comes over channels.
 *
 * Main sends it orders; runners send finished jobs home over `done`, which it watches through a descriptor that is written once for
 * many of them. An encapsulated worker: loop_start() makes its channels, loop_stop() hears it say that it has cleaned up. */
#ifndef LEAT_LOOP_H
#define LEAT_LOOP_H

#include "wheel.h"
#include "../lib/chan.h"

#include <stdbool.h>

struct catalogue;
struct conn;
struct event_base;
struct event;
struct leatd;
struct loop;

enum loop_order {
	LOOP_DRAIN,     /* say on `drained` when no job is out any more; from now on admission refuses */
	LOOP_CANCEL,    /* cancel every job */
	LOOP_RENEW,     /* loop_renew() */
	LOOP_BEAT,      /* loop_beat() */
	LOOP_TRIM,      /* loop_trim() */
	LOOP_QUIT,      /* send what is still to be sent, close everything, end */
};

/* What main needs to start one. */
struct loop_options {
	struct leatd *leatd;
	size_t index;
	const int *listeners;           /* listening sockets, non-blocking; this loop accepts from all of them, and closes none */
	const bool *listeners_tls;      /* whether each speaks TLS */
	size_t listener_count;
	bool leave_backlog;             /* those sockets outlive leatd: who comes while it drains is left to the next one */
	struct chan *drained;           /* of size_t: the index; has room for all loops; borrowed */
	struct chan *renewed;           /* of const struct catalogue *: the one that a loop has taken up; has room for all loops; borrowed */
	struct chan *const *mails;      /* inquiry_mail_new() of each loop; borrowed until loop_join() of all of them */
	size_t mail_count;
};

/* The thread runs, and accepts, when this returns. NULL: no memory, descriptors or thread. */
must_check struct loop *loop_start(const struct loop_options *);

/* Any thread; never blocks for long: a loop always comes back to its orders. */
void loop_order(struct loop *, enum loop_order);

/* What is served from now on: takes the caller's reference, and says on `renewed` when it is so. Connections go by the new tokens at once;
 * those that are there keep their certificate. Any thread. */
void loop_renew(struct loop *, struct catalogue *);

/* Is it there? It sends `who` to `beats`, which has room for it. Never blocks; false: it is far behind with its orders. */
bool loop_beat(struct loop *, struct chan *beats, size_t who);

/* Gives the memory that it keeps for the next jobs back to malloc, unless it is far behind with its orders. Never blocks. */
void loop_trim(struct loop *);

/* After LOOP_QUIT: waits for the thread. */
void loop_join(struct loop *);

/* After loop_join(), and when no runner is left: the last of them may still be on its way out of a send to this loop. */
void loop_free(struct loop *);

#endif
