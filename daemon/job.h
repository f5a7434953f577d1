/* A job: one piece of work from admission to its answer.
 *
 * It has one owner at a time. The loop that made it holds one reference until it has answered; the way through the channel and the
 * runner holds another, which comes back over the loop's completion channel. Who may end it is decided by one word, `state`:
 * a runner claims it to run it, or its loop claims it to give its place up (deadline, client gone), and only one of them can.
 * In the same way a runner that does not come back is parted from: its loop claims the job to answer it without the runner, which
 * keeps its slot and the job until it is over, and then it is nobody's. */
#ifndef LEAT_JOB_H
#define LEAT_JOB_H

#include "answer.h"
#include "books.h"
#include "stream.h"
#include "wheel.h"
#include "../lib/chan.h"

struct batch;
struct batch_item;
struct batch_order;
struct id_claim;
struct loop;
struct meeting;
struct peer;
struct pipe;
struct pipe_order;
struct share_entry;
struct type;
struct unit;

CHAN_DEFINE(job_chan, struct job *)

enum job_state { JOB_WAITING, JOB_STARTING, JOB_RUNNING, JOB_ENDED, JOB_ABANDONED };

enum { JOB_ID_MAX = 64, JOB_TRACE_MAX = 55 };

/* What a job is made from; everything is copied. */
struct job_order {
	struct type *type;
	const struct catalogue *catalogue;      /* whose type it is; borrowed; NULL: of the stage of a pipe, which may outlive it */
	struct slice payload;
	struct slice id;                /* empty: one is made up */
	struct id_claim *claim;         /* of the id, or NULL; taken over */
	struct slice traceparent;       /* W3C Trace Context, or empty */
	struct slice args;              /* of args_pack(), or empty */
	bool stream_in, stream_out;     /* it reads, and writes, while it runs */
	moment arrived, deadline;
	struct ctx *parent;             /* of the client: cancelling it cancels the job */
	struct chan *home;              /* where the job goes when it is over; borrowed */
	const struct peer *peer;        /* who asks; borrowed */
	/* Of a single job 1, 1, 1 and 0; of a batch: its items, of which so many have to succeed, so many at a time; and what it is charged
	 * beside the job. */
	size_t places, quorum, width, beside_bytes;
	const struct batch_order *batch;        /* NULL: a single job */
	const struct pipe_order *pipe;          /* what the client put together; NULL: that is configured, or it is no pipe */
	bool is_stage;                  /* of a pipe; without a peer it is of one that has been let in */

	/* Admission's, taken over by the job. */
	struct share_entry *share;
	bool probe;
	enum refusal refused;           /* why, if it was */
};

struct job {
	/* Set by job_new(), then only read. */
	struct type *type;
	struct slice payload;
	struct slice traceparent;
	struct slice args;
	char id[JOB_ID_MAX + 1];
	moment arrived, deadline;
	bool probe;                     /* let in to see how long it takes: it runs however little time is left */
	struct share_entry *share;      /* what its client holds of the places; NULL: not counted */
	struct ctx *ctx;                /* done when the deadline passes or nobody wants the result any more */
	struct chan *home;
	struct stream in, out;          /* what it reads and writes while it runs; closed: its payload, and `output` */
	unsigned streams;               /* how many of those it was made with, and counts for */

	/* The loop's alone, set when the job is on its way. */
	void *exchange;                 /* whom it answers; NULL: the client has gone */
	struct unit *unit;              /* what it is a part of, and answers for; NULL: it is alone. See exchange.h */
	struct loop *loop;
	struct wheel_timer timer;       /* its deadline, and then how long it is waited for */
	bool late;                      /* its deadline has passed */

	/* Of a batch: it is the whole, or one of the hands that do its items one after the other; see batch.h. */
	struct batch *batch;
	struct batch_item *item;        /* a hand's: the one it has now */
	struct job *next;               /* a hand's: another that is held */

