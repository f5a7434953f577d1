/* What the files of an event loop (loop, listen, conn) share. On the loop's thread only, but for what says otherwise. */
#ifndef LEAT_LOOP_IMPL_H
#define LEAT_LOOP_IMPL_H

#include "catalogue.h"
#include "http_head.h"
#include "loop.h"
#include "purse.h"
#include "summary.h"
#include "wheel.h"
#include "../lib/patience.h"

#include <pthread.h>

enum { LOOP_SCRATCH_BYTES = 64 * 1024 };

/* What main sends. */
struct loop_message {
	enum loop_order order;
	struct catalogue *catalogue;    /* LOOP_RENEW: with a reference */
	struct chan *beats;             /* LOOP_BEAT: where to send `who`; a reference */
	size_t who;
};

struct peer;

struct loop {
	struct leatd *leatd;
	struct catalogue *catalogue;    /* what it serves, and who may come in; a reference */
	size_t index;
	pthread_t thread;
	struct event_base *base;
	struct ctx *ctx;                /* parent of every connection's */

	struct chan *done;              /* of struct job *: sent to by runners */
	struct chan_watch *done_watch;
	struct event *done_event;
	struct chan *orders;            /* of struct loop_message: sent to by main */
	struct chan_watch *orders_watch;
	struct event *orders_event;
	struct chan *drained, *renewed;
	struct chan *const *mails;      /* of struct question *, one of each loop; borrowed */
	size_t mail_count;
	struct chan_watch *mail_watch;
	struct event *mail_event;

	struct wheel wheel;
	struct event *wheel_event;
	moment wheel_at;                /* when that event fires */

	struct summary summary;

	struct listener *listeners;
	size_t listener_count;

	struct conn *conns;             /* all of them */
	struct conn *touched;           /* those that have something to send, or to go on with */
	struct conn *later;             /* those that go on when the others have had their turn */
	size_t conn_count;
	size_t jobs_out;                /* jobs that have not come home */
	struct purse purse;             /* pays for the buffers of its connections */
	struct exchange *left;          /* those whose clients have gone and that still run */
	struct inquiry *inquiries;      /* what clients of this loop ask of all loops; the first is under way */
	uint64_t inquiry_number;        /* of that one */

	moment now;                     /* of the present callback */
	moment date_until;
	char date_line[HTTP_DATE_LINE_LEN + 1];
	char *scratch;                  /* where connections without a half-read request read to */
	moment waited_since;            /* when it had nothing to do */
	struct patience patience;
	bool leave_backlog;             /* see loop_options */
	bool draining, stopping, ended;
};

/* First in every callback: takes the time. */
void loop_enter(struct loop *);
/* Last in every callback: sends what is to be sent, and arms the timer. */
void loop_leave(struct loop *);

/* listen.c */
must_check int listeners_start(struct loop *, const int *sockets, const bool *tls, size_t count);
void listeners_stop(struct loop *);
/* A connection of this peer has closed. */
void listeners_forget(struct loop *, const struct peer *);

#endif
