/* The payloads of a MAP over HTTP: the lines of its body, or, of application/x-ndjson, the strings of JSON that stand on them. A line ends
 * with LF, which need not stand behind the last one; an empty line is an empty payload. No I/O. */
#ifndef LEAT_PAYLOADS_H
#define LEAT_PAYLOADS_H

#include "answer.h"

struct payloads {
	struct slice *list;     /* owned; they point into the body */
	size_t count;
};

/* Takes a body apart, of which each string of JSON is decoded in its place. False: it is not of that form, has no line, or more than `max`;
 * *why is the answer. Free the list in any case. */
must_check bool payloads_read(struct payloads *, char *body, size_t len, struct slice content_type, size_t max, struct answer *why);

#endif