	/* Of a pipe (pipe.h): it is the whole, or a stage. */
	struct pipe *pipe;              /* the whole's; owned */
	struct meeting *meeting;        /* a stage's that runs together with others; a reference */
	bool is_stage;
	bool is_piped;                  /* `out` leads into the next stage, and is to be the stdout of its command */
	bool entered;                   /* a stage's: it is in the channel of its type, or was */

	/* Its owner's: see job_claim(). */
	struct id_claim *claim;         /* of an id that the client chose; given back when the job ends */

	/* Anyone's. */
	shim_u32 state;
	shim_u32 references;

	/* Written by whoever claimed the job, read by the loop when it has come home, or, if it was abandoned, never; but for
	 * `started`, and `ended`, which is then the loop's. */
	moment started, ended;          /* 0: it never ran */
	enum outcome outcome;
	char *output;                   /* owned; NULL when the answer borrows the payload */
	size_t size;                    /* of this struct and what follows it */
	size_t charged;                 /* bytes of the memory budget that this job holds */

	/* Below `answer.facts` nothing is touched until it is needed, but for two zeros. */
	struct answer answer;           /* its texts point into this job, or are static */
	char detail[192];               /* room for the words of the answer */
	char last_error[256];           /* the last line of a command's error output */

	char bytes[];                   /* payload, traceparent and args */
};

/* Bytes that a job with these, of payload and arguments together, is charged with: the job, and what comes with every job (its context, its
 * id, its place in the line of answers, the head of its answer). */
size_t job_size(size_t bytes);
/* The same for a job of this order, with its streams. */
size_t job_order_size(const struct job_order *);

/* A job with two references: the loop's and the channel's. The caller has charged job_order_size() for it, and the job
 * gives it back. NULL: no memory, or (errno says so) no descriptors for its streams, of which all jobs
 * together have a part, and the charge is still the caller's. */
must_check struct job *job_new(const struct job_order *);
void job_unref(struct job *);

/* Takes the job out of JOB_WAITING; false if somebody else has. */
bool job_claim(struct job *, enum job_state);

/* Charges what a run produces to the memory budget. False: over it. */
bool job_charge(struct job *, size_t bytes);

/* What the books say of a job that was answered with that code. */
enum outcome job_outcome_of(enum code);

/* Sets the answer of a job that was done; `output` is borrowed, from the job or for ever. */
void job_set_done(struct job *, struct slice output);

/* Sets the answer of a job that was not done: its code's outcome, and words made with printf. */
void job_set_failure(struct job *, enum code, const char *format, ...) printf_like(3, 4);

/* The answer of a run whose context has ended: TIMEOUT if the deadline passed, CANCELED if nobody wanted the result any more. */
void job_cut_short(struct job *);

/* The line in the log of a job that is over, if such are wanted. */
void job_log_ended(const struct job *, moment now);

/* Claims and ends a job that still waits; its place is free when this returns. `code` is CODE_TIMEOUT or CODE_CANCELED. False: somebody
 * else has claimed it. */
bool job_end_waiting(struct job *, enum code, moment now);

/* The same by its loop: the job stays in the channel, with the channel's reference, until somebody takes it out and buries it. */
bool job_give_up(struct job *, enum code, moment now);

/* Claims a job that waits, and starts the run. False: somebody else has claimed it. */
bool job_start(struct job *, moment now);

/* The type learns from a run that has ended how long runs take. */
void job_learn(const struct job *, moment now);

/* Ends a job that ran; the place is free when this returns. False: it was abandoned, and is not to go home; the channel's reference
 * has been given back. */
must_check bool job_end_running(struct job *, moment now);

/* By its loop: does not wait for the run any longer. True: the runner keeps the channel's reference and the slot, the job does not
 * come home, and *answer is what there is to say. False: the run has ended, or not quite begun. */
must_check bool job_abandon(struct job *, moment now, struct answer *);

/* Gives back the channel's reference on a job that somebody else has ended while it waited. */
void job_bury(struct job *);

#endif
