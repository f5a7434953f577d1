/* RESP, the protocol of Redis: bytes to commands, and answers to bytes. Pure functions, no I/O.
 *
 * Requests are inline lines for people (`RUN upper "hello world"`, quoted as redis-cli quotes: "\n \xHH \"" within double
 * quotes, only \' within single ones) or arrays of bulk strings for programs. An empty line is skipped.
 * Source: Redis protocol specification, RESP2 and RESP3. */
#ifndef LEAT_RESP_H
#define LEAT_RESP_H

#include "buf.h"
#include "parse.h"

#include <stdint.h>

enum {
	RESP_INLINE_MAX = 65536,        /* bytes of an inline command: PARSE_BAD over it */
	RESP_ARGS_MAX = 1024,           /* arguments of a command: PARSE_BAD over it */
	RESP_ARGS_INLINE = 12,          /* arguments that need no allocation */
	RESP_MAP_ARGS_MAX = 10000 + 64, /* the same of MAP: its payloads, and room for its options */
};

struct resp_parser {
	size_t argc;                    /* after PARSE_DONE: at least 1 */
	struct slice *argv;             /* ... valid until the window is changed or the parser used again */
	/* For a client that has to AUTH first; may be set between two commands. */
	size_t max_args;                /* at most RESP_ARGS_MAX, which it is at first; below that it holds for MAP too */
	size_t max_bytes;               /* of a command in all: PARSE_BAD over it; 0: as is said below */

	/* What follows is private to resp.c. Offsets count from the start of the window. */
	uint8_t state;
	bool skipping;                  /* the command is over its limit */
	bool long_array;                /* it has more arguments than any command but MAP may have */
	size_t at;                      /* what lies before it has been looked at */
	size_t dropped;                 /* bytes of this command that are no longer in the window */
	size_t elements;                /* of the array, still to come */
	size_t slack;                   /* what the command may hold beside its payload */
	size_t bulk;                    /* bytes of the present element, still to come */
	size_t room;                    /* of `many` */
	struct slice *many;             /* owned; in place of `few` when there are more arguments than that holds */
	struct slice few[RESP_ARGS_INLINE];
};

void resp_parser_init(struct resp_parser *);

/* Frees what it holds, not itself. As after resp_parser_init(), but that max_args and max_bytes are kept. */
void resp_parser_free(struct resp_parser *);

/* Looks at the window; see parse.h. An argument of more than `max_bulk` bytes, or a command of more than max_bulk + 64 KiB in
 * all, is skipped as it comes (PARSE_TOOBIG at its end; PARSE_BAD when it is over 64 MiB as well). Inline arguments are unquoted
 * in place, so the window is written to. */
struct parse_result resp_parse(struct resp_parser *, char *window, size_t len, size_t max_bulk);

/* The rest of the array that has begun is thrown away as it comes, and at its end stands PARSE_TOOBIG; call resp_parse() again with the
 * window as it is. `head` becomes its first two arguments as far as they have come whole, valid until then. False: no array has
 * begun, or one so long that only its name, which has not come, can say whether it may be. */
must_check bool resp_skip(struct resp_parser *, const char *window, struct slice head[2]);

/* Bytes that are allocated for the arguments of the command that has begun. */
static inline size_t resp_parser_bytes(const struct resp_parser *p)
{
	return p->room * sizeof(*p->many);
}

/* Whether the command that has begun is an array, of which more is to come. */
bool resp_in_array(const struct resp_parser *);

/* Answers. `version` is 2 or 3, as HELLO has set it. */
void resp_add_simple(struct buf *, const char *text);           /* +text; control characters become spaces */
void resp_add_error(struct buf *, struct slice line);           /* -line; control characters become spaces */
void resp_add_int(struct buf *, int64_t);
void resp_add_bulk_head(struct buf *, size_t len);      /* what comes before the bytes; CR LF has to follow them */
void resp_add_bulk(struct buf *, struct slice);
void resp_add_null(struct buf *, int version);
void resp_add_null_array(struct buf *, int version);            /* where an array might have stood */
void resp_add_array(struct buf *, size_t n);                    /* n elements follow */
void resp_add_map(struct buf *, size_t pairs, int version);     /* %pairs, or an array of twice as many in RESP2 */
void resp_add_set(struct buf *, size_t n, int version);         /* ~n, or an array in RESP2 */

#endif
