/* A connection to a server: one request goes out, one answer comes back.
 *
 * Until its answer is there, any end of the connection is a reset, however this process ends: that is what tells the
 * server to cancel the job. (A unix socket has no reset; its full close says the same.) */
#ifndef LEAT_CONNECTION_H
#define LEAT_CONNECTION_H

#include "address.h"
#include "bytes.h"
#include "reply.h"

#include "../lib/moment.h"

#include <stdbool.h>
#include <sys/types.h>

struct progress;

struct connection {
	int fd;
	struct tls *tls;                /* NULL: not encrypted */
	moment limit;                   /* when waiting ends */
	struct progress *progress;      /* told how many elements of the answer have come; NULL: nobody is */
};

/* Connects to the first address that the name stands for and that answers, until `limit`; `ca_file` as in tls.h. Returns NULL, or why
 * not (static, or of the connection). Close with connection_close() in both cases. */
const char *connection_open(struct connection *, const struct address *, const char *ca_file, moment limit) must_check;
void connection_close(struct connection *);

enum exchange_status {
	EXCHANGE_DONE,
	EXCHANGE_ENDED,                 /* the server closed the connection before its answer was complete */
	EXCHANGE_TIMED_OUT,
	EXCHANGE_BAD,                   /* the answer is not to be understood; see `*why` */
};

/* Sends the request and reads at the same time, so that an answer which comes before the request is all sent cannot
 * block both sides. Passes over `before` answers, unless one says NOAUTH, and fills `answer` with the bytes of the next one. */
enum exchange_status connection_exchange(struct connection *, const struct bytes *request, size_t before, struct bytes *answer,
                                         const char **why) must_check;

/* --- For a conversation of one's own --- */

struct pollfd;

/* As send() and recv() that do not block. Of a send: 0 it has to wait, -1 the server does not listen any more. Of a receive: 0 the connection
 * has ended, in whatever way, -1 nothing yet. */
ssize_t connection_send(const struct connection *, const void *bytes, size_t len) must_check;
ssize_t connection_receive(const struct connection *, void *to, size_t len) must_check;
/* There are bytes of which poll() does not know. */
bool connection_has_more(const struct connection *);
/* poll() until the limit, or without waiting. False: the limit has passed. */
bool connection_poll(const struct connection *, struct pollfd *, size_t n, bool at_once) must_check;
/* All is said and answered: closing is not to be a reset. */
void connection_end(const struct connection *);

#endif
