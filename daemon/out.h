/* What a connection has still to send, in order. Small things are copied into one buffer; a large result is sent straight from the job
 * that holds it, which keeps it in the memory budget until it is gone. One thread. */
#ifndef LEAT_OUT_H
#define LEAT_OUT_H

#include "buf.h"

struct job;
struct out_result;
struct tls;

struct out {
	struct buf bytes;               /* everything but the large results */
	struct out_result *results;     /* which stand between them, in order */
	struct out_result **last;
	size_t sent;                    /* of `bytes` */
	size_t result_bytes;            /* of all `results`, still to send */
};

void out_init(struct out *);
void out_free(struct out *);

/* Appends the output of a job. Takes the caller's reference on it. It is copied if it is short, which is cheaper than to keep the job;
 * if `scarce`, only if that also takes less memory. False: no memory, and the stream cannot go on. */
must_check bool out_add_result(struct out *, struct job *, struct slice output, bool scarce);

/* Sends what it can without blocking: the number of bytes, 0 if none can be sent for now, or -errno. `tls` NULL: it is not encrypted. */
must_check int64_t out_write(struct out *, int fd, struct tls *tls);

/* Bytes that wait. */
static inline size_t out_waiting(const struct out *o)
{
	return o->bytes.len - o->sent + o->result_bytes;
}

#endif
