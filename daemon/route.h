/* The addresses of HTTP: a row in a table and a function each. */
#ifndef LEAT_ROUTE_H
#define LEAT_ROUTE_H

struct exchange;
struct http_request;

/* Answers the request, exactly once. */
void route_dispatch(struct exchange *, const struct http_request *);

#endif
