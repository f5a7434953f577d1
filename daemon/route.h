/* The addresses of HTTP: a row in a table and a function each. */
#ifndef LEAT_ROUTE_H
#define LEAT_ROUTE_H

struct exchange;
struct http_request;
struct leatd;
struct type;

/* Answers the request, exactly once. */
void route_dispatch(struct exchange *, const struct http_request *);

/* The job type that a request asks for of which only the head has come, or NULL. */
struct type *route_type(const struct leatd *, const struct http_request *);

#endif
