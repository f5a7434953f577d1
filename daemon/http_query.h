/* What stands behind the '?' of an address: `name=value` with '&' between, percent-encoded. Pure functions, no I/O. */
#ifndef LEAT_HTTP_QUERY_H
#define LEAT_HTTP_QUERY_H

#include "slice.h"

/* The first value of `name` in a query string, percent-decoded into `room` (no NUL is added): its length, -1 when it is not
 * there, -2 when it is malformed or does not fit. '+' is a space. */
int http_query_value(struct slice query, struct slice name, char *room, size_t room_len);

/* Takes the first pair of the query off its front, and decodes it to the front of *room, which is as long as the query or
 * longer, and of which the rest is left. 1; 0 when there is no more; -2 when it is malformed. */
struct http_pair {
	struct slice name, value;
};
int http_query_next(struct slice *query, struct http_pair *pair, char **room);

#endif
