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
	const char *date_line;
	struct slice origin;    /* of a page from elsewhere that may read the answer; empty: none. Lives as long as the configuration */
	/* line protocol */
	int version;            /* 2 or 3 */
};

/* Appends an answer. Of CODE_OK it appends what comes before the output: the caller appends that, and then reply_end(). `job` adds its
 * id and times; it may be NULL. */
void reply_answer(struct buf *, const struct wire *, const struct answer *, const struct job *);
void reply_end(struct buf *, const struct wire *);

/* An HTTP answer with a body of its own. */
void reply_content(struct buf *, const struct wire *, int status, struct slice content_type, struct slice body);

/* The head of an HTTP answer of lines of JSON, the length of which nobody knows yet: in chunks, or, for HTTP/1.0, up to the end of the
 * connection. */
void reply_lines(struct buf *, const struct wire *, struct slice id);

/* An HTTP error with an `Allow` header. */
void reply_not_allowed(struct buf *, const struct wire *, const char *allow);

/* What OPTIONS is answered: the methods; and to a page from elsewhere that may ask, what it may send (the preflight of CORS). */
void reply_options(struct buf *, const struct wire *, const char *allow);

#endif
