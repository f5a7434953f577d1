/* Answers as bytes, for either protocol. Pure functions. */
#ifndef LEAT_REPLY_H
#define LEAT_REPLY_H

#include "answer.h"

struct job;

/* How the one who asked wants to be answered. */
struct wire {
	bool http;              /* else the line protocol */
	/* HTTP */
	bool minor, keep_alive; /* as in http.h */
	bool head_only;         /* HEAD: everything but the body */
	bool streamed;          /* a result comes as the job writes it */
	const char *date_line;
	struct slice origin;    /* of a page from elsewhere that may read the answer; empty: none. Of the configuration, and renewed with it */
	/* line protocol */
	int version;            /* 2 or 3 */
};

/* Appends an answer. Of CODE_OK it appends what comes before the output: the caller appends that, and then reply_end(). `job` adds its
 * id and times; it may be NULL. */
void reply_answer(struct buf *, const struct wire *, const struct answer *, const struct job *);
void reply_end(struct buf *, const struct wire *);

/* A result that comes as the job writes it, in HTTP only: the head, each part of the output, and how the job has ended: in the trailer, for
 * which HTTP/1.0 has no place. An answer without any output that is no result goes by reply_answer(). */
void reply_stream_begin(struct buf *, const struct wire *, const struct job *);
void reply_stream_part(struct buf *, const struct wire *, struct slice);
void reply_stream_end(struct buf *, const struct wire *, const struct answer *, const struct job *);

/* An HTTP answer with a body of its own; and with more header lines, each ended by CR LF. */
void reply_content(struct buf *, const struct wire *, int status, struct slice content_type, struct slice body);
void reply_document(struct buf *, const struct wire *, struct slice content_type, struct slice headers, struct slice body);
/* The head of one whose body follows in chunks. */
void reply_chunked(struct buf *, const struct wire *, struct slice content_type, struct slice headers);

/* An HTTP error with an `Allow` header. */
void reply_not_allowed(struct buf *, const struct wire *, const char *allow);

/* What OPTIONS is answered: the methods; and to a page from elsewhere that may ask, what it may send (the preflight of CORS). */
void reply_options(struct buf *, const struct wire *, const char *allow);

#endif
