/* What a server said, as far as the load generator wants to know: leatd over HTTP and RESP, and any HTTP server that refuses with 503 and
 * gives up with 504. Pure functions. */
#ifndef OPENLOOP_REPLY_H
#define OPENLOOP_REPLY_H

#include <stdint.h>
#include <sys/types.h>

enum reply_kind {
	REPLY_OK,
	REPLY_REFUSED,
	REPLY_TIMEOUT,
	REPLY_ERROR,
	REPLY_KINDS,
};

enum { REPLY_REASON_MAX = 32 };

struct reply {
	enum reply_kind kind;
	char reason[REPLY_REASON_MAX]; /* of a refusal, or where the time ran out, or the code of an error; empty if it was not said */
	int64_t run_ns;                /* how long it ran by the server's word (Server-Timing), -1 if it did not say */
};

/* The answer at the start of `bytes`: how long it is, 0 if it is not whole yet, -1 if it is none. bytes[size] must be 0. */
typedef ssize_t reply_read(const char *bytes, size_t size, struct reply *);
reply_read reply_http, reply_resp;

const char *reply_kind_name(enum reply_kind);

#endif
