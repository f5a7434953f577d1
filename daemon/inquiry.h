/* A question that all loops have to answer: which jobs there are, or whether one of them has the job to be cancelled.
 *
 * No loop may touch the connections of another, so the loop that is asked by a client sends the question to the others and gathers what
 * comes back (fan-out and fan-in, over one `mail` channel for each loop). A question has one owner at a time: the loop whose
 * mail it lies in. Jobs themselves pay nothing for it: there is no table of them, the loops walk their connections.
 *
 * A loop has one inquiry under way at a time, so a mail channel of two places for each loop is never full and no loop ever waits for
 * another; inquiries that come meanwhile wait in its line. Each belongs to an exchange, so their number is bounded by
 * max_connections and max_pipeline. */
#ifndef LEAT_INQUIRY_H
#define LEAT_INQUIRY_H

#include "job.h"
#include "buf.h"
#include "config.h"
#include "peer.h"

struct chan;
struct exchange;
struct inquiry;
struct loop;
struct question;

enum inquiry_kind {
	INQUIRY_JOBS,           /* which jobs wait and run? */
	INQUIRY_CANCEL,         /* cancel the job of this id */
	INQUIRY_RELOAD,         /* of main: read the configuration again */
};

/* So many jobs at most are in one answer; the others are counted. */
enum { INQUIRY_JOBS_MAX = 4096 };

struct inquiry_job {
	moment arrived, deadline;
	struct peer peer;
	bool running;           /* else it waits */
	char id[JOB_ID_MAX + 1];
	char job[JOB_NAME_MAX + 1];
};

/* What a reload came to. */
struct inquiry_reload {
	bool done;              /* false: nothing has changed, and `words` says why */
	size_t added, changed, removed;         /* job types */
	struct buf words;       /* a sentence, or all that is wrong, one line */
	struct buf at_restart;  /* the keys that are different and take effect at a restart, with commas between */
};

void inquiry_reload_free(struct inquiry_reload *);

/* What all loops together, or main, said. Borrowed. */
struct inquiry_result {
	moment now;
	const struct inquiry_job *jobs; /* the oldest first */
	size_t count;
	uint64_t more;          /* jobs that are not among them */
	bool cancelled;         /* it was there and waited or ran */
	bool no_memory;         /* the answer is not whole */
	const struct inquiry_reload *reload;    /* NULL: main did not answer, for leatd is about to end, or has too many to answer */
};

/* Asks, for the exchange that the handler has; `answer` is called on this thread, perhaps before this returns, and answers
 * it. If the client goes away before that, it is not called. `id`: for INQUIRY_CANCEL. On the loop's thread. */
void inquiry_start(struct exchange *, enum inquiry_kind, struct slice id,
		   void (*answer)(struct exchange *, const struct inquiry_result *));

/* The same for an exchange that is answered in parts, for which `answer` makes one, perhaps before this returns; one at a time. False: no
 * memory for it. */
bool inquiry_follow(struct exchange *, enum inquiry_kind, void (*answer)(struct exchange *, const struct inquiry_result *));

/* --- For exchange.c and loop.c, on the loop's thread --- */

/* The client has gone. */
void inquiry_forget(struct inquiry *);
/* A question that has come by mail, or one of ours with its answer. */
void inquiry_mail(struct loop *, struct question *);
/* The loops are about to end, and may not answer any more: what is asked is answered with what there is. No job is in flight then. */
void inquiries_finish(struct loop *);

/* --- For main.c and reload.c --- */

/* Takes over what `reload` has, and sends it to the one who asked. */
void inquiry_answer_reload(struct question *, struct chan *const *mails, struct inquiry_reload *reload);

/* The mail of one of `loops` loops: a channel of struct question *. NULL: no memory. */
must_check struct chan *inquiry_mail_new(size_t loops);
/* When no loop runs any more: with what was not read. NULL does nothing. */
void inquiry_mail_free(struct chan *);

#endif
