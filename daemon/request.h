/* A request for a run, the same for both protocols, and how it becomes a job. Needs no socket. */
#ifndef LEAT_REQUEST_H
#define LEAT_REQUEST_H

#include "answer.h"
#include "../lib/chan.h"

struct arg_values;
struct batch;
struct batch_order;
struct catalogue;
struct job;
struct leatd;
struct peer;
struct token;
struct type;

struct request {
	struct slice job;
	struct slice payload;
	int64_t deadline_ns;            /* from arrival; 0: the job's own */
	struct slice id;                /* empty: leatd makes one up */
	struct slice traceparent;
	const struct arg_values *args;  /* for the command; NULL: none */
	bool stream_in, stream_out;     /* the payload is still to come; the output is wanted as it comes */
	const struct slice *stages;     /* a pipe of these jobs; NULL: `job` alone */
	size_t stage_count;
};

/* Who asks. */
struct requester {
	struct ctx *ctx;                /* cancelled when the client has gone */
	struct chan *home;              /* where its jobs go when they are over */
	const struct peer *peer;        /* whose places its jobs take: see share.h */
};

/* Reads a deadline that a client sent. False: not a duration over 0, and *why is the answer. */
must_check bool request_set_deadline(struct request *, struct slice text, struct answer *why);
/* Takes an id that a client sent. False: not an id, and *why is the answer. */
must_check bool request_set_id(struct request *, struct slice text, struct answer *why);

/* How many stages a pipe has that a client puts together. False: too few or too many, and *why is the answer. */
must_check bool request_set_stages(struct request *, const struct slice *stages, size_t count, struct answer *why);

/* The type of that name. NULL: there is none, and *why is the answer, with the nearest name. */
must_check struct type *request_find_type(const struct catalogue *, struct slice name, struct answer *why);

/* Pauses or resumes the type of that name. False: there is none, or no memory, and *why is the answer. */
must_check bool request_pause(const struct catalogue *, struct slice name, bool paused, struct answer *why);

/* Finishes what was accepted, and stops; `who` asks for it. Returns at once. */
void request_drain(struct leatd *, const struct token *who);

/* Looks the job up, checks the arguments, has it admitted and puts it on its way. The job, with the caller's reference on it; or
 * NULL, and *why is the answer. */
must_check struct job *request_submit(const struct catalogue *, const struct request *, const struct requester *, moment arrived,
				      struct answer *why);

/* The same for a batch. It is returned with the caller's reference on its whole. */
must_check struct batch *request_submit_batch(const struct catalogue *, const struct request *, const struct batch_order *, const struct requester *,
					      moment arrived, struct answer *why);

#endif
