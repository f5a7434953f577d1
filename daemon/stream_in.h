/* The body of a request that is given to its job as it comes: it goes into the job's stream (stream.h), and while that is full the
 * connection is not read from. Its end is the end of the stream, and nothing else is: a job whose client goes away, or whose body turns
 * out to be malformed, is cancelled and does not see an end, lest it takes half an input for a whole one.
 *
 * A job that does not want the rest, or is over, need not keep the client from using the connection: the rest is thrown away, up to
 * a bound, over which the connection closes behind the answer.
 * It belongs to the connection (conn->body), from the job's admission to the end of the body. On the thread of the loop. */
#ifndef LEAT_STREAM_IN_H
#define LEAT_STREAM_IN_H

#include "answer.h"

struct conn;
struct exchange;
struct stream_in;

/* For an exchange that is kept in the line, whose job has just been submitted. NULL: no memory. `says_continue`: the client waits for it.
 * `close_after`: nothing follows it on the connection. */
must_check struct stream_in *stream_in_start(struct exchange *, bool says_continue, bool close_after);

/* Takes of the front of a part what there is room for: how many bytes. */
size_t stream_in_take(struct stream_in *, struct slice part);
/* It waits for the job to read. */
bool stream_in_is_full(const struct stream_in *);

/* It has come whole. Frees it. */
void stream_in_end(struct stream_in *);
/* No more of it can be understood, or comes in time: the job is cancelled, this is the answer, and the connection closes. */
void stream_in_fail(struct stream_in *, const struct answer *);
/* The connection closes. NULL does nothing. */
void stream_in_free(struct stream_in *);

/* --- For exchange.c --- */

/* What is to be said rather than what the job says; NULL: nothing. */
const struct answer *stream_in_fault(const struct stream_in *);
/* It is the exchange's turn to say something. */
void stream_in_say_continue(struct stream_in *, struct buf *out);
/* The job does not read any more. */
void stream_in_job_over(struct stream_in *);
/* The exchange is about to be freed. */
void stream_in_answered(struct stream_in *);

#endif
