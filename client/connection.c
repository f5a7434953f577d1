#include "connection.h"

#include "progress.h"
#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

/* Milliseconds that poll() may still wait: 0 once the limit has passed, -1 for ever. */
static int time_left(moment limit)
{
	if (limit == FOREVER)
		return -1;

	int64_t left = limit - moment_now();

	if (left <= 0)
		return 0;
	/* Rounded up: not to wake before the limit. */
	return left / MILLISECONDS < INT_MAX ? (int)(left / MILLISECONDS) + 1 : INT_MAX;
}

/* Waits for `events`, or for trouble: what poll() saw, 0 when the limit has passed. */
static int wait_for(const struct connection *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };

	return connection_poll(c, &p, 1, false) ? p.revents : 0;
}

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

static void reset_at_close(int fd, bool reset)
{
	struct linger linger = { .l_onoff = reset };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* A job may run for hours without a byte: a server that has vanished from the network is found out by keepalives. */
static void set_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
	reset_at_close(fd, true);
}

/* A blocking connect() with a limit, since a unix socket has no other way to wait for its place in the backlog. */
static void limit_connect(int fd, moment limit)
{
	int left = time_left(limit);
	/* Zeros would mean no limit. */
	struct timeval time = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 + 1 };

	if (left >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

/* 0 or -errno. */
static int connect_to(struct connection *c, const struct sockaddr *to, socklen_t len)
{
	c->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	set_options(c->fd);
	limit_connect(c->fd, c->limit);
	if (connect(c->fd, to, len) == 0)
		return 0;
	return errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
}

static const char *connect_by_name(struct connection *c, const struct address *a)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	int error = getaddrinfo(a->host, a->port, &hints, &list);

	if (error)
		return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
	for (const struct addrinfo *i = list; i; i = i->ai_next) {
		error = connect_to(c, i->ai_addr, i->ai_addrlen);
		if (error == 0)
			break;
		connection_close(c);
	}
	freeaddrinfo(list);
	return error ? strerror(-error) : NULL;
}

static const char *begin_tls(struct connection *c, const struct address *a, const char *ca_file)
{
	const char *why;
	int r;

	if (fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK) < 0)
		return strerror(errno);
	c->tls = tls_new(c->fd, a->host, ca_file, &why);
	if (!c->tls)
		return why;
	while ((r = tls_handshake(c->tls)) == 0)
		if (!wait_for(c, tls_waits_for(c->tls)))
			return "no TLS within the time";
	return r < 0 ? tls_why(c->tls) : NULL;
}

const char *connection_open(struct connection *c, const struct address *a, const char *ca_file, moment limit)
{
	*c = (struct connection){ .fd = -1, .limit = limit };
	if (a->host[0]) {
		const char *why = connect_by_name(c, a);

		return why || !a->tls ? why : begin_tls(c, a, ca_file);
	}

	int error = connect_to(c, (const struct sockaddr *)&a->socket, sizeof(a->socket));

	return error ? strerror(-error) : NULL;
}

void connection_close(struct connection *c)
{
	tls_free(c->tls);
	c->tls = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

ssize_t connection_send(const struct connection *c, const void *bytes, size_t len)
{
	ssize_t n = c->tls ? tls_send(c->tls, bytes, len) : send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

ssize_t connection_receive(const struct connection *c, void *to, size_t len)
{
	ssize_t n = c->tls ? tls_receive(c->tls, to, len) : recv(c->fd, to, len, MSG_DONTWAIT);

	return n >= 0 || errno == EAGAIN || errno == EINTR ? n : 0;
}

bool connection_has_more(const struct connection *c)
{
	return c->tls && tls_has_more(c->tls);
}

bool connection_poll(const struct connection *c, struct pollfd *polls, size_t n, bool at_once)
{
	for (;;) {
		int ready = poll(polls, n, at_once ? 0 : time_left(c->limit));

		if (ready > 0 || at_once)
			return true;
		if (ready == 0 && time_left(c->limit) == 0)
			return false;
	}
}

void connection_end(const struct connection *c)
{
	reset_at_close(c->fd, false);
}

/* Sends what the socket takes. False when the server does not listen any more: its answer may still be there to read. */
static bool send_some(const struct connection *c, const struct bytes *request, size_t *sent)
{
	ssize_t n = connection_send(c, request->at + *sent, request->len - *sent);

	if (n >= 0)
		*sent += (size_t)n;
	return n >= 0;
}

/* False at the end of the connection, of whatever kind. */
static bool receive_some(const struct connection *c, struct bytes *answer)
{
	ssize_t n = connection_receive(c, bytes_reserve(answer, READ_BYTES), READ_BYTES);

	if (n > 0)
		answer->len += (size_t)n;
	return n != 0;
}

/* What is ready: as wait_for(), but that TLS may have more to read without the socket knowing. */
static int wait_ready(const struct connection *c, bool sending)
{
	short events = sending ? POLLIN | POLLOUT : POLLIN;

	return connection_has_more(c) ? (POLLIN | (sending ? POLLOUT : 0)) : wait_for(c, events);
}

static bool says_no_auth(const struct bytes *answer)
{
	static const char prefix[] = "-NOAUTH ";

	return answer->len >= strlen(prefix) && memcmp(answer->at, prefix, strlen(prefix)) == 0;
}

/* Looks at what has come, and drops the answers before the one that is wanted. */
static enum reply_status read_replies(struct reply_reader *reader, struct bytes *answer, size_t *before, const char **why)
{
	for (;;) {
		enum reply_status status = reply_read(reader, answer->at, answer->len, why);

		if (status != REPLY_DONE || *before == 0 || says_no_auth(answer))
			return status;
		--*before;
		answer->len -= reader->at;
		memmove(answer->at, answer->at + reader->at, answer->len);
		*reader = (struct reply_reader){ 0 };
	}
}

enum exchange_status connection_exchange(struct connection *c, const struct bytes *request, size_t before, struct bytes *answer,
                                         const char **why)
{
	struct reply_reader reader = { 0 };
	enum reply_status status = REPLY_MORE;
	size_t sent = 0;
	bool sending = true;

	while (status == REPLY_MORE) {
		sending = sending && sent < request->len;

		int seen = wait_ready(c, sending);

		if (!seen)
			return EXCHANGE_TIMED_OUT;
		if (seen & POLLOUT)
			sending = send_some(c, request, &sent);
		if (!(seen & (POLLIN | POLLHUP | POLLERR)))
			continue;
		if (!receive_some(c, answer))
			return EXCHANGE_ENDED;
		status = read_replies(&reader, answer, &before, why);
		/* The array itself is one. */
		if (before == 0 && reader.items > 0)
			progress_show(c->progress, reader.items - 1);
	}
	if (status == REPLY_BAD)
		return EXCHANGE_BAD;
	/* All sent and all answered: an orderly end. */
	if (sent == request->len)
		reset_at_close(c->fd, false);
	return EXCHANGE_DONE;
}
