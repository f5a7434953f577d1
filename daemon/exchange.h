/* A request of a connection and its answer. Requests run at the same time; their answers leave in the order in which the requests
 * came (restored sequence), however they end.
 *
 * The connection hands each request, as an exchange, to a command or a route, which answers it exactly once: with
 * exchange_answer(), between exchange_begin() and exchange_end(), with exchange_run(), and then the job's end is the answer, with
 * inquiry_start(), with map_run(), or with exchange_in_parts(). On the loop's thread. */
#ifndef LEAT_EXCHANGE_H
#define LEAT_EXCHANGE_H

#include "peer.h"
#include "reply.h"
#include "request.h"
#include "wheel.h"

struct catalogue;
struct conn;
struct ctx;
struct exchange;
struct inquiry;
struct inquiry_job;
struct leatd;
struct loop;
struct stream_in;
struct token;
struct tokens;

/* An answer that comes in parts: it begins before all of it is there. Its owner has this as its first member. */
struct parts {
	/* The exchange is the first of its line: appends what there is to the connection's output. True: that was the rest of it. Called
	 * whenever the connection is looked after (conn_touch()), also when its output has gone. */
	bool (*write)(struct parts *, struct exchange *);
	/* It has been written, or the client has gone: the exchange is about to be freed. */
	void (*end)(struct parts *, struct exchange *);
	/* write() says that there is more, and that enough waits to be sent: it is called again when that has gone. */
	bool more;
};

/* How much of it may wait to be sent; the same while memory is short. */
enum { PARTS_WAITING_BYTES = 64 * 1024, PARTS_SCARCE_BYTES = 4096 };
/* Several jobs behind one exchange, admitted together. Its owner has this as its first member; the jobs point to it (job->unit). */
struct unit {
	const struct unit_class *class;
	struct exchange *exchange;      /* the one in the line */
	bool over;                      /* none of its jobs waits or runs; set by its owner, which then calls exchange_unit_over() */
};

struct unit_class {
	/* Each of its jobs that waits or runs. `like` has what they have in common with the exchange. */
	void (*list)(struct unit *, struct inquiry_job *like, void (*add)(void *arg, const struct inquiry_job *), void *arg);
	/* Cancels the job of this id, or all of them if it is the unit's. False: there is none, or it is over. */
	bool (*cancel)(struct unit *, const char *id);
	/* Cancels all that wait, and all that run. */
	void (*cancel_waiting)(struct unit *);
	void (*cancel_running)(struct unit *);
	/* It is over, and its answer written or not wanted: the exchange is about to be freed. */
	void (*end)(struct unit *);
};

struct exchange {
	struct conn *conn;
	struct wire wire;
	struct peer peer;
	const struct token *who;        /* who asks; NULL: a stranger. Of use until the handler returns, no longer */
	bool close_after;               /* the connection closes behind this answer */
	bool body_to_come;              /* its body has not been read; the connection closes behind a refusal, so that it need not be */

	/* Private to exchange.c. An exchange that has to wait for its turn, or for its job, is kept in the connection's line. */
	struct exchange *kept;          /* of the one that the handler has: its copy in the line */
	struct exchange *next, **link;  /* link: what points to this one; in loop->left only */
	bool ready;
	struct buf bytes;               /* the answer, if it was ready before its turn */
	struct job *job;                /* or the job that is the answer; a reference */
	struct stream_in *body;         /* its body that is still being read, for the job; the connection's */
	struct unit *unit;              /* or several; owned by whoever made them */
	struct parts *parts;            /* it comes in parts; owned by whoever made them */
	struct inquiry *inquiry;        /* or what has to be answered by all loops first */
};

struct leatd *exchange_leatd(const struct exchange *);
/* What its loop serves now. Not to be kept: it is another after a reload. */
const struct catalogue *exchange_catalogue(const struct exchange *);

/* Where to write an answer of one's own. */
struct buf *exchange_begin(struct exchange *);
void exchange_end(struct exchange *);

void exchange_answer(struct exchange *, const struct answer *);
/* Refuses (NOAUTH) who has not the right to run that job. */
void exchange_run(struct exchange *, const struct request *);

/* --- For those who run several jobs for one exchange --- */

/* Whether who asks may run that job; if not, it is answered. */
must_check bool exchange_may_run(struct exchange *, struct slice job);
/* The parent of its jobs. NULL: no memory, and the connection is lost. */
must_check struct ctx *exchange_ctx(struct exchange *);
/* The answer to a request that did not become a job. */
void exchange_refuse(struct exchange *, const struct answer *refusal);
/* They are on their way. False: there is no memory to keep its place, and the connection is lost: it will be over, and nobody asks. */
must_check bool exchange_await_unit(struct exchange *, struct unit *, struct parts *);
/* To be written to, as far as there is something to write. Nothing if the client has gone. */
void exchange_touch(struct exchange *);
/* unit->over has been set. If the client has gone, the unit is ended here. */
void exchange_unit_over(struct unit *);

/* The tokens that are known, or NULL: everybody may do everything. Of use until the handler returns. */
const struct tokens *exchange_tokens(const struct exchange *);
/* Who speaks on this connection from now on. */
void exchange_set_who(struct exchange *, const struct token *);
/* Answers NOAUTH: a stranger (401), one who has not the right, or a page that may not ask (403). */
void exchange_deny_stranger(struct exchange *, const char *detail);
void exchange_deny_right(struct exchange *, const char *right, struct slice job);
void exchange_deny_origin(struct exchange *);
/* Answers 421: its Host header names somebody else. */
void exchange_deny_host(struct exchange *);

/* The line protocol's version, 2 or 3, from the next answer on. */
void exchange_set_version(struct exchange *, int version);
/* Whether the connection is encrypted. */
bool exchange_is_secure(const struct exchange *);
/* Whether this is the address, as a URL has it, that the client has connected to. Asks the kernel. */
bool exchange_came_to(const struct exchange *, struct slice address);
/* A number for this connection, unique in this process. */
uint64_t exchange_conn_number(const struct exchange *);

/* Will be answered by these parts, and with the exchange that is returned. NULL: no memory, and the connection is lost. */
struct exchange *exchange_in_parts(struct exchange *, struct parts *);

/* --- For inquiry.c --- */

/* Will be answered later, like any other but with the exchange that is returned. NULL: no memory, and the connection is lost. */
struct exchange *exchange_later(struct exchange *, struct inquiry *);

/* Every exchange of this loop with a job, or several, that waits or runs, also of clients that have gone. False ends it. visit() may
 * cancel it. */
void exchanges_each(struct loop *, bool (*visit)(struct exchange *, void *arg), void *arg);
/* Cancels its job: what waits gives its place up at once, what runs is told. False: it is over already. */
bool exchange_cancel(struct exchange *);

/* --- For conn.c and loop.c --- */

/* What there is to say of its job, which is over. */
const struct answer *exchange_job_answer(const struct exchange *);
/* The exchange that is first in the line has more to write, and there is room for it. */
bool exchanges_wait_for_turn(const struct conn *);

/* A job has come home: its answer is ready, or nobody waits for it any more. */
void exchange_job_home(struct job *);
/* Writes the answers whose turn it is to the connection's output. */
void exchanges_write(struct conn *);
/* The client has gone: gives up what waits, cancels what runs, forgets all answers. What runs is in loop->left until it is over. */
void exchanges_drop(struct conn *);
/* Cancels the connection's jobs, those that wait and those that run; they are answered. */
void exchanges_cancel_waiting(struct conn *);
void exchanges_cancel_running(struct conn *);

#endif
