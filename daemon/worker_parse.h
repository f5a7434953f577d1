/* What a worker writes to its stdout, word by word: docs/worker-protocol.md. Bytes in, words out; no I/O.
 *
 * READY, BEAT, PART, DONE and FAIL each begin with a line of at most WORKER_LINE_MAX bytes, and the bytes that the last three announce
 * follow it. What comes out does not depend on how the bytes were cut, but for the pieces of the output. */
#ifndef LEAT_WORKER_PARSE_H
#define LEAT_WORKER_PARSE_H

#include "slice.h"

#include <stdint.h>

enum { WORKER_LINE_MAX = 64, WORKER_MESSAGE_MAX = 4096, WORKER_MESSAGE_KEPT = 255 };

enum worker_word {
	WORKER_MORE,            /* nothing whole yet */
	WORKER_READY,
	WORKER_BEAT,
	WORKER_OUTPUT,          /* bytes of a PART or of a DONE that goes on */
	WORKER_DONE,            /* ... and the last of them */
	WORKER_FAIL,            /* the message is in the parser */
	WORKER_RUBBISH,         /* it does not keep to the protocol; do not call again */
};

struct worker_said {
	enum worker_word word;
	size_t used;            /* bytes that are finished with; may be more than 0 with WORKER_MORE */
	struct slice output;    /* WORKER_OUTPUT, WORKER_DONE: points into the bytes */
	const char *why;        /* WORKER_RUBBISH: what the worker did; static */
};

/* Zeroed memory is a parser before the first word. */
struct worker_parser {
	enum worker_body { WORKER_BODY_NONE, WORKER_BODY_PART, WORKER_BODY_DONE, WORKER_BODY_FAIL } body;
	uint64_t left;          /* bytes of the body that have not come */
	size_t message_len;
	char message[WORKER_MESSAGE_KEPT + 1];  /* of the last FAIL: as much as is kept of it, ended by NUL */
};

/* The next word of these bytes. Call again with those that were not used and what came after them; a word that is no WORKER_MORE uses at
 * least one byte. */
struct worker_said worker_parse(struct worker_parser *, const char *bytes, size_t len);

#endif
