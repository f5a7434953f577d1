/* An element of the answer to a MAP as bytes: a bulk string or an error of the line protocol, or a line of JSON, as
 *
 *     {"index":0,"output":"..."}    {"index":1,"output_base64":"..."}    {"index":2,"error":{"code":"FAILED","detail":"..."}}
 *
 * where an output that is not UTF-8 is in Base64 (RFC 4648). Large outputs become bytes in pieces, so that no copy of them is ever whole.
 * Pure functions. */
#ifndef LEAT_ELEMENT_H
#define LEAT_ELEMENT_H

#include "buf.h"

struct element {
	void (*add)(struct buf *, struct slice piece);
	struct slice left;      /* of what is inside */
	struct slice tail;
};

/* Appends what comes before an output, which has to stay as it is until all of it is written. */
void element_begin_output(struct element *, struct buf *, bool http, size_t index, struct slice output);
/* The same for an error: of HTTP an object, else a line with its '-' and CR LF. */
void element_begin_error(struct element *, struct buf *, bool http, size_t index, struct slice error);

/* Appends the next piece of it. True: that was the last. */
must_check bool element_write(struct element *, struct buf *);

#endif
