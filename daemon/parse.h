/* What the two parsers have in common.
 *
 * A parser looks at a window: the bytes of one connection from the first one that is not dealt with yet. It keeps
 * its place between calls as offsets into the window, so the window may move in memory, and what has been searched is
 * not searched again. It does no I/O and knows nothing of jobs. What comes back does not depend on how the bytes were
 * cut into calls: the first mistake on the wire is the one that is named, as soon as its line is there.
 *
 * The caller drops `used` bytes from the front of the window after every call, whatever came back. */
#ifndef LEAT_PARSE_H
#define LEAT_PARSE_H

#include "slice.h"

enum parse_status {
	PARSE_MORE,     /* incomplete; `want` says how long the window has to become before another look is of use */
	PARSE_DONE,     /* a request; its slices are valid until the window is changed */
	PARSE_TOOBIG,   /* a request whose payload was over its limit and has been skipped: answer TOOBIG and go on */
	PARSE_HEAD,     /* of HTTP, if it was asked for: the head of a request whose body is not all there, or is over its limit. Choose
	                 * http_stream(), or call again for the whole request */
	PARSE_PART,     /* of HTTP, after http_stream(): some bytes of the body; what comes next may need no further ones */
	PARSE_BAD,      /* cannot be understood: answer with `code` and `why`, and close */
};

struct parse_result {
	enum parse_status status;
	size_t used;            /* bytes of the window that are finished with; may be more than 0 with PARSE_MORE */
	size_t want;            /* PARSE_MORE: bytes the window has to hold, once `used` is dropped from it; at least one more
	                         * than it then does. Payloads are counted in, so that the window can be sized once */
	int http_status;        /* PARSE_BAD of HTTP: 400, 413, 414, 417, 431, 505 */
	const char *why;        /* PARSE_BAD: a sentence for people, static */
};

#endif
