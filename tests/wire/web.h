/* HTTP as a client sees it. */
#ifndef LEAT_WEB_H
#define LEAT_WEB_H

#include <stddef.h>

struct client;
struct server;

struct response {
	int status;
	const char *head;       /* status line and headers, each ended by CR LF */
	const char *body;       /* ended by a NUL */
	size_t body_len;
};

/* Waits for a whole response, and for one without a body, as HEAD has it. */
const struct response *hear_response(struct client *);
const struct response *hear_head(struct client *);

/* The value of a header, or NULL. */
const char *header(const struct response *, const char *name);

/* One request on a connection of its own. */
const struct response *ask(struct server *, const char *request);
const struct response *get(struct server *, const char *path);
const struct response *post(struct server *, const char *path, const char *body);

/* Says a POST. `headers` are lines ended by CR LF, or "". */
void say_post(struct client *, const char *path, const char *headers, const char *body);

/* What its body is. */
#define assert_response(r, wanted_status, wanted_body) \
	do { \
		const struct response *r_ = (r); \
		ck_assert_msg(r_->status == (wanted_status) && strcmp(r_->body, wanted_body) == 0, "not %d and '%s' but\n%s\n%s", \
			      wanted_status, wanted_body, r_->head, r_->body); \
	} while (0)

/* A problem+json (RFC 9457) of this status and code. */
void assert_problem(const struct response *, int status, const char *code);

#endif
