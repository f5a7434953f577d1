/* Answers in RESP2: bytes to a tree. No I/O.
 *
 * Memory grows with the bytes that came, never with what a length announces. */
#ifndef LEAT_REPLY_H
#define LEAT_REPLY_H

#include "../lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

enum {
	REPLY_BYTES_MAX = 1 << 30,      /* of one answer, in all */
	REPLY_ITEMS_MAX = 1 << 20,      /* elements of one answer, in all */
	REPLY_LINE_MAX = 64 * 1024,     /* of a simple string, an error, a number */
	REPLY_DEPTH_MAX = 8,
};

enum reply_kind { REPLY_SIMPLE, REPLY_ERROR, REPLY_INT, REPLY_BULK, REPLY_NULL, REPLY_ARRAY };

struct reply {
	enum reply_kind kind;
	const char *text;               /* SIMPLE, ERROR, INT (its digits), BULK: in the caller's bytes, no NUL at its end */
	size_t len;
	int64_t integer;                /* INT */
	struct reply *items;            /* ARRAY: owned */
	size_t count;
};

/* Where the reading is: offsets into bytes that only grow at their end. Start with zeros. */
struct reply_reader {
	size_t at;                      /* the first byte that is not dealt with */
	size_t scanned;                 /* no CR LF from `at` to here */
	size_t open;                    /* elements that are still to come; 0 before the first call */
	size_t items;
};

enum reply_status { REPLY_MORE, REPLY_DONE, REPLY_BAD };

/* Looks at the bytes from the first one of the answer; looks at none twice. DONE when it is complete. On BAD `*why` says
 * what is wrong (static). */
enum reply_status reply_read(struct reply_reader *, const char *bytes, size_t len, const char **why) must_check;

/* The tree of a complete answer: release with reply_free(). The bytes have to outlive it. REPLY_BAD if it is nested too deeply. */
enum reply_status reply_build(struct reply *, const char *bytes, size_t len, const char **why) must_check;
void reply_free(struct reply *);

#endif
