/* The addresses of HTTP: a row in a table and a function each. */
#ifndef LEAT_ROUTE_H
#define LEAT_ROUTE_H

#include "slice.h"

#include <stdbool.h>

struct catalogue;
struct exchange;
struct http_request;
struct type;

/* Whether it is known who asks, as far as the address wants to know it; fills in ex->who. The head is enough. If not, the request is
 * answered, and, when it has a body, the connection closes behind that: nobody needs to read it. */
bool route_admits(struct exchange *, const struct http_request *);

/* Answers the request, exactly once. */
void route_dispatch(struct exchange *, const struct http_request *);

/* The same origin as text of the configuration. Empty: not one that it names. */
struct slice route_origin(const struct catalogue *, struct slice origin);

/* The job type that a request asks for of which only the head has come, or NULL. */
struct type *route_type(const struct catalogue *, const struct http_request *);
/* Whether its body goes to its job as it comes: that of a map is many payloads, and has to come whole. */
bool route_streams_body(const struct catalogue *, const struct http_request *);

#endif
